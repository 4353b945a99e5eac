/** What the language costs: statements a second with history on, compile time of a long flow, start of the parser and of the command line. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compileFlow } from "../src/language/compile.ts";
import type { FlowProgram } from "../src/language/flow-code.ts";
import { languageServices, wholeParser } from "../src/language/services.ts";
import { Machine } from "../src/module/machine.ts";
import { platformConfig } from "../src/runtime/platform.ts";
import { Runtime } from "../src/runtime/runtime.ts";
import { Store } from "../src/state/store.ts";
import type { Figure } from "./figures.ts";

const FUNCTION = `
fn add_page_N(td, gpa, source) {
    let r = TDH.MEM.PAGE.ADD(gpa: gpa, level: 0, tdr: td.tdr, hpa: alloc_page(), source: source)
    while r.status == TDX_OPERAND_BUSY {
        r = TDH.MEM.PAGE.ADD(gpa: gpa, level: 0, tdr: td.tdr, hpa: alloc_page(), source: source)
    }
    // the entry, if the walk ended early
    if r.sept_level == 1 && r.sept_state > 2 || r.ok { td.pages = 4 * (gpa + 2M) }
    for i in 0 .. 10 step 2 { td.list[3] += 4K + i }
    log "added {hex(gpa)}"
    return r
}
`;

const FLOWS: Readonly<Record<string, string>> = {
  "plain loop": "let i = 0\nlet sum = 0\nwhile i < COUNT {\n  sum = sum + i\n  i = i + 1\n}",
  "loop in a function": "fn f() {\n  let sum = 0\n  for i in 0 .. COUNT { sum = sum + i }\n  return sum\n}\nf()",
  "function calls": "fn f(n) { return n + 1 }\nlet i = 0\nwhile i < COUNT { i = f(i) }",
  "record fields": "let r = { a: 0, b: 1 }\nwhile r.a < COUNT { r.a = r.a + r.b }",
  "64-bit values": "let i = 0\nlet x = 0xffff_ffff_0000_0000\nwhile i < COUNT {\n  x = x + i\n  i += 1\n}",
};

async function compile(source: string): Promise<FlowProgram> {
  const { program, diagnostics } = await compileFlow("bench.tdx", { readSource: () => source });
  if (program === undefined) throw new Error(diagnostics[0]?.message);
  return program;
}

/** Units a second of a flow: best of three. */
function unitsPerSecond(program: FlowProgram): number {
  let best = 0;
  for (let round = 0; round < 3; round++) {
    const store = new Store({ historyBudget: 256 * 2 ** 20 });
    const runtime = new Runtime(program, new Machine(store, platformConfig(program.platform)));
    const start = performance.now();
    while (runtime.status === "running") runtime.run(100_000);
    const units = store.now - runtime.start;
    best = Math.max(best, units / ((performance.now() - start) / 1000));
  }
  return best;
}

/** Milliseconds of a piece of work. */
async function milliseconds(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Milliseconds from the start of `tdxflow run` to its end: the median of a few. */
async function commandTime(flow: string): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < 7; round++) {
    const run = () => spawnSync(process.execPath, ["dist/tdxflow.js", "run", flow], { encoding: "utf8" });
    times.push(
      await milliseconds(() => {
        const { status, stderr } = run();
        if (status !== 0) throw new Error(stderr);
      }),
    );
  }
  return times.sort((a, b) => a - b)[times.length >> 1] as number;
}

async function commandFigures(): Promise<Figure[]> {
  const { status } = spawnSync(process.execPath, ["scripts/build.ts"], { stdio: "inherit" });
  if (status !== 0) throw new Error("the command line does not build");
  const folder = mkdtempSync(join(tmpdir(), "tdxflow-"));
  const smallest = join(folder, "smallest.tdx");
  writeFileSync(smallest, "log 1\n");
  const figures = [
    { name: "tdxflow run, a flow of one line", value: await commandTime(smallest), unit: "ms" },
    { name: "tdxflow run, a TD's life", value: await commandTime("scenarios/td-lifecycle.tdx"), unit: "ms" },
  ];
  rmSync(folder, { recursive: true });
  return figures;
}

export async function run(): Promise<Figure[]> {
  const parserStart = await milliseconds(() => wholeParser().parse("log 1", "Program", 0));
  const figures: Figure[] = [{ name: "start of the parser", value: parserStart, unit: "ms" }];
  const long = Array.from({ length: 450 }, (_, index) => FUNCTION.replaceAll("_N", `_${index}`)).join("");
  const lines = long.split("\n").length;
  for (const name of ["cold", "warm"]) {
    const started = name === "cold" ? parserStart : 0;
    const value = started + (await milliseconds(() => compile(long)));
    const aim = name === "cold" ? { aim: 500 } : {};
    figures.push({ name: `compile ${lines} lines, ${name}`, value, unit: "ms", ...aim });
  }
  const langiumStart = await milliseconds(() => languageServices().parser.LangiumParser.parse("log 1"));
  figures.push({ name: "start of Langium's parser, for a source with mistakes", value: langiumStart, unit: "ms" });
  for (const [name, source] of Object.entries(FLOWS)) {
    const program = await compile(source.replace("COUNT", "400_000"));
    const aim = name === "plain loop" ? { aim: 5_000_000 } : {};
    figures.push({ name: `${name}, history on`, value: unitsPerSecond(program), unit: "statements/s", ...aim });
  }
  return [...figures, ...(await commandFigures())];
}
