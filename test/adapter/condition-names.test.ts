/** `td`, `gpa` and `hpa` in expressions: what they are at each kind of place, and that they are there at every one. */
import { describe, expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `import "tdx/host"
let one = new_td({ attributes: TDX_TD_ATTR_SEPT_VE_DISABLE, pages: 1 })
let two = new_td({ attributes: TDX_TD_ATTR_SEPT_VE_DISABLE, pages: 1 })
guest two.vcpus[0].tdvpr { read64(1G) }
TDH.MEM.TRACK(tdr: one.tdr)
let busy = TDH.MEM.PAGE.AUG(gpa: 0, level: 0, tdr: two.tdr, hpa: alloc_page())
expect !busy.ok
expect TDH.VP.ENTER(tdvpr: two.vcpus[0].tdvpr).exit_reason == EXIT_REASON_EPT_VIOLATION
TDH.MEM.SEPT.RD(gpa: 2G, level: 2, tdr: two.tdr)
`;

async function launched(options: Parameters<Client["launch"]>[1]): Promise<Client> {
  const client = new Client({ [PROGRAM]: TEXT });
  await client.launch(PROGRAM, options);
  await client.event("stopped");
  return client;
}

async function value(client: Client, expression: string): Promise<string> {
  const [frame] = await client.stack();
  return (await client.request("evaluate", { expression, frameId: frame?.id, context: "watch" })).result;
}

/** Whether an expression is true at the present place. */
const isTrue = async (client: Client, expression: string): Promise<boolean> =>
  (await value(client, expression)) === "true";

describe("td, gpa and hpa", () => {
  it("are null where a leaf has none: a pattern's condition asks all leaves", async () => {
    const client = await launched({ functions: [{ name: "TDH.*", condition: "gpa == 2G" }] });
    expect((await client.move("continue")).place).toBe("test.tdx:9");
    expect(client.output("console")).toBe("");
    expect(await value(client, "hpa")).toBe("null");
    expect(await isTrue(client, "td == two.tdr")).toBe(true);
  });

  it("are the operands behind a call that failed", async () => {
    const condition = "gpa == 0 && level == 0 && hpa != null && td == tdr";
    const client = await launched({ filters: [], filterOptions: [{ filterId: "seamcall-error", condition }] });
    expect((await client.move("continue")).place).toBe("test.tdx:6");
    expect(await isTrue(client, "td == two.tdr")).toBe(true);
    expect(client.output("console")).toBe("");
  });

  it("tell the TD of a VCPU, before it is entered and when its guest has left", async () => {
    const client = await launched({ functions: [{ name: "TDH.VP.ENTER" }, { name: "TDH.VP.ENTER%return" }] });
    await client.move("continue");
    expect(await isTrue(client, "td == two.tdr && tdvpr == two.vcpus[0].tdvpr && gpa == null")).toBe(true);
    await client.move("continue");
    expect(await isTrue(client, "td == two.tdr && tdvpr == null && gpa == 1G")).toBe(true);
  });

  it("yield to variables of the flow", async () => {
    const client = new Client({ [PROGRAM]: `let td = { tdr: 5 }\nlet hpa = 7\nlet gpa = td.tdr\nlog "{gpa}"\n` });
    await client.launch(PROGRAM, { lines: [{ line: 4, condition: "td.tdr == 5 && hpa == 7 && gpa == 5" }] });
    await client.event("stopped");
    expect((await client.move("continue")).place).toBe("test.tdx:4");
    expect(client.output("console")).toBe("");
  });
});
