/**
 * What a guest does on an LP, and how that ends. The guest's general registers are the LP's own (platform.writeGpr) while
 * the LP is in guest mode: whoever drives the guest sets them before the action and reads them after it.
 */

/** The guest has switched itself to 64-bit mode; until then TDCALL gets #GP. Ends with "none". */
export interface LongModeAction {
  readonly action: "longmode";
}

/** RIP moves on by so many bytes without any exit. Ends with "none". */
export interface AdvanceAction {
  readonly action: "advance";
  readonly bytes: number;
}

/** TDCALL (4 bytes), CPUID, RDMSR, WRMSR (2 bytes each), with operands in the general registers. */
export interface InstructionAction {
  readonly action: "tdcall" | "cpuid" | "rdmsr" | "wrmsr";
}

/** A memory access through the EPT, by a 3-byte instruction; all of it in one page. */
export interface AccessAction {
  readonly action: "access";
  /** Guest-physical address, in bytes. */
  readonly gpa: number;
  readonly kind: "r" | "w" | "x";
  /** What is written. */
  readonly data?: Uint8Array;
  /** Bytes read; 8 if absent. */
  readonly length?: number;
}

/** Any other VM exit, with the exit fields of the VMCS as given; absent ones are 0. */
export interface VmExitAction {
  readonly action: "vmexit";
  /** Exit reason, all 32 bits. */
  readonly reason: number;
  readonly qualification?: bigint;
  /** VM-exit interruption information and error code. */
  readonly interruption?: number;
  readonly interruptionError?: number;
  readonly gpa?: bigint;
  readonly gla?: bigint;
  readonly instructionLength?: number;
  readonly instructionInformation?: number;
  /** IDT-vectoring information and error code. */
  readonly idtVectoring?: number;
  readonly idtVectoringError?: number;
}

export type GuestAction = LongModeAction | AdvanceAction | InstructionAction | AccessAction | VmExitAction;

/** An event that a VM entry delivers to the guest. */
export interface InjectedEvent {
  /** VM-entry interruption information: vector in bits 7:0, type in 10:8, bit 11 error code valid, bit 31 valid. */
  readonly information: number;
  /** Only if bit 11 of the information is set. */
  readonly errorCode: number | undefined;
}

/**
 * How an action ended:
 * - none: nothing entered the module (`longmode`, `advance`);
 * - ok: the access went through, with the bytes that were read;
 * - native: the MSR bitmap lets the access through, the processor did it without an exit;
 * - resume: the module went back to the guest; `rip` is how far RIP has moved (modulo 2^64, as a signed number);
 * - exit: TD exit. The LP's registers are the host's again, and TDH.VP.ENTER has returned.
 */
export type GuestResult =
  | { readonly kind: "none" }
  | { readonly kind: "ok"; readonly data: Uint8Array | undefined }
  | { readonly kind: "native" }
  | { readonly kind: "resume"; readonly rip: number; readonly injected: InjectedEvent | undefined }
  | { readonly kind: "exit" };

/** The action cannot be done: no guest runs on the LP, or its operands are out of range. */
export class GuestActionError extends Error {}
