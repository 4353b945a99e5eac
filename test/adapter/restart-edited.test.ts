/** A restart behind an edit of the flow: back to the same step, as far as the flow did the same up to there. */
import { describe, expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `fn twice(x) {
  return x + x
}
let a = 1
let b = twice(a)
log "a {a} b {b}"
for i in 0 .. 3 {
  b += i
}
let r = TDH.SYS.INIT()
log "end {b}"
`;

/** Its flow can be edited. */
class Edited {
  readonly files: Record<string, string>;
  readonly client: Client;

  constructor(text: string) {
    this.files = { [PROGRAM]: text };
    this.client = new Client(this.files);
  }

  edit(from: string, to: string): void {
    const text = this.files[PROGRAM] ?? "";
    expect(text).toContain(from);
    this.files[PROGRAM] = text.replace(from, to);
  }

  get step(): number {
    return this.client.events.findLast(({ event }) => event === "tdx/stopped")?.body.step;
  }

  get told(): string {
    return this.client.output("console");
  }
}

async function launched(options: Parameters<Client["launch"]>[1] = {}): Promise<Edited> {
  const edited = new Edited(TEXT);
  await edited.client.launch(PROGRAM, { ...options, launch: { stopAtEnd: true, ...options.launch } });
  await edited.client.event("stopped");
  return edited;
}

describe("a restart", () => {
  it("of a flow that was not edited begins at its start", async () => {
    const { client, told } = await launched();
    await client.move("tdx/goToStep", { step: 6 });
    expect((await client.move("restart")).reason).toBe("entry");
    expect(told).toBe("");
  });

  it("stands at the same step again if only what comes later was edited", async () => {
    const flow = await launched();
    const { client } = flow;
    await client.move("tdx/goToStep", { step: 7 });
    const place = await client.place();
    const before = client.output("stdout");
    flow.edit('log "end {b}"', 'let later = b * 2\nlog "twice {later}"');
    const stop = await client.move("restart");
    expect(stop).toMatchObject({ reason: "goto", place });
    expect(flow.step).toBe(7);
    expect(flow.told).toContain("the edited flow does the same up to step 7: it stands there again");
    // What it has logged already is not logged again.
    expect(client.output("stdout")).toBe(before);
    await client.move("continue");
    expect(client.output("stdout")).toContain("twice 10");
    // And back, in the new flow.
    await client.move("tdx/goToStep", { step: 1 });
    expect((await client.scope("Locals")).a?.value).toBe("1");
  });

  it("stops at the first statement that is another one, and says so", async () => {
    const flow = await launched();
    await flow.client.move("tdx/goToStep", { step: 9 });
    flow.edit("return x + x", "return x * 3");
    const stop = await flow.client.move("restart");
    expect(stop.place).toBe("test.tdx:2");
    expect(flow.told).toContain("up to step 2 only, of 9: line 2 (return x * 3) is another statement than before");
    await flow.client.move("continue");
    expect(flow.client.output("stdout")).toContain("a 1 b 3");
  });

  it("sees a changed constant, a statement in between and one less, but no comment", async () => {
    const cases: readonly (readonly [string, string, number])[] = [
      ["let a = 1", "let a = 2", 0],
      ["let b = twice", "let c = 5\nlet b = twice", 1],
      ['log "a {a} b {b}"\n', "", 3],
      ["let a = 1", "// one\nlet a = 1  // still", 8],
      ["0 .. 3", "0 .. 4", 4],
      ["  return x + x", "  let y = x\n  return y + y", 2],
    ];
    for (const [from, to, step] of cases) {
      const flow = await launched();
      await flow.client.move("tdx/goToStep", { step: 8 });
      flow.edit(from, to);
      await flow.client.move("restart");
      expect([from, flow.step]).toEqual([from, step]);
    }
  });

  it("begins at the start where the platform is another one", async () => {
    const flow = await launched();
    await flow.client.move("tdx/goToStep", { step: 3 });
    flow.edit("fn twice", "platform { packages 1 lps 2 }\nfn twice");
    expect((await flow.client.move("restart")).reason).toBe("entry");
    expect(flow.told).toContain("the platform is another one");
  });

  it("repeats what was edited at stops, inside statements too, and stands inside one again", async () => {
    const flow = await launched({ functions: [{ name: "TDH.SYS.INIT" }] });
    const { client } = flow;
    await client.move("tdx/goToStep", { step: 2 });
    await client.request("setExpression", { expression: "a", value: "50" });
    expect((await client.move("continue")).reason).toBe("function breakpoint");
    const { step } = flow;
    await client.request("writeMemory", { memoryReference: "0x2000", data: "AQI=" });
    flow.edit('"end {b}"', '"over {b}"');
    await client.move("restart");
    expect(flow.told).toContain(`up to step ${step}: it stands there again`);
    expect((await client.request("readMemory", { memoryReference: "0x2000", count: 2 })).data).toBe("AQI=");
    expect((await client.scope("TDH.SYS.INIT")).none).toBeUndefined();
    expect((await client.scope("Locals")).a?.value).toBe("50");
    const { edits } = (await client.request("tdx/branches")).branches[0];
    expect(edits).toHaveLength(2);
  });

  it("keeps breakpoints with their ids, and tells where they are now", async () => {
    const flow = await launched({ lines: [{ line: 11 }], functions: [{ name: "twice" }] });
    const { client } = flow;
    await client.move("continue");
    flow.edit('log "end {b}"', '// a line more\nlog "end {b}"');
    await client.move("restart");
    const moved = client.events.filter(({ event }) => event === "breakpoint").map(({ body }) => body.breakpoint);
    expect(moved).toMatchObject([
      { id: 1, verified: true, line: 12 },
      { id: 2, verified: true, line: 2 },
    ]);
    expect(await client.move("continue")).toMatchObject({ hitBreakpointIds: [1], place: "test.tdx:12" });
  });

  it("of a flow that cannot be compiled changes nothing", async () => {
    const flow = await launched();
    const { client } = flow;
    await client.move("tdx/goToStep", { step: 3 });
    flow.edit("let a = 1", "let a = ");
    expect((await client.ask("restart")).message).toContain("test.tdx:");
    expect((await client.scope("Locals")).a?.value).toBe("1");
  });
});
