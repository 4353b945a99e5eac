/** Breakpoints on returns, and those that wait for another place. */
import { describe, expect, it } from "vitest";
import { launched, PROGRAM, setLines } from "./breakpoints-flow.ts";
import { Client } from "./support.ts";

describe("function breakpoints on return", () => {
  const RETURNS = `fn small(x) { return x + 1 }
fn both(x) {
  if x > 1 {
    return small(x)
  }
  let y = x
  while y > 0 { y -= 1 }
}
let a = both(2)
let b = both(1) == null && small(5) == 6
let r = TDH.SYS.RD(field: 5)
log "{a}"
`;

  async function stopsAt(client: Client, command: string): Promise<string[]> {
    const places: string[] = [];
    for (;;) {
      const stop = await client.move(command);
      if (stop.reason !== "function breakpoint") return places;
      places.push(stop.place.replace("test.tdx:", ""));
    }
  }

  it("stop before the statement with which a function of the flow returns, in both directions", async () => {
    const client = new Client({ [PROGRAM]: RETURNS });
    await client.launch(PROGRAM, { functions: [{ name: "both%return" }], launch: { stopAtEnd: true } });
    await client.event("stopped");
    // The loop's last look at its condition leads out of the function.
    const there = await stopsAt(client, "continue");
    expect(there).toEqual(["4", "7"]);
    expect((await stopsAt(client, "reverseContinue")).slice(0, 2)).toEqual([...there].reverse());
  });

  it("are refused in a function that does nothing", async () => {
    const client = new Client({ [PROGRAM]: `fn nothing() { }\nnothing()\n` });
    await client.launch(PROGRAM);
    const { breakpoints } = await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "nothing" }] });
    expect(breakpoints[0]).toMatchObject({ verified: false, message: "The function has no statement to stop at." });
  });

  /** What a function does last asks another one first, or waits, and may go on in the function then. */
  const ASKS = `fn odd(n) {
  log "asked {n}"
  return n % 2 == 1
}
fn last(n) {
  if odd(n) { log "odd" }
}
fn loops(n) {
  let i = 0
  while odd(i) || i < n { i += 1 }
}
fn waits(n) {
  if n > 1 { log "more" }
  else { yield }
}
for i in 0 .. 3 {
  last(i)
  loops(2)
  waits(i)
}
log "end"
`;

  it.each(["last", "loops", "waits"])("stop once for each return, in both directions: %s", async (name) => {
    const client = new Client({ [PROGRAM]: ASKS });
    await client.launch(PROGRAM, { functions: [{ name: `${name}%return` }], launch: { stopAtEnd: true } });
    await client.event("stopped");
    const there = await stopsAt(client, "continue");
    expect(there).toHaveLength(3);
    const printed = client.output("stdout");
    expect(await stopsAt(client, "reverseContinue")).toEqual(there.reverse());
    expect(client.output("stdout")).toBe(printed);
  });

  it("show nothing of what comes while they look ahead", async () => {
    const client = new Client({ [PROGRAM]: ASKS });
    await client.launch(PROGRAM, { functions: [{ name: "loops%return" }] });
    await client.event("stopped");
    await client.move("continue");
    expect(client.output("stdout").match(/asked \d/g)).toEqual(["asked 0", "asked 0", "asked 1"]);
  });

  it("count from the start of the run, also behind leaves and when set later", async () => {
    const text = 'for i in 0 .. 5 { let r = TDH.SYS.LP.INIT() }\nlog "end"\n';
    for (const step of [0, 4]) {
      const client = new Client({ [PROGRAM]: text });
      await client.launch(PROGRAM, { filters: [], launch: { stopAtEnd: true } });
      await client.event("stopped");
      await client.move("tdx/goToStep", { step });
      await client.request("setFunctionBreakpoints", {
        breakpoints: [{ name: "TDH.SYS.LP.INIT%return", hitCondition: "4" }],
      });
      expect(await client.move("continue")).toMatchObject({ reason: "function breakpoint" });
      expect((await client.scope("Locals")).i?.value).toBe("3");
      expect((await client.move("continue")).reason).toBe("end");
    }
  });

  it("see the locals and take conditions over them", async () => {
    const client = new Client({ [PROGRAM]: RETURNS });
    const functions = [{ name: "small : return", condition: "x == 5" }];
    await client.launch(PROGRAM, { functions, launch: { stopAtEnd: true } });
    await client.event("stopped");
    expect((await client.move("continue")).place).toBe("test.tdx:1");
    expect((await client.scope("Locals")).x?.value).toBe("5");
  });

  it("stop behind a leaf with its status, by name, by pattern and by condition", async () => {
    const client = await launched({ functions: [{ name: "TDH.SYS.*%return" }], launch: { stopAtEnd: true } });
    expect(await client.move("continue")).toMatchObject({ reason: "function breakpoint", place: "test.tdx:11" });
    expect((await client.scope("TDH.SYS.INIT"))["status (rax)"]?.value).toContain("TDX_SUCCESS");
    await client.request("setFunctionBreakpoints", {
      breakpoints: [{ name: "TDH.SYS.INIT%return", condition: "status != TDX_SUCCESS" }],
    });
    expect((await client.move("continue")).place).toBe("test.tdx:12");
    await client.move("continue");
    await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "TDH.SYS.INIT%return" }] });
    expect((await client.move("reverseContinue")).place).toBe("test.tdx:12");
    expect((await client.move("reverseContinue")).place).toBe("test.tdx:11");
  });
});

describe("breakpoint modes", () => {
  it("stop before and behind the calls that a line makes, not at those of the functions that it calls", async () => {
    const text =
      'fn init() { return TDH.SYS.INIT() }\nlet a = init()\nlet b = TDH.SYS.INIT().ok || TDH.SYS.RD(field: 5).ok\nlog "{b}"\n';
    const client = new Client({ [PROGRAM]: text });
    await client.launch(PROGRAM, { launch: { stopAtEnd: true } });
    await client.event("stopped");
    const stopsFor = async (line: number, mode: string, command: string): Promise<string[]> => {
      const [answer] = await setLines(client, { line, mode });
      if (!answer.verified) return [answer.message];
      const scopes: string[] = [];
      while ((await client.move(command)).reason === "breakpoint") {
        const [frame] = await client.stack();
        const all = (await client.request("scopes", { frameId: frame?.id })).scopes as { name: string }[];
        scopes.push(`${frame?.line} ${all.find(({ name }) => name.startsWith("TDH"))?.name}`);
      }
      return scopes;
    };
    expect(await stopsFor(3, "call", "continue")).toEqual(["3 TDH.SYS.INIT", "3 TDH.SYS.RD"]);
    expect(await stopsFor(3, "return", "reverseContinue")).toEqual(["3 TDH.SYS.RD", "3 TDH.SYS.INIT"]);
    expect(await stopsFor(2, "call", "continue")).toEqual(["The statement calls no leaf function itself."]);
    expect(await stopsFor(1, "return", "reverseContinue")).toEqual([]);
    await client.move("tdx/goToStep", { step: 0 });
    expect(await stopsFor(1, "return", "continue")).toEqual(["1 TDH.SYS.INIT"]);
    expect(await stopsFor(3, "commit", "continue")).toEqual(['There is no breakpoint mode "commit".']);
  });
});

describe("triggered breakpoints", () => {
  it("as VS Code does them: the one that waits is sent once the other was hit", async () => {
    const client = await launched();
    const [trigger] = await setLines(client, { line: 11 });
    const hit = await client.move("continue");
    expect(hit.hitBreakpointIds).toEqual([trigger?.id]);
    const both = await setLines(client, { line: 11 }, { line: 12 });
    const next = await client.move("continue");
    expect(next).toMatchObject({ place: "test.tdx:12", hitBreakpointIds: [both[1]?.id] });
  });

  it("stop only once another place was passed, in both directions", async () => {
    const client = await launched({ launch: { stopAtEnd: true } });
    const answers = await setLines(client, { line: 5, condition: 'after(5, "b == 7")' });
    expect(answers[0]?.message).toBeUndefined();
    expect(answers[0]?.verified).toBe(true);
    await client.move("continue");
    expect((await client.scope("Locals")).sum?.value).toBe("36");
    await client.move("continue");
    expect((await client.scope("Locals")).sum?.value).toBe("45");
    await client.move("tdx/goToStep", { step: 10_000 });
    await client.move("reverseContinue");
    expect((await client.scope("Locals")).sum?.value).toBe("45");
    await client.move("reverseContinue");
    expect((await client.scope("Locals")).sum?.value).toBe("36");
    expect((await client.move("reverseContinue")).reason).toBe("entry");
    expect((await setLines(client, { line: 5, condition: 'after("no.such")' }))[0]).toMatchObject({
      verified: false,
      message: expect.stringContaining("after(no.such): No leaf function"),
    });
  });

  it("wait for leaves, and go with every kind of breakpoint and filter", async () => {
    const client = await launched({ launch: { stopAtEnd: true } });
    await client.request("setFunctionBreakpoints", {
      breakpoints: [{ name: "TDH.SYS.*", condition: 'after("TDH.SYS.INIT") && lp == 0' }],
    });
    expect((await client.move("continue")).place).toBe("test.tdx:12");
    await client.request("setFunctionBreakpoints", { breakpoints: [] });
    await client.move("tdx/goToStep", { step: 0 });
    const filterOptions = [{ filterId: "seamcall-error", condition: 'after("TDH.SYS.INIT%return", "lp == 0")' }];
    const { breakpoints } = await client.request("setExceptionBreakpoints", { filters: [], filterOptions });
    expect(breakpoints).toEqual([{ verified: true }]);
    expect(await client.move("continue")).toMatchObject({ reason: "exception", place: "test.tdx:12" });
  });
});
