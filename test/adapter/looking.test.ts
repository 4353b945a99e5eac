/** Requests that look: numbers in hexadecimal, modules, the module's steps as instructions, memory as each party sees it. */
import { beforeAll, describe, expect, it } from "vitest";
import { Client, ROOT } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `fn add(a, b) {
  return a + b
}
let n = 10
let r = { count: 12, name: "10", list: [1, 300] }
let sum = add(n, 4)
let init = TDH.SYS.INIT()
log "{sum}"
`;

async function launched(options: Parameters<Client["launch"]>[1] = {}, program = PROGRAM): Promise<Client> {
  const client = new Client({ [PROGRAM]: TEXT });
  await client.launch(program, options);
  await client.event("stopped");
  return client;
}

describe("numbers", () => {
  it("are hexadecimal for a client that asks for it, in variables, evaluations and frames", async () => {
    const client = await launched({ functions: [{ name: "add" }] });
    await client.move("continue");
    const hex = { hex: true };
    expect(await client.request("evaluate", { expression: "n", format: hex })).toMatchObject({ result: "0xa" });
    expect(await client.request("evaluate", { expression: "n" })).toMatchObject({ result: "10" });
    expect((await client.request("evaluate", { expression: "r", format: hex })).result).toBe(
      '{count: 0xc, name: "10", list: [0x1, 0x12c]}',
    );
    const [frame] = await client.stack();
    const { scopes } = await client.request("scopes", { frameId: frame?.id });
    const reference = scopes[0].variablesReference;
    const { variables } = await client.request("variables", { variablesReference: reference, format: hex });
    expect(variables.find(({ name }: { name: string }) => name === "b").value).toBe("0x4");
    const format = { parameters: true, parameterNames: true, parameterValues: true, hex: true };
    const { stackFrames } = await client.request("stackTrace", { threadId: 1, format });
    expect(stackFrames[0].name).toBe("add(a: 0xa, b: 0x4)");
  });
});

it("byte strings are what they are for a client that asks for hexadecimal integers", async () => {
  const client = await launched(
    { functions: [{ name: "TDH.VP.ENTER" }], filters: [] },
    `${ROOT}/scenarios/td-lifecycle.tdx`,
  );
  await client.move("continue");
  const [frame] = await client.stack();
  const { scopes } = await client.request("scopes", { frameId: frame?.id });
  let reference = scopes.find(({ name }: { name: string }) => name === "Trust Domains").variablesReference;
  const open = async (hex: boolean) =>
    (await client.request("variables", { variablesReference: reference, format: { hex } })).variables;
  for (const below of ["td0", "TDCS"]) {
    reference = (await open(false)).find(({ name }: { name: string }) => name === below).variablesReference;
  }
  const shown = async (hex: boolean, field: string) =>
    (await open(hex)).find(({ name }: { name: string }) => name === field).value;
  const digits = "0123456789abcdef".repeat(6);
  const variable = { variablesReference: reference, name: "MRCONFIGID", value: digits, format: { hex: true } };
  expect(await client.request("setVariable", variable)).toMatchObject({ value: digits });
  expect(await shown(true, "MRCONFIGID")).toBe(digits);
  expect(await shown(true, "TSC_FREQUENCY")).toMatch(/^0x/);
});

describe("modules", () => {
  it("are the TDX module with its version, and the sources of the flow", async () => {
    const client = await launched({}, `${ROOT}/scenarios/td-lifecycle.tdx`);
    const { modules, totalModules } = await client.request("modules", {});
    expect(modules[0]).toMatchObject({ id: "tdx-module", version: expect.stringMatching(/^\d+\.\d+\.\d+/) });
    const own = modules.find(({ name }: { name: string }) => name === "td-lifecycle.tdx");
    expect(own).toMatchObject({ isUserCode: true });
    expect(modules.some(({ isUserCode, path }: { isUserCode: boolean; path?: string }) => path && !isUserCode)).toBe(
      true,
    );
    const page = async (startModule: number, moduleCount: number) =>
      (await client.request("modules", { startModule, moduleCount })).modules;
    expect(await page(1, 1)).toEqual([modules[1]]);
    expect(await page(1, 0)).toEqual(modules.slice(1));
    expect(await page(-1, 1)).toEqual([modules[0]]);
    expect(totalModules).toBe(modules.length);
    expect((await client.stack())[0]).toMatchObject({ moduleId: own.id });
  });
});

describe("instructions", () => {
  it("are the steps of the leaf in which the session stands", async () => {
    const client = await launched({ functions: [{ name: "TDH.SYS.INIT" }] });
    await client.move("continue");
    await client.move("stepIn");
    const [frame] = await client.stack();
    const reference = frame?.instructionPointerReference;
    const ask = async (skip: number, count: number) =>
      (
        await client.request("disassemble", {
          memoryReference: reference,
          instructionOffset: skip,
          instructionCount: count,
        })
      ).instructions;
    const [here, next] = await ask(0, 2);
    expect(here).toMatchObject({ address: reference, line: frame?.line, location: { name: "tdh-sys-init.ts" } });
    expect(frame?.name).toBe(`TDH.SYS.INIT: ${here.instruction}`);
    const around = await ask(-200, 400);
    expect(around).toHaveLength(400);
    expect(around[200]).toMatchObject({ address: reference });
    expect(around[0]).toMatchObject({ presentationHint: "invalid" });
    const addresses = around.map(({ address }: { address: string }) => Number(address));
    expect(addresses.every((address: number, i: number) => i === 0 || address > addresses[i - 1])).toBe(true);
    // A breakpoint on the next one.
    const { breakpoints } = await client.request("setInstructionBreakpoints", {
      breakpoints: [{ instructionReference: next.address }, { instructionReference: "0x1000" }],
    });
    expect(breakpoints[0]).toMatchObject({ verified: true, line: next.line, instructionReference: next.address });
    expect(breakpoints[1]).toMatchObject({ verified: false, message: expect.stringContaining("no address of a step") });
    expect(await client.move("continue")).toMatchObject({
      reason: "instruction breakpoint",
      place: `tdh-sys-init.ts:${next.line}`,
      hitBreakpointIds: [breakpoints[0].id],
    });
    await client.move("reverseContinue");
    expect((await client.stack())[0]).toMatchObject({ instructionPointerReference: reference });
  });
});

describe("memory", () => {
  let client: Client;
  let page: string;
  beforeAll(async () => {
    client = await launched({ functions: [{ name: "TDH.MR.FINALIZE" }] }, `${ROOT}/scenarios/td-lifecycle.tdx`);
    await client.move("continue");
    const { nodes } = await client.request("tdx/inspect", { view: "pamt" });
    const open = async (node: string): Promise<{ label: string; description?: string; id: string }[]> =>
      (await client.request("tdx/inspect", { view: "pamt", node })).nodes;
    const all = (await Promise.all(nodes.map(({ id }: { id: string }) => open(id)))).flat();
    const rows = (await Promise.all(all.map(({ id }) => open(id)))).flat();
    page = [...all, ...rows]
      .map(({ label, description }) => /0x[0-9a-f]+/.exec(`${description}`.includes("private page") ? label : "")?.[0])
      .find((found) => found !== undefined) as string;
  });

  async function bytes(reference: string, count = 16): Promise<{ text: string; unreadable: number }> {
    const body = await client.request("readMemory", { memoryReference: reference, count });
    return { text: Buffer.from(body.data ?? "", "base64").toString("hex"), unreadable: body.unreadableBytes ?? 0 };
  }

  it("of a TD is data for the TD, zeros for the host, and what it is for an onlooker", async () => {
    const raw = await bytes(page);
    expect(await bytes(`raw:${page}`)).toEqual(raw);
    expect(raw.text).not.toMatch(/^0*$/);
    expect((await bytes(`host:${page}`)).text).toMatch(/^0{32}$/);
    const { result } = await client.request("evaluate", { expression: `raw:${page}` });
    const gpa = /at GPA (0x[0-9a-f]+)/.exec(result)?.[1];
    expect(await bytes(`td0:${gpa}`)).toEqual(raw);
    expect(await client.request("evaluate", { expression: `td0:${gpa}` })).toMatchObject({
      result,
      memoryReference: `td0:${gpa}`,
    });
  });

  it("that nobody can read is said to be so", async () => {
    expect(await bytes("td0:0x7000000000")).toEqual({ text: "", unreadable: 16 });
    expect(await bytes("host:0xfffffffffffff")).toMatchObject({ unreadable: 16 });
    expect((await client.ask("evaluate", { expression: "td7:0x1000" })).message).toContain("no TD called td7");
    expect((await client.ask("readMemory", { memoryReference: "gpa:1", count: 1 })).message).toContain("is no address");
  });
});
