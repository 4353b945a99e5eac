/** What the builtin functions do, by name (language/builtins.ts). Those of guests are in guest-instructions.ts. */
import { PAGE_SIZE } from "../arch/page.ts";
import { builtins } from "../language/builtins.ts";
import { fromBig, isInteger, Status, toBig } from "../language/values.ts";
import { hazardNames } from "../platform/hazards.ts";
import { HostAccessError, hostClflush, hostFill, hostRead, hostWbinvd, hostWrite } from "../platform/host-access.ts";
import { hintFor, integerArgument, numberArgument, optionalInteger, stringArgument } from "./arguments.ts";
import { bytesOf, integerOf } from "./bytes.ts";
import { FlowError } from "./flow-error.ts";
import { ListValue, PlainRecord } from "./heap.ts";
import { newLock } from "./locks.ts";
import { statusOf } from "./operators.ts";
import { allocatePages, freePage, nodeOf } from "./pages.ts";
import type { SessionState } from "./session-state.ts";
import { aType, fieldsOf, formatValue, typeName } from "./values.ts";
import { bug, warn } from "./warnings.ts";

type BuiltinFunction = (state: SessionState, stack: readonly unknown[], first: number, count: number) => unknown;

/** Address of so many bytes of memory; it may carry a KeyID. A real host would read ones where there is none. */
function address(state: SessionState, stack: readonly unknown[], at: number, bytes: number): number {
  const { config, addressEnd } = state.machine.platform;
  const value = numberArgument(stack, at, "hpa", 0, 2 ** config.maxpa - bytes);
  const hpa = value % addressEnd;
  if (nodeOf(config, hpa) !== undefined && nodeOf(config, hpa + bytes - 1) !== undefined) return value;
  const ranges = config.memory.map(({ base, size }) => `0x${base.toString(16)} .. 0x${(base + size).toString(16)}`);
  throw new FlowError(`there is no memory at 0x${hpa.toString(16)}`, `memory is ${ranges.join(", ")}`);
}

/** Does an access to memory; one that the processor refuses is an error of the flow. */
function access<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof HostAccessError) throw new FlowError(error.message, "the host uses shared KeyIDs only");
    throw error;
  }
}

function reading(bytes?: number): BuiltinFunction {
  return (state, stack, first, count) => {
    const size = bytes ?? Number(optionalInteger(stack, first, count, 1, "bytes", 8));
    if (size < 1 || size > 8) throw new FlowError("a read has 1 to 8 bytes", "read more in a loop");
    const from = address(state, stack, first, size);
    return integerOf(access(() => hostRead(state.machine.platform, from, size)));
  };
}

function writing(bytes?: number): BuiltinFunction {
  return (state, stack, first, count) => {
    const size = bytes ?? Number(optionalInteger(stack, first, count, 2, "bytes", 8));
    const data = bytesOf(stack[first + 1], size, state.heap);
    const to = address(state, stack, first, data.length);
    access(() => hostWrite(state.machine.platform, currentLp(state), to, data));
    return null;
  };
}

const LINE_BYTES = 64;

/** The 64 bytes that MOVDIR64B copies. */
function hostLine(state: SessionState, from: number): Uint8Array {
  return access(() => hostRead(state.machine.platform, from, LINE_BYTES));
}

/** Most bytes that one fill writes: what a flow does in one unit must not take long. */
const MAX_FILL = 2 ** 24;

/** INVEPT types (Intel SDM, "INVEPT"). */
const SINGLE_CONTEXT = 1;
const ALL_CONTEXTS = 2;

function optionalNode(stack: readonly unknown[], first: number, count: number, index: number): number | undefined {
  if (index >= count || stack[first + index] === null) return undefined;
  return Number(integerArgument(stack, first + index, "node"));
}

function lpList(state: SessionState, lps: readonly number[]): ListValue {
  return state.heap.list(lps, 0, lps.length);
}

function currentLp(state: SessionState): number {
  return state.lpOf(state.task);
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
  status: (_state, stack, first) => statusOf(integerArgument(stack, first, "value")),
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
  read: reading(),
  read8: reading(1),
  read16: reading(2),
  read32: reading(4),
  read64: reading(8),
  write: writing(),
  write8: writing(1),
  write16: writing(2),
  write32: writing(4),
  write64: writing(8),
  fill: (state, stack, first) => {
    const bytes = numberArgument(stack, first + 2, "bytes", 0, MAX_FILL);
    const to = address(state, stack, first, bytes);
    const byte = numberArgument(stack, first + 1, "byte", 0, 255);
    access(() => hostFill(state.machine.platform, currentLp(state), to, byte, bytes));
    return null;
  },
  movdir64b: (state, stack, first) => {
    const to = address(state, stack, first, LINE_BYTES);
    if (to % LINE_BYTES !== 0)
      throw new FlowError(`0x${to.toString(16)} is not aligned to 64 bytes`, "MOVDIR64B writes one whole line");
    const line = hostLine(state, address(state, stack, first + 1, LINE_BYTES));
    access(() => hostWrite(state.machine.platform, currentLp(state), to, line));
    return null;
  },
  clflush: (state, stack, first, count) => {
    const bytes = Number(optionalInteger(stack, first, count, 1, "bytes", LINE_BYTES));
    if (bytes > MAX_FILL) throw new FlowError(`"bytes" is 0x${MAX_FILL.toString(16)} at most`, "flush more in a loop");
    const from = address(state, stack, first, bytes);
    access(() => hostClflush(state.machine.platform, from, bytes));
    return null;
  },
  wbinvd: (state) => {
    hostWbinvd(state.machine.platform, currentLp(state));
    return null;
  },
  invept: (state, stack, first, count) => {
    // Of a TD only its private EPT's root tags what an LP remembers, and that has a private KeyID, which no host can name: the host's
    // single-context INVEPT never meets it. That is why hosts of TDs flush all contexts.
    const type = integerArgument(stack, first, "type");
    const eptp = optionalInteger(stack, first, count, 1, "eptp", 0);
    if (type === ALL_CONTEXTS) state.machine.platform.tlb.flush(currentLp(state));
    else if (type !== SINGLE_CONTEXT)
      throw new FlowError(`INVEPT has no type ${type}`, "1 is one EPT's context, 2 all contexts");
    else if (eptp === 0) throw new FlowError("INVEPT of a single context needs its EPTP", "invept(1, eptp: …)");
    return null;
  },
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
  cpuid: (state, stack, first, count) => {
    const leaf = numberArgument(stack, first, "leaf", 0, 0xffff_ffff);
    const subleaf = Number(optionalInteger(stack, first, count, 1, "subleaf", 0));
    const [eax, ebx, ecx, edx] = state.machine.platform.cpuid(currentLp(state), leaf, subleaf);
    return new PlainRecord(
      new Map([
        ["eax", eax],
        ["ebx", ebx],
        ["ecx", ecx],
        ["edx", edx],
      ]),
    );
  },
  rdmsr: (state, stack, first) =>
    fromBig(state.machine.platform.rdmsr(currentLp(state), numberArgument(stack, first, "msr", 0, 0xffff_ffff))),
  wrmsr: (state, stack, first) => {
    state.machine.platform.wrmsr(
      currentLp(state),
      numberArgument(stack, first, "msr", 0, 0xffff_ffff),
      toBig(integerArgument(stack, first + 1, "value")),
    );
    return null;
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
  current_lp: (state) => currentLp(state),
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
