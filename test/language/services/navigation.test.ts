import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Location, WorkspaceEdit } from "vscode-languageserver/node";
import { FOLDER, LanguageClient } from "./client.ts";

const LIB = "fn add(a, b) { return a + b }\nlet limit = add(1, 2)\n";

let client: LanguageClient;
beforeEach(async () => {
  client = await LanguageClient.start({
    "lib.tdx": LIB,
    "user.tdx": 'import "lib"\nlog "{add(limit, 1)}"\n',
    "aliased.tdx": 'import "lib" as lib\nlog lib.add(1, 2)\n',
    "shipped/tdx/ready.tdx": "fn made() {}\n",
    "stranger.tdx": "fn add() {}\nadd()\n",
  });
});
afterEach(() => client.stop());

const place = ({ uri, range }: Location): string =>
  `${uri.slice(FOLDER.length + 1)}:${range.start.line}:${range.start.character}-${range.end.character}`;

const definition = async (text: string): Promise<string | null> => {
  const found = await client.ask<Location | null>("textDocument/definition", text);
  return found === null ? null : place(found);
};

const references = async (text: string): Promise<string[]> => {
  const context = { includeDeclaration: true };
  return (await client.ask<Location[]>("textDocument/references", text, { context })).map(place).sort();
};

async function rename(text: string, newName: string): Promise<string[]> {
  const edit = await client.ask<WorkspaceEdit>("textDocument/rename", text, { newName });
  const edits = Object.entries(edit.changes ?? {});
  return edits.flatMap(([uri, list]) => list.map(({ range, newText }) => `${place({ uri, range })} ${newText}`)).sort();
}

describe("definition", () => {
  it("finds locals, parameters, functions and what blocks see of outside", async () => {
    expect(await definition("let a = 1\n{ let a = 2 log |a }")).toBe("main.tdx:1:6-7");
    expect(await definition("fn f(x) { return |x }")).toBe("main.tdx:0:5-6");
    expect(await definition("fn f() { g|() }\nfn g() {}")).toBe("main.tdx:1:3-4");
    expect(await definition("fn f(t) { spawn w { log t| } join w }")).toBe("main.tdx:0:5-6");
  });

  it("goes into imported files, from strings too, and to the file of an import", async () => {
    expect(await definition('import "lib"\nlog "sum {ad|d(1, 2)}"')).toBe("lib.tdx:0:3-6");
    expect(await definition('import "lib" as l\nlog l.lim|it')).toBe("lib.tdx:1:4-9");
    expect(await definition('import "l|ib"')).toBe("lib.tdx:0:0-0");
    expect(await definition("log PT_|TDR")).toBeNull();
  });

  it("works in a source with syntax errors", async () => {
    expect(await definition("fn f(given) { return giv|en }\nlet = 1\n")).toBe("main.tdx:0:5-10");
  });
});

describe("references", () => {
  it("finds the uses of a function in all files that import it, and no other of that name", async () => {
    expect(await references('import "lib"\nlet x = ad|d(1, 2)')).toEqual([
      "aliased.tdx:1:8-11",
      "lib.tdx:0:3-6",
      "lib.tdx:1:12-15",
      "main.tdx:1:8-11",
      "user.tdx:1:6-9",
    ]);
  });

  it("keeps variables of one name in different blocks apart", async () => {
    expect(await references("let a = 1\n{ let a| = 2 log a }\nlog a")).toEqual(["main.tdx:1:16-17", "main.tdx:1:6-7"]);
  });
});

describe("rename", () => {
  it("changes the name in every file", async () => {
    expect(await rename('import "lib"\nlet x = ad|d(1, 2)', "sum")).toEqual([
      "aliased.tdx:1:8-11 sum",
      "lib.tdx:0:3-6 sum",
      "lib.tdx:1:12-15 sum",
      "main.tdx:1:8-11 sum",
      "user.tdx:1:6-9 sum",
    ]);
  });

  it.each([
    ["while", /word of the language/],
    ["1st", /not a name/],
    ["alloc_page", /built in/],
    ["TDX_SUCCESS", /built in/],
    ["limit", /"limit" is declared in lib\.tdx:2 already/],
  ])("refuses the name %s and says why", async (name, reason) => {
    await expect(rename('import "lib"\nlet x = ad|d(1, 2)', name)).rejects.toThrow(reason);
  });

  it("refuses what an import brings, into the file or into one that imports both, and says from where", async () => {
    await client.open("fn sum() {}\n", "others.tdx");
    const TEXT = 'import "lib"\nimport "others"\nlet own = add(1, 2)\nlog own';
    await expect(rename(TEXT.replace("own =", "ow|n ="), "sum")).rejects.toThrow(
      '"sum" comes into main.tdx:2 with import "others": it is declared in others.tdx:1',
    );
    await client.open('import "lib"\nimport "others"\nsum()\n', "both.tdx");
    await expect(rename('import "lib"\nlog ad|d(1, 2)', "sum")).rejects.toThrow(
      /comes into both\.tdx:2 .* others\.tdx:1/,
    );
    await expect(rename('import "lib"\nlet own = ad|d(1, 2)\nlog own', "own")).rejects.toThrow(/main\.tdx:2 already/);
  });

  it("refuses where the name stands in a line that is not understood, and says where", async () => {
    await expect(rename('import "lib"\nlog ad|d(1, 2)\nlet = add(1', "sum")).rejects.toThrow(
      '"add" is in main.tdx:3 too, which has a syntax error: mend that first',
    );
  });

  it("changes a parameter where callers name it, in other files too", async () => {
    const edits = ["lib.tdx:0:22-23 c", "lib.tdx:0:7-8 c", "main.tdx:1:8-9 c"];
    expect(await rename('import "lib"\nlog add(|a: 1, b: 2)\nlet c = 1\nlog c', "c")).toEqual(edits);
    expect(await definition('import "lib"\nlog add(1, |b: 2)')).toBe("lib.tdx:0:10-11");
  });

  it("takes a name that is in nobody's way", async () => {
    // Behind its import's name it meets no other one.
    await client.open('import "lib" as lib\nlet sum = lib.add(1, 2)\nlog sum\n', "apart.tdx");
    expect(await rename('import "lib"\nlog ad|d(1, 2)', "sum")).toContain("apart.tdx:1:14-17 sum");
  });

  it("refuses what is no name of a flow, and what is shipped", async () => {
    await expect(rename("TDH.SYS.IN|IT()", "x")).rejects.toThrow(/not declared in a flow/);
    await expect(rename('import "tdx/ready"\nma|de()', "x")).rejects.toThrow(/comes with the debugger/);
  });
});
