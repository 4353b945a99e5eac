/** What guest code can do besides computing: each instruction as a guest action, with its operands and its result. */
import { exitReasons, tdvmcallFunctions } from "../arch/linux-constants.ts";
import { PAGE_SIZE } from "../arch/page.ts";
import { R10, R11, RAX, RBX, RCX, RDX } from "../arch/registers.ts";
import { builtins } from "../language/builtins.ts";
import { type FlowProgram, type LeafCall, OP_BUILTIN } from "../language/flow-code.ts";
import { fromBig, highHalf, type Integer, lowHalf, toBig } from "../language/values.ts";
import type { GuestAction, GuestResult } from "../module/guest/actions.ts";
import type { Platform } from "../platform/platform.ts";
import { integerArgument, numberArgument, optionalInteger, optionalNumber, registerArgument } from "./arguments.ts";
import { bytesOf, integerOf } from "./bytes.ts";
import { FlowError } from "./flow-error.ts";
import { type Heap, PlainRecord } from "./heap.ts";
import { loadRegisters, nameOfCall, takeResult } from "./leaf-call.ts";

export interface GuestInstruction {
  readonly action: GuestAction;
  /** Sets the guest's registers. */
  readonly prepare?: (platform: Platform, lp: number) => void;
  /** It is an access to memory: after an exit to the host it is executed again. */
  readonly again: boolean;
  /** Its value; `outcome` is absent when it completes with the entry after an exit. */
  readonly result: (platform: Platform, lp: number, outcome: GuestResult | undefined) => unknown;
}

function tdcallInstruction(call: LeafCall, values: readonly unknown[], first: number): GuestInstruction {
  return {
    action: { action: "tdcall" },
    prepare: (platform, lp) => loadRegisters(platform, lp, call, values, first),
    again: false,
    result: (platform, lp) => takeResult(platform, lp, nameOfCall(call, values, first)),
  };
}

/** What a guest does when its code has ended: it tells the host that it halts, again at each entry. */
export const haltInstruction: GuestInstruction = {
  action: { action: "tdcall" },
  prepare: (platform, lp) => {
    for (let register = 0; register < 16; register++) platform.writeGpr(lp, register, 0n);
    platform.writeGpr(lp, RCX, (1n << BigInt(R10)) | (1n << BigInt(R11)) | 0xf000n);
    platform.writeGpr(lp, R11, BigInt(tdvmcallFunctions.TDVMCALL_HLT));
  },
  again: false,
  result: () => null,
};

type Build = (values: readonly unknown[], first: number, count: number, heap: Heap) => GuestInstruction;

function access(gpa: Integer, kind: "r" | "w" | "x", bytes: number, data?: Uint8Array): GuestInstruction {
  if (typeof gpa !== "number")
    throw new FlowError(`0x${gpa.toString(16)} is no guest physical address`, "it has 52 bits at most");
  if (bytes === 0) throw new FlowError("an access has a byte at least", "leave it out where there is nothing to write");
  if ((gpa % PAGE_SIZE) + bytes > PAGE_SIZE)
    throw new FlowError(
      `an access at 0x${gpa.toString(16)} of ${bytes} bytes crosses a page`,
      "make it two accesses, one in each page",
    );
  return {
    action: data === undefined ? { action: "access", gpa, kind, length: bytes } : { action: "access", gpa, kind, data },
    again: true,
    result: (_platform, _lp, outcome) =>
      kind === "r" && outcome?.kind === "ok" && outcome.data !== undefined ? integerOf(outcome.data) : null,
  };
}

function reading(bytes?: number): Build {
  return (values, first, count) => {
    const size = bytes ?? Number(optionalInteger(values, first, count, 1, "bytes", 8));
    if (size < 1 || size > 8) throw new FlowError("a read has 1 to 8 bytes", "read more in a loop");
    return access(integerArgument(values, first, "gpa"), "r", size);
  };
}

function writing(bytes?: number): Build {
  return (values, first, count, heap) => {
    const size = bytes ?? Number(optionalInteger(values, first, count, 2, "bytes", 8));
    const data = bytesOf(values[first + 1], size, heap);
    return access(integerArgument(values, first, "gpa"), "w", data.length, data);
  };
}

function setLow(platform: Platform, lp: number, register: number, value: number): void {
  platform.writeGpr(lp, register, BigInt(value));
}

function low(platform: Platform, lp: number, register: number): number {
  return Number(platform.readGpr(lp, register) & 0xffff_ffffn);
}

const cpuid: Build = (values, first, count) => ({
  action: { action: "cpuid" },
  prepare: (platform, lp) => {
    setLow(platform, lp, RAX, registerArgument(values, first, "leaf"));
    setLow(platform, lp, RCX, optionalNumber(values, first, count, 1, "subleaf", 0, 0xffff_ffff));
  },
  again: false,
  result: (platform, lp) =>
    new PlainRecord(
      new Map(
        [
          ["eax", RAX],
          ["ebx", RBX],
          ["ecx", RCX],
          ["edx", RDX],
        ].map(([name, register]) => [name as string, low(platform, lp, register as number)]),
      ),
    ),
});

const rdmsr: Build = (values, first) => ({
  action: { action: "rdmsr" },
  prepare: (platform, lp) => setLow(platform, lp, RCX, registerArgument(values, first, "msr")),
  again: false,
  result: (platform, lp, outcome) => {
    // An MSR that the guest reads without an exit is the processor's own.
    if (outcome?.kind === "native") return fromBig(platform.rdmsr(lp, low(platform, lp, RCX)));
    return fromBig((BigInt(low(platform, lp, RDX)) << 32n) | BigInt(low(platform, lp, RAX)));
  },
});

const wrmsr: Build = (values, first) => ({
  action: { action: "wrmsr" },
  prepare: (platform, lp) => {
    const value = integerArgument(values, first + 1, "value");
    setLow(platform, lp, RCX, registerArgument(values, first, "msr"));
    setLow(platform, lp, RAX, lowHalf(value));
    setLow(platform, lp, RDX, highHalf(value));
  },
  again: false,
  result: (platform, lp, outcome) => {
    if (outcome?.kind === "native") {
      platform.wrmsr(lp, low(platform, lp, RCX), (platform.readGpr(lp, RDX) << 32n) | platform.readGpr(lp, RAX));
    }
    return null;
  },
});

function exiting(
  reason: number,
  more: Omit<GuestAction & { action: "vmexit" }, "action" | "reason">,
  result: GuestInstruction["result"] = () => null,
): GuestInstruction {
  return { action: { action: "vmexit", reason, ...more }, again: false, result };
}

/** Exit qualification of an I/O instruction (Intel SDM, "Exit Qualification for I/O Instructions"): bits 2:0, 3 and 31:16. */
function ioQualification(values: readonly unknown[], port: number, bytes: number, input: boolean): bigint {
  const size = integerArgument(values, bytes, "bytes");
  if (size !== 1 && size !== 2 && size !== 4)
    throw new FlowError(`an I/O instruction has 1, 2 or 4 bytes, not ${size}`, "a longer one is several");
  return BigInt(numberArgument(values, port, "port", 0, 0xffff) * 2 ** 16 + (input ? 8 : 0) + size - 1);
}

/** By the name of the builtin. */
const instructions: Readonly<Record<string, Build>> = {
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
  fetch: (values, first) => access(integerArgument(values, first, "gpa"), "x", 1),
  cpuid,
  rdmsr,
  wrmsr,
  hlt: () => exiting(exitReasons.EXIT_REASON_HLT, { instructionLength: 1 }),
  io_in: (values, first) =>
    exiting(
      exitReasons.EXIT_REASON_IO_INSTRUCTION,
      {
        qualification: ioQualification(values, first, first + 1, true),
        instructionLength: 1,
      },
      (platform, lp) => low(platform, lp, RAX),
    ),
  io_out: (values, first) =>
    exiting(exitReasons.EXIT_REASON_IO_INSTRUCTION, {
      qualification: ioQualification(values, first, first + 2, false),
      instructionLength: 1,
    }),
  vm_exit: (values, first, count) =>
    exiting(registerArgument(values, first, "reason"), {
      qualification: toBig(optionalInteger(values, first, count, 1, "qualification", 0)),
      interruption: optionalNumber(values, first, count, 2, "interruption_info", 0, 0xffff_ffff),
    }),
};

/** Whether a builtin, by its number, is an instruction that goes through the machine when a guest executes it. */
export function isInstruction(builtin: number): boolean {
  return Object.hasOwn(instructions, builtins[builtin]?.name ?? "");
}

/** The instruction of the guest at `pc`: a TDCALL, or a builtin. Its operands are `values` from `first` on. */
export function instructionAt(
  program: FlowProgram,
  heap: Heap,
  code: Int32Array,
  pc: number,
  values: readonly unknown[],
  first: number,
): GuestInstruction {
  const number = code[pc + 1] as number;
  if (code[pc] === OP_BUILTIN) {
    const build = instructions[builtins[number]?.name ?? ""];
    if (build === undefined) throw new FlowError("no such instruction");
    return build(values, first, code[pc + 2] as number, heap);
  }
  const call = program.leafCalls[number] as LeafCall;
  if (!call.guest) throw new FlowError(`${call.name ?? "seamcall"} is for the host`, "a guest makes TDCALLs: TDG.*");
  return tdcallInstruction(call, values, first);
}
