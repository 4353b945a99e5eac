import { expect, it } from "vitest";
import { TDX_METADATA_FIELD_ID_INCORRECT } from "../../src/arch/generated/status-codes.ts";
import { HOST_PAGE, Host, status } from "../support/host.ts";

const NO_FIELD = 2n ** 64n - 1n;
const LIST = HOST_PAGE + 0x8000;

/** Class and field code of an id: what tells elements apart. A list gives the other bits only of a sequence's first field. */
const element = (id: bigint): bigint => id & 0x3f00_0000_00ff_ffffn;

/** All elements, by TDH.SYS.RD and the ids that it hands on. */
function walk(host: Host): Map<bigint, bigint> {
  const elements = new Map<bigint, bigint>();
  host.call("TDH.SYS.RD", { rdx: NO_FIELD });
  for (let id = host.register("rdx"); id !== NO_FIELD; id = host.register("rdx")) {
    host.must("TDH.SYS.RD", { rdx: id });
    elements.set(element(id), host.register("r8"));
  }
  return elements;
}

/** The elements of the list in memory. */
function list(host: Host): Map<bigint, bigint> {
  const { memory } = host.machine.platform;
  const elements = new Map<bigint, bigint>();
  const header = memory.readBig(LIST);
  const end = LIST + Number(header & 0xffffn);
  let at = LIST + 8;
  for (let sequence = 0; sequence < Number((header >> 16n) & 0xffffn); sequence++) {
    const first = memory.readBig(at);
    at += 8;
    const count = (((first >> 34n) & 0xfn) + 1n) * (((first >> 38n) & 0x1ffn) + 1n);
    for (let i = 0n; i < count; i++, at += 8) elements.set(element(first) + i, memory.readBig(at));
  }
  expect(at).toBe(end);
  return elements;
}

it("tells the same by TDH.SYS.RDALL as by TDH.SYS.RD", () => {
  const host = new Host();
  host.must("TDH.SYS.RDALL", { rdx: LIST, r8: NO_FIELD });
  expect(host.register("r8")).toBe(NO_FIELD);
  const all = list(host);
  expect(all.size).toBeGreaterThan(300);
  expect(all).toEqual(walk(host));
});

it("starts a list at any field", () => {
  const host = new Host();
  const CMR_SIZE = 0x9000_0003_0000_0100n;
  host.must("TDH.SYS.RDALL", { rdx: LIST, r8: CMR_SIZE + 1n });
  const some = list(host);
  const walked = [...walk(host)];
  expect([...some]).toEqual(walked.slice(walked.findIndex(([id]) => id === element(CMR_SIZE + 1n))));
});

it("refuses to start a list in the middle of a field", () => {
  const host = new Host();
  const CPUID_CONFIG_VALUES = 0x9900_0003_0000_0500n;
  expect(host.call("TDH.SYS.RDALL", { rdx: LIST, r8: CPUID_CONFIG_VALUES + 1n })).toBe(
    status(TDX_METADATA_FIELD_ID_INCORRECT),
  );
  host.must("TDH.SYS.RDALL", { rdx: LIST, r8: CPUID_CONFIG_VALUES + 2n });
});
