/** Captures that only a host could make: TDH.VP.ENTER with its TD exit, and nothing of the guest. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { replay } from "../../../src/runtime/log/replay.ts";

type Line = Record<string, unknown> & { op?: string; in?: Record<string, string>; exit?: Record<string, string> };

const VECTORS = join(import.meta.dirname, "../../vectors/dev");
const recorded = (name: string): Line[] =>
  gunzipSync(readFileSync(join(VECTORS, `${name}.jsonl.gz`)))
    .toString()
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Line);

/** What the host sees of the log's first visit to the guest on LP 0: the lines before, and TDH.VP.ENTER with the exit. */
function seenByHost(log: readonly Line[]): { readonly before: Line[]; readonly enter: Line } {
  const at = log.findIndex((line) => "enter" in line);
  const { enter: _enter, ...entered } = log[at] as Line;
  const exit = log.find((line) => line.exit !== undefined)?.exit as Record<string, string>;
  const names = new Set([...Object.keys(exit), ...Object.keys(entered.in ?? {})]);
  const out = Object.fromEntries(
    [...names]
      .map((name) => [name, exit[name] ?? "0x0"])
      .filter(([name, value]) => value !== entered.in?.[name as string]),
  );
  return { before: log.slice(0, at), enter: { ...entered, out: { rax: "0x0", ...out } } };
}

const replayed = (...lines: readonly Line[]) =>
  replay(new TextEncoder().encode(lines.map((line) => JSON.stringify(line)).join("\n")));

describe("a TD exit", () => {
  test.each([
    ["grand-0014", "0x4d"], // TDG.VP.VMCALL
    ["grand-0006", "0x30"], // EPT violation
    ["grand-0004", "0x1"], // interrupt
  ])("of %s, exit reason %s, is what the module makes of it", (name, rax) => {
    const { before, enter } = seenByHost(recorded(name));
    expect(enter).toMatchObject({ out: { rax } });
    expect(replayed(...before, enter)).toMatchObject({ mismatches: [], crash: undefined });
  });

  test("that the module does not make is a difference, and the host goes on", () => {
    const { before, enter } = seenByHost(recorded("grand-0014"));
    const busy = { ...enter, out: { rax: "0x8000020000000001" } };
    const flush = {
      ...enter,
      fn: "TDH.VP.FLUSH",
      in: { rax: "0x12", rcx: enter.in?.rcx as string },
      out: { rax: "0x0" },
    };
    const { mismatches, crash } = replayed(...before, busy, flush);
    expect(crash).toBeUndefined();
    expect(mismatches).toMatchObject([{ leaf: "TDH.VP.ENTER", what: "result", got: "the guest was entered" }]);
  });

  test("is no help to a log that sees guests", () => {
    const log = recorded("grand-0014");
    const { enter } = seenByHost(log);
    const end = log.findIndex((line) => line.exit !== undefined);
    expect(replayed(...log.slice(0, end + 1), enter).mismatches).toMatchObject([{ got: "the guest was entered" }]);
  });
});

test("an exit that the log expects and the module does not make ends the guest's turn all the same", () => {
  const log = recorded("grand-0014");
  const at = log.findIndex((line) => "enter" in line);
  const cpuid = { op: "guest", lp: 0, action: "cpuid", in: { rax: "0x0" }, exit: { rax: "0xa" } };
  const rdmd = { op: "seamcall", lp: 0, fn: "TDH.PHYMEM.PAGE.RDMD", in: { rax: "0x18" }, out: { rax: "0x0" } };
  const { mismatches, crash } = replayed(...log.slice(0, at + 1), cpuid, { ...rdmd, mask: ["rax", "rcx"] });
  expect(crash).toBeUndefined();
  expect(mismatches).toMatchObject([{ what: "result", expected: "exit", got: "resume" }]);
});
