/** Going to the calls, exits and faults of a run. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { MilestonesArguments, MilestonesResponse } from "../../src/adapter/milestone-protocol.ts";
import { Client, ROOT } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const SCENARIO = `${ROOT}/scenarios/accept.tdx`;

async function launched(program: string, text?: string): Promise<Client> {
  const client = new Client(text === undefined ? {} : { [PROGRAM]: text });
  await client.launch(program, { launch: { stopAtEnd: true } });
  await client.event("stopped");
  return client;
}

/** All that a request finds, asked for until it is all. */
async function list(client: Client, args: MilestonesArguments = {}): Promise<MilestonesResponse> {
  for (;;) {
    const body: MilestonesResponse = await client.request("tdx/milestones", args);
    if (body.isComplete) return body;
  }
}

describe("milestones", () => {
  it("are known up to where the session has been, and can be gone to", async () => {
    const text = `let a = TDH.SYS.INIT()\nlet b = [TDH.SYS.INIT(), TDH.SYS.LP.INIT()]\nlog "x"\n`;
    const client = await launched(PROGRAM, text);
    expect(await list(client)).toMatchObject({ milestones: [], total: 0, isComplete: true });
    await client.move("next");
    expect((await list(client)).total).toBe(1);
    await client.move("continue");
    const all = await list(client);
    expect(all.milestones).toMatchObject([
      { id: 0, kind: "seamcall", step: 0, name: "TDH.SYS.INIT", status: "TDX_SUCCESS", failed: false, line: 1, lp: 0 },
      { id: 1, kind: "seamcall", step: 1, name: "TDH.SYS.INIT", failed: true, task: 1, line: 2, path: PROGRAM },
      { id: 2, kind: "seamcall", step: 1, name: "TDH.SYS.LP.INIT", failed: false, line: 2 },
    ]);
    const stop = await client.move("tdx/goToMilestone", { id: 2 });
    expect(stop).toMatchObject({ reason: "goto", place: "test.tdx:2" });
    const names = Object.keys(await client.scope("TDH.SYS.LP.INIT"));
    expect(names).not.toContain("status (rax)");
    expect((await client.move("stepIn", { granularity: "line" })).reason).toBe("end");
    expect((await client.ask("tdx/goToMilestone", { id: 3 })).message).toBe("there is no milestone 3");
    expect((await client.ask("tdx/goToMilestone", { id: -1 })).success).toBe(false);
  });

  it("are filtered by kind, name, status and failure, and come in pages", async () => {
    const client = await launched(SCENARIO);
    await client.move("continue");
    const { total } = await list(client);
    expect(total).toBeGreaterThan(50);
    const first = await list(client, { start: 0, count: 7 });
    const second = await list(client, { start: 7, count: 7 });
    expect([...first.milestones, ...second.milestones].map(({ id }) => id)).toEqual([...Array(14).keys()]);
    const named = await list(client, { text: "tdh.mem.*", start: 0 });
    expect(named.total).toBeLessThan(total);
    expect(named.milestones.every(({ name }) => name.startsWith("TDH.MEM."))).toBe(true);
    const exits = await list(client, { kinds: ["exit"], start: 0 });
    expect(exits.milestones.every(({ name }) => name === "TDH.VP.ENTER")).toBe(true);
    const guest = await list(client, { kinds: ["tdcall"], start: 0 });
    expect(guest.milestones.every(({ name }) => name.startsWith("TDG."))).toBe(true);
    expect(exits.total * guest.total).toBeGreaterThan(0);
    const failed = await list(client, { failed: true, start: 0 });
    expect(failed.milestones.every((each) => each.failed)).toBe(true);
    const sum = await Promise.all(
      (["seamcall", "tdcall", "exit", "fault"] as const).map((kind) => list(client, { kinds: [kind] })),
    );
    expect(sum.reduce((all, { total: of }) => all + of, 0)).toBe(total);
    // An exit is gone to behind it, a call before it.
    const exit = exits.milestones.at(-1);
    await client.move("tdx/goToMilestone", { id: exit?.id });
    expect(Object.keys(await client.scope("TDH.VP.ENTER"))).toContain("status (rax)");
    // By default the page has the present in its middle.
    const around = await list(client, { count: 10 });
    expect(around.milestones.some(({ step }) => step === exit?.step)).toBe(true);
  });

  it("have what no status tells of", async () => {
    const flow = readFileSync(`${ROOT}/scenarios/partial-write.tdx`, "utf8");
    const client = await launched(PROGRAM, flow);
    await client.move("continue");
    const { milestones } = await list(client, { kinds: ["fault"], start: 0 });
    expect(milestones.map(({ name }) => name).join(";")).toContain("Private memory overwritten");
    const [fault] = milestones;
    await client.move("tdx/goToMilestone", { id: fault?.id });
    const moments = client.events.filter(({ event }) => event === "tdx/stopped");
    expect(moments.at(-1)?.body.step).toBe(fault?.step);
  });

  it("follow an edit in the past, and go back with its branch", async () => {
    const text = `let n = 3\nfor i in 0 .. n { TDH.SYS.LP.INIT() }\nlog "end"\n`;
    const client = await launched(PROGRAM, text.replace("TDH.SYS.LP.INIT()", "let r = TDH.SYS.LP.INIT()"));
    await client.move("continue");
    expect((await list(client)).total).toBe(3);
    await client.move("tdx/goToStep", { step: 1 });
    await client.request("setExpression", { expression: "n", value: "5" });
    await client.move("continue");
    expect((await list(client)).total).toBe(5);
    await client.move("tdx/switchBranch", { branch: 1 });
    expect((await list(client)).total).toBe(3);
  });

  it("of a line are its targets to go to", async () => {
    const text = `for i in 0 .. 3 {\n  let r = TDH.SYS.LP.INIT()\n}\nlog "end"\n`;
    const client = await launched(PROGRAM, text);
    await client.move("continue");
    const { targets } = await client.request("gotoTargets", { source: { path: PROGRAM }, line: 2 });
    expect(targets).toHaveLength(3);
    expect(targets[1].label).toMatch(/^step \d+: TDH\.SYS\.LP\.INIT · TDX_/);
    expect((await client.request("gotoTargets", { source: { path: PROGRAM }, line: 4 })).targets).toEqual([]);
    const stop = await client.move("goto", { targetId: targets[1].id });
    expect(stop).toMatchObject({ reason: "goto", place: "test.tdx:2" });
    expect((await client.scope("Locals")).i?.value).toBe("1");
  });
});

describe("what notes tell of a run", () => {
  /** Calls that succeed and fail, in branches, in functions, on other LPs, in tasks that take turns, and in guests. */
  const FLOWS: Readonly<Record<string, string>> = {
    calls: `fn init() { return TDH.SYS.INIT() }
fn twice(n) {
  let a = [TDH.SYS.INIT(), TDH.SYS.LP.INIT()]
  return a[n]
}
let x = init()
for i in 0 .. 4 {
  let y = twice(i % 2)
  if i > 1 && TDH.SYS.LP.INIT() != TDX_SUCCESS { log "{i}" }
  on lp i % 2 { let z = TDH.SYS.LP.INIT() }
}
let last = TDH.SYS.LP.INIT()
log "end"
`,
    tasks: `let first = TDH.SYS.INIT()
spawn a on lp 1 {
  for i in 0 .. 3 { let r = TDH.SYS.LP.INIT()  yield }
}
let x = TDH.SYS.LP.INIT()
yield
for i in 0 .. 3 { let r = TDH.SYS.LP.INIT() }
join a
let y = TDH.SYS.LP.INIT()
`,
    accept: readFileSync(SCENARIO, "utf8"),
    host: `import "tdx/host"
let td = new_td({ attributes: 0, pages: 4 })
for i in 4 .. 40 { let r = TDH.MEM.PAGE.AUG(gpa: i * 4K, level: 0, tdr: td.tdr, hpa: alloc_page()) }
log "end"
`,
  };

  /** At the end of a flow, all milestones; `step`: having gone back to it, where no notes are of what comes. */
  async function all(text: string, step?: number): Promise<MilestonesResponse["milestones"]> {
    const client = await launched(PROGRAM, text);
    await client.move("continue");
    if (step !== undefined) await client.move("tdx/goToStep", { step });
    return (await list(client, { start: 0, count: 1000 })).milestones;
  }

  it.each(Object.keys(FLOWS))("is what another run finds: %s", async (name) => {
    const text = FLOWS[name] as string;
    const found = await all(text, 0);
    expect(found.length).toBeGreaterThan(5);
    expect(await all(text)).toEqual(found);
  });

  it("is that of the branch in which the session stands", async () => {
    const text = `let n = 1\nfor i in 0 .. 3 { if n == 1 { let a = TDH.SYS.INIT() } else { let b = TDH.SYS.LP.INIT() } }\nlog "end"\n`;
    const client = await launched(PROGRAM, text);
    await client.move("continue");
    const names = async () => (await list(client, { start: 0 })).milestones.map(({ name }) => name);
    const first = await names();
    expect(new Set(first)).toEqual(new Set(["TDH.SYS.INIT"]));
    await client.move("tdx/goToStep", { step: 1 });
    await client.request("setExpression", { expression: "n", value: "2" });
    await client.move("continue");
    expect(new Set(await names())).toEqual(new Set(["TDH.SYS.LP.INIT"]));
    await client.move("tdx/switchBranch", { branch: 1 });
    await client.move("continue");
    expect(await names()).toEqual(first);
  });

  it("is taken up where the last question ended, in whatever unit the session stands", async () => {
    const text = FLOWS.host as string;
    const client = new Client({ [PROGRAM]: text });
    await client.launch(PROGRAM, { functions: [{ name: "TDH.MEM.PAGE.AUG" }], launch: { stopAtEnd: true } });
    await client.event("stopped");
    await client.move("continue");
    const before = await list(client, { start: 0, count: 1000 });
    expect(before.milestones.at(-1)).toMatchObject({ name: "TDH.MEM.PAGE.AUG", line: 3, status: "TDX_SUCCESS" });
    await client.move("stepIn");
    await client.move("continue");
    const more = await list(client, { start: 0, count: 1000 });
    expect(more.total).toBe(before.total + 1);
    await client.request("setFunctionBreakpoints", { breakpoints: [] });
    await client.move("continue");
    const whole = await list(client, { start: 0, count: 1000 });
    expect(whole.milestones).toEqual(await all(text, 0));
    const { milestones } = whole;
    const last = milestones.at(-1);
    expect(await client.move("tdx/goToMilestone", { id: last?.id })).toMatchObject({ place: "test.tdx:3" });
    expect(Object.keys(await client.scope("TDH.MEM.PAGE.AUG"))).not.toContain("status (rax)");
  });
});
