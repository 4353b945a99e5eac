/** A line that is being typed: what is wrong elsewhere stays told, and nothing new is told that only follows from it. */
import { readdirSync, readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Diagnostic } from "vscode-languageserver/node";
import { DiagnosticSink } from "../../../src/language/diagnostics.ts";
import { parseSource } from "../../../src/language/parse.ts";
import { compileSources } from "../../runtime/support.ts";
import { LanguageClient } from "./client.ts";

const FILES = {
  "lib.tdx": "fn add(a, b) { return a + b }\n",
  "torn.tdx": "fn whole(a) { return a }\nfn torn(a, b {\n    return a\n}\n",
};

const FLOW = `import "lib"
platform { packages 2 lps 1 }

fn first(td) {
    let unread = 1
    if td.ok {
        log missing
        return 1
    }
    TDH.MEM.TRACK(tdrr: td)
    return add(1)
}

let td = { ok: true, pages: 4 }
let used = 4
fn second(td, n) {
    let page = alloc_page()
    while true {
        // HERE
        if n == 0 { break }
    }
    log gone
    return page
}

spawn worker on lp 1 {
    TDH.NOPE()
}
join worker
// THERE
expect second(td, used) == 0x1_0000_0000_0000_0000_0
first(td, 2)
`;

const WRONG = [
  "platform",
  "unused unread",
  "unknown-name missing",
  "missing-operand",
  "unknown-operand",
  "arity",
  "unknown-name gone",
  "unknown-leaf",
  "number",
  "arity",
];

let client: LanguageClient;
beforeEach(async () => {
  client = await LanguageClient.start(FILES);
});
afterEach(() => client.stop());

/** Code of each diagnostic, with the name that it is about. */
function codes(list: readonly Diagnostic[]): string[] {
  return list.map(({ code, message }) => {
    const name = code === "unused" || code === "unknown-name" ? ` ${/"(\w+)"/.exec(String(message))?.[1]}` : "";
    return `${code}${name}`;
  });
}

let opened = 0;

async function told(text: string): Promise<string[]> {
  const { uri } = await client.open(FLOW, `main${opened++}.tdx`);
  expect(codes(await client.diagnostics(uri, (list) => list.length > 0))).toEqual(WRONG);
  await client.change(uri, text);
  return codes(await client.diagnostics(uri, (list) => list.some(({ code }) => code === "syntax")));
}

const others = (list: readonly string[]) => list.filter((code) => code !== "syntax");

describe("while a line is half typed", () => {
  it.each([
    "let x",
    "let x =",
    "let x = n +",
    "TDH.MEM.TRACK(",
    "TDH.MEM.TRACK(tdr: td.tdr",
    "TDH.MEM.TRACK(tdr: ",
    "expect TDH.MEM.TRACK(tdr: td) ==",
    "td.pages[",
    "td.",
    "let x = td.",
    "TDH.MEM.",
    'log "pages {n',
    'log "pages',
    "for i in",
    "for i in 0 ..",
    "if n ==",
    "n = used +",
    "foo(1, [2, 3",
    "let = 3",
    ")",
    "log 1 log",
    "@",
    '"',
    "@ # '",
    "else",
  ])("all else is told as before: %s", async (line) => {
    const changed = FLOW.replace("// HERE", line);
    expect(others(await told(changed))).toEqual(WRONG);
    const { sound } = parseSource("main.tdx", changed, new DiagnosticSink());
    // No other line is in doubt.
    expect(sound().doubtful.map(({ start, end }) => changed.slice(start, end).trim())).toEqual([line.trim()]);
    expect(others(await told(FLOW.replace("// THERE", line)))).toEqual(WRONG);
  });

  it.each([
    ["a block that is not closed", "while n > 0 {"],
    ["a block too many closed", "}"],
    ["a condition without its block", "if n > 0"],
    ["the middle of a chain", "} else {"],
    ["a record that is not closed", "return {"],
  ])("%s leaves the other functions as they are", async (_, line) => {
    const rest = others(await told(FLOW.replace("// HERE", line)));
    expect(rest.filter((code) => code !== "unknown-name gone")).toEqual(
      WRONG.filter((code) => code !== "unknown-name gone"),
    );
  });

  it("what depends on the declaration that is not whole is not judged", async () => {
    const rest = WRONG.filter((code) => code !== "unknown-name gone");
    // The calls of second, with one argument more than its head has so far.
    expect(others(await told(FLOW.replace("fn second(td, n) {", "fn second(td, {")))).toEqual(rest);
    expect(others(await told(FLOW.replace("let used = 4", "let used = 4 +")))).toEqual(WRONG);
    expect(others(await told(FLOW.replace("spawn worker on lp 1 {", "spawn worker on {")))).toEqual(
      WRONG.filter((code) => code !== "unknown-leaf"),
    );
  });

  it("no name is missed that the import being typed may bring", async () => {
    // Nor how many arguments its function takes.
    expect(others(await told(FLOW.replace('import "lib"', 'import "li')))).toEqual(
      WRONG.filter((code) => !code.startsWith("unknown-name")).toSpliced(4, 1),
    );
  });

  it("entries of a platform are judged when the block is whole", async () => {
    const rest = WRONG.filter((code) => code !== "platform");
    expect(others(await told(FLOW.replace("lps 1 }", "lps 1 cmr 4G .. }")))).toEqual(rest);
  });

  it("a comment that is not closed leaves nothing to judge", async () => {
    expect(others(await told(FLOW.replace("// HERE", "/* TDH.NOPE is")))).toEqual([]);
  });

  it("a file without any layout is judged by its functions", async () => {
    const flat = FLOW.replace(/^ +/gm, "").replace("// HERE", "let x = (");
    const rest = others(await told(flat));
    expect(rest).toEqual(WRONG.slice(0, rest.length));
    expect(rest).toContain("arity");
  });

  it("importers of the file use its names unjudged", async () => {
    const { uri } = await client.open(
      'import "torn"\nimport "torn" as t\nlog whole(1, 2)\nlog torn(1) + t.torn(1, 2, 3)\nt.no()\n',
    );
    const list = await client.diagnostics(uri, (known) => known.length > 0);
    expect(list.map(({ message }) => message)).toEqual([
      "too many arguments: whole(a) takes 1",
      'the import has no "no"',
    ]);
  });
});

it("an import that is not there brings any name", async () => {
  const { diagnostics } = await compileSources({
    "main.tdx": 'import "nowhere"\nimport "no/where" as far\nnear(far.x)\nlog near\nTDH.NOPE()\n',
  });
  expect(diagnostics.map(({ code }) => code)).toEqual(["no-import", "no-import", "unknown-leaf"]);
});

/** Each so many words of a flow, the rest of the line behind one is missing. */
const STEP = 23;

describe("a scenario with a line that breaks off", () => {
  it.each(readdirSync("scenarios").filter((name) => name.endsWith(".tdx")))(
    "%s has syntax errors only",
    async (name) => {
      const text = readFileSync(`scenarios/${name}`, "utf8");
      for (const { index } of [...text.matchAll(/\w+|[^\w\s]/g)].filter((_, at) => at % STEP === 0)) {
        const end = text.indexOf("\n", index);
        const { diagnostics } = await compileSources({ "main.tdx": text.slice(0, index) + text.slice(end) });
        if (!diagnostics.some(({ code }) => code === "syntax")) continue;
        const removed = text.slice(index, end);
        const follows = diagnostics.filter(({ code, message }) => {
          const about = /"(\w+)"/.exec(message)?.[1];
          return code !== "syntax" && (about === undefined || !removed.includes(about));
        });
        expect(follows, text.slice(text.lastIndexOf("\n", index), index)).toEqual([]);
      }
    },
  );
});
