/** Threads, and tasks that stand inside the module while others move: as a client sees them. */
import { beforeEach, describe, expect, it } from "vitest";
import { Client } from "./support.ts";

const FLOW = "/flow/race.tdx";
/** Two LPs add the same S-EPT table. */
const SOURCE = `import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
let tdr = td.tdr
let pages = [alloc_page(), alloc_page()]
TDH.MEM.SEPT.ADD(gpa: 1G, level: 2, tdr: tdr, page: alloc_page())
fn add(page) {
  let r = TDH.MEM.SEPT.ADD(gpa: 1G, level: 1, tdr: tdr, page: page)
  return r.status
}
spawn a on lp 1 {
  let first = add(pages[0])
  log "a: {first}"
}
spawn b on lp 2 {
  let second = add(pages[1])
  log "b: {second}"
}
join a
join b
`;
const ADD_LINE = 7;

describe("two tasks", () => {
  let client: Client;
  const thread: Record<string, number> = {};

  async function threads(): Promise<string[]> {
    const { threads: all } = await client.request("threads");
    for (const { id, name } of all) thread[(name as string).split(" ")[0] as string] = id;
    return all.map(({ name }: { name: string }) => name);
  }

  async function frames(name: string): Promise<string[]> {
    const { stackFrames } = await client.request("stackTrace", { threadId: thread[name] });
    return stackFrames.map((frame: { name: string; line: number }) => `${frame.name}:${frame.line}`);
  }

  /** A stands in its TDH.MEM.SEPT.ADD with the S-EPT entry locked. */
  async function enterA(): Promise<void> {
    await client.move("continue");
    expect(await client.place()).toBe(`race.tdx:${ADD_LINE}`);
    await client.move("stepIn", { threadId: thread.a });
    for (let i = 0; i < 100; i++) {
      if ((await frames("a"))[0]?.includes("fill the page")) return;
      await client.move("next", { threadId: thread.a, granularity: "instruction" });
    }
    throw new Error("a does not come to fill the page");
  }

  beforeEach(async () => {
    client = new Client({ [FLOW]: SOURCE });
    await client.launch(FLOW, { lines: [{ line: 18 }], filters: ["busy"], launch: { stopAtEnd: true } });
    await client.stop();
    await client.move("continue");
    await threads();
    await client.request("setBreakpoints", { source: { path: FLOW }, breakpoints: [{ line: ADD_LINE }] });
  });

  it("are threads with their LP, and say where they stand", async () => {
    expect(await threads()).toEqual(["main · LP 0", "a · LP 1", "b · LP 2"]);
    await enterA();
    expect(await threads()).toEqual(["main · LP 0 · waits", "a · LP 1 · in TDH.MEM.SEPT.ADD", "b · LP 2"]);
  });

  it("meet inside the module: the second one is busy and hears who holds what; all of it steps back", async () => {
    await enterA();
    const before = await frames("a");
    const step = client.events.findLast(({ event }) => event === "tdx/stopped")?.body;
    const inAdd = await client.move("next", { threadId: thread.b });
    expect(inAdd).toMatchObject({ reason: "breakpoint", threadId: thread.b, place: `race.tdx:${ADD_LINE}` });
    const busy = await client.move("next", { threadId: thread.b });
    expect(busy).toMatchObject({ reason: "exception", threadId: thread.b });
    const info = await client.request("exceptionInfo");
    expect(info.exceptionId).toBe("TDX_OPERAND_BUSY(RCX)");
    expect(info.description).toMatch(
      /S-EPT entry of td0, level 1, GPA 0x40000000: held exclusive by a \(LP 1\) in TDH\.MEM\.SEPT\.ADD at src\/module\/host\/tdh-mem-sept-add\.ts:\d+, before "fill the page with free entries"/,
    );
    // A has not moved meanwhile.
    expect(await frames("a")).toEqual(before);
    for (let i = 0; i < 10; i++) {
      const now = client.events.findLast(({ event }) => event === "tdx/stopped")?.body;
      if (now.step === step.step && now.place === step.place) break;
      await client.move("stepBack", { threadId: thread.b });
    }
    expect(client.events.findLast(({ event }) => event === "tdx/stopped")?.body).toMatchObject({
      step: step.step,
      place: step.place,
    });
    expect(await frames("a")).toEqual(before);
    // The future that was is still there, and is the same again.
    expect(await client.move("continue")).toMatchObject({ reason: "breakpoint" });
    expect(await client.move("continue")).toMatchObject({ reason: "exception" });
    expect((await client.request("exceptionInfo")).description).toBe(info.description);
    await client.request("setBreakpoints", { source: { path: FLOW }, breakpoints: [] });
    await client.move("continue");
    expect(client.output("stdout")).toBe("b: TDX_OPERAND_BUSY(RCX)\na: TDX_SUCCESS\n");
  });

  it("run one alone: it stops where it waits for another", async () => {
    await enterA();
    const { body } = await client.ask("continue", { threadId: thread.main, singleThread: true });
    expect(body).toEqual({ allThreadsContinued: false });
    const stop = await client.stop();
    expect(stop).toMatchObject({ reason: "pause", text: "main waits for the end of a", threadId: thread.main });
    // B alone, to its end.
    await client.request("setBreakpoints", { source: { path: FLOW }, breakpoints: [] });
    await client.request("setExceptionBreakpoints", { filters: [] });
    await client.move("continue", { threadId: thread.b, singleThread: true });
    expect(client.output("stdout")).toBe("b: TDX_OPERAND_BUSY(RCX)\n");
    expect(await threads()).toContain("a · LP 1 · in TDH.MEM.SEPT.ADD");
    await client.move("continue");
    expect(client.output("stdout")).toContain("a: TDX_SUCCESS");
  });

  it("come back to a breakpoint at which they stood already: it is hit and counted once", async () => {
    await client.request("setBreakpoints", {
      source: { path: FLOW },
      breakpoints: [{ line: 18, hitCondition: ">=1" }, { line: 18, hitCondition: "==2" }, { line: 12 }],
    });
    await client.move("tdx/goToStep", { step: 0 });
    expect(await client.move("continue")).toMatchObject({ place: "race.tdx:18" });
    await threads();
    // Main stands at the breakpoint of line 18 all the while.
    expect(await client.move("continue", { threadId: thread.b, singleThread: true })).toMatchObject({
      reason: "pause",
    });
    expect(client.output("stdout")).toBe("b: TDX_SUCCESS\n");
    expect(await client.move("continue")).toMatchObject({ reason: "breakpoint", place: "race.tdx:12" });
    const { threads: left } = await client.request("threads");
    expect(left.map(({ name }: { name: string }) => name)).toEqual(["main · LP 0 · waits", "a · LP 1"]);
    expect(await client.move("continue")).toMatchObject({ reason: "end" });
    // Back through the same places, and to where the last command began.
    expect(await client.move("reverseContinue")).toMatchObject({ reason: "breakpoint", place: "race.tdx:12" });
    expect(await client.move("reverseContinue")).toMatchObject({ reason: "step", place: "race.tdx:18" });
    expect(await client.move("reverseContinue")).toMatchObject({ reason: "breakpoint", place: "race.tdx:18" });
    expect(await client.move("reverseContinue")).toMatchObject({ reason: "entry" });
  });

  it("can be chosen as the target of a step in, like any call of the statement", async () => {
    await client.move("continue");
    const [frame] = await client.stack(thread.a);
    const { targets } = await client.request("stepInTargets", { frameId: frame?.id });
    expect(targets.map(({ label }: { label: string }) => label)).toEqual([
      "TDH.MEM.SEPT.ADD(gpa: 1G, level: 1, tdr: tdr, page: page)",
      "b · LP 2",
    ]);
    await client.move("stepIn", { threadId: thread.a, targetId: targets[1].id });
    expect((await frames("b"))[0]).toContain("add");
    expect((await client.ask("stepIn", { threadId: 1, targetId: targets[0].id })).message).toContain("earlier stop");
    expect((await client.ask("next", { threadId: 99 })).message).toContain("no thread 99");
  });
});

it("a call among several on a line is chosen to be stepped into", async () => {
  const flow = "/flow/targets.tdx";
  const client = new Client({
    [flow]: `fn one() { return 1 }
fn two() {
  return 2
}
let sum = one() + two() + two()
let r = [TDH.SYS.INIT(), TDH.SYS.LP.INIT()]
log "{sum} {r[1].status}"
`,
  });
  await client.launch(flow);
  await client.stop();
  const targets = async (): Promise<{ id: number; label: string }[]> => {
    const [frame] = await client.stack();
    return (await client.request("stepInTargets", { frameId: frame?.id })).targets;
  };
  const calls = await targets();
  expect(calls.map(({ label }) => label)).toEqual(["one()", "two()", "two()"]);
  await client.move("stepIn", { targetId: calls[2]?.id });
  expect(await client.place()).toBe("targets.tdx:3");
  expect((await targets()).map(({ label }) => label)).toEqual([]);
  await client.move("stepOut");
  expect(await client.place()).toBe("targets.tdx:6");
  const leaves = await targets();
  expect(leaves.map(({ label }) => label)).toEqual(["TDH.SYS.INIT()", "TDH.SYS.LP.INIT()"]);
  await client.move("stepIn", { targetId: leaves[1]?.id });
  expect((await client.stack())[0]?.source?.name).toBe("tdh-sys-lp-init.ts");
  await client.move("stepBack");
  expect(await client.place()).toBe("targets.tdx:6");
});

it("a VCPU's thread stands in its TDCALL while the host works on the same page", async () => {
  const flow = "/flow/guest.tdx";
  const client = new Client({
    [flow]: `import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
let tdr = td.tdr
let tdvpr = td.vcpus[0].tdvpr
aug_page(td, 0x5000)
TDH.VP.FLUSH(tdvpr: tdvpr)
guest tdvpr {
  let accepted = TDG.MEM.PAGE.ACCEPT(gpa: 0x5000, level: 0)
  log "guest: {accepted.status}"
}
spawn vcpu on lp 1 { TDH.VP.ENTER(tdvpr: tdvpr) }
yield
let blocked = TDH.MEM.RANGE.BLOCK(gpa: 0x5000, level: 0, tdr: tdr)
log "host: {blocked.status}"
join vcpu
`,
  });
  await client.launch(flow, { functions: [{ name: "TDG.MEM.PAGE.ACCEPT" }], filters: ["busy"] });
  await client.stop();
  const inGuest = await client.move("continue");
  const { threads } = await client.request("threads");
  expect(threads.map(({ name }: { name: string }) => name)).toEqual(["main · LP 0", "vcpu · LP 1 · guest"]);
  for (let i = 0; i < 100 && !(await client.stack())[0]?.name.includes("read the entry again"); i++) {
    await client.move("next", { granularity: "instruction" });
  }
  const names = (await client.stack()).map(({ name }) => name.split(":")[0]);
  expect([names[0], ...names.slice(-2)]).toEqual(["TDG.MEM.PAGE.ACCEPT", "guest (guest)", "vcpu"]);
  const busy = await client.move("next", { threadId: 1 });
  const refused = busy.reason === "exception" ? busy : await client.move("next", { threadId: 1 });
  expect(refused).toMatchObject({ reason: "exception", threadId: 1 });
  const info = await client.request("exceptionInfo");
  expect(info.exceptionId).toBe("TDX_OPERAND_BUSY(RCX)");
  expect(info.description).toMatch(/held exclusive by vcpu \(LP 1\) in TDG\.MEM\.PAGE\.ACCEPT at src\/module\/guest\//);
  await client.move("stepOut", { threadId: inGuest.threadId });
  await client.request("continue", { threadId: 1 });
  await client.event("terminated");
  expect(client.output("stdout")).toBe("guest: TDX_SUCCESS\nhost: TDX_OPERAND_BUSY(RCX)\n");
});
