/**
 * What the builtin functions do, by name (language/builtins.ts). Instructions of the host are in host-instructions.ts, those of guests
 * in guest-instructions.ts.
 */
import { PAGE_SIZE } from "../arch/page.ts";
import { builtins } from "../language/builtins.ts";
import { isInteger, Status, toBig } from "../language/values.ts";
import { hazardNames } from "../platform/hazards.ts";
import {
  type BuiltinFunction,
  hintFor,
  integerArgument,
  numberArgument,
  optionalInteger,
  stringArgument,
} from "./arguments.ts";
import { FlowError } from "./flow-error.ts";
import { ListValue, PlainRecord } from "./heap.ts";
import { address, hostInstructions } from "./host-instructions.ts";
import { newLock } from "./locks.ts";
import { allocatePages, freePage, nodeOf } from "./pages.ts";
import type { SessionState } from "./session-state.ts";
import { aType, fieldsOf, formatValue, typeName } from "./values.ts";
import { bug, warn } from "./warnings.ts";

function optionalNode(stack: readonly unknown[], first: number, count: number, index: number): number | undefined {
  if (index >= count || stack[first + index] === null) return undefined;
  return Number(integerArgument(stack, first + index, "node"));
}

function lpList(state: SessionState, lps: readonly number[]): ListValue {
  return state.heap.list(lps, 0, lps.length);
}

function lengthOf(state: SessionState, value: unknown): number {
  if (typeof value === "string") return value.length;
  if (value instanceof ListValue) return state.heap.length(value);
  const fields = fieldsOf(value, state.heap);
  if (fields === undefined) throw new FlowError(`${aType(value)} has no length`, "lists, strings and records have");
  return fields.size;
}

function listArgument(value: unknown): ListValue {
  if (!(value instanceof ListValue))
    throw new FlowError(`"list" must be a list, not ${aType(value)}`, "let list = [] makes an empty one");
  return value;
}

export const builtinFunctions: Readonly<Record<string, BuiltinFunction>> = {
  hex: (_state, stack, first) => `0x${integerArgument(stack, first, "value").toString(16)}`,
  text: (state, stack, first) => formatValue(stack[first], state.heap),
  type: (_state, stack, first) => typeName(stack[first]),
  len: (state, stack, first) => lengthOf(state, stack[first]),
  has: (state, stack, first) =>
    fieldsOf(stack[first], state.heap)?.has(stringArgument(stack, first + 1, "name")) ?? false,
  min: (_state, stack, first) => {
    const a = integerArgument(stack, first, "a");
    const b = integerArgument(stack, first + 1, "b");
    if (b < a) return b;
    return a;
  },
  max: (_state, stack, first) => {
    const a = integerArgument(stack, first, "a");
    const b = integerArgument(stack, first + 1, "b");
    if (b > a) return b;
    return a;
  },
  status: (_state, stack, first) => Status.of(integerArgument(stack, first, "value")),
  integer: (_state, stack, first) => {
    const value = stack[first];
    if (value instanceof Status) return value.integer;
    if (isInteger(value)) return value;
    if (typeof value === "boolean") return value ? 1 : 0;
    throw new FlowError(`${aType(value)} is no integer`, hintFor(value));
  },
  keys: (state, stack, first) => {
    const fields = fieldsOf(stack[first], state.heap);
    if (fields === undefined)
      throw new FlowError(`${aType(stack[first])} has no fields`, "only records and results have");
    return state.heap.list([...fields.keys()], 0, fields.size);
  },
  push: (state, stack, first) => {
    state.heap.push(listArgument(stack[first]), stack[first + 1]);
    return null;
  },
  pop: (state, stack, first) => {
    const list = listArgument(stack[first]);
    if (state.heap.length(list) === 0) throw new FlowError("the list is empty", "len(list) tells how many it has");
    return state.heap.pop(list);
  },
  ...hostInstructions,
  hazards: (state) => state.machine.platform.hazards.count,
  last_hazard: (state) => {
    const hazard = state.machine.platform.hazards.latest;
    if (hazard === undefined) return null;
    return new PlainRecord(
      new Map<string, unknown>([
        ["kind", hazardNames[hazard.kind] ?? ""],
        ["hpa", hazard.hpa],
        ["hkid", hazard.hkid],
        ["own_hkid", hazard.ownHkid],
      ]),
    );
  },
  alloc_page: (state, stack, first, count) =>
    allocatePages(state, { count: 1, align: PAGE_SIZE, node: optionalNode(stack, first, count, 0), from: 0 }),
  alloc_pages: (state, stack, first, count) =>
    allocatePages(state, {
      count: numberArgument(stack, first, "count", 1, 2 ** 24),
      align: Number(optionalInteger(stack, first, count, 1, "align", PAGE_SIZE)),
      node: optionalNode(stack, first, count, 2),
      from: Number(optionalInteger(stack, first, count, 3, "from", 0)),
    }),
  free_page: (state, stack, first) => {
    freePage(state, address(state, stack, first, PAGE_SIZE));
    return null;
  },
  memory_ranges: (state) => {
    const records = state.machine.platform.config.memory.map(
      ({ base, size, node }) =>
        new PlainRecord(
          new Map([
            ["base", base],
            ["end", base + size],
            ["node", node],
          ]),
        ),
    );
    return state.heap.list(records, 0, records.length);
  },
  node_of: (state, stack, first) => {
    const { config, addressEnd } = state.machine.platform;
    return nodeOf(config, numberArgument(stack, first, "hpa", 0, 2 ** config.maxpa - 1) % addressEnd) ?? null;
  },
  interrupt: (state, stack, first) => {
    state.machine.platform.setInterrupt(numberArgument(stack, first, "after", 0, 2 ** 31), 1);
    return null;
  },
  interrupt_off: (state) => {
    state.machine.platform.setInterrupt(-1, 0);
    return null;
  },
  inject: (state, stack, first) => {
    const what = stringArgument(stack, first, "what");
    if (what !== "pconfig" && what !== "rdseed" && what !== "rdrand")
      throw new FlowError(`"${what}" cannot be injected`, 'it is "pconfig", "rdseed" or "rdrand"');
    state.machine.platform.inject(what, numberArgument(stack, first + 1, "value", 0, 2 ** 31));
    return null;
  },
  current_lp: (state) => state.lpOf(state.task),
  lps: (state) =>
    lpList(
      state,
      state.machine.platform.packageOf.map((_, lp) => lp),
    ),
  packages: (state) => {
    const lists = state.machine.platform.config.packages.map((lps) => lpList(state, lps));
    return state.heap.list(lists, 0, lists.length);
  },
  package_of: (state, stack, first) => {
    const { packageOf, lps } = state.machine.platform;
    return packageOf[numberArgument(stack, first, "lp", 0, lps - 1)];
  },
  private_keyids: (state) => {
    const { privateStart, total } = state.machine.platform.config.keyids;
    return new PlainRecord(
      new Map([
        ["first", privateStart],
        ["count", total - privateStart],
      ]),
    );
  },
  with_keyid: (state, stack, first) => {
    const bits = state.machine.platform.addressBits;
    const hpa = numberArgument(stack, first, "hpa", 0, 2 ** bits - 1);
    return (
      hpa +
      numberArgument(stack, first + 1, "hkid", 0, 2 ** (state.machine.platform.config.maxpa - bits) - 1) * 2 ** bits
    );
  },
  mutex: (state, stack, first, count) =>
    newLock(state.heap, "mutex", count > 0 ? stringArgument(stack, first, "name") : ""),
  rwlock: (state, stack, first, count) =>
    newLock(state.heap, "rwlock", count > 0 ? stringArgument(stack, first, "name") : ""),
  warn: (state, stack, first) => {
    warn(state, formatValue(stack[first], state.heap));
    return null;
  },
  bug: (state, stack, first) => bug(formatValue(stack[first], state.heap)),
  gpa_parts: (_state, stack, first) => {
    const gpa = toBig(integerArgument(stack, first, "gpa"));
    return new PlainRecord(
      new Map([0, 1, 2, 3, 4].map((level) => [`l${level}`, Number((gpa >> BigInt(12 + 9 * level)) & 0x1ffn)])),
    );
  },
};

/** Calls a builtin function by its number, with `count` arguments on the stack from `first` on. */
export function callBuiltin(
  state: SessionState,
  fiber: number,
  number: number,
  stack: readonly unknown[],
  first: number,
  count: number,
): unknown {
  const entry = builtins[number];
  if (entry === undefined) throw new FlowError("no such builtin");
  const isGuest = state.isGuest(fiber);
  if (entry.where === "guest" && !isGuest)
    throw new FlowError(`${entry.name}() is for guests`, "put it into guest tdvpr { … }");
  if (entry.where === "host" && isGuest)
    throw new FlowError(
      `${entry.name}() is for the host, not for guests`,
      "a guest has its own memory and instructions",
    );
  return builtinFunctions[entry.name]?.(state, stack, first, count);
}
