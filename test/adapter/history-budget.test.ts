/** Going back beyond what history has, as a client does it. */
import { describe, expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `let first = 1
let n = 0
let r = TDH.SYS.INIT()
while n < 30000 {
  n += 1
}
log "{first} {n}"
`;

async function launched(budget: number): Promise<Client> {
  const client = new Client({ [PROGRAM]: TEXT });
  await client.launch(PROGRAM, { launch: { stopAtEnd: true, historyBudgetMB: budget } });
  await client.event("stopped");
  return client;
}

async function locals(client: Client): Promise<Record<string, string | undefined>> {
  const variables = await client.scope("Locals");
  return Object.fromEntries(Object.entries(variables).map(([name, { value }]) => [name, value]));
}

describe("with a small budget of history", () => {
  it("a client is told when it forgets, once", async () => {
    const client = await launched(1);
    expect((await client.event("tdx/stopped")).body.oldest).toBe(0);
    await client.move("continue");
    expect((await client.event("tdx/stopped")).body.oldest).toBeGreaterThan(4);
    await client.move("stepBack");
    const told = client.output("console").match(/longer than 1 MB/g);
    expect(told).toHaveLength(1);
    const large = await launched(512);
    await large.move("continue");
    expect(large.output("console")).not.toContain("longer than");
  });

  it("all ways back reach what it forgot, edits included", async () => {
    const client = await launched(1);
    await client.move("next");
    await client.request("setExpression", { expression: "first", value: "77" });
    await client.move("continue");
    expect(client.output("stdout")).toContain("77 ");
    const end = (await client.event("tdx/stopped")).body;
    await client.move("tdx/goToStep", { step: end.step - 3 });
    const late = await locals(client);
    expect(late.first).toBe("77");
    await client.move("tdx/goToStep", { step: 4 });
    expect(await locals(client)).toMatchObject({ first: "77" });
    await client.move("tdx/goToStep", { step: 1 });
    expect((await locals(client)).first).toBe("1");
    await client.move("tdx/goToStep", { step: end.step - 3 });
    expect(await locals(client)).toEqual(late);
    await client.move("tdx/goToStep", { step: 20_000 });
    await client.request("setBreakpoints", { source: { path: PROGRAM }, breakpoints: [{ line: 3 }] });
    expect(await client.move("reverseContinue")).toMatchObject({ reason: "breakpoint", place: "test.tdx:3" });
    await client.request("setBreakpoints", { source: { path: PROGRAM }, breakpoints: [] });
    await client.move("tdx/goToStep", { step: 20_000 });
    const [frame] = await client.stack();
    expect((await client.move("tdx/whoChanged", { name: "first", frameId: frame?.id })).reason).toBe("goto");
    expect((await locals(client)).first).toBe("77");
    await client.move("stepBack");
    expect((await locals(client)).first).toBe("1");
    // It stands where the edit is undone: going on does it again.
    await client.move("next");
    expect((await locals(client)).first).toBe("77");
  });

  it("another branch is there too, and its milestones", async () => {
    const client = await launched(1);
    await client.move("continue");
    await client.move("tdx/goToStep", { step: 3 });
    await client.request("setExpression", { expression: "n", value: "29990" });
    await client.move("continue");
    await client.move("stepBack");
    expect(await locals(client)).toMatchObject({ n: "0x7530" });
    await client.move("tdx/switchBranch", { branch: 1 });
    expect((await client.scope("Locals")).n?.value).toBe("0");
    await client.move("continue");
    expect(client.output("stdout").match(/1 0x7530/g)).toHaveLength(2);
    const { milestones } = await client.request("tdx/milestones");
    expect(milestones).toMatchObject([{ name: "TDH.SYS.INIT", step: 2 }]);
  });
});
