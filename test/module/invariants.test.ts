/**
 * Each invariant fires when the module is broken: a leaf that forgot one of its writes is played by a real call whose write to
 * one cell is taken back.
 */
import { afterEach, describe, expect, it } from "vitest";
import { OP_STATE_INITIALIZED, OP_STATE_RUNNABLE } from "../../src/arch/generated/op-states.ts";
import { checkInvariants, invariants } from "../../src/module/invariants.ts";
import {
  TDCS_NUM_ASSOC_VCPUS,
  TDCS_OP_STATE,
  TDCS_OP_STATE_LOCK,
  TDR_CHLDCNT,
  TDR_PKG_CONFIG_BITMAP,
} from "../../src/module/layout.ts";
import { implicitEntry, PG_2M, PG_4K } from "../../src/module/pamt.ts";
import { walkSept } from "../../src/module/sept.ts";
import { survey } from "../../src/module/survey.ts";
import { KOT_WORDS, SYS_KOT } from "../../src/module/sys.ts";
import type { Operands } from "../support/host.ts";
import { buildZoo, GPA } from "../support/zoo.ts";

const { host, tdr: tdrHpa, tdvpr, calls } = buildZoo();
const { machine } = host;
const { store } = machine;
const call = machine.calls[0]!;
const tdr = machine.platform.memory.cell(tdrHpa);
const tdcs = survey(machine).tds[0]?.tdcs ?? 0;
const freePage = calls.aug?.operands.r8 as number;
const start = store.mark();

const NO_PAGE = 2n ** 64n - 1n;

/** PAMT entry words (pamt.ts). */
const PAMT_TYPE = 0;
const PAMT_OWNER = 1;

const pamtEntry = (hpa: number, size = PG_4K): number => implicitEntry(call, hpa, size);
const septEntry = (gpa: number, level: number): number => walkSept(call, tdcs, gpa, level).cell;
const mapped = (gpa: number, level: number): number =>
  survey(machine).tds[0]?.mappings.find((mapping) => mapping.gpa === gpa && mapping.level === level)?.hpa ?? 0;

/** A call that must succeed, by a module that forgets its writes to `cell`. */
function forgetful(leaf: string, operands: Operands, cell: number): void {
  const mark = store.mark();
  const had = store.read(cell);
  host.must(leaf, operands);
  expect([...store.changes(mark)].some((change) => "cell" in change && change.cell === cell)).toBe(true);
  store.write(cell, had);
}

const zooCall = (name: string, cell: number): void => forgetful(calls[name]!.leaf, calls[name]!.operands, cell);

const broken: Readonly<Record<string, () => void>> = {
  "one-entry-per-page": () => zooCall("promote", pamtEntry(mapped(GPA.full, PG_4K)) + PAMT_TYPE),
  "owner-is-a-td": () => zooCall("aug", pamtEntry(freePage) + PAMT_OWNER),
  "leaf-maps-own-page": () => zooCall("remove", septEntry(GPA.tracked, PG_4K)),
  "alias-beside-its-page": () => {
    const { tdr: withL2 } = host.buildTd({ hkid: 34, vcpus: 0, l2Vms: 1 });
    host.must("TDH.MEM.SEPT.ADD", { rcx: 3, rdx: withL2, r8: host.page() });
    const l2Tdcs = survey(machine).tds.find(({ hpa }) => hpa === withL2)?.tdcs ?? 0;
    const pages = { r8: NO_PAGE, r9: host.page(), r10: NO_PAGE, r11: NO_PAGE };
    const aliasBits = walkSept(call, l2Tdcs, 0, 3).cell + 1;
    forgetful("TDH.MEM.SEPT.ADD", { rax: 0x1_0000, rcx: 3, rdx: withL2, ...pages }, aliasBits);
  },
  "mapped-once": () => zooCall("remove", pamtEntry(mapped(GPA.tracked, PG_4K)) + PAMT_TYPE),
  "entry-is-valid": () => zooCall("block", septEntry(GPA.mapped, PG_4K)),
  "child-count": () => zooCall("addTable", tdr + TDR_CHLDCNT),
  "structure-pages": () => {
    const page = host.page();
    const vcpu = host.page();
    host.must("TDH.MNG.CREATE", { rcx: vcpu, rdx: 34 });
    for (const lp of [0, 2]) host.must("TDH.MNG.KEY.CONFIG", { rcx: vcpu }, lp);
    forgetful("TDH.MNG.ADDCX", { rcx: page, rdx: vcpu }, pamtEntry(page) + PAMT_TYPE);
  },
  "one-td-per-key": () =>
    forgetful("TDH.MNG.CREATE", { rcx: freePage, rdx: 34 }, machine.sys + SYS_KOT + 34 * KOT_WORDS),
  "key-before-use": () => {
    host.must("TDH.MNG.CREATE", { rcx: freePage, rdx: 34 });
    host.must("TDH.MNG.KEY.CONFIG", { rcx: freePage }, 2);
    forgetful("TDH.MNG.KEY.CONFIG", { rcx: freePage }, machine.platform.memory.cell(freePage) + TDR_PKG_CONFIG_BITMAP);
  },
  "vcpus-counted": () => forgetful("TDH.VP.FLUSH", { rcx: tdvpr }, tdcs + TDCS_NUM_ASSOC_VCPUS),
  "locks-free": () => {
    const entry = host.begin(calls.track!.leaf, calls.track!.operands, 0);
    while (entry.call.held.every(({ cell }) => cell !== tdcs + TDCS_OP_STATE_LOCK)) entry.step();
    entry.call.forget(tdcs + TDCS_OP_STATE_LOCK);
    while (entry.step() !== undefined);
  },
  "tracked-before-change": () => {
    // A module that removes a page although the TD runs: it saw the state in which no tracking is needed.
    store.write(tdcs + TDCS_OP_STATE, OP_STATE_INITIALIZED);
    host.must("TDH.MEM.PAGE.REMOVE", { rcx: GPA.mapped, rdx: tdrHpa });
    store.write(tdcs + TDCS_OP_STATE, OP_STATE_RUNNABLE);
  },
};

afterEach(() => {
  machine.forgetEntries();
  store.undo(start);
});

it("finds nothing wrong with the module as it is", () => {
  expect(checkInvariants(machine)).toEqual([]);
  expect(mapped(GPA.large, PG_2M)).toBeGreaterThan(0);
});

it("has a broken module for each invariant", () => {
  expect(Object.keys(broken)).toEqual(invariants.map(({ name }) => name));
});

describe.each(invariants.map(({ name, rule }) => ({ name, rule })))("$name", ({ name }) => {
  it("fires when the module breaks it", () => {
    const before = survey(machine);
    broken[name]?.();
    expect(checkInvariants(machine, before).map(({ invariant }) => invariant)).toContain(name);
  });
});
