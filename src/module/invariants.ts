/**
 * What holds between any two calls, by name. A violation means that the emulated module is wrong, whatever statuses it gave.
 * `checkInvariants` takes the machine as it stands, and, for what a call may change, as it stood before.
 */
import {
  aliasBesideItsPage,
  entryIsValid,
  leafMapsOwnPage,
  mappedOnce,
  oneEntryPerPage,
  ownerIsATd,
  trackedBeforeChange,
} from "./invariant-mappings.ts";
import type { Report, State } from "./invariant-state.ts";
import { childCount, keyBeforeUse, locksFree, oneTdPerKey, structurePages, vcpusCounted } from "./invariant-tds.ts";
import type { Machine } from "./machine.ts";
import { type Survey, survey } from "./survey.ts";

export interface Violation {
  /** Name of the invariant. */
  readonly invariant: string;
  /** What is wrong, with the addresses. */
  readonly text: string;
}

interface Invariant {
  readonly name: string;
  /** The rule, for people. */
  readonly rule: string;
  readonly check: (state: State, report: Report, before: Survey | undefined) => void;
}

export const invariants: readonly Invariant[] = [
  { name: "one-entry-per-page", rule: "A page is described by one PAMT entry only.", check: oneEntryPerPage },
  { name: "owner-is-a-td", rule: "Every page of a TD has an owner that is a TDR.", check: ownerIsATd },
  {
    name: "leaf-maps-own-page",
    rule: "What an S-EPT entry points to is a PT_REG page of that TD and of the entry's size, or a PT_EPT page of that TD.",
    check: leafMapsOwnPage,
  },
  {
    name: "alias-beside-its-page",
    rule: "An L2 VM's entry maps what the TD's own entry maps, which has an alias bit for it and for no other VM.",
    check: aliasBesideItsPage,
  },
  {
    name: "mapped-once",
    rule: "A PT_REG or PT_EPT page hangs in exactly one place of its TD's S-EPT.",
    check: mappedOnce,
  },
  {
    name: "entry-is-valid",
    rule: "An S-EPT entry is in a known state, with the permissions of it.",
    check: entryIsValid,
  },
  { name: "child-count", rule: "TDR.CHLDCNT is the number of 4 KiB pages that the TD owns.", check: childCount },
  {
    name: "structure-pages",
    rule: "The PT_TDCX pages of a TD are those that its TDCS and its VCPUs name.",
    check: structurePages,
  },
  {
    name: "one-td-per-key",
    rule: "A KeyID belongs to one TD, and the key ownership table says so.",
    check: oneTdPerKey,
  },
  {
    name: "key-before-use",
    rule: "A VCPU runs only while its TD's key is configured on all packages.",
    check: keyBeforeUse,
  },
  {
    name: "vcpus-counted",
    rule: "REFCOUNT counts the VCPUs that run by their epochs, NUM_ASSOC_VCPUS the associated ones, unless the TD is fatal.",
    check: vcpusCounted,
  },
  { name: "locks-free", rule: "No lock is held when no LP is in the module or in a guest.", check: locksFree },
  {
    name: "tracked-before-change",
    rule: "While a TD may run, a mapping ends or moves only after it was blocked and tracked.",
    check: trackedBeforeChange,
  },
];

/** All violations. `before`: the machine before the last call, for the rules on what a call may do. */
export function checkInvariants(machine: Machine, before?: Survey): Violation[] {
  const now = survey(machine);
  const state: State = { ...now, machine, pageAt: new Map(now.pages.map((page) => [page.hpa, page])) };
  const violations: Violation[] = [];
  for (const { name, check } of invariants) check(state, (text) => violations.push({ invariant: name, text }), before);
  return violations;
}
