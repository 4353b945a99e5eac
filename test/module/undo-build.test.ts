/** Undo and locks of the leaves that build a TD and its VCPUs and that read and write their fields. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { TDCS_OP_STATE_LOCK, TDCS_SECURE_EPT_LOCK } from "../../src/module/layout.ts";
import { HELD_HP_SHARED, HELD_SEPT_ENTRY, HELD_SHAREX_SHARED } from "../../src/module/lock-words.ts";
import { tdTable, vpTable } from "../../src/module/metadata/tables.ts";
import { HOST_PAGE, Host, TDMR } from "../support/host.ts";
import { expectUndone, expectUndoneByStep, type HostCall } from "../support/undoable.ts";

interface Locks {
  readonly leaves: readonly { readonly leaf: string; readonly locks: readonly { lock: string; mode: string }[] }[];
}

const locks: Locks = JSON.parse(readFileSync(new URL("../vectors/abi/locks.json", import.meta.url), "utf8"));
/** Where the test host puts the PAMT of 1 GiB, 2 MiB and 4 KiB pages. */
const PAMT_ARRAYS = [0x1000_0000, 0x1010_0000, 0x1100_0000];

const host = new Host();
const { platform } = host.machine;
const GPA = 0x1000;

function idOf(table: typeof tdTable, name: string): bigint {
  return table.ids[table.fields.findIndex((field) => field.name === name)] as bigint;
}

/** A TD with its key and all TDCS pages but the last. */
function uninitialised(hkid: number): number {
  const tdr = host.page();
  host.must("TDH.MNG.CREATE", { rcx: tdr, rdx: hkid });
  for (const [lp = 0] of platform.config.packages) host.must("TDH.MNG.KEY.CONFIG", { rcx: tdr }, lp);
  for (let i = 0; i < 5; i++) host.must("TDH.MNG.ADDCX", { rcx: host.page(), rdx: tdr });
  return tdr;
}

const { tdr, vcpus } = host.buildTd({ debug: true });
const tdvpr = vcpus[0] as number;
host.addTables(tdr, GPA);
host.must("TDH.MEM.PAGE.ADD", { rcx: GPA, rdx: tdr, r8: host.page(), r9: HOST_PAGE });

const { tdr: second } = host.buildTd({ hkid: 34, vcpus: 0 });
const newTdvpr = host.page();
host.must("TDH.VP.CREATE", { rcx: newTdvpr, rdx: second });
for (let i = 0; i < 5; i++) host.must("TDH.VP.ADDCX", { rcx: host.page(), rdx: newTdvpr });

const third = uninitialised(35);
const fourth = uninitialised(36);
host.must("TDH.MNG.ADDCX", { rcx: host.page(), rdx: fourth });
// buildTd left TD_PARAMS where it writes them.
const params = HOST_PAGE + 0x1000;
const page = host.page();

const calls: readonly HostCall[] = [
  { leaf: "TDH.MNG.ADDCX", operands: { rcx: page, rdx: third } },
  { leaf: "TDH.MNG.INIT", operands: { rcx: fourth, rdx: params } },
  { leaf: "TDH.MNG.RD", operands: { rcx: tdr, rdx: idOf(tdTable, "TDCX_PA") } },
  { leaf: "TDH.MNG.WR", operands: { rcx: tdr, rdx: idOf(tdTable, "VM_CTLS"), r8: 1, r9: 1 } },
  { leaf: "TDH.VP.CREATE", operands: { rcx: page, rdx: tdr } },
  { leaf: "TDH.VP.ADDCX", operands: { rcx: page, rdx: newTdvpr } },
  { leaf: "TDH.VP.INIT", operands: { rcx: newTdvpr, rdx: 7 } },
  { leaf: "TDH.VP.RD", operands: { rcx: tdvpr, rdx: idOf(vpTable, "XCR0") } },
  { leaf: "TDH.VP.WR", operands: { rcx: tdvpr, rdx: idOf(vpTable, "PEND_NMI"), r8: 1, r9: 1 } },
  { leaf: "TDH.VP.FLUSH", operands: { rcx: tdvpr } },
  { leaf: "TDH.MR.EXTEND", operands: { rcx: GPA + 256, rdx: tdr } },
  { leaf: "TDH.MR.FINALIZE", operands: { rcx: tdr } },
  { leaf: "TDH.MEM.RD", operands: { rcx: GPA, rdx: tdr } },
  { leaf: "TDH.MEM.WR", operands: { rcx: GPA + 8, rdx: tdr, r8: 0x55 } },
];

describe.each(calls.map((call) => [call.leaf, call] as const))("%s", (_, call) => {
  it("succeeds, breaks no invariant, and is undone without a trace", () => expectUndone(host, call));

  it("ends in the same state when it is stepped, and can be undone from each step", () => {
    expectUndoneByStep(host, call);
  });

  it("takes the recorded locks in the recorded order", () => {
    const recorded = locks.leaves.find(({ leaf }) => leaf === call.leaf);
    expect(locksTaken(call)).toEqual(recorded?.locks.map(({ lock, mode }) => `${lock} ${mode}`));
  });
});

/** Names of the locks that a call takes, with their modes, in order. The call is undone. */
function locksTaken({ leaf, operands }: HostCall): string[] {
  const { store } = host.machine;
  const start = store.mark();
  const taken: string[] = [];
  const entry = host.begin(leaf, operands, 0);
  do {
    const { held } = entry.call;
    if (entry.call.acquisitions === taken.length) continue;
    const { cell, kind } = held[held.length - 1] as { cell: number; kind: number };
    const shared = kind === HELD_HP_SHARED || kind === HELD_SHAREX_SHARED;
    taken.push(`${kind === HELD_SEPT_ENTRY ? "SEPT_ENTRY" : lockName(cell)} ${shared ? "shared" : "exclusive"}`);
  } while (entry.step() !== undefined);
  host.machine.forgetEntries();
  store.undo(start);
  return taken;
}

function lockName(cell: number): string {
  const hpa = platform.memory.hpaOf(cell) ?? -1;
  const array = PAMT_ARRAYS.findLastIndex((base) => hpa >= base);
  if (hpa < TDMR && array >= 0) return ["PAMT_1G", "PAMT_2M", "PAMT_4K"][array] as string;
  return { [TDCS_OP_STATE_LOCK]: "TDCS.OP_STATE", [TDCS_SECURE_EPT_LOCK]: "SEPT_TREE" }[cell % 1024] ?? "unknown";
}
