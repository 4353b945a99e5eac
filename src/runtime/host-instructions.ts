/** What the host's instructions do: memory through its caches, cache and TLB maintenance, CPUID and MSRs. By the name of the builtin. */
import { fromBig, toBig } from "../language/values.ts";
import { HostAccessError, hostClflush, hostFill, hostRead, hostWbinvd, hostWrite } from "../platform/host-access.ts";
import {
  type BuiltinFunction,
  integerArgument,
  numberArgument,
  optionalInteger,
  optionalNumber,
  registerArgument,
} from "./arguments.ts";
import { bytesOf, integerOf } from "./bytes.ts";
import { FlowError } from "./flow-error.ts";
import { PlainRecord } from "./heap.ts";
import { nodeOf } from "./pages.ts";
import type { SessionState } from "./session-state.ts";

/** Address of so many bytes of memory; it may carry a KeyID. A real host would read ones where there is none. */
export function address(state: SessionState, stack: readonly unknown[], at: number, bytes: number): number {
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
    if (data.length === 0) return null;
    const to = address(state, stack, first, data.length);
    access(() => hostWrite(state.machine.platform, state.lpOf(state.task), to, data));
    return null;
  };
}

const LINE_BYTES = 64;

/** The 64 bytes that MOVDIR64B copies. */
function hostLine(state: SessionState, from: number): Uint8Array {
  return access(() => hostRead(state.machine.platform, from, LINE_BYTES));
}

/** Most bytes that one call fills or flushes: what a flow does in one unit must not take long. */
const MAX_FILL = 2 ** 24;

/** INVEPT types (Intel SDM, "INVEPT"). */
const SINGLE_CONTEXT = 1;
const ALL_CONTEXTS = 2;

export const hostInstructions: Readonly<Record<string, BuiltinFunction>> = {
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
    access(() => hostFill(state.machine.platform, state.lpOf(state.task), to, byte, bytes));
    return null;
  },
  movdir64b: (state, stack, first) => {
    const to = address(state, stack, first, LINE_BYTES);
    if (to % LINE_BYTES !== 0)
      throw new FlowError(`0x${to.toString(16)} is not aligned to 64 bytes`, "MOVDIR64B writes one whole line");
    const line = hostLine(state, address(state, stack, first + 1, LINE_BYTES));
    access(() => hostWrite(state.machine.platform, state.lpOf(state.task), to, line));
    return null;
  },
  clflush: (state, stack, first, count) => {
    const bytes = optionalNumber(stack, first, count, 1, "bytes", LINE_BYTES, MAX_FILL);
    const from = address(state, stack, first, bytes);
    access(() => hostClflush(state.machine.platform, from, bytes));
    return null;
  },
  wbinvd: (state) => {
    hostWbinvd(state.machine.platform, state.lpOf(state.task));
    return null;
  },
  invept: (state, stack, first, count) => {
    // Of a TD only its private EPT's root tags what an LP remembers, and that has a private KeyID, which no host can name: the host's
    // single-context INVEPT never meets it. That is why hosts of TDs flush all contexts.
    const type = integerArgument(stack, first, "type");
    const eptp = optionalInteger(stack, first, count, 1, "eptp", 0);
    if (type === ALL_CONTEXTS) state.machine.platform.tlb.flush(state.lpOf(state.task));
    else if (type !== SINGLE_CONTEXT)
      throw new FlowError(`INVEPT has no type ${type}`, "1 is one EPT's context, 2 all contexts");
    else if (eptp === 0) throw new FlowError("INVEPT of a single context needs its EPTP", "invept(1, eptp: …)");
    return null;
  },
  cpuid: (state, stack, first, count) => {
    const leaf = registerArgument(stack, first, "leaf");
    const subleaf = optionalNumber(stack, first, count, 1, "subleaf", 0, 0xffff_ffff);
    const [eax, ebx, ecx, edx] = state.machine.platform.cpuid(state.lpOf(state.task), leaf, subleaf);
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
    fromBig(state.machine.platform.rdmsr(state.lpOf(state.task), registerArgument(stack, first, "msr"))),
  wrmsr: (state, stack, first) => {
    state.machine.platform.wrmsr(
      state.lpOf(state.task),
      registerArgument(stack, first, "msr"),
      toBig(integerArgument(stack, first + 1, "value")),
    );
    return null;
  },
};
