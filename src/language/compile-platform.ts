/** Reads `platform { … }` blocks. Their values are written out: the machine is made before the flow runs. */
import { defaultMachine } from "../arch/default-machine.ts";
import { isTdxFeature, MODULE_VERSION, tdxFeatures0 } from "../arch/tdx-features.ts";
import { type DiagnosticSink, nearest, type SourceFile, type Span } from "./diagnostics.ts";
import type { Doubt } from "./doubt.ts";
import type { Expression, PlatformBlock, PlatformEntry } from "./generated/ast.ts";
import type { Module } from "./load.ts";
import { propertySpan, spanOf } from "./places.ts";
import {
  type MemoryDescription,
  PLATFORM_KEYS,
  type PlatformDescription,
  type PlatformKey,
  type RangeDescription,
} from "./platform-block.ts";
import { type Complain, checkCmrs, checkNodes, checkRanges, type Placed, warnOfSmram } from "./platform-ranges.ts";
import { parseNumber } from "./strings.ts";

type Draft = { -readonly [K in keyof PlatformDescription]: PlatformDescription[K] };

/** The block of a module over what was known before. Only the flow's own file may have one. */
export function compilePlatform(
  { source, statements }: Module,
  doubt: Doubt,
  before: PlatformDescription,
  isFlow: boolean,
  sink: DiagnosticSink,
): PlatformDescription {
  const blocks = statements.filter((node) => node.$type === "PlatformBlock");
  let result = before;
  for (const [position, block] of blocks.entries()) {
    if (!isFlow)
      sink.error(
        source,
        spanOf(block),
        "platform",
        "only the flow itself can have a platform block, not a file that it imports",
      );
    else if (position > 0) sink.error(source, spanOf(block), "platform", "there is a platform block already");
    else if (!doubt.isIn(spanOf(block))) result = readBlock(block, source, sink);
  }
  return result;
}

/** What the entries of a block said so far. */
interface Reading {
  readonly draft: Draft;
  readonly memory: Placed<MemoryDescription>[];
  readonly cmrs: Placed<RangeDescription>[];
  /** The entries that there is one of, by their key. */
  readonly given: Map<string, PlatformEntry>;
  /** The entry before this one, whose memory a node belongs to. */
  before: PlatformEntry | undefined;
}

function readBlock(block: PlatformBlock, source: SourceFile, sink: DiagnosticSink): PlatformDescription {
  const complain = (span: Span, code: string, message: string, suggestion?: string) =>
    sink.error(source, span, code, message, suggestion);
  const reading: Reading = { draft: {}, memory: [], cmrs: [], given: new Map(), before: undefined };
  const { draft, given } = reading;
  for (const entry of block.entries) {
    readEntry(entry, reading, complain);
    reading.before = entry;
  }
  const at = (key: string): Span => spanOf(given.get(key) ?? block);
  const keyids = draft.keyids ?? defaultMachine.keyids;
  if (Math.log2(keyids) % 1 !== 0) complain(at("keyids"), "platform", `keyids ${keyids} is not a power of two`);
  else if (draft.privateKeyids !== undefined && draft.privateKeyids >= keyids) {
    complain(at("private"), "platform", "there must be more KeyIDs than private ones: KeyID 0 is for all else");
  }
  const packages = draft.packages ?? Math.min(defaultMachine.packages, draft.lps ?? defaultMachine.lps);
  if (draft.lps !== undefined && draft.lps < packages)
    complain(at("lps"), "platform", `${packages} packages have at least ${packages} LPs`);
  const addressBits = (draft.maxpa ?? defaultMachine.maxpa) - Math.ceil(Math.log2(keyids));
  const memory = checkRanges(reading.memory, "memory", addressBits, complain);
  const cmrs = checkRanges(reading.cmrs, "cmr", addressBits, complain);
  checkNodes(memory, packages, complain);
  if (memory.length > 0) checkCmrs(cmrs, memory, complain);
  warnOfSmram(cmrs, (span, code, message) => sink.warning(source, span, code, message));
  if (memory.length > 0) draft.memory = memory.map(({ base, size, node }) => ({ base, size, node }));
  if (cmrs.length > 0) draft.cmrs = cmrs.map(({ base, size }) => ({ base, size }));
  return draft;
}

function readEntry(entry: PlatformEntry, reading: Reading, complain: Complain): void {
  const { draft, given } = reading;
  const wrong = (message: string) => complain(spanOf(entry), "platform", message);
  const key = Object.hasOwn(PLATFORM_KEYS, entry.key) ? PLATFORM_KEYS[entry.key] : undefined;
  if (key === undefined) {
    const near = nearest(entry.key, Object.keys(PLATFORM_KEYS));
    const has = Object.keys(PLATFORM_KEYS).join(", ");
    complain(propertySpan(entry, "key"), "platform", `a platform has no "${entry.key}"; it has ${has}`, near);
    return;
  }
  if (given.has(entry.key)) wrong(`${entry.key} is there twice`);
  if (key.many !== true) given.set(entry.key, entry);
  if (entry.end !== undefined && key.kind !== "range") {
    wrong(`${entry.key} is no range: ${key.what}`);
    return;
  }
  switch (key.kind) {
    case "flag":
      if (entry.value?.$type !== "BooleanLiteral") wrong(`${entry.key} is true or false`);
      else draft[FLAG[entry.key] as FlagField] = entry.value.value;
      return;
    case "version":
      readVersion(entry, complain);
      return;
    case "feature":
      readFeature(entry, draft, complain);
      return;
    case "range":
      readRange(entry, key, reading, wrong);
      return;
    case "count":
      readCount(entry, key, reading, wrong);
      return;
  }
}

function readVersion(entry: PlatformEntry, complain: Complain): void {
  const text = entry.value?.$type === "StringLiteral" ? entry.value.text : undefined;
  const known = `"${MODULE_VERSION}"`;
  if (text === known) return;
  const what = text === undefined ? "module takes a version as text" : `there is no module ${text} here`;
  complain(spanOf(entry.value ?? entry), "platform-module", `${what}: the one that is emulated is ${known}`, known);
}

function readFeature(entry: PlatformEntry, draft: Draft, complain: Complain): void {
  const name = entry.value?.$type === "NameReference" ? entry.value.name : undefined;
  const names = Object.keys(tdxFeatures0);
  if (name !== undefined && isTdxFeature(name)) {
    draft.withoutFeatures = (draft.withoutFeatures ?? 0) | (1 << tdxFeatures0[name].bit);
    return;
  }
  const what = name === undefined ? "without takes the name of a feature" : `module ${MODULE_VERSION} has no "${name}"`;
  const near = nearest(name ?? "", names);
  complain(spanOf(entry.value ?? entry), "platform", `${what}; its features are ${names.join(", ")}`, near);
}

function readRange(entry: PlatformEntry, key: PlatformKey, reading: Reading, wrong: (message: string) => void): void {
  const base = literal(entry.value);
  const end = literal(entry.end);
  if (base === undefined || (entry.end !== undefined && end === undefined)) {
    wrong(`${entry.key} takes numbers that are written out: ${key.what}`);
  } else if (end === undefined || end <= base) wrong(`${entry.key} is a range: base .. end`);
  else {
    const range = { base, size: end - base, span: spanOf(entry) };
    if (entry.key === "cmr") reading.cmrs.push(range);
    else reading.memory.push({ ...range, node: 0 });
  }
}

function readCount(entry: PlatformEntry, key: PlatformKey, reading: Reading, wrong: (message: string) => void): void {
  const value = literal(entry.value);
  if (value === undefined) wrong(`${entry.key} takes a number that is written out: ${key.what}`);
  else if (value < (key.min ?? 0) || value > (key.max ?? Number.MAX_SAFE_INTEGER))
    wrong(`${entry.key} is from ${key.min} to ${key.max}`);
  else if (entry.key !== "node") reading.draft[FIELD[entry.key] as NumberField] = value;
  else {
    const memory = reading.before?.key === "memory" ? reading.memory.pop() : undefined;
    if (memory === undefined) wrong("a node belongs to the memory before it: memory 4G .. 8G node 0");
    else reading.memory.push({ ...memory, node: value, span: { start: memory.span.start, end: spanOf(entry).end } });
  }
}

type FlagField = "integrity" | "partialWriteErratum" | "interleave";
const FLAG: Readonly<Record<string, FlagField>> = {
  integrity: "integrity",
  partial_write_erratum: "partialWriteErratum",
  interleave: "interleave",
};

type NumberField = "packages" | "lps" | "keyids" | "privateKeyids" | "maxpa" | "cacheBlocks" | "seed" | "schedule";
const FIELD: Readonly<Record<string, NumberField>> = {
  packages: "packages",
  lps: "lps",
  keyids: "keyids",
  private: "privateKeyids",
  maxpa: "maxpa",
  cache_blocks: "cacheBlocks",
  seed: "seed",
  schedule: "schedule",
};

function literal(node: Expression | undefined): number | undefined {
  if (node?.$type !== "NumberLiteral") return undefined;
  const value = parseNumber(node.text);
  return typeof value === "bigint" && value < 2n ** 53n ? Number(value) : undefined;
}
