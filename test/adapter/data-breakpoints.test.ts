import { describe, expect, it } from "vitest";
import { Client, ROOT } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `let n = 0
let other = 0
for i in 0 .. 3 {
  other += 1
  n += i
}
let page = 0x2000
write(page, 5)
write(page + 8, 6)
write(page, 5)
write(page, 7)
log "done"
`;

async function launched(program = PROGRAM): Promise<Client> {
  const client = new Client({ [PROGRAM]: TEXT });
  await client.launch(program, { launch: { stopAtEnd: true } });
  await client.event("stopped");
  return client;
}

async function watch(client: Client, info: object, more: object = {}): Promise<string> {
  const { dataId, accessTypes } = await client.request("dataBreakpointInfo", info);
  expect(accessTypes).toEqual(["read", "write", "readWrite"]);
  const { breakpoints } = await client.request("setDataBreakpoints", { breakpoints: [{ dataId, ...more }] });
  expect(breakpoints[0].verified).toBe(true);
  return dataId;
}

/** Places of all stops in a direction. */
async function stops(client: Client, command: string): Promise<string[]> {
  const places: string[] = [];
  for (;;) {
    const stop = await client.move(command);
    if (stop.reason !== "data breakpoint") return places;
    const [frame] = await client.stack();
    places.push(frame?.name.endsWith("(end)") ? "end" : stop.place);
  }
}

/** Goes to the first TDH.MEM.PAGE.ADD. Gives the reference of td0's TDR fields there. */
async function tdrAtPageAdd(client: Client): Promise<number> {
  await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "TDH.MEM.PAGE.ADD" }] });
  await client.move("continue");
  const open = async (reference: number, name: string) => {
    const { variables } = await client.request("variables", { variablesReference: reference });
    return variables.find((variable: { name: string }) => variable.name === name).variablesReference as number;
  };
  const [frame] = await client.stack();
  const { scopes } = await client.request("scopes", { frameId: frame?.id });
  const domains = scopes.find((scope: { name: string }) => scope.name === "Trust Domains").variablesReference;
  return open(await open(domains, "td0"), "TDR");
}

describe("data breakpoints", () => {
  it("stop behind each statement that changes a variable, in both directions", async () => {
    const client = await launched();
    const [frame] = await client.stack();
    await client.move("next");
    await watch(client, { name: "n", frameId: (await client.stack())[0]?.id });
    expect(frame?.line).toBe(1);
    const there = await stops(client, "continue");
    // Adding 0 changes nothing.
    expect(there).toEqual(["test.tdx:3", "test.tdx:3"]);
    await client.move("tdx/goToStep", { step: 1000 });
    expect((await stops(client, "reverseContinue")).slice(0, 2)).toEqual([...there].reverse());
  });

  it("stop behind each write that changes memory", async () => {
    const client = await launched();
    await watch(client, { name: "0x2000", asAddress: true, bytes: 8 });
    expect(await stops(client, "continue")).toEqual(["test.tdx:9", "test.tdx:12"]);
  });

  it("count from the start of the run, the first value included", async () => {
    const client = await launched();
    await client.move("next");
    await watch(client, { name: "n", frameId: (await client.stack())[0]?.id }, { hitCondition: "3" });
    await client.move("continue");
    expect((await client.scope("Locals")).n?.value).toBe("3");
  });

  it("are refused where nothing is stored", async () => {
    const client = await launched();
    expect(await client.request("dataBreakpointInfo", { name: "1 + 1" })).toMatchObject({ dataId: null });
    expect(await client.request("dataBreakpointInfo", { name: "0xfffffffffffff0" })).toMatchObject({ dataId: null });
    const { breakpoints } = await client.request("setDataBreakpoints", { breakpoints: [{ dataId: "x" }] });
    expect(breakpoints[0]).toMatchObject({ verified: false });
  });

  it("stop at the very step of a leaf that changes a field of a TD", async () => {
    const client = await launched(`${ROOT}/scenarios/td-lifecycle.tdx`);
    const tdr = await tdrAtPageAdd(client);
    await watch(client, { variablesReference: tdr, name: "CHLDCNT" });
    await client.request("setFunctionBreakpoints", { breakpoints: [] });
    const stop = await client.move("continue");
    expect(stop).toMatchObject({ reason: "data breakpoint" });
    expect(stop.place).toMatch(/^tdh-mem-page-add\.ts:/);
    const first = stop.place;
    await client.move("continue");
    expect((await client.move("reverseContinue")).place).toBe(first);
  });
});

const ACCESSES = `let page = 0x2000
write(page, 5)
write(page, 5)
let seen = read32(page + 4)
write32(page + 4, 1)
fn f(x) { return x }
let other = f(seen)
seen = seen
log "{seen}"
`;

describe("access types", () => {
  /** Lines at which a client stops that watches the data in every way, going there and coming back. */
  async function linesOf(accessType: string, info: object, clientID = "other"): Promise<number[]> {
    const client = new Client({ [PROGRAM]: ACCESSES });
    await client.launch(PROGRAM, { launch: { stopAtEnd: true }, clientID });
    await client.event("stopped");
    for (let i = 0; i < 5; i++) await client.move("next");
    await watch(client, info, { accessType });
    await client.move("tdx/goToStep", { step: 0 });
    const there = await stops(client, "continue");
    const back: string[] = await stops(client, "reverseContinue");
    expect(back).toEqual([...there].reverse().slice(back.length === there.length ? 0 : 1));
    return there.map((place) => Number(place.split(":")[1]));
  }
  const bytes = (address: string, count: number): object => ({ name: address, asAddress: true, bytes: count });

  it.each([
    ["change", "other", [3, 7]],
    ["write", "other", [3, 4, 7]],
    ["write", "vscode", [3, 7]],
    ["read", "other", [5]],
    ["readWrite", "other", [3, 4, 5, 7]],
  ] as const)("%s of a range of memory (client: %s)", async (accessType, clientID, lines) => {
    expect(await linesOf(accessType, bytes("0x2000", 8), clientID)).toEqual(lines);
  });

  it("look at the bytes that were asked for only", async () => {
    expect(await linesOf("read", bytes("0x2000", 4))).toEqual([]);
    expect(await linesOf("read", bytes("0x2004", 4))).toEqual([5]);
    expect(await linesOf("write", bytes("8192", 4))).toEqual([3, 4]);
  });

  it("are told apart for variables", async () => {
    // The last statement reads it too.
    expect(await linesOf("read", { name: "seen" })).toEqual([6, 9, Number.NaN]);
    expect(await linesOf("write", { name: "seen" })).toEqual([5, 9]);
    expect(await linesOf("change", { name: "seen" })).toEqual([5]);
  });

  it("log nothing of what is only looked ahead at", async () => {
    const client = new Client({ [PROGRAM]: 'let n = 1\nlog "{TDH.SYS.INIT().name} {n}"\n' });
    await client.launch(PROGRAM, { launch: { stopAtEnd: true }, lines: [{ line: 2 }] });
    await client.event("stopped");
    await client.move("continue");
    await watch(client, { frameId: (await client.stack())[0]?.id, name: "n" }, { accessType: "read" });
    await client.move("stepIn");
    expect(await client.place()).not.toBe("test.tdx:2");
    expect(client.output("stdout")).toBe("");
    await client.move("continue");
    expect(client.output("stdout")).toMatch(/^TDX_\w+ 1\n$/);
  });

  it("find the step of a leaf that reads a field of a TD", async () => {
    const client = await launched(`${ROOT}/scenarios/td-lifecycle.tdx`);
    const tdr = await tdrAtPageAdd(client);
    await watch(client, { variablesReference: tdr, name: "CHLDCNT" }, { accessType: "read" });
    await client.request("setFunctionBreakpoints", { breakpoints: [] });
    const stop = await client.move("continue");
    expect(stop).toMatchObject({ reason: "data breakpoint" });
    await client.move("continue");
    expect((await client.move("reverseContinue")).place).toBe(stop.place);
  });

  it("are refused where there is no such", async () => {
    const client = await launched();
    const { dataId } = await client.request("dataBreakpointInfo", { name: "0x2000", asAddress: true });
    const answer = await client.ask("setDataBreakpoints", { breakpoints: [{ dataId, accessType: "execute" }] });
    expect(answer).toMatchObject({ success: false, message: 'there is no access type "execute"' });
  });
});

describe("who changed this", () => {
  it("goes to the move that wrote the value, and from there to where one came from", async () => {
    const client = await launched();
    const end = await client.move("continue");
    expect(end.reason).toBe("end");
    await client.move("stepBack");
    const at = client.events.filter((event) => event.event === "tdx/stopped").at(-1)?.body;
    expect(await client.move("tdx/whoChanged", { name: "n", frameId: (await client.stack())[0]?.id })).toMatchObject({
      reason: "goto",
    });
    expect((await client.move("stepBack")).place).toBe("test.tdx:5");
    expect((await client.scope("Locals")).n?.value).toBe("1");
    expect((await client.move("tdx/goToStep", { step: at.step, place: at.place })).place).toBe("test.tdx:12");
    expect(await client.move("tdx/whoChanged", { name: "0x3000", bytes: 8 })).toMatchObject({ reason: "entry" });
    // From the end too, where the flow stands still for another reason.
    expect(await client.move("continue")).toMatchObject({ reason: "end" });
    expect(await client.move("tdx/whoChanged", { name: "0x3000", bytes: 8 })).toMatchObject({ reason: "entry" });
  });

  it("the last call of a statement ends its step: going back into it leads into that call", async () => {
    const client = await launched(`${ROOT}/scenarios/td-lifecycle.tdx`);
    await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "TDH.MR.FINALIZE" }] });
    await client.move("continue");
    await client.move("next");
    await client.move("tdx/reverseIn");
    expect((await client.stack()).some((frame) => frame.name.startsWith("TDH.MR.FINALIZE"))).toBe(true);
  });

  it("a row of a tree can be asked who changed it", async () => {
    const client = await launched(`${ROOT}/scenarios/td-lifecycle.tdx`);
    await client.request("setFunctionBreakpoints", { breakpoints: [{ name: "TDH.MR.FINALIZE" }] });
    await client.move("continue");
    const inspect = async (node?: string) => (await client.request("tdx/inspect", { view: "domains", node })).nodes;
    const [td] = await inspect();
    const tdr = (await inspect(td.id)).find((node: { label: string }) => node.label === "TDR");
    const field = (await inspect(tdr.id)).find((node: { label: string }) => node.label === "CHLDCNT");
    expect((await client.move("tdx/whoChanged", { dataId: field.dataId })).place).toMatch(/^tdh-.*\.ts:/);
    await expect(client.request("tdx/whoChanged", { dataId: "nothing" })).rejects.toThrow(/names no data/);
  });
});

describe("data breakpoints on what moves or ends", () => {
  const VARIABLES = `fn f(n) {
  let mine = n
  mine += 1
  return mine
}
fn other(n) {
  let theirs = n
  theirs += 100
  return theirs
}
let record = { a: 1, b: [1, 2] }
let same = record
let i = 1
f(1)
other(2)
f(3)
record.a = 2
same.b[1] = 5
for k in 0 .. 20 { push(record.b, k) }
record.b[i] = 6
same.a = 3
record = null
write8(0x2001, 1)
write8(0x2002, 1)
write64(0x2000, 7)
`;

  async function at(line: number): Promise<Client> {
    const client = new Client({ [PROGRAM]: VARIABLES });
    await client.launch(PROGRAM, { launch: { stopAtEnd: true }, lines: [{ line }] });
    await client.event("stopped");
    await client.move("continue");
    await client.request("setBreakpoints", { source: { path: PROGRAM }, breakpoints: [] });
    return client;
  }

  async function watched(client: Client, info: object, more: object = {}): Promise<string[]> {
    const { dataId } = await client.request("dataBreakpointInfo", { frameId: (await client.stack())[0]?.id, ...info });
    await client.request("setDataBreakpoints", { breakpoints: [{ dataId, ...more }] });
    await client.move("tdx/goToStep", { step: 0 });
    const there = await stops(client, "continue");
    // Who stands at the end has the last stop there behind him.
    const back = there.at(-1) === "end" ? there.slice(0, -1) : there;
    expect((await stops(client, "reverseContinue")).reverse()).toEqual(back);
    return there.map((place) => place.replace("test.tdx:", ""));
  }

  it("stop for a local variable in its function only", async () => {
    const client = await at(3);
    expect(await watched(client, { name: "mine" })).toEqual(["3", "4", "3", "4"]);
    expect(await watched(await at(3), { name: "n" })).toEqual(["2", "2"]);
    const reads = await watched(await at(3), { name: "mine" }, { accessType: "read" });
    expect(reads).toEqual(["4", "15", "4", "17"]);
  });

  it("stop for a field or an element, by whatever name, also when its list has moved", async () => {
    const { variables, variablesReference } = await (async () => {
      const client = await at(14);
      const { record } = await client.scope("Locals");
      return { variables: client, variablesReference: record?.variablesReference };
    })();
    expect(await watched(variables, { name: "a", variablesReference })).toEqual(["12", "18", "22"]);
    expect(await watched(await at(14), { name: "same.a" })).toEqual(["12", "18", "22"]);
    expect(await watched(await at(14), { name: "record.b[i]" })).toEqual(["12", "19", "21"]);
    const client = await at(14);
    const info = { frameId: (await client.stack())[0]?.id, name: "record.c" };
    expect(await client.request("dataBreakpointInfo", info)).toMatchObject({ dataId: null });
    await client.move("tdx/goToStep", { step: 1000 });
    await client.move("stepBack");
    await client.move("tdx/whoChanged", { name: "same.a", frameId: (await client.stack())[0]?.id });
    expect(await client.place()).toBe("test.tdx:22");
  });

  it("stop for the very bytes, and behind the last statement", async () => {
    const byte = { name: "0x2002", asAddress: true, bytes: 1 };
    expect(await watched(await at(14), byte)).toEqual(["25", "end"]);
  });

  it("take no id that names more than can be watched", async () => {
    const client = await at(14);
    for (const dataId of ["m:0x10:99999999", "c:1:999999999", "v:9999:0:0", "h:1:%", "v:0:0:1+s:1"]) {
      const { breakpoints } = await client.request("setDataBreakpoints", { breakpoints: [{ dataId }] });
      expect(breakpoints[0].verified).toBe(false);
    }
  });
});
