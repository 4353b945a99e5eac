import { expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `let page = { hpa: 0x1000, owner: { tdr: 0x2000 } }
let other = 1
log "{page} {other}"
`;

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
