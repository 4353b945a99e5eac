/**
 * Completion statuses of the TDX module. Bits 63:32 of RAX are the code: 63 error, 62 non-recoverable, 61 fatal, 60 host
 * recoverability hint, 47:40 class, 39:32 code in the class. Bits 31:0 are the detail (test/vectors/abi/status-codes.json).
 */
import { operandNames } from "./generated/operand-ids.ts";
import * as codes from "./generated/status-codes.ts";
import { formatU64 } from "./u64.ts";

/** What bits 31:0 of a status are. */
export type DetailKind = "none" | "operand" | "exit reason" | "MSR" | "number";

export interface Status {
  /** Bits 63:32 and 31:0. */
  readonly hi: number;
  readonly lo: number;
  /** The standard name; undefined for a code that the module does not define. */
  readonly name: string | undefined;
  readonly error: boolean;
  readonly nonRecoverable: boolean;
  readonly fatal: boolean;
  readonly class: number;
  readonly className: string;
  readonly detailKind: DetailKind;
  /** The detail in words: name of the operand, exit reason, number in hexadecimal; empty if there is none. */
  readonly detail: string;
}

const names = new Map(codes.statusCodes.map(({ name, code }) => [code, name]));
const values = new Map(codes.statusCodes.map(({ name, code }) => [name, code]));

const CLASS_NAMES = [
  "general",
  "invalid operand",
  "resource busy",
  "page metadata",
  "dependent resources",
  "TDX module state",
  "TD state",
  "VCPU state",
  "key management",
  "platform",
  "physical memory",
  "guest memory (S-EPT)",
  "metadata",
  "service TD",
  "migration",
  "",
  "attestation",
  "TD entry and exit",
] as const;

/** The classes of statuses that have a name, as `decodeStatus` gives it. */
export const STATUS_CLASSES: readonly string[] = CLASS_NAMES.filter((name) => name !== "");

/** Codes whose detail is the number of an MSR: checks of TDH.SYS.INIT and TDH.SYS.LP.INIT. (Their CPUID checks name the leaf in RCX.) */
const MSR_DETAIL = new Set<number>([codes.TDX_INCONSISTENT_MSR, codes.TDX_INCORRECT_MSR_VALUE]);
/** Codes that carry an operand id even if it is 0 (RAX). */
const OPERAND_DETAIL = new Set<number>([
  codes.TDX_OPERAND_INVALID,
  codes.TDX_OPERAND_ADDR_RANGE_ERROR,
  codes.TDX_OPERAND_BUSY,
  codes.TDX_OPERAND_BUSY_HOST_PRIORITY,
  codes.TDX_PAGE_METADATA_INCORRECT,
  codes.TDX_PAGE_NOT_FREE,
  codes.TDX_PAGE_NOT_OWNED_BY_TD,
]);
/** Classes whose codes end a TD entry: the detail is the VM exit reason. */
const EXIT_CODES = new Set<number>([
  codes.TDX_NON_RECOVERABLE_VCPU,
  codes.TDX_NON_RECOVERABLE_TD,
  codes.TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE,
  codes.TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE,
  codes.TDX_NON_RECOVERABLE_TD_CORRUPTED_MD,
  codes.TDX_CROSS_TD_FAULT,
  codes.TDX_CROSS_TD_TRAP,
  codes.TDX_L2_EXIT_HOST_ROUTED_ASYNC,
  codes.TDX_L2_EXIT_HOST_ROUTED_TDVMCALL,
  codes.TDX_TD_EXIT_BEFORE_L2_ENTRY,
  codes.TDX_TD_EXIT_ON_L2_VM_EXIT,
  codes.TDX_TD_EXIT_ON_L2_TO_L1,
]);

/** VM exit reasons that a TD can end with (Intel SDM, appendix C). */
export const EXIT_REASONS: Readonly<Record<number, string>> = {
  0: "exception or NMI",
  1: "external interrupt",
  2: "triple fault",
  3: "INIT",
  4: "SIPI",
  6: "other SMI",
  7: "interrupt window",
  8: "NMI window",
  9: "task switch",
  10: "CPUID",
  12: "HLT",
  13: "INVD",
  15: "RDPMC",
  18: "VMCALL",
  28: "control-register access",
  29: "MOV DR",
  30: "I/O instruction",
  31: "RDMSR",
  32: "WRMSR",
  36: "MWAIT",
  37: "monitor trap flag",
  39: "MONITOR",
  40: "PAUSE",
  41: "machine-check event during VM entry",
  43: "TPR below threshold",
  48: "EPT violation",
  49: "EPT misconfiguration",
  54: "WBINVD",
  55: "XSETBV",
  57: "RDRAND",
  58: "INVPCID",
  61: "RDSEED",
  63: "XSAVES",
  64: "XRSTORS",
  67: "UMWAIT",
  68: "TPAUSE",
  74: "bus lock",
  75: "notify",
  77: "TDCALL",
};

function detailKindOf(code: number, lo: number): DetailKind {
  if (MSR_DETAIL.has(code)) return "MSR";
  if (EXIT_CODES.has(code)) return "exit reason";
  if (OPERAND_DETAIL.has(code)) return "operand";
  if (lo === 0) return "none";
  if (code === codes.TDX_SUCCESS) return "exit reason";
  return operandNames[lo] === undefined ? "number" : "operand";
}

function detailText(kind: DetailKind, lo: number): string {
  if (kind === "none") return "";
  if (kind === "operand") return operandNames[lo] ?? `operand ${lo}`;
  if (kind === "exit reason")
    return `exit reason ${lo & 0xffff} (${EXIT_REASONS[lo & 0xffff] ?? "no VM exit of a TD"})`;
  return `${kind === "number" ? "" : `${kind} `}0x${lo.toString(16)}`;
}

/** What RAX means after a call: `hi` is bits 63:32, `lo` bits 31:0. */
export function decodeStatus(hi: number, lo: number): Status {
  const code = hi >>> 0;
  const cls = (code >>> 8) & 0xff;
  const detailKind = detailKindOf(code, lo >>> 0);
  return {
    hi: code,
    lo: lo >>> 0,
    name: names.get(code),
    error: code >>> 31 !== 0,
    nonRecoverable: ((code >>> 30) & 1) !== 0,
    fatal: ((code >>> 29) & 1) !== 0,
    class: cls,
    className: CLASS_NAMES[cls] || `class ${cls}`,
    detailKind,
    detail: detailText(detailKind, lo >>> 0),
  };
}

/** Whether a call did not succeed, by bits 63:32 of its status: the error or the non-recoverable bit is set. */
export function isFailure(hi: number): boolean {
  return hi >>> 30 !== 0;
}

/** A status in one line: `TDX_OPERAND_BUSY(RCX)`; a code without a name in hexadecimal. */
export function statusText(hi: number, lo: number): string {
  const { name, detail } = decodeStatus(hi, lo);
  if (name === undefined) return `no TDX status (${formatU64(lo, hi)})`;
  return detail === "" ? name : `${name}(${detail})`;
}

/** Bits 63:32 of the status with this name; undefined if there is none. */
export function statusOf(name: string): number | undefined {
  return values.get(name);
}
