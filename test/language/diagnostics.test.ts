import { describe, expect, it } from "vitest";
import { compileSources, complaints } from "../runtime/support.ts";

const CASES: readonly (readonly [what: string, source: string])[] = [
  ["syntax: a missing operand value", "let x = \nfoo"],
  ["syntax: a stray bracket", "let x = 1 )"],
  ["syntax: the text ends early", "fn f() { if true {"],
  ["syntax: a string that does not end", 'log "abc\nlet x = 1'],
  ["syntax: no value", "let = 3"],
  ["syntax: a missing brace", "while true log 3"],
  ["syntax: no text at all", "\0\ufffd\ufffd\u0001\u0003"],
  ["syntax: a character that belongs nowhere behind a semicolon", "log 1;@"],
  ["syntax: such characters between semicolons", "log 1\n; @ ;; @@\nlog 2\n; @"],
  ["a variable of a file that is defined twice, and never read", "let a = 1\nlet a = 2\nTDH.SYS.INIT()"],
  ["unknown leaf", "TDH.MEM.PAGE.ADDD(gpa: 0)"],
  ["a leaf's operand with a slip", "TDH.MEM.TRACK(tdrr: 1)"],
  ["missing operands", "TDH.MNG.CREATE(tdr: 1)"],
  ["operand without a name", "TDH.MEM.TRACK(1)"],
  ["operand twice", "TDH.MEM.TRACK(tdr: 1, rcx: 2)"],
  ["undefined variable", "let alpha = 1\nlog alpah"],
  ["undefined function", "hexx(1)"],
  ["arity", "fn f(a, b) { }\nf(1)\nf(1, 2, 3)"],
  ["arity of a builtin", "alloc_pages()"],
  ["unknown constant", "log TDX_OPERAND_BUSI"],
  ["unknown metadata field", "log TD_FIELD.TSC_OFSET"],
  ["assignment to nothing", "x = 1"],
  ["assignment to a constant", "1 = 2"],
  ["twice the same name", "{ let a = 1 let a = 2 }"],
  ["twice the same function", "fn f() { }\nfn f() { }"],
  ["no effect", "let a = 1\na"],
  ["break outside a loop", "break"],
  ["return outside a function", "return 3"],
  ["a number that is too large", "log 0x1_0000_0000_0000_0000"],
  ["not a number", "log 0xfg"],
  ["a leaf that is not called", "let f = TDH.MEM.TRACK"],
  ["bad interpolation", 'log "{1 +}"\nlog "{nope}"\nlog "{"'],
  ["a copy that is changed", "fn f() { let a = 1 spawn t { a = 2 } }"],
  ["platform", "platform { lpz 4 packages 0 keyids 63 cmr 4G }"],
  ["join of nothing", "spawn worker { }\njoin workr\nfn f() { }\njoin f"],
  ["a function inside another one", "fn f() {\n  fn g() { }\n}"],
  ["a variable without a value", "let x\nlog 1"],
  ["a format in a string", 'log "{1:x}"'],
  ["a message for expect", 'expect 1 == 1, "one"'],
  ["a number with a fraction", "log 1.5"],
  ["a task without a name", "spawn { }"],
  ["a platform with equals signs", "platform { lps = 4 }"],
  ["a test without a name", "test { }"],
  ["a leaf in small letters", "tdh.mem.track(tdr: 4K)"],
  ["words of other languages", "const a = 1\nprintf(1)\nlet b = not true"],
  [
    "notations of other languages",
    "let i = 0\ni++\nif i == 0 { } elif i > 2 { }\nfor (i = 0; i < 3; i += 1) { }\nlog 'x'\n# why\n",
  ],
  [
    "arguments of other languages",
    "TDH.MEM.TRACK(tdr=1)\nTDH.MEM.PAGE.ADD(gpa: 1 tdr: 2)\nTDH.MEM.TRACK tdr: 1\nlet r = { a = 1, b = 2 }\ntdh_mem_track(1)",
  ],
  [
    "declarations of other languages",
    "let x: u64 = 5\nfn f(a: int) { }\nfn g(a = 1) { }\nlet a = 1, b = 2\nlet h = fn(a) { }\nfn (a) { }",
  ],
  ["comparing with one sign", "let x = 1\nif x = 1 { }\nexpect x = 1"],
  ["other ways to import", "import tdx/host\nimport 'tdx/host'"],
  ["an import by another word", 'include "tdx/host"'],
  ["statements of other languages", "lock m\ntry { log 1 }\nguest { hlt() }\nlog 1 ? 2 : 3"],
  ["a comment that does not begin", "log 1 */"],
  ["a dot without a name", "fn f(td) {\n    td.\n    log td.ok\n}\nf(1)"],
  ["an entry of a platform without its value", "platform { packages 2 lps }"],
  ["a handler with one name", "guest 1 { } on_exception (v) { }"],
  ["a name of one letter", "let x = 1\nlog r + x"],
  ["a name of an import and a variable", 'import "tdx/structs" as td\nlet td = 1'],
  ["raw calls without a leaf", "seamcall(33)\nseamcall()"],
  ["import", 'import "nowhere"'],
  ["expect fails with another operator", "expect fails TDH.SYS.INIT() != 0"],
];

describe("what is wrong is told with line and column", () => {
  it.each(CASES)("%s", async (_what, source) => {
    const found = await complaints(source);
    expect(found.length).toBeGreaterThan(0);
    expect(found).toMatchSnapshot();
  });

  it("in imported files too", async () => {
    const { diagnostics, program } = await compileSources({
      "main.tdx": 'import "lib"\nf()',
      "lib.tdx": "fn f() {\n  TDH.NOPE()\n}",
    });
    expect(program).toBeUndefined();
    expect(diagnostics).toMatchObject([
      { file: "lib.tdx", line: 2, column: 3, severity: "error", code: "unknown-leaf" },
    ]);
  });

  it("with what was probably meant", async () => {
    const { diagnostics } = await compileSources({ "main.tdx": "TDH.MEM.PAGE.ADDD()" });
    expect(diagnostics[0]).toMatchObject({ suggestion: "TDH.MEM.PAGE.ADD" });
  });

  it("an import that imports the file again", async () => {
    const { diagnostics } = await compileSources({
      "main.tdx": 'import "a"',
      "a.tdx": 'import "b"',
      "b.tdx": 'import "a"',
    });
    expect(diagnostics).toMatchObject([{ file: "b.tdx", code: "import-cycle" }]);
  });
});

describe("what is hardly meant is a warning", () => {
  it.each([
    ["fn f() { let a = 1 let _b = 2 let c = 3 c = 4 }", ['1:14 nothing reads "a"', '1:35 nothing reads "c"']],
    ["fn f(n) { let a = n spawn t { log a } return n }", []],
    [
      "fn f() { return 1 log 2 }\nwhile true { break { log 3 } }",
      ["1:19 this is never reached", "2:20 this is never reached"],
    ],
    [
      "fn f(x) { if x { return 1 } else if !x { fail 2 } else { return 3 } log x log 4 }",
      ["1:69 this is never reached"],
    ],
    ["fn f(x) { while true { if x { return 1 } yield } log x }", ["1:50 this is never reached"]],
    ["fn f(x) { while true { for i in [x] { log i break } if x { break } } log x }", []],
    ["while true { yield }\nlog 1\nfn f() { }\nlog 2", ["2:1 this is never reached"]],
    ["let a = 1 let _b = 2 let c = 3 c = 4 log 5", ['1:5 nothing reads "a"', '1:26 nothing reads "c"']],
    ["let a = 1\nfn f() { return a }", []],
    ["let a = 1\nlet b = 2", []],
    ['let a = 1 log 2 test "t" { log a }', []],
    [
      'expect TDH.SYS.INIT().status == "TDX_SUCCESS"\nlet r = TDH.SYS.INIT() log r.name == "TDX_SUCESS"',
      [
        "1:33 a status is no text: compare it with TDX_SUCCESS, without quotes",
        '2:38 no status has the name "TDX_SUCESS"',
      ],
    ],
    ["let r = TDH.SYS.INIT() log 1", ['1:5 nothing looks at "r": a failure would go unnoticed']],
    ["fn f() { let r = seamcall(rax: 1) }", ['1:14 nothing looks at "r": a failure would go unnoticed']],
    ["log late\nlet late = 1\nfn f() { log late }", ['1:5 "late" has no value yet: its let comes further down']],
    ["let n = n + 1\nlog n", ['1:9 "n" has no value yet: it is just being made']],
    ["log 1 < 2 < 3", ["1:5 this compares what a comparison gives: write a < b && b < c"]],
    ["log (1 < 2) == true", []],
    ["join w\nspawn w { }", ['1:6 "w" has no value yet: its spawn comes further down']],
    ["let w = 5\njoin w", ['2:6 join waits for a task, and "w" was made as something else']],
    ["fn f(t) { join t }\nspawn w { }\nlet other = w\njoin other\nf(w)", []],
    [
      "TDH.MEM.SEPT.RD(gpa: 0x1008, level: 7, tdr: 0x1001)",
      [
        '1:22 "gpa" is the address of a page: a multiple of 4K',
        "1:37 TDH.MEM.SEPT.RD takes levels 0 to 4",
        '1:45 "tdr" is the address of a page: a multiple of 4K',
      ],
    ],
    ["TDH.MR.EXTEND(gpa: 0x100, tdr: 0)", []],
    ["TDH.MEM.PAGE.ADD(gpa: 0, level: 1, tdr: 0, hpa: 0, source: 0)", ["1:33 TDH.MEM.PAGE.ADD takes level 0"]],
    ["TDH.MEM.SEPT.ADD(gpa: 0, tdr: 0, page: 0)", []],
    ["expect fails TDH.MEM.SEPT.ADD(gpa: 0x101, level: 0, tdr: 5, page: 0) == TDX_OPERAND_INVALID", []],
    ["TDH.MEM.SEPT.ADD(gpa: 0, level: 0, tdr: 0, page: 0)", ["1:33 TDH.MEM.SEPT.ADD takes levels 1 to 4"]],
    ["TDH.MEM.PAGE.AUG(gpa: 0x1000, level: 1, tdr: 0, hpa: 0)", ["1:23 an entry of level 1 maps a multiple of 2M"]],
    ["free_page(0x1001)", ['1:11 "hpa" is the address of a page: a multiple of 4K']],
    ["movdir64b(4G + 1, 0) movdir64b(0x101, 0)", ["1:32 MOVDIR64B writes a whole line: a multiple of 64 bytes"]],
    ["hex(5) min(1, 2)", ["1:1 nothing looks at what hex(…) gives", "1:8 nothing looks at what min(…) gives"]],
    ["fn hex2(n) { return hex(n) }\nhex2(5) read64(0)", []],
  ])("%s", async (source, expected) => {
    const { diagnostics, program } = await compileSources({ "main.tdx": source });
    expect(diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`)).toEqual(expected);
    expect(diagnostics.every(({ severity }) => severity === "warning")).toBe(true);
    expect(program).toBeDefined();
  });
});
