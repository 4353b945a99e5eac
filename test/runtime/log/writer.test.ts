/** What is written must replay: recorded logs are played on a machine that logs, and its log is played again. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import type { FlowProgram } from "../../../src/language/flow-code.ts";
import { LoggedMachine } from "../../../src/runtime/log/logged-machine.ts";
import { replay } from "../../../src/runtime/log/replay.ts";
import { Replayer } from "../../../src/runtime/log/replayer.ts";
import { LogScanner } from "../../../src/runtime/log/scan.ts";
import { platformConfig } from "../../../src/runtime/platform.ts";
import { Runtime } from "../../../src/runtime/runtime.ts";
import { Store } from "../../../src/state/store.ts";
import { compiled } from "../support.ts";

const VECTORS = join(import.meta.dirname, "../../vectors/dev");

/** Plays a recorded log on a machine that logs. */
function relog(log: Uint8Array): string[] {
  const lines: string[] = [];
  const scanner = new LogScanner(log);
  scanner.next();
  const replayer = new Replayer(scanner, {
    createMachine: (platform) => new LoggedMachine(new Store(), platform, "again", (line) => lines.push(line)),
  });
  while (scanner.next()) replayer.run();
  expect(replayer.mismatches).toEqual([]);
  return lines;
}

type Op = Record<string, unknown>;

const calls = (lines: readonly string[]): Op[] =>
  lines.map((line) => JSON.parse(line)).filter(({ op }) => op === "seamcall" || op === "guest");

/** Without inputs that are zero: a recorder may leave them out or not. */
function withoutZeros(op: Op): Op {
  const set = (record: object): object => Object.fromEntries(Object.entries(record).filter(([, v]) => v !== "0x0"));
  return { ...set(op), ...(op.in ? { in: set(op.in) } : {}) };
}

/** Labels for people, masks and repeats are the recorder's; the rest has to come out again. */
function recorded(log: Uint8Array): Op[] {
  const ops = new TextDecoder()
    .decode(log)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  return ops.flatMap(({ t: _t, mask: _mask, repeat = 1, ...op }) =>
    op.op === "seamcall" || op.op === "guest" ? Array.from({ length: repeat }, () => op) : [],
  );
}

/** Logs without operations that a flow has no means for: interrupts, failures, other processors. */
const LOGS = ["life-basic", "life-big-pages", "guest-exits.0", "grand-0004"];

test.each(LOGS)("%s", (name) => {
  const log = gunzipSync(readFileSync(join(VECTORS, `${name}.jsonl.gz`)));
  const lines = relog(log);
  const expected = recorded(log);
  // The recorder leaves a guest's registers out where they are those of its last entry.
  const written = calls(lines).map((op, i) => {
    const { in: input, ...rest } = op;
    return withoutZeros(expected[i]?.in === undefined ? rest : { ...rest, in: input });
  });
  expect(written).toEqual(expected.map(withoutZeros));
  const result = replay(new TextEncoder().encode(lines.join("\n")));
  expect(result.mismatches).toEqual([]);
  expect(result.matches).toBe(expected.length);
});

/** Two LPs and a guest meet inside the module. */
const MEETING = `import "tdx/host"
let td = new_td({ attributes: TDX_TD_ATTR_SEPT_VE_DISABLE, pages: 1 })
let tdr = td.tdr
let tdvpr = td.vcpus[0].tdvpr
aug_page(td, 0x5000)
let page = alloc_page()
spawn other on lp 2 { pause at 6 TDH.MEM.SEPT.ADD(gpa: 1G, level: 2, tdr: tdr, page: page) }
yield
write64(alloc_page(), 7)
let r = TDH.MEM.SEPT.ADD(gpa: 1G, level: 2, tdr: tdr, page: alloc_page())
expect !r.ok
join other
guest tdvpr { pause at 1 write64(0, 7) TDG.MEM.PAGE.ACCEPT(gpa: 0x5000, level: 0) }
TDH.VP.FLUSH(tdvpr: tdvpr)
spawn vcpu on lp 1 { TDH.VP.ENTER(tdvpr: tdvpr) }
yield
expect TDH.MEM.RANGE.BLOCK(gpa: 0x5000, level: 0, tdr: tdr) == TDX_OPERAND_BUSY | OPERAND_RCX
join vcpu
`;

function logOf(program: FlowProgram): { lines: string[]; runtime: Runtime } {
  const lines: string[] = [];
  const machine = new LoggedMachine(new Store(), platformConfig(program.platform), "meeting", (line) => {
    lines.push(line);
  });
  const runtime = new Runtime(program, machine);
  runtime.run(1_000_000);
  return { lines, runtime };
}

test("calls that let others run are begun and finished", async () => {
  const { lines, runtime } = logOf(await compiled(MEETING));
  expect(runtime.failure).toBeUndefined();
  const ops = lines.map((line) => JSON.parse(line).op);
  expect(ops.filter((op) => op === "begin" || op === "finish")).toEqual(["begin", "finish", "begin", "finish"]);
  const result = replay(new TextEncoder().encode(lines.join("\n")));
  expect(result.mismatches).toEqual([]);
  expect(result.matches).toBe(result.calls);
});

/** Interrupts, failures and MSRs, which a host changes between calls. */
const CHANGES = `import "tdx/host"
let td = new_td({ attributes: TDX_TD_ATTR_DEBUG, pages: 1 })
expect TDH.VP.FLUSH(tdvpr: td.vcpus[0].tdvpr)
expect TDH.MNG.VPFLUSHDONE(tdr: td.tdr)
interrupt(2)
expect TDH.PHYMEM.CACHE.WB() == TDX_INTERRUPTED_RESUMABLE
interrupt_off()
expect TDH.PHYMEM.CACHE.WB(resume: true)
inject("rdrand", 99)
let page = alloc_page()
expect TDH.MNG.CREATE(tdr: page, hkid: private_keyids().first + 9)
inject("pconfig", 5)
expect fails TDH.MNG.KEY.CONFIG(tdr: page)
wrmsr(0x1400, 0x2f_fc00_0008)
expect rdmsr(0x1400) == 0x2f_fc00_0008
expect TDH.PHYMEM.PAGE.RDMD(page: page)
`;

test("what a host changes beside memory is written down, and the calls after it replay", async () => {
  const { lines, runtime } = logOf(await compiled(CHANGES));
  expect(runtime.failure).toBeUndefined();
  const ops = lines.map((line) => JSON.parse(line)).filter(({ op }) => ["intr", "inject", "msr"].includes(op));
  expect(ops).toMatchObject([
    { op: "intr", after: 2, pending: 1 },
    { op: "intr", after: -1 },
    { op: "inject", what: "rdrand", value: 99 },
    { op: "inject", what: "pconfig", value: 5 },
    { op: "msr", lp: 0, msr: "0x1400", value: "0x2ffc000008" },
  ]);
  const result = replay(new TextEncoder().encode(lines.join("\n")));
  expect(result.mismatches).toEqual([]);
  expect(result.matches).toBe(result.calls);
});

test("poison is in no log, but the machine check that a guest meets", async () => {
  const flow = readFileSync(join(import.meta.dirname, "../../../scenarios/partial-write.tdx"), "utf8");
  const { lines, runtime } = logOf(await compiled(flow));
  expect(runtime.failure).toBeUndefined();
  expect(lines.filter((line) => line.includes('"action":"vmexit","reason":"0x0","intr":"0x80000312"'))).toHaveLength(1);
  expect(replay(new TextEncoder().encode(lines.join("\n"))).mismatches).toEqual([]);
});

test("a call that lets others run twice is refused: the format has no words for it", async () => {
  const program = await compiled(`platform { interleave true schedule 1 }
import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
fn work() { for i in 0 .. 40 { TDH.MNG.RD(tdr: td.tdr, field: TD_FIELD.NUM_VCPUS) } }
spawn a on lp 1 { work() }
spawn b on lp 2 { work() }
join a
join b
`);
  expect(logOf(program).runtime.failure?.message).toMatch(/SEAMCALL log cannot tell .* behind its lock \d and again/);
});

test("what a processor cannot do stops nothing from being written down afterwards", async () => {
  const lines: string[] = [];
  const machine = new LoggedMachine(new Store(), platformConfig({}), "refused", (line) => lines.push(line));
  expect(() => machine.guest(0, { action: "tdcall" })).toThrow("no guest runs on LP 0");
  const entry = machine.beginSeamcall(0);
  while (entry.step() !== undefined);
  expect(calls(lines)).toHaveLength(1);
});
