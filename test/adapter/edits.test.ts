/** Values, registers and memory changed at a stop, and the futures that this starts, as a client does it. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { describe, expect, it } from "vitest";
import { Client, ROOT } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `let n = 1
let r = {a: 5, b: [1, 2]}
let text = "x"
let yes = true
let init = TDH.SYS.INIT()
log "{n} {r.a} {r.b[1]} {init.status}"
let lp = TDH.SYS.LP.INIT()
let key = TDH.SYS.KEY.CONFIG()
log "{key.status}"
`;

async function launched(options: Parameters<Client["launch"]>[1] = {}): Promise<Client> {
  const client = new Client({ [PROGRAM]: TEXT });
  await client.launch(PROGRAM, { ...options, launch: { stopAtEnd: true, ...options.launch } });
  await client.event("stopped");
  return client;
}

/** The reference of a scope of the innermost frame. */
async function scopeOf(client: Client, name: string): Promise<number> {
  const [frame] = await client.stack();
  const { scopes } = await client.request("scopes", { frameId: frame?.id });
  const scope = (scopes as DebugProtocol.Scope[]).find((each) => each.name === name);
  return scope?.variablesReference ?? 0;
}

async function set(client: Client, scope: string, name: string, value: string): Promise<DebugProtocol.Response> {
  return client.ask("setVariable", { variablesReference: await scopeOf(client, scope), name, value });
}

async function moment(client: Client): Promise<{ step: number; place: number; branch: number; branches: number }> {
  return (await client.event("tdx/stopped")).body;
}

describe("an edited value", () => {
  it("is what the flow goes on with", async () => {
    const client = await launched();
    await client.move("tdx/goToStep", { step: 5 });
    expect((await set(client, "Locals", "n", "0x10 + 1")).body).toMatchObject({ value: "17", type: "integer" });
    expect((await client.scope("Locals")).n?.value).toBe("17");
    const { variablesReference } = (await client.scope("Locals")).r as DebugProtocol.Variable;
    await client.request("setVariable", { variablesReference, name: "a", value: "n + 1" });
    await client.request("setExpression", { expression: "r.b[1]", value: "7" });
    await client.request("setExpression", { expression: "init.status", value: "TDX_SYS_BUSY" });
    await client.move("continue");
    expect(client.output("stdout")).toContain("17 18 7 TDX_SYS_BUSY");
  });

  it("is undone and done again by stepping, and tells where the session stands", async () => {
    const client = await launched();
    await client.move("tdx/goToStep", { step: 3 });
    await set(client, "Locals", "n", "9");
    await client.move("stepBack");
    expect((await client.scope("Locals")).n?.value).toBe("1");
    await client.move("next");
    expect((await client.scope("Locals")).n?.value).toBe("9");
    const edits = client.events.filter(({ event, body }) => event === "tdx/stopped" && body.reason === "edit");
    expect(edits.map(({ body }) => body)).toEqual([
      { step: 4, place: 0, reason: "edit", branch: 1, branches: 1, oldest: 0 },
    ]);
  });

  it("has to be of the kind that it replaces", async () => {
    const client = await launched();
    await client.move("tdx/goToStep", { step: 5 });
    const refused = async (name: string, value: string) => (await set(client, "Locals", name, value)).message;
    expect(await refused("n", '"x"')).toBe('"n" is an integer; a string does not fit');
    expect(await refused("n", "true")).toBe('"n" is an integer; a boolean does not fit');
    expect(await refused("n", "null")).toBe('"n" is an integer; null does not fit');
    expect(await refused("text", "5")).toBe('"text" is a string; an integer does not fit');
    expect(await refused("yes", "1")).toBe('"yes" is a boolean; an integer does not fit');
    expect(await refused("r", "{a: 1}")).toBe("a record cannot be made here: change its fields");
    expect(await refused("n", "n +")).toMatch(/./);
    expect(await refused("n", "nothing")).toContain("nothing");
    expect(await refused("none", "1")).toBe('there is no variable "none" to change');
    const asked = async (expression: string) => (await client.ask("setExpression", { expression, value: "1" })).message;
    expect(await asked("n + 1")).toContain('"n + 1" is no variable');
    expect(await asked("r.c")).toBe('there is no field "c"');
    expect(await asked("r.b[2]")).toBe("index 2 is past the end of a list of 2");
    expect((await client.ask("setExpression", { expression: "init.ok", value: "true" })).message).toBe(
      '"init.ok" follows from the registers: change the status or a register',
    );
    expect((await client.request("tdx/branches")).branches[0].edits).toEqual([]);
  });

  it("is refused while the flow has not begun or is over", async () => {
    const client = new Client({ [PROGRAM]: TEXT });
    await client.request("initialize", { adapterID: "tdxflow" });
    expect((await client.ask("setExpression", { expression: "n", value: "1" })).success).toBe(false);
    expect((await client.ask("tdx/branches")).success).toBe(false);
  });
});

describe("at a call", () => {
  it("an operand can be changed before it, by name and by register, and fits its bits", async () => {
    const program = `let tdr = 0x100000\nlet r = TDH.MEM.SEPT.ADD(gpa: 0x200000, level: 1, tdr: tdr, page: 0x200000)\nlog "{r.status}"\n`;
    const client = new Client({ [PROGRAM]: program });
    await client.launch(PROGRAM, { functions: [{ name: "TDH.MEM.SEPT.ADD" }], launch: { stopAtEnd: true } });
    await client.event("stopped");
    await client.move("continue");
    const leaf = "TDH.MEM.SEPT.ADD";
    expect((await set(client, leaf, "level (rcx)", "8")).message).toContain("has 3 bits; 8 does not fit");
    expect((await set(client, leaf, "tdr (rdx)", '"x"')).message).toBe('"tdr" is an integer; a string does not fit');
    expect((await set(client, "LP 0", "r13", "1")).message).toContain('names no operand in "r13"');
    expect((await set(client, leaf, "tdr (rdx)", "0x5000")).body).toMatchObject({ value: "0x5000" });
    expect((await client.scope("LP 0")).rdx?.value).toBe("0x5000");
    await set(client, "LP 0", "rcx", "0x400002");
    expect((await client.scope(leaf))["level (rcx)"]?.value).toBe("2");
    expect((await client.scope(leaf))["gpa (rcx)"]?.value).toBe("0x400000");
    await client.move("stepIn", { granularity: "instruction" });
    expect((await set(client, leaf, "level (rcx)", "1")).message).toContain("cannot be changed");
    expect((await set(client, "LP 0", "rdx", "42")).message).toContain("has taken its operands");
    expect((await client.scope("LP 0")).rdx?.value).toBe("0x5000");
    await client.move("continue");
    const { edits } = (await client.request("tdx/branches")).branches[0];
    expect(edits.map(({ text }: { text: string }) => text)).toEqual(["tdr = 0x5000", "rcx = 0x400002"]);
  });

  it("the result can be changed behind it, before the flow takes it", async () => {
    const client = await launched({ filters: ["seamcall-error"] });
    expect((await client.move("continue")).reason).toBe("exception");
    const before = (await client.scope("TDH.SYS.KEY.CONFIG"))["status (rax)"]?.value;
    expect(before).toContain("TDX_");
    const answer = await set(client, "TDH.SYS.KEY.CONFIG", "status (rax)", "TDX_OPERAND_BUSY");
    expect(answer.body.value).toContain("TDX_OPERAND_BUSY");
    expect((await client.scope("LP 0")).rax?.value).toContain("TDX_OPERAND_BUSY");
    // Done again behind the same call it is no other exception.
    await client.move("stepBack");
    expect((await client.move("continue")).reason).toBe("end");
    expect(client.output("stdout")).toMatch(/TDX_OPERAND_BUSY.*\n$/);
  });
});

describe("memory", () => {
  it("is written as it lies there, and read back", async () => {
    const client = await launched();
    const data = Buffer.from([1, 2, 3, 4, 5]).toString("base64");
    await client.request("readMemory", { memoryReference: "0x3000", count: 16 });
    const written = await client.request("writeMemory", { memoryReference: "0x3000", offset: 2, data });
    expect(written).toMatchObject({ bytesWritten: 5 });
    expect((await client.event("memory")).body).toMatchObject({ memoryReference: "0x3000" });
    const read = await client.request("readMemory", { memoryReference: "0x3000", count: 8 });
    expect([...Buffer.from(read.data, "base64")]).toEqual([0, 0, 1, 2, 3, 4, 5, 0]);
    await client.move("stepBack");
    const again = await client.request("readMemory", { memoryReference: "0x3000", count: 8 });
    expect([...Buffer.from(again.data, "base64")]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });

  it("is written by the host with what that does to its key, and in no TD that is not there", async () => {
    const client = await launched({ launch: { stopAtEnd: true } });
    await client.request("writeMemory", { memoryReference: "host:0x3000", data: "AQI=" });
    const read = await client.request("readMemory", { memoryReference: "0x3000", count: 2 });
    expect(read.data).toBe("AQI=");
    const other = await client.ask("writeMemory", { memoryReference: "td0:0x3000", data: "AQI=" });
    expect(other.message).toBe("there is no TD called td0");
    const isPrivate = await client.ask("writeMemory", { memoryReference: "host:0xc000000003000", data: "AQI=" });
    expect(isPrivate.message).toContain("private KeyID");
    expect((await client.request("tdx/branches")).branches[0].edits).toEqual([
      { step: 0, text: "host:0x3000: 2 bytes" },
    ]);
  });

  it("ends where the platform's addresses do", async () => {
    const client = await launched();
    const top = (reference: string, more: object = {}) =>
      client.ask("writeMemory", { memoryReference: reference, data: "AAEC", ...more });
    expect((await top("0xfffffffffffff")).message).toContain("there is no such address");
    expect((await top("n")).message).toContain("is no address");
    expect((await top("0x1000", { offset: -0x2000 })).success).toBe(false);
    expect((await client.ask("writeMemory", { memoryReference: "0x1000", data: "%" })).message).toContain("base64");
    const end = 2 ** 46;
    const reference = `0x${(end - 1).toString(16)}`;
    expect((await top(reference, { allowPartial: true })).body).toMatchObject({ bytesWritten: 1 });
  });

  it("ends where a TD's mapped pages do", async () => {
    const client = new Client({});
    await client.launch(`${ROOT}/scenarios/td-lifecycle.tdx`, { functions: [{ name: "TDH.MR.FINALIZE" }] });
    await client.event("stopped");
    await client.move("continue");
    const last = { memoryReference: "td0:0x1fff", data: "AAEC" };
    expect((await client.ask("writeMemory", last)).message).toContain("no readable private page");
    expect((await client.ask("writeMemory", { ...last, allowPartial: true })).body).toMatchObject({ bytesWritten: 1 });
  });
});

describe("a field of the module's structures", () => {
  async function atFinalize(): Promise<Client> {
    const client = new Client({});
    const functions = [{ name: "TDH.MR.FINALIZE" }];
    await client.launch(`${ROOT}/scenarios/td-lifecycle.tdx`, { functions, filters: [] });
    await client.event("stopped");
    await client.move("continue");
    await client.request("setExceptionBreakpoints", { filters: ["seamcall-error"] });
    return client;
  }

  /** The reference of what lies at a path below a scope. */
  async function below(client: Client, scope: string, ...path: string[]): Promise<number> {
    let reference = await scopeOf(client, scope);
    for (const name of path) reference = (await variablesOf(client, reference))[name]?.variablesReference ?? 0;
    return reference;
  }

  async function variablesOf(client: Client, variablesReference: number) {
    const { variables } = await client.request("variables", { variablesReference });
    return Object.fromEntries((variables as DebugProtocol.Variable[]).map((each) => [each.name, each]));
  }

  const TDS = "Trust Domains";

  it("is written as it lies there, which the module then meets; undone and done again like any edit", async () => {
    const client = await atFinalize();
    const tdcs = ["td0", "TDCS"];
    const at = async () => below(client, TDS, ...tdcs);
    const opState = async () => (await variablesOf(client, await at())).OP_STATE?.value;
    expect(await opState()).toBe("INITIALIZED");
    const variablesReference = await at();
    const set = (name: string, value: string) => client.request("setVariable", { variablesReference, name, value });
    expect(await set("OP_STATE", "RUNNABLE")).toMatchObject({ value: "RUNNABLE" });
    expect(await opState()).toBe("RUNNABLE");
    await client.move("stepBack");
    expect(await opState()).toBe("INITIALIZED");
    expect(await client.move("continue")).toMatchObject({ reason: "exception" });
    expect((await client.request("exceptionInfo")).exceptionId).toContain("TDX_OP_STATE_INCORRECT");
    const { edits } = (await client.request("tdx/branches")).branches[0];
    expect(edits.map(({ text }: { text: string }) => text)).toEqual(["OP_STATE of td0 = RUNNABLE"]);
  });

  it("takes what has room in it: numbers, states by name, byte strings by their digits", async () => {
    const client = await atFinalize();
    const set = async (name: string, value: string, ...path: string[]) => {
      const variablesReference = await below(client, TDS, "td0", ...path);
      const { success, message, body } = await client.ask("setVariable", { variablesReference, name, value });
      return success ? body.value : message;
    };
    expect(await set("HKID", "0x20 + 1", "TDR")).toBe("33");
    expect(await set("HKID", "0x1_0000_0000", "TDR")).toBe('"HKID of td0" has 32 bits; 0x100000000 does not fit');
    expect(await set("HKID", "true", "TDR")).toBe('"HKID of td0" is an integer; a boolean does not fit');
    expect(await set("ATTRIBUTES", "0xffff_0000_0000_0001", "TDCS")).toBe("0xffff000000000001");
    expect(await set("TD_EPOCH", "7", "TDCS")).toBe("7");
    expect(await set("OP_STATE_LOCK", "1", "TDCS")).toBe("exclusive");
    const digits = "0123456789ABCDEF".repeat(6);
    expect(await set("MRTD", digits, "TDCS")).toBe(digits.toLowerCase());
    expect(await set("MRTD", "12", "TDCS")).toBe('"MRTD of td0" takes 96 hexadecimal digits, or 0');
    expect(await set("MRTD", "0", "TDCS")).toBe("0");
    expect(await set("VCPU_EPOCH", "3", "vcpu 0")).toBe("3");
    expect(await set("rcx", "0x123", "vcpu 0", "registers")).toBe("0x123");
    const root = await variablesOf(client, await below(client, TDS, "td0", "Secure EPT"));
    const entry = Object.keys(root)[0] as string;
    expect(await set(entry, "0", "Secure EPT")).toBe("0x0");
    const { edits } = (await client.request("tdx/branches")).branches[0];
    expect(edits.at(-2).text).toBe("rcx of td0, vcpu 0 = 0x123");
    expect(edits.at(-1).text).toMatch(/^S-EPT entry of td0, level 3, GPA 0x0 = 0x0$/);
  });

  it("is as it was set after a start from the beginning", async () => {
    const client = await atFinalize();
    const variablesReference = await below(client, TDS, "td0", "TDCS");
    await client.request("setVariable", { variablesReference, name: "NUM_VCPUS", value: "9" });
    const { step, place } = client.events.findLast(({ event }) => event === "tdx/stopped")?.body ?? {};
    await client.move("restart");
    await client.move("tdx/goToStep", { step, place, branch: 1 });
    expect((await variablesOf(client, await below(client, TDS, "td0", "TDCS"))).NUM_VCPUS?.value).toBe("9");
  });

  it("that is no value of its own says why it cannot be set", async () => {
    const client = await atFinalize();
    const refused = async (scope: string, name: string, ...path: string[]) => {
      const variablesReference = await below(client, scope, ...path);
      return (await client.ask("setVariable", { variablesReference, name, value: "1" })).message;
    };
    expect(await refused(TDS, "td0")).toBe('"td0" cannot be changed as a whole: open it');
    expect(await refused(TDS, "0", "td0", "TDCS", "pages")).toMatch(
      /^"0" cannot be changed: it tells of memory, which can be written at 0x[0-9a-f]+$/,
    );
    expect(await refused("LP 0", "mode")).toBe('"mode" cannot be changed: it is worked out from other values');
  });
});

describe("branches", () => {
  it("begin with an edit in the past, are listed, and are returned to as they were left", async () => {
    const client = await launched();
    await client.move("continue");
    const end = await moment(client);
    expect(end).toMatchObject({ branch: 1, branches: 1 });
    await client.move("tdx/goToStep", { step: 4 });
    await set(client, "Locals", "n", "100");
    expect(client.output("console")).toContain("branch 2 begins at step 4 with n = 100");
    await client.move("continue");
    expect(client.output("stdout")).toMatch(/100 5 2 TDX_SUCCESS/);
    const { branches } = await client.request("tdx/branches");
    expect(branches).toMatchObject([
      { id: 1, parent: 0, edits: [], length: end.step, current: false },
      {
        id: 2,
        parent: 1,
        step: 4,
        place: 0,
        edits: [{ step: 4, text: "n = 100" }],
        length: end.step + 1,
        current: true,
      },
    ]);
    const printed = client.output("stdout");
    await client.move("tdx/switchBranch", { branch: 1 });
    expect((await client.scope("Locals")).n?.value).toBe("1");
    await client.move("continue");
    await client.move("tdx/switchBranch", { branch: 2 });
    expect((await moment(client)).step).toBe(end.step + 1);
    await client.move("stepBack");
    expect((await client.scope("Locals")).n?.value).toBe("100");
    // What was seen of a future is not printed again.
    expect(client.output("stdout")).toBe(printed);
    await client.move("tdx/goToStep", { step: 5, branch: 1 });
    expect((await client.scope("Locals")).n?.value).toBe("1");
    expect((await client.ask("tdx/switchBranch", { branch: 3 })).message).toBe("there is no branch 3");
  });
});

describe("in another thread", () => {
  const FLOW = `fn work(base, n) {
  let sum = base + n
  return sum
}
spawn a on lp 1 {
  let n = 10
  let sum = work(100, n)
  log "a: {n} {sum}"
}
spawn b on lp 2 {
  let n = 20
  let r = TDH.MEM.TRACK(tdr: work(0x200000, n))
  log "b: {n} {r.status}"
}
join a
join b
`;

  /** A stands in work; B, which moves next, before its call. */
  async function bothUnderWay(): Promise<{ client: Client; a: number; b: number }> {
    const client = new Client({ [PROGRAM]: FLOW });
    await client.launch(PROGRAM, { lines: [{ line: 3 }], functions: [{ name: "TDH.MEM.TRACK" }], filters: [] });
    await client.event("stopped");
    const { threadId: a = 0 } = await client.move("continue");
    await client.request("setBreakpoints", { source: { path: PROGRAM }, breakpoints: [] });
    const { threads } = await client.request("threads");
    const b = (threads as DebugProtocol.Thread[]).find(({ name }) => name.startsWith("b"))?.id ?? 0;
    while ((await client.move("next", { threadId: b })).reason !== "function breakpoint");
    await client.request("setFunctionBreakpoints", { breakpoints: [] });
    return { client, a, b };
  }

  async function frameOf(client: Client, thread: number, index: number): Promise<number> {
    return (await client.stack(thread))[index]?.id ?? 0;
  }

  async function finish(client: Client): Promise<string> {
    await client.request("continue", { threadId: 1 });
    await client.event("terminated");
    return client.output("stdout");
  }

  it("values are set and understood in the frame that they belong to", async () => {
    const { client, a } = await bothUnderWay();
    const inWork = await frameOf(client, a, 0);
    const { body } = await client.ask("setExpression", { expression: "sum", value: "base + 5", frameId: inWork });
    expect(body).toMatchObject({ value: "105" });
    const { scopes } = await client.request("scopes", { frameId: await frameOf(client, a, 1) });
    const { variablesReference } = scopes[0];
    const answer = await client.ask("setVariable", { variablesReference, name: "n", value: "n + 1" });
    expect(answer.body).toMatchObject({ value: "11" });
    await client.request("setExpression", { expression: "n", value: "n * 3" });
    const { edits } = (await client.request("tdx/branches")).branches[0];
    expect(edits.map(({ text }: { text: string }) => text)).toEqual(["b goes on", "sum = 105", "n = 11", "n = 60"]);
    const printed = await finish(client);
    expect(printed).toContain("a: 11 105\n");
    expect(printed).toContain("b: 60 ");
  });

  it("an operand of a call that it stands before is set, by name and by register", async () => {
    const { client, a, b } = await bothUnderWay();
    await client.move("next", { threadId: a });
    const frameId = await frameOf(client, b, 0);
    const read = async (expression: string) => (await client.request("evaluate", { expression, frameId })).result;
    expect(await read("tdr")).toBe("0x200014");
    expect(await read("task")).toBe(`${b - 1}`);
    await client.request("setExpression", { expression: "tdr", value: "0x3000 + n", frameId });
    expect(await read("tdr")).toBe("0x3014");
    await client.request("setExpression", { expression: "rcx", value: "0x4000", frameId });
    expect(await read("tdr")).toBe("0x4000");
    const set = (expression: string, value: string) => client.ask("setExpression", { expression, value, frameId });
    expect((await set("r9", "1")).message).toContain('names no operand in "r9"');
    expect((await client.request("evaluate", { expression: "lp" })).result).toBe("1");
    await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "TDH.MEM.TRACK%return" }] });
    await client.move("continue", { threadId: b });
    expect((await client.scope("LP 2")).rcx?.value).toBe("0x4000");
  });

  it("an edit in the past begins a branch, as in the thread that moves", async () => {
    const { client, a, b } = await bothUnderWay();
    await client.move("stepBack", { threadId: b });
    await client.request("setExpression", { expression: "sum", value: "7", frameId: await frameOf(client, a, 0) });
    expect((await client.request("tdx/branches")).branches).toMatchObject([
      { id: 1, current: false },
      { id: 2, parent: 1, edits: [{ text: "sum = 7" }], current: true },
    ]);
    await client.move("stepBack", { threadId: b });
    const expression = "sum";
    const frameId = await frameOf(client, a, 0);
    expect((await client.request("evaluate", { expression, frameId })).result).toBe("110");
    expect(await finish(client)).toContain("a: 10 7\n");
  });
});
