/** The first debug session: a breakpoint on TDH.MEM.PAGE.ADD in the shipped sample, into the leaf and back out, the trees along. */
import { beforeAll, describe, expect, it } from "vitest";
import type { InspectNode } from "../../src/adapter/inspect-protocol.ts";
import { Client, ROOT } from "./support.ts";

const PROGRAM = `${ROOT}/scenarios/td-lifecycle.tdx`;
let client: Client;

beforeAll(async () => {
  client = new Client({});
  await client.launch(PROGRAM, { functions: [{ name: "TDH.MEM.PAGE.ADD" }] });
  await client.event("stopped");
});

/** All nodes of a view down to a depth, as lines of indented text; a star stands before what changed. */
async function tree(view: string, depth = 9, node?: string, indent = ""): Promise<string[]> {
  const { nodes } = await client.request("tdx/inspect", { view, ...(node && { node }) });
  const lines: string[] = [];
  for (const { id, label, description, changed, collapsible } of nodes as InspectNode[]) {
    lines.push(`${indent}${changed ? "*" : " "} ${label}: ${description}`);
    if (collapsible && depth > 1) lines.push(...(await tree(view, depth - 1, id, `${indent}  `)));
  }
  return lines;
}

describe("a TD's first page", () => {
  it("is about to be added, with the call's operands decoded", async () => {
    expect(await client.move("continue")).toMatchObject({ reason: "function breakpoint" });
    const call = await client.scope("TDH.MEM.PAGE.ADD");
    expect(call["gpa (rcx)"]?.value).toBe("0");
    expect(call["tdr (rdx)"]?.value).toMatch(/^0x[0-9a-f]+ · TDR of td0$/);
    expect((await tree("sept", 7)).join("\n")).not.toContain("SEPT_MAPPED");
  });

  it("is added step by step in the leaf's own source", async () => {
    const stop = await client.move("stepIn");
    expect(stop.place).toMatch(/^tdh-mem-page-add\.ts:\d+$/);
    const frames = await client.stack();
    expect(frames[0]?.source?.path).toBe(`${ROOT}/src/module/host/tdh-mem-page-add.ts`);
    expect(frames[0]?.name).toMatch(/^TDH\.MEM\.PAGE\.ADD: lock the TDR/);
    expect(frames.at(-1)?.source?.path).toBe(PROGRAM);
    const next = await client.move("next");
    expect(next.place).not.toBe(stop.place);
    const call = await client.scope("TDH.MEM.PAGE.ADD");
    expect(Object.keys(call).filter((name) => name.startsWith("lock")).length).toBeGreaterThan(0);
  });

  it("is there when the leaf is left, and the trees say what changed", async () => {
    expect((await client.move("stepOut")).place).toMatch(/^td-lifecycle\.tdx:/);
    expect((await client.scope("TDH.MEM.PAGE.ADD"))["status (rax)"]?.value).toBe("0x0 · TDX_SUCCESS");
    const sept = await tree("sept", 7);
    expect(sept.at(-1)).toMatch(/^ +\* 0x0: SEPT_MAPPED RWX → 0x[0-9a-f]+ · private page of td0 at GPA 0x0$/);
    expect((await tree("pamt", 2)).filter((line) => line.startsWith("  *"))).toEqual([
      expect.stringMatching(/PT_TDR · TDR of td0$/),
      expect.stringMatching(/PT_REG · private page of td0 at GPA 0x0$/),
    ]);
    const domains = await tree("domains", 3);
    expect(domains[0]).toMatch(/^\* td0: TD_KEYS_CONFIGURED · .*INITIALIZED · KeyID \d+ · 1 VCPU$/);
    expect(domains.find((line) => line.includes("CHLDCNT"))).toMatch(/^ +\*/);
    expect((await tree("platform", 3)).join("\n")).toContain("KeyID 33: ASSIGNED · td0");
  });

  it("is gone again when the steps are taken back", async () => {
    expect((await client.move("tdx/reverseOut")).place).toMatch(/^tdh-mem-page-add\.ts:/);
    expect((await client.move("stepBack")).place).toMatch(/^tdh-mem-page-add\.ts:/);
    expect((await client.move("stepBack")).place).toMatch(/^td-lifecycle\.tdx:/);
    expect((await tree("sept", 7)).join("\n")).not.toContain("SEPT_MAPPED");
  });

  it("is described wherever its address is shown", async () => {
    await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "TDH.MR.EXTEND" }] });
    await client.move("continue");
    const [frame] = await client.stack();
    const watch = async (expression: string) =>
      client.request("evaluate", { expression, frameId: frame?.id, context: "watch" });
    expect((await watch("private_pages[0]")).result).toMatch(/^0x[0-9a-f]+ · private page of td0 at GPA 0x0$/);
    expect((await watch("tdr")).memoryReference).toMatch(/^0x/);
    expect((await watch("gpa == 0 && lp == 0")).result).toBe("true");
    await expect(watch("no_such_name")).rejects.toThrow("no_such_name");
    await expect(watch("TDH.SYS.INIT()")).rejects.toThrow();
  });

  it("can be read as memory", async () => {
    const [frame] = await client.stack();
    const { memoryReference } = await client.request("evaluate", { expression: "tdr", frameId: frame?.id });
    const { data, unreadableBytes } = await client.request("readMemory", { memoryReference, offset: 4, count: 8 });
    expect([...Buffer.from(data, "base64")]).toHaveLength(8);
    expect(unreadableBytes).toBeUndefined();
    const beyond = await client.request("readMemory", { memoryReference: "0xfffffffffff00", count: 16 });
    expect(beyond.unreadableBytes).toBe(16);
    await expect(client.request("readMemory", { memoryReference: "td0", count: 16 })).rejects.toThrow("is no address");
  });
});

describe("a guest", () => {
  it("runs on top of the TDH.VP.ENTER that entered it", async () => {
    await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "TDG.*" }] });
    await client.move("continue");
    const names = (await client.stack()).map((frame) => frame.name);
    expect(names[0]).toMatch(/\(guest\)$/);
    expect(names.at(-1)).toBe("td-lifecycle.tdx");
    expect((await client.move("stepIn")).place).toMatch(/^(tdg-|tdcall|vm-exit).*\.ts:/);
  });

  it("leaves by an EPT violation that can be stopped at", async () => {
    await client.request("setFunctionBreakpoints", { breakpoints: [] });
    await client.request("setExceptionBreakpoints", { filters: ["ept-violation-private"] });
    await client.move("tdx/goToStep", { step: 0 });
    const stop = await client.move("continue");
    expect(stop).toMatchObject({ reason: "exception", description: "Stopped: EPT violation, private" });
    expect(stop.place).toMatch(/^td-lifecycle\.tdx:/);
  });

  it("takes nothing with it: at the end no page is left", async () => {
    await client.request("setExceptionBreakpoints", { filters: ["flow-error", "expect"] });
    await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "TDH.PHYMEM.PAGE.RDMD" }] });
    await client.move("tdx/goToStep", { step: 1_000_000 });
    expect(await tree("domains", 1)).toEqual([]);
    expect((await tree("pamt", 2)).join("\n")).not.toMatch(/PT_(REG|TDR|EPT|TDVPR|TDCX)/);
    expect(client.output("stdout")).toContain("host");
  });
});
