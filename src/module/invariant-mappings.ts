/** Checks of the invariants (invariants.ts) about pages and what the S-EPTs map. */
import { OP_STATES_TLB_TRACKING_REQUIRED } from "../arch/generated/op-states.ts";
import { PT_EPT, PT_REG, PT_TDR } from "../arch/generated/pamt-types.ts";
import {
  SEPT_ANY_BLOCKED_STATES,
  SEPT_STATES,
  SEPT_TLB_TRACKING_REQUIRED_STATES,
} from "../arch/generated/sept-states.ts";
import { TD_TEARDOWN, VCPU_ACTIVE } from "../arch/generated/td-states.ts";
import { hex, isIn, type Report, type State, typeName } from "./invariant-state.ts";
import { aliasesOf } from "./l2-sept.ts";
import { TDCS_TD_EPOCH, TDVPS_VCPU_EPOCH, TDVPS_VCPU_STATE } from "./layout.ts";
import { PAGE_BYTES, PG_4K } from "./pamt.ts";
import { levelBytes, SEPT_RWX } from "./sept-entry.ts";
import type { Mapping, Survey, Td } from "./survey.ts";

export function oneEntryPerPage({ pages }: State, report: Report): void {
  const sorted = [...pages].sort((a, b) => a.hpa - b.hpa || b.size - a.size);
  let end = 0;
  for (const page of sorted) {
    if (page.hpa < end) report(`page ${hex(page.hpa)} lies in a larger page that is in use`);
    if (page.size !== PG_4K && page.type !== PT_REG) report(`large page ${hex(page.hpa)} is ${typeName(page)}`);
    end = Math.max(end, page.hpa + (PAGE_BYTES[page.size] as number));
  }
}

export function ownerIsATd({ pages, pageAt }: State, report: Report): void {
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

export function leafMapsOwnPage(state: State, report: Report): void {
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

export function mappedOnce(state: State, report: Report): void {
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

export function entryIsValid(state: State, report: Report): void {
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

export function aliasBesideItsPage({ tds, machine }: State, report: Report): void {
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

/** A mapping, and with it what the rule on its end depends on, is looked at in the state before. */
export function trackedBeforeChange(state: State, report: Report, before: Survey | undefined): void {
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
