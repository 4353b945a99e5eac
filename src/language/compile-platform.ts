/** Reads `platform { … }` blocks. Their values are written out: the machine is made before the flow runs. */
import { type DiagnosticSink, nearest, type SourceFile } from "./diagnostics.ts";
import type { Expression, PlatformBlock, PlatformEntry } from "./generated/ast.ts";
import type { Module } from "./load.ts";
import { propertySpan, spanOf } from "./parse.ts";
import { PLATFORM_KEYS, type PlatformDescription, type RangeDescription } from "./platform-block.ts";
import { parseNumber } from "./strings.ts";

type Draft = { -readonly [K in keyof PlatformDescription]: PlatformDescription[K] };

/** The block of a module over what was known before. Only the flow's own file may have one. */
export function compilePlatform(
  module: Module,
  before: PlatformDescription,
  isFlow: boolean,
  sink: DiagnosticSink,
): PlatformDescription {
  const blocks = module.program.statements.filter((node) => node.$type === "PlatformBlock");
  let result = before;
  for (const [position, block] of blocks.entries()) {
    if (!isFlow)
      sink.error(
        module.source,
        spanOf(block),
        "platform",
        "only the flow itself can have a platform block, not a file that it imports",
      );
    else if (position > 0) sink.error(module.source, spanOf(block), "platform", "there is a platform block already");
    else result = readBlock(block, module.source, sink);
  }
  return result;
}

function readBlock(block: PlatformBlock, source: SourceFile, sink: DiagnosticSink): PlatformDescription {
  const draft: Draft = {};
  const cmrs: RangeDescription[] = [];
  for (const entry of block.entries) readEntry(entry, draft, cmrs, source, sink);
  if (cmrs.length > 0) draft.cmrs = cmrs;
  if (draft.keyids !== undefined && Math.log2(draft.keyids) % 1 !== 0) {
    sink.error(source, spanOf(block), "platform", `keyids ${draft.keyids} is not a power of two`);
  }
  if (draft.privateKeyids !== undefined && draft.privateKeyids >= (draft.keyids ?? 64)) {
    sink.error(
      source,
      spanOf(block),
      "platform",
      "there must be more KeyIDs than private ones: KeyID 0 is for all else",
    );
  }
  return draft;
}

function readEntry(
  entry: PlatformEntry,
  draft: Draft,
  cmrs: RangeDescription[],
  source: SourceFile,
  sink: DiagnosticSink,
): void {
  const wrong = (message: string) => sink.error(source, spanOf(entry), "platform", message);
  const key = Object.hasOwn(PLATFORM_KEYS, entry.key) ? PLATFORM_KEYS[entry.key] : undefined;
  if (key === undefined) {
    const near = nearest(entry.key, Object.keys(PLATFORM_KEYS));
    const has = Object.keys(PLATFORM_KEYS).join(", ");
    sink.error(source, propertySpan(entry, "key"), "platform", `a platform has no "${entry.key}"; it has ${has}`, near);
    return;
  }
  if (key.kind === "flag") {
    if (entry.value?.$type !== "BooleanLiteral") {
      wrong(`${entry.key} is true or false`);
      return;
    }
    if (entry.key === "integrity") draft.integrity = entry.value.value;
    else draft.partialWriteErratum = entry.value.value;
    return;
  }
  const value = literal(entry.value);
  if (value === undefined) {
    wrong(`${entry.key} takes a number that is written out: ${key.what}`);
    return;
  }
  if (key.kind === "range") {
    const end = literal(entry.end);
    if (end === undefined || end <= value) {
      wrong(`${entry.key} is a range: base .. end`);
      return;
    }
    cmrs.push({ base: value, size: end - value });
    return;
  }
  if (value < (key.min ?? 0) || value > (key.max ?? Number.MAX_SAFE_INTEGER)) {
    wrong(`${entry.key} is from ${key.min} to ${key.max}`);
    return;
  }
  draft[FIELD[entry.key] as NumberField] = value;
}

type NumberField = "packages" | "lps" | "keyids" | "privateKeyids" | "maxpa" | "cacheBlocks" | "seed";
const FIELD: Readonly<Record<string, NumberField>> = {
  packages: "packages",
  lps: "lps",
  keyids: "keyids",
  private: "privateKeyids",
  maxpa: "maxpa",
  cache_blocks: "cacheBlocks",
  seed: "seed",
};

function literal(node: Expression | undefined): number | undefined {
  if (node?.$type !== "NumberLiteral") return undefined;
  const value = parseNumber(node.text);
  return typeof value === "bigint" && value < 2n ** 53n ? Number(value) : undefined;
}
