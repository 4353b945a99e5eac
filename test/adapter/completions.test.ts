import { expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `let page = { hpa: 0x1000, owner: { tdr: 0x2000 } }
let other = 1
log "{page} {other}"
`;

it("completes what belongs to a call where the session stands at one", async () => {
  const client = new Client({
    [PROGRAM]: "let level = 7\nlet r = TDH.MEM.SEPT.ADD(gpa: 0, level: 1, tdr: 0, page: 0)\n",
  });
  await client.launch(PROGRAM, { functions: [{ name: "TDH.MEM.SEPT.ADD" }] });
  await client.event("stopped");
  const ask = async (text: string): Promise<string[]> => {
    const { targets } = await client.request("completions", { text, column: text.length + 1 });
    const names = (targets as { label: string; detail: string }[]).filter(({ label }) => /^[a-z]/.test(label));
    return names.map(({ label, detail }) => `${label}: ${detail}`);
  };
  expect(await ask("leve")).toEqual([]);
  expect(await ask("td")).toEqual(["td: the TD: HPA of its TDR"]);
  await client.move("continue");
  expect((await ask("leve")).map((text) => text.split(":")[0])).toEqual(["level"]);
  expect(await ask("leve")).not.toContain("level: 7");
  expect(await ask("leaf")).toEqual(["leaf: the leaf function"]);
  expect((await ask("td")).map((text) => text.split(":")[0])).toEqual(["td", "tdr"]);
});

it("completes variables, fields, functions and constants at the cursor", async () => {
  const client = new Client({ [PROGRAM]: TEXT });
  await client.launch(PROGRAM);
  await client.event("stopped");
  await client.move("next");
  await client.move("next");
  const [frame] = await client.stack();
  const ask = async (text: string, column = text.length + 1): Promise<string[]> => {
    const { targets } = await client.request("completions", { text, column, frameId: frame?.id });
    for (const { start, length } of targets) expect(start + length).toBe(column);
    return targets.map(({ label }: { label: string }) => label);
  };
  expect(await ask("pa")).toContain("page");
  expect(await ask("1 + page.")).toEqual(["hpa", "owner"]);
  expect(await ask("page.owner.t")).toEqual(["tdr"]);
  expect(await ask("page.h + 1", 7)).toEqual(["hpa"]);
  expect(await ask("status == TDX_OPERAND_BU")).toContain("TDX_OPERAND_BUSY");
  expect(await ask("he")).toContain("hex");
  expect(await ask("write6")).toEqual([]);
  expect(await ask("nothing.")).toEqual([]);
});
