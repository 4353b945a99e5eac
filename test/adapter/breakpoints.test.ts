import { describe, expect, it } from "vitest";
import { launched, PROGRAM, setLines } from "./breakpoints-flow.ts";
import { Client, ROOT } from "./support.ts";

describe("line breakpoints", () => {
  it("are verified at once, move to the next statement, and say why where there is none", async () => {
    const client = await launched();
    const [first, empty, last] = await setLines(client, { line: 1 }, { line: 3 }, { line: 99 });
    expect(first).toMatchObject({ verified: true, line: 4 });
    expect(empty).toMatchObject({ verified: true, line: 4 });
    expect(last).toMatchObject({ verified: false, reason: "failed", message: expect.stringContaining("no statement") });
    const other = await client.request("setBreakpoints", { source: { path: "/else.tdx" }, breakpoints: [{ line: 1 }] });
    expect(other.breakpoints[0]).toMatchObject({
      verified: false,
      message: expect.stringContaining("does not use this file"),
    });
  });

  it("stop in both directions", async () => {
    const client = await launched();
    const [breakpoint] = await setLines(client, { line: 5 });
    const stop = await client.move("continue");
    expect(stop).toMatchObject({ reason: "breakpoint", place: "test.tdx:5", hitBreakpointIds: [breakpoint.id] });
    await client.move("continue");
    expect((await client.scope("Locals")).sum?.value).toBe("1");
    await client.move("reverseContinue");
    expect((await client.scope("Locals")).sum?.value).toBe("0");
    expect(await client.move("reverseContinue")).toMatchObject({ reason: "entry", place: "test.tdx:7" });
  });

  it("take conditions, and stop and say so where one cannot be evaluated", async () => {
    const client = await launched();
    await setLines(client, { line: 5, condition: "sum == 10" });
    await client.move("continue");
    expect((await client.scope("Locals")).sum?.value).toBe("10");
    await setLines(client, { line: 5, condition: "no_such + 1" });
    expect((await client.move("continue")).place).toBe("test.tdx:5");
    expect(client.output("console")).toContain("no_such");
  });

  it.each([
    { condition: "sum ==", message: 'Condition "sum ==": the text ends after "=="' },
    { condition: "sum = 3", message: "=" },
    { condition: "after(7) && (", message: "Condition" },
    { logMessage: "sum is {sum +}", message: 'Log message, at {sum +}: the text ends after "+"' },
  ])("are refused at once for what is no expression: $condition$logMessage", async ({ message, ...request }) => {
    const client = await launched();
    const [breakpoint] = await setLines(client, { line: 5, ...request });
    expect(breakpoint).toMatchObject({ verified: false, message: expect.stringContaining(message) });
  });

  it.each([
    ["1 +", "the text ends"],
    ["class: busy", "No class of statuses is called busy: there are general, invalid operand, resource busy"],
    ["OPERAND_RCX", "No status is called OPERAND_RCX"],
    ["TDX_OPERAND_*", undefined],
    ["class: resource*", undefined],
    ["gpa == 0 || level > 1", undefined],
  ])("filters say at once whether their condition can be one: %s", async (condition, message) => {
    const client = await launched();
    const options = { filters: [], filterOptions: [{ filterId: "seamcall-error", condition }] };
    const { breakpoints } = await client.request("setExceptionBreakpoints", options);
    expect(breakpoints[0].verified).toBe(message === undefined);
    if (message !== undefined) expect(breakpoints[0].message).toContain(message);
  });

  it.each([
    { hitCondition: "3", sums: ["3"] },
    { hitCondition: ">=9", sums: ["36", "45"] },
    { hitCondition: "%4", sums: ["6", "28"] },
  ])("count hits: $hitCondition", async ({ hitCondition, sums }) => {
    const client = await launched({ launch: { stopAtEnd: true } });
    await setLines(client, { line: 5, hitCondition });
    const seen: string[] = [];
    while ((await client.move("continue")).reason === "breakpoint")
      seen.push((await client.scope("Locals")).sum?.value ?? "");
    expect(seen).toEqual(sums);
    const back: string[] = [];
    await client.move("tdx/goToStep", { step: 1000 });
    while ((await client.move("reverseContinue")).reason === "breakpoint")
      back.push((await client.scope("Locals")).sum?.value ?? "");
    expect(back.reverse()).toEqual(sums);
  });

  it("counts from the start of the run, also where a breakpoint was set later", async () => {
    const client = await launched();
    await client.move("tdx/goToStep", { step: 12 });
    await setLines(client, { line: 5, hitCondition: "5" });
    await client.move("continue");
    expect((await client.scope("Locals")).sum?.value).toBe("10");
    expect((await setLines(client, { line: 5, hitCondition: "often" }))[0]).toMatchObject({ verified: false });
  });

  it("count what the session has passed by going to a step", async () => {
    const client = await launched({ lines: [{ line: 5, hitCondition: "5" }] });
    await client.move("next");
    await client.move("tdx/goToStep", { step: 12 });
    await client.move("continue");
    expect((await client.scope("Locals")).sum?.value).toBe("10");
  });

  it("say something instead of stopping", async () => {
    const client = await launched({ launch: { stopAtEnd: true } });
    await setLines(client, { line: 5, logMessage: "sum is {sum}, {no_such}" });
    expect((await client.move("continue")).reason).toBe("end");
    expect(
      client
        .output("console")
        .split("\n")
        .slice(0, 3)
        .map((line) => line.slice(0, 9)),
    ).toEqual(["sum is 0,", "sum is 1,", "sum is 3,"]);
  });
});

describe("function breakpoints", () => {
  it("stop before a leaf function with its operands, by name, by pattern and by condition", async () => {
    const client = await launched({ functions: [{ name: "tdh.sys.*" }] });
    expect(await client.move("continue")).toMatchObject({ reason: "function breakpoint", place: "test.tdx:11" });
    await client.request("setFunctionBreakpoints", {
      breakpoints: [{ name: "TDH.SYS.RD", condition: "field == 5 && lp == 0" }],
    });
    expect((await client.move("continue")).place).toBe("test.tdx:13");
    expect((await client.scope("TDH.SYS.RD"))["field (rdx)"]?.value).toBe("5");
  });

  it("stop in functions of the flow", async () => {
    const client = await launched({ functions: [{ name: "add" }] });
    expect(await client.move("continue")).toMatchObject({ place: "test.tdx:4" });
    expect((await client.stack()).map((frame) => frame.name)).toEqual(["add", "test.tdx"]);
  });

  it("are refused with a hint where there is no such function", async () => {
    const client = await launched();
    const { breakpoints } = await client.request("setFunctionBreakpoints", {
      breakpoints: [{ name: "TDH.MEM.PAGE.PUT" }, { name: "TDH.MEM.*" }],
    });
    expect(breakpoints[0]).toMatchObject({
      verified: false,
      message: expect.stringContaining("Did you mean TDH.MEM."),
    });
    expect(breakpoints[1]).toMatchObject({ verified: true, message: expect.stringContaining("functions") });
  });
});

describe("breakpoints in a leaf's source", () => {
  it("stop at the step, in both directions", async () => {
    const client = await launched();
    const path = `${ROOT}/src/module/host/tdh-sys-init.ts`;
    const { breakpoints } = await client.request("setBreakpoints", { source: { path }, breakpoints: [{ line: 1 }] });
    expect(breakpoints[0]).toMatchObject({ verified: true });
    const line = breakpoints[0].line as number;
    expect(await client.move("continue")).toMatchObject({ reason: "breakpoint", place: `tdh-sys-init.ts:${line}` });
    const first = (await client.stack()).at(-1)?.line;
    await client.move("continue");
    expect((await client.stack()).at(-1)?.line).not.toBe(first);
    await client.move("reverseContinue");
    expect(await client.place()).toBe(`tdh-sys-init.ts:${line}`);
    expect((await client.stack()).at(-1)?.line).toBe(first);
  });
});

describe("exception filters", () => {
  it("stop behind a call that fails, and explain the check that ended it", async () => {
    const client = await launched({ filters: ["seamcall-error"] });
    expect(await client.move("continue")).toMatchObject({ reason: "exception", place: "test.tdx:12" });
    const info = await client.request("exceptionInfo", { threadId: 1 });
    expect(info.exceptionId).toMatch(/^TDX_SYS/);
    expect(info.description).toContain("TDH.SYS.INIT returned TDX_SYS");
    expect(info.details.stackTrace).toContain("src/module/host/tdh-sys-init.ts:");
    expect((await client.scope("TDH.SYS.INIT"))["status (rax)"]?.value).toMatch(/^0x[0-9a-f]{16} · TDX_SYS/);
  });

  it("take a pattern for the name of the status", async () => {
    const filterOptions = [{ filterId: "seamcall-error", condition: "TDX_OPERAND_*" }];
    const client = await launched({ filters: [], filterOptions, launch: { stopAtEnd: true } });
    expect(await client.move("continue")).toMatchObject({ reason: "end" });
  });

  it("take a class of statuses", async () => {
    const stopsFor = async (condition: string): Promise<string> => {
      const filterOptions = [{ filterId: "seamcall-error", condition }];
      const client = await launched({ filters: [], filterOptions, launch: { stopAtEnd: true } });
      return (await client.move("continue")).reason;
    };
    expect(await stopsFor("class: TDX module state")).toBe("exception");
    expect(await stopsFor("class: resource busy")).toBe("end");
  });

  it("take conditions also for what ends the flow", async () => {
    const stopsFor = async (filterId: string, condition: string): Promise<boolean> => {
      const client = new Client({ [PROGRAM]: "let a = 1\nif a == 1 { expect a == 2 }\n" });
      await client.launch(PROGRAM, { filters: [], filterOptions: [{ filterId, condition }] });
      await client.event("stopped");
      await client.request("continue", { threadId: 1 });
      const next = await Promise.race([client.event("stopped"), client.event("terminated")]);
      return next.event === "stopped";
    };
    expect(await stopsFor("expect", "a == 1")).toBe(true);
    expect(await stopsFor("expect", "a == 2")).toBe(false);
    expect(await stopsFor("flow-error", "")).toBe(false);
  });

  it("stop at errors of the flow before it is over, with the place", async () => {
    const client = new Client({ [PROGRAM]: "let a = 1\nTDH.SYS.RD(field: 5)\n" });
    await client.launch(PROGRAM);
    await client.event("stopped");
    expect(await client.move("continue")).toMatchObject({
      reason: "exception",
      text: expect.stringContaining("TDH.SYS.RD failed"),
    });
    expect(client.output("stderr")).toMatch(/test\.tdx:2:1: TDH\.SYS\.RD failed/);
    const info = await client.request("exceptionInfo", { threadId: 1 });
    expect(info.breakMode).toBe("unhandled");
    expect(info.description).toContain("It ended at: check that this LP was prepared");
    await client.request("continue", { threadId: 1 });
    expect((await client.event("exited")).body.exitCode).toBe(1);
    await client.event("terminated");
  });

  it("stop at a failed expect", async () => {
    const client = new Client({ [PROGRAM]: "let a = 1\nexpect a == 2\n" });
    await client.launch(PROGRAM);
    await client.event("stopped");
    const stop = await client.move("continue");
    expect(stop).toMatchObject({ reason: "exception", description: "Stopped: failed expect" });
  });
});
