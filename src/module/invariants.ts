/**
 * What holds between any two calls, by name. A violation means that the emulated module is wrong, whatever statuses it gave.
 * `checkInvariants` takes the machine as it stands, and, for what a call may change, as it stood before.
 */
import { OP_STATES_TLB_TRACKING_REQUIRED } from "../arch/generated/op-states.ts";
import { PT_EPT, PT_REG, PT_TDCX, PT_TDR, pageTypeNames } from "../arch/generated/pamt-types.ts";
import {
  SEPT_ANY_BLOCKED_STATES,
  SEPT_STATES,
  SEPT_TLB_TRACKING_REQUIRED_STATES,
} from "../arch/generated/sept-states.ts";
import {
  HKID_ASSIGNED,
  HKID_FLUSHED,
  TD_BLOCKED,
  TD_HKID_ASSIGNED,
  TD_KEYS_CONFIGURED,
  TD_TEARDOWN,
  VCPU_ACTIVE,
} from "../arch/generated/td-states.ts";
import { refcountCell } from "./epoch.ts";
import { hkidState } from "./kot.ts";
import { aliasesOf } from "./l2-sept.ts";
import {
  TDCS_EPOCH_LOCK,
  TDCS_NUM_ASSOC_VCPUS,
  TDCS_OP_STATE_LOCK,
  TDCS_SECURE_EPT_LOCK,
  TDCS_TD_EPOCH,
  TDR_CHLDCNT,
  TDR_FATAL,
  TDR_PKG_CONFIG_BITMAP,
  TDVPS_ASSOC_LPID,
  TDVPS_VCPU_EPOCH,
  TDVPS_VCPU_STATE,
} from "./layout.ts";
import type { Machine } from "./machine.ts";
import { PAGE_BYTES, PG_4K, pamtLock } from "./pamt.ts";
import { levelBytes, SEPT_HOST_LOCK, SEPT_RWX } from "./sept-entry.ts";
import { type Mapping, type Page, type Survey, survey, type Td, type VcpuPages } from "./survey.ts";
import { NO_LP } from "./vcpu.ts";

export interface Violation {
  /** Name of the invariant. */
  readonly invariant: string;
  /** What is wrong, with the addresses. */
  readonly text: string;
}

/** A state to check, with lookups. */
interface State extends Survey {
  readonly machine: Machine;
  /** By HPA. */
  readonly pageAt: ReadonlyMap<number, Page>;
}

/** Takes what is wrong. */
type Report = (text: string) => void;

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

const hex = (value: number): string => `0x${value.toString(16)}`;
const typeName = (page: Page | undefined): string => (page ? (pageTypeNames[page.type] ?? hex(page.type)) : "free");
const isIn = (set: number, state: number): boolean => state >= 0 && ((set >>> state) & 1) !== 0;

function oneEntryPerPage({ pages }: State, report: Report): void {
  const sorted = [...pages].sort((a, b) => a.hpa - b.hpa || b.size - a.size);
  let end = 0;
  for (const page of sorted) {
    if (page.hpa < end) report(`page ${hex(page.hpa)} lies in a larger page that is in use`);
    if (page.size !== PG_4K && page.type !== PT_REG) report(`large page ${hex(page.hpa)} is ${typeName(page)}`);
    end = Math.max(end, page.hpa + (PAGE_BYTES[page.size] as number));
  }
}

function ownerIsATd({ pages, pageAt }: State, report: Report): void {
  for (const page of pages) {
    if (page.type !== PT_TDR && pageAt.get(page.owner)?.type !== PT_TDR) {
      report(
        `${typeName(page)} page ${hex(page.hpa)}: its owner ${hex(page.owner)} is ${typeName(pageAt.get(page.owner))}`,
      );
    }
  }
}

function eachMapping({ tds }: Survey): [Td, Mapping][] {
  return tds.flatMap((td) => td.mappings.map((mapping): [Td, Mapping] => [td, mapping]));
}

function leafMapsOwnPage(state: State, report: Report): void {
  for (const [td, { gpa, level, hpa, isTable }] of eachMapping(state)) {
    const page = state.pageAt.get(hpa);
    const wanted = isTable ? { type: PT_EPT, size: PG_4K } : { type: PT_REG, size: level };
    if (page?.type !== wanted.type || page.size !== wanted.size || page.owner !== td.hpa) {
      report(
        `GPA ${hex(gpa)} level ${level} of TD ${hex(td.hpa)} points to ${hex(hpa)}: ${typeName(page)}, size ${page?.size}, owner ${page && hex(page.owner)}`,
      );
    }
  }
}

function mappedOnce(state: State, report: Report): void {
  const uses = new Map<number, number>();
  for (const [, { hpa }] of eachMapping(state)) uses.set(hpa, (uses.get(hpa) ?? 0) + 1);
  for (const { hpa } of state.tds.flatMap(({ l2Mappings }) => l2Mappings.flat()).filter(({ isTable }) => isTable)) {
    uses.set(hpa, (uses.get(hpa) ?? 0) + 1);
  }
  for (const page of state.pages) {
    const owner = state.tds.find(({ hpa }) => hpa === page.owner);
    if ((page.type !== PT_REG && page.type !== PT_EPT) || owner === undefined || owner.lifecycle === TD_TEARDOWN)
      continue;
    const count = uses.get(page.hpa) ?? 0;
    if (count !== 1)
      report(`${typeName(page)} page ${hex(page.hpa)} of TD ${hex(page.owner)} is mapped ${count} times`);
  }
}

function entryIsValid(state: State, report: Report): void {
  const { store } = state.machine;
  for (const [td, { gpa, level, state: entry, cell, hpa }] of eachMapping(state)) {
    const where = `GPA ${hex(gpa)} level ${level} of TD ${hex(td.hpa)}`;
    const name = SEPT_STATES[entry]?.name;
    const accessible = name === "SEPT_MAPPED" || name === "SEPT_NL_MAPPED";
    if (name === undefined) report(`${where}: no valid state`);
    else if (((store.read(cell) & SEPT_RWX) === SEPT_RWX) !== accessible)
      report(`${where}: ${name} with wrong permissions`);
    if (hpa === 0) report(`${where}: no HPA`);
  }
}

function childCount({ tds, pages, machine }: State, report: Report): void {
  for (const td of tds) {
    let owned = 0;
    for (const page of pages) if (page.type !== PT_TDR && page.owner === td.hpa) owned += 512 ** page.size;
    const counted = machine.store.readNumber(td.tdr + TDR_CHLDCNT);
    if (counted !== owned) report(`TD ${hex(td.hpa)} counts ${counted} child pages and owns ${owned}`);
  }
}

function structurePages({ tds, vcpus, pages, pageAt }: State, report: Report): void {
  const named = new Map<number, number>();
  for (const td of tds) if (td.lifecycle !== TD_TEARDOWN) for (const hpa of td.tdcx) named.set(hpa, td.hpa);
  const alive = (vcpu: VcpuPages): boolean =>
    tds.some(({ hpa, lifecycle }) => hpa === vcpu.owner && lifecycle !== TD_TEARDOWN);
  for (const vcpu of vcpus.filter(alive)) for (const hpa of vcpu.pages.slice(1)) named.set(hpa, vcpu.owner);
  for (const [hpa, owner] of named) {
    const page = pageAt.get(hpa);
    if (page?.type !== PT_TDCX || page.owner !== owner)
      report(`structure page ${hex(hpa)} of TD ${hex(owner)} is ${typeName(page)}`);
  }
  for (const { hpa, type, owner } of pages) {
    const td = tds.find((other) => other.hpa === owner);
    if (type === PT_TDCX && td?.lifecycle !== TD_TEARDOWN && !named.has(hpa))
      report(`PT_TDCX page ${hex(hpa)} is in no structure`);
  }
}

function oneTdPerKey({ tds, machine }: State, report: Report): void {
  const users = new Map<number, number>();
  for (const { hkid, hpa, lifecycle } of tds) {
    if (lifecycle === TD_TEARDOWN) continue;
    if (users.has(hkid)) report(`KeyID ${hkid} belongs to the TDs ${hex(users.get(hkid) as number)} and ${hex(hpa)}`);
    users.set(hkid, hpa);
    const state = hkidState(machine.calls[0]!, hkid);
    const wanted = lifecycle === TD_BLOCKED ? HKID_FLUSHED : HKID_ASSIGNED;
    if (state !== wanted) report(`KeyID ${hkid} of TD ${hex(hpa)} (life cycle ${lifecycle}) is in state ${state}`);
  }
}

function keyBeforeUse({ tds, vcpus, machine }: State, report: Report): void {
  const { store, platform } = machine;
  const allPackages = 2 ** platform.config.packages.length - 1;
  for (const td of tds) {
    if (td.lifecycle === TD_HKID_ASSIGNED || td.lifecycle === TD_TEARDOWN) continue;
    if (store.read(td.tdr + TDR_PKG_CONFIG_BITMAP) !== allPackages)
      report(`TD ${hex(td.hpa)}: its key is not configured everywhere`);
  }
  for (const { hpa, tdvpr, owner } of vcpus) {
    const td = tds.find((other) => other.hpa === owner);
    const active = store.read(tdvpr + TDVPS_VCPU_STATE) === VCPU_ACTIVE;
    if (active && td?.lifecycle !== TD_KEYS_CONFIGURED && td?.lifecycle !== TD_TEARDOWN) {
      report(`VCPU ${hex(hpa)} runs without a key`);
    }
  }
}

function vcpusCounted({ tds, vcpus, machine }: State, report: Report): void {
  const { store } = machine;
  // A VCPU that makes its TD fatal stays VCPU_ACTIVE: nobody enters it again.
  for (const td of tds.filter(({ tdr, tdcs }) => tdcs !== 0 && store.read(tdr + TDR_FATAL) === 0)) {
    const running = [0, 0];
    let associated = 0;
    for (const { tdvpr } of vcpus.filter(({ owner }) => owner === td.hpa)) {
      if (store.read(tdvpr + TDVPS_ASSOC_LPID) !== NO_LP) associated++;
      if (store.read(tdvpr + TDVPS_VCPU_STATE) === VCPU_ACTIVE) {
        running[store.readNumber(tdvpr + TDVPS_VCPU_EPOCH) % 2]!++;
      }
    }
    const counted = [store.read(refcountCell(td.tdcs, 0)), store.read(refcountCell(td.tdcs, 1))];
    if (String(counted) !== String(running))
      report(`TD ${hex(td.hpa)} counts ${counted} VCPUs by epoch; ${running} run`);
    const count = store.read(td.tdcs + TDCS_NUM_ASSOC_VCPUS);
    if (count !== associated) report(`TD ${hex(td.hpa)} counts ${count} associated VCPUs; there are ${associated}`);
  }
}

function aliasBesideItsPage({ tds, machine }: State, report: Report): void {
  const place = ({ gpa, level }: Mapping): string => `${hex(gpa)} level ${level}`;
  for (const td of tds) {
    const own = new Map(td.mappings.map((mapping) => [place(mapping), mapping]));
    const expected = new Map<string, number>();
    for (const [place, { cell }] of own) {
      for (const vm of aliasesOf({ hi: machine.store.read(cell + 1) })) expected.set(`${place} in VM ${vm}`, vm);
    }
    for (const [i, mappings] of td.l2Mappings.entries()) {
      for (const mapping of mappings) {
        const l1 = own.get(place(mapping));
        const where = `${place(mapping)} in VM ${i + 1}`;
        if (!expected.delete(where)) report(`TD ${hex(td.hpa)}: GPA ${where} has no alias bit`);
        if (l1?.isTable !== mapping.isTable || (!mapping.isTable && l1.hpa !== mapping.hpa)) {
          report(`TD ${hex(td.hpa)}: GPA ${where} maps ${hex(mapping.hpa)}, the TD itself ${l1 && hex(l1.hpa)}`);
        }
      }
    }
    for (const where of expected.keys()) report(`TD ${hex(td.hpa)}: GPA ${where} has an alias bit and no entry`);
  }
}

/** Host-priority flag of a lock: it may outlive a call. */
const HP_FLAG = 2;

function locksFree({ tds, pages, machine }: State, report: Report): void {
  const { store, platform } = machine;
  const inGuest = Array.from({ length: platform.lps }, (_, lp) => machine.inGuest(lp)).includes(true);
  if (inGuest || !machine.quiescent) return;
  for (const { entry, hpa } of pages) {
    if ((store.read(pamtLock(entry)) & ~HP_FLAG) !== 0) report(`the PAMT entry of page ${hex(hpa)} is locked`);
  }
  for (const td of tds.filter(({ tdcs }) => tdcs !== 0)) {
    for (const lock of [TDCS_OP_STATE_LOCK, TDCS_SECURE_EPT_LOCK, TDCS_EPOCH_LOCK]) {
      if ((store.read(td.tdcs + lock) & ~HP_FLAG) !== 0) report(`a lock of TD ${hex(td.hpa)} is held (word ${lock})`);
    }
    for (const { gpa, level, cell } of td.mappings) {
      if ((store.read(cell) & SEPT_HOST_LOCK) !== 0)
        report(`the S-EPT entry of GPA ${hex(gpa)} level ${level} is locked`);
    }
  }
}

/** A mapping, and with it what the rule on its end depends on, is looked at in the state before. */
function trackedBeforeChange(state: State, report: Report, before: Survey | undefined): void {
  for (const [old, mapping] of before ? eachMapping(before) : []) {
    const td = state.tds.find(({ hpa }) => hpa === old.hpa);
    if (!isIn(OP_STATES_TLB_TRACKING_REQUIRED, old.opState) || td?.tdcs === 0 || td === undefined) continue;
    const now = td.mappings.find(({ gpa, level }) => gpa === mapping.gpa && level === mapping.level);
    const isSame = now !== undefined && now.hpa === mapping.hpa && now.isTable === mapping.isTable;
    if (isSame || !isIn(SEPT_TLB_TRACKING_REQUIRED_STATES, mapping.state)) continue;
    const where = `GPA ${hex(mapping.gpa)} level ${mapping.level} of TD ${hex(td.hpa)} changed`;
    const blocked = blockedAbove(old, mapping);
    const bepoch = before?.pages.find(({ hpa }) => hpa === blocked?.hpa)?.bepoch;
    if (bepoch === undefined) report(`${where} and was not blocked`);
    else if (!wasTracked(state, td, bepoch)) report(`${where} before its tracking was done`);
  }
}

/** The blocked entry through which the mapping was unreachable: itself, or a table above it. */
function blockedAbove({ mappings }: Td, { gpa, level }: Mapping): Mapping | undefined {
  return mappings.find(
    (other) =>
      isIn(SEPT_ANY_BLOCKED_STATES, other.state) &&
      other.level >= level &&
      other.gpa <= gpa &&
      gpa < other.gpa + levelBytes(other.level),
  );
}

/** No VCPU runs any more that was entered in `bepoch` or before. Does not use the module's own check: it may be wrong. */
function wasTracked({ vcpus, machine }: State, td: Td, bepoch: number): boolean {
  const { store } = machine;
  const running = vcpus.filter(
    ({ owner, tdvpr }) => owner === td.hpa && store.read(tdvpr + TDVPS_VCPU_STATE) === VCPU_ACTIVE,
  );
  return (
    bepoch < store.readNumber(td.tdcs + TDCS_TD_EPOCH) &&
    running.every(({ tdvpr }) => store.readNumber(tdvpr + TDVPS_VCPU_EPOCH) > bepoch)
  );
}
