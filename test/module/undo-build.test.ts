/** Undo of the leaves that build a TD and its VCPUs and that read and write their fields. */
import { describe, it } from "vitest";
import { tdTable, vpTable } from "../../src/module/metadata/tables.ts";
import { HOST_PAGE, Host } from "../support/host.ts";
import { expectUndone, expectUndoneByStep, type HostCall } from "../support/undoable.ts";

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
});
