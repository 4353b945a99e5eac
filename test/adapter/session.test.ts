import { describe, expect, it } from "vitest";
import { Client, ROOT } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `fn inner(x) {
  let y = x + 1
  return y
}
let record = { a: 1, list: [1, 2, 3], name: "td" }
let big = 0xffff_ffff_ffff_ffff
let z = inner(5)
log "z is {z}"
log "end"
`;

async function launched(text = TEXT, launch: object = {}): Promise<Client> {
  const client = new Client({ [PROGRAM]: text });
  await client.launch(PROGRAM, { launch });
  return client;
}

describe("a session", () => {
  it("declares what it can do, and nothing else", async () => {
    const client = new Client({});
    const capabilities = await client.request("initialize", { adapterID: "tdxflow" });
    expect(capabilities).toMatchObject({ supportsStepBack: true, supportsConfigurationDoneRequest: true });
    expect(capabilities.supportsRestartFrame).toBeUndefined();
    expect(capabilities.exceptionBreakpointFilters.map((filter: { filter: string }) => filter.filter)).toContain(
      "busy",
    );
  });

  it("stops on entry, shows variables with their children, and evaluates in frames", async () => {
    const client = await launched();
    expect(await client.stop()).toMatchObject({ reason: "entry", place: "test.tdx:5", threadId: 1 });
    expect((await client.request("threads")).threads).toEqual([{ id: 1, name: "main · LP 0" }]);
    await client.move("next");
    await client.move("next");
    const { record, big } = await client.scope("Locals");
    expect(record?.value).toBe('{a: 1, list: [1, 2, 3], name: "td"}');
    expect(big?.value).toBe("0xffffffffffffffff");
    const fields = (await client.request("variables", { variablesReference: record?.variablesReference })).variables;
    expect(fields.map((field: { name: string; value: string }) => `${field.name}=${field.value}`)).toEqual([
      "a=1",
      "list=[1, 2, 3]",
      'name="td"',
    ]);
    await client.move("stepIn");
    const [top, below] = await client.stack();
    const evaluate = async (expression: string, frameId?: number) =>
      (await client.request("evaluate", { expression, frameId })).result;
    expect(await evaluate("x * 2", top?.id)).toBe("10");
    expect(await evaluate("record.list[2]", below?.id)).toBe("3");
    expect((await client.ask("evaluate", { expression: "x", frameId: below?.id })).success).toBe(false);
  });

  it("steps in, over and out of functions, and takes each step back", async () => {
    const client = await launched();
    const places = [(await client.stop()).place];
    for (const command of ["next", "next", "stepIn", "next", "stepOut", "next"])
      places.push((await client.move(command)).place);
    expect(places.map((place) => place.split(":")[1])).toEqual(["5", "6", "7", "2", "3", "8", "9"]);
    const back: string[] = [];
    for (const command of ["stepBack", "tdx/reverseOut", "stepBack", "tdx/reverseIn", "stepBack", "stepBack"])
      back.push((await client.move(command)).place);
    expect(back).toEqual(places.slice(0, -1).reverse());
  });

  it("prints what a flow logs once, with its place, however often it runs again", async () => {
    const client = await launched(TEXT, { stopAtEnd: true });
    await client.stop();
    await client.move("continue");
    await client.move("tdx/goToStep", { step: 0 });
    await client.move("continue");
    expect(client.output("stdout")).toBe("z is 6\nend\n");
    const first = client.events.find((event) => event.event === "output");
    expect(first?.body).toMatchObject({ line: 8, source: { path: PROGRAM } });
  });

  it("ends with the flow, or stays to look back and ends when one goes on", async () => {
    const client = await launched(TEXT, { stopOnEntry: false });
    expect((await client.event("exited")).body.exitCode).toBe(0);
    await client.event("terminated");
    const staying = await launched(TEXT, { stopAtEnd: true });
    await staying.stop();
    expect((await staying.move("continue")).reason).toBe("end");
    expect((await staying.move("stepBack")).place).toBe("test.tdx:9");
    expect((await staying.move("continue")).reason).toBe("end");
    await staying.request("continue", { threadId: 1 });
    await staying.event("terminated");
  });

  it("shows at its end what the globals are, changes them and steps back from there", async () => {
    const client = new Client({ [PROGRAM]: "let n = 1\nlet list = [4, 5]\nfn f(mine) { n += mine }\nf(6)\n\n" });
    await client.launch(PROGRAM, { launch: { stopAtEnd: true } });
    await client.stop();
    expect(await client.move("continue")).toMatchObject({ reason: "end", place: "test.tdx:4" });
    const [frame] = await client.stack();
    expect(frame).toMatchObject({ column: 5, endColumn: 5, name: expect.stringContaining("(end)") });
    expect(await client.scope("Locals")).toMatchObject({ n: { value: "7" }, list: { value: "[4, 5]" } });
    const evaluate = (expression: string) => client.ask("evaluate", { expression, frameId: frame?.id });
    expect((await evaluate("list[1] + n")).body.result).toBe("12");
    expect((await client.request("evaluate", { expression: "n" })).result).toBe("7");
    expect((await evaluate("mine")).message).toContain('"mine" is not defined');
    await client.request("setExpression", { expression: "n", value: "9", frameId: frame?.id });
    expect((await client.scope("Locals")).n?.value).toBe("9");
    await client.move("stepBack");
    expect((await client.scope("Locals")).n?.value).toBe("7");
    await client.move("stepBack");
    expect((await client.scope("Locals")).n?.value).toBe("1");
    expect((await client.stack())[0]?.name).not.toContain("(end)");
  });

  it("runs without debugging past all breakpoints", async () => {
    const client = await launched(TEXT, { noDebug: true });
    await client.event("terminated");
    expect(client.events.some((event) => event.event === "stopped")).toBe(false);
    expect(client.output("stdout")).toBe("z is 6\nend\n");
  });

  it("restarts", async () => {
    const client = await launched();
    await client.stop();
    await client.move("next");
    await client.request("restart");
    expect(await client.stop()).toMatchObject({ reason: "entry", place: "test.tdx:5" });
    const running = await launched("while true { }\n");
    await running.stop();
    await running.request("continue", { threadId: 1 });
    await running.request("restart");
    expect(await running.stop()).toMatchObject({ reason: "entry", place: "test.tdx:1" });
  });

  it("says in the launch's answer where a flow is wrong, and may be launched again", async () => {
    const files: Record<string, string> = { [PROGRAM]: "let a = \nlet b = c\n" };
    const client = new Client(files);
    await client.request("initialize", {});
    const answer = await client.ask("launch", { program: PROGRAM });
    expect(answer.success).toBe(false);
    expect(answer.message).toMatch(/^\/flows\/test\.tdx:\d+:\d+: error: /);
    expect(client.output("stderr")).toContain("/flows/test.tdx:2:1: error:");
    const missing = await client.ask("launch", { program: "/flows/none.tdx" });
    expect(missing.message).toContain("/flows/none.tdx");
    await client.request("launch", { program: PROGRAM.replace("test", "fine") }).catch(() => undefined);
    files[PROGRAM] = "let a = 1";
    await client.request("launch", { program: PROGRAM, stopOnEntry: true });
  });

  it("pauses a flow that runs flat out within 100 ms, and can be stepped from there", async () => {
    const client = await launched("let n = 0\nwhile true { n += 1 }\n", { stopOnEntry: false });
    await new Promise((done) => setTimeout(done, 100));
    expect((await client.ask("stackTrace", { threadId: 1 })).message).toBe("the flow is running");
    expect((await client.ask("next", { threadId: 1 })).message).toBe("the flow is running");
    const asked = performance.now();
    await client.request("pause", { threadId: 1 });
    expect((await client.stop()).reason).toBe("pause");
    expect(performance.now() - asked).toBeLessThan(300);
    const [frame] = await client.stack();
    const n = async () => Number((await client.request("evaluate", { expression: "n", frameId: frame?.id })).result);
    const before = await n();
    expect(before).toBeGreaterThan(100);
    await client.move("stepBack");
    await client.move("stepBack");
    await client.request("disconnect", {});
  });

  it("goes back further than its history reaches, by running again", async () => {
    const text = 'let n = 0\nfor i in 0 .. 40000 { n += i }\nlog "{n}"\n';
    const client = await launched(text, { stopAtEnd: true, historyBudgetMB: 1 });
    await client.stop();
    await client.move("continue");
    await client.request("setBreakpoints", {
      source: { path: PROGRAM },
      breakpoints: [{ line: 2, column: 23, condition: "i == 3" }],
    });
    expect(await client.move("reverseContinue")).toMatchObject({ reason: "breakpoint" });
    expect((await client.scope("Locals")).n?.value).toBe("3");
    expect((await client.move("reverseContinue")).reason).toBe("entry");
  });

  it("lists its sources and where they can stop", async () => {
    const client = await launched("TDH.SYS.INIT()\n");
    await client.stop();
    const { sources } = await client.request("loadedSources");
    expect(sources.map((source: { name: string }) => source.name)).toEqual(["test.tdx", "tdh-sys-init.ts"]);
    const own = await client.request("breakpointLocations", { source: { path: PROGRAM }, line: 1, endLine: 9 });
    expect(own.breakpoints).toEqual([{ line: 1, column: 1 }]);
    const leaf = await client.request("breakpointLocations", { source: sources[1], line: 1, endLine: 999 });
    expect(leaf.breakpoints.length).toBeGreaterThan(3);
    expect((await client.request("source", { source: { path: PROGRAM } })).content).toBe("TDH.SYS.INIT()\n");
    expect((await client.request("source", { source: sources[1] })).content).toContain("TDH.SYS.INIT");
    for (const path of ["/etc/passwd", `${ROOT}/package.json`, `${ROOT}/flows/../package.json`, ""]) {
      expect((await client.ask("source", { source: { path } })).message).toBe(`"${path}" is no source of this session`);
    }
  });

  it.each([["expect"], []])(
    "tells once why a flow failed, and stays at its end where it is to (filters: %s)",
    async (...filters) => {
      const client = new Client({ [PROGRAM]: "let n = 1\nexpect n == 2\n" });
      await client.launch(PROGRAM, { launch: { stopAtEnd: true }, filters });
      await client.stop();
      const stop = await client.move("continue");
      expect(stop.reason).toBe(filters.length ? "exception" : "end");
      expect((await client.move("stepBack")).place).toBe("test.tdx:2");
      await client.move("next");
      await client.request("continue", { threadId: 1 });
      expect((await client.event("exited")).body.exitCode).toBe(1);
      expect(client.output("stderr").match(/the left side is 1/g)).toHaveLength(2);
    },
  );

  it("runs past all breakpoints without debugging, and can be paused", async () => {
    const client = new Client({ [PROGRAM]: 'let n = 1\nlog "{n}"\nexpect n == 2\n' });
    await client.launch(PROGRAM, { lines: [{ line: 2 }], filters: ["expect"], launch: { noDebug: true } });
    expect((await client.event("exited")).body.exitCode).toBe(1);
    expect(client.output("stdout")).toBe("1\n");
    expect(client.output("stderr")).toContain("the left side is 1");
    expect(client.events.some(({ event }) => event === "stopped")).toBe(false);
    const endless = new Client({ [PROGRAM]: "while true {\n  let _n = 1\n}\n" });
    await endless.launch(PROGRAM, { lines: [{ line: 2 }], launch: { noDebug: true } });
    await endless.request("pause", { threadId: 1 });
    expect((await endless.stop()).reason).toBe("pause");
  });

  it("is not launched with an argument of another type", async () => {
    const client = new Client({ [PROGRAM]: TEXT });
    await client.request("initialize");
    await expect(client.request("launch", { program: PROGRAM, stopOnEntry: "yes" })).rejects.toThrow(
      '"stopOnEntry" has to be true or false',
    );
  });

  it("counts lines from 0 for clients that do", async () => {
    const client = new Client({ [PROGRAM]: TEXT });
    await client.request("initialize", { linesStartAt1: false, columnsStartAt1: false });
    await client.request("launch", { program: PROGRAM, stopOnEntry: true });
    const { breakpoints } = await client.request("setBreakpoints", {
      source: { path: PROGRAM },
      breakpoints: [{ line: 0 }],
    });
    expect(breakpoints[0].line).toBe(1);
    await client.request("configurationDone");
    await client.event("stopped");
    expect((await client.stack())[0]).toMatchObject({ line: 4, column: 0 });
  });

  it("steps by SEAMCALL and by module step as granularity says", async () => {
    const client = await launched(
      'let a = 1\nlet r = TDH.SYS.INIT()\nlet s = [TDH.SYS.INIT(), TDH.SYS.INIT()]\nlog "x"\n',
    );
    await client.stop();
    const calls: string[] = [];
    for (let i = 0; i < 3; i++) calls.push((await client.move("next", { granularity: "line" })).place);
    expect(calls).toEqual(["test.tdx:2", "test.tdx:3", "test.tdx:3"]);
    expect((await client.move("next", { granularity: "instruction" })).place).toMatch(/^dispatch\.ts:/);
    expect((await client.move("stepBack", { granularity: "instruction" })).place).toBe("test.tdx:3");
    expect((await client.move("stepBack", { granularity: "line" })).place).toBe("test.tdx:3");
    expect((await client.move("stepBack", { granularity: "line" })).place).toBe("test.tdx:2");
  });
});
