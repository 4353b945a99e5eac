/**
 * The SEAMCALL log: JSON Lines, a header with the platform and then one operation a line. test/vectors/README.md describes
 * it; these are its lines as they are after JSON.parse (parse.ts). Addresses and register values are hexadecimal texts.
 */
import type { PlatformConfig } from "../../platform/config.ts";

/** Register values by lower-case name. */
export type Registers = Readonly<Record<string, string>>;

export interface LogHeader {
  readonly name: string;
  readonly family: string;
  readonly description: string;
  readonly platform: PlatformConfig;
}

/** How an entry to the module ended: exactly one of the results. */
export interface Outcome {
  /** SEAMCALL: RAX, and each other register whose value differs from the one before. */
  readonly out?: Registers;
  /** TDH.VP.ENTER into the guest: its registers that are not zero, and `inject` for an event that is injected. */
  readonly enter?: Registers;
  /** The access went through; `hex` is what was read. */
  readonly ok?: true;
  readonly native?: true;
  /** Back in the guest: its registers that changed. */
  readonly resume?: Registers;
  /** How far RIP moved. */
  readonly rip?: number;
  /** Event injected with `resume`: interruption information, and error code after a colon. */
  readonly inject?: string;
  /** TD exit: all registers of the host that are not zero. */
  readonly exit?: Registers;
  readonly hex?: string;
}

export interface GuestFields {
  readonly action: string;
  readonly in?: Registers;
  readonly bytes?: number;
  readonly gpa?: string;
  readonly kind?: "r" | "w" | "x";
  readonly len?: number;
  readonly reason?: string;
  readonly qual?: string;
  readonly intr?: string;
  readonly intrerr?: string;
  readonly gla?: string;
  readonly ilen?: string;
  readonly iinfo?: string;
  readonly idtvec?: string;
  readonly idterr?: string;
}

/** Registers, or byte ranges of `hex`, that are not compared. */
export type Mask = readonly string[] | readonly (readonly [offset: number, length: number])[];

/** What is no entry to the module. */
export type PlatformOp =
  | { readonly op: "write"; readonly hpa: string; readonly hex: string }
  | { readonly op: "fill"; readonly hpa: string; readonly byte: number; readonly len: number }
  | { readonly op: "intr"; readonly after: number; readonly pending: number }
  | { readonly op: "inject"; readonly what: "pconfig" | "rdseed" | "rdrand" | "verify"; readonly value: number }
  | { readonly op: "msr"; readonly lp: number; readonly msr: string; readonly value: string }
  | CpuidOp
  | { readonly op: "reload" }
  | { readonly op: "tsc"; readonly add: string };

export type LogOp = PlatformOp | ReadOp | SeamcallOp | GuestOp | BeginOp | FinishOp;

export interface ReadOp {
  readonly op: "read";
  readonly hpa: string;
  readonly len: number;
  readonly hex: string;
  readonly mask?: Mask;
}

export interface SeamcallOp extends Outcome {
  readonly op: "seamcall";
  readonly lp: number;
  readonly fn: string;
  readonly in: Registers;
  readonly repeat?: number;
  readonly mask?: Mask;
}

export interface CpuidOp {
  readonly op: "cpuid";
  readonly lp: number;
  readonly leaf: string;
  readonly subleaf: string;
  readonly eax: string;
  readonly ebx: string;
  readonly ecx: string;
  readonly edx: string;
}

export interface GuestOp extends Outcome, GuestFields {
  readonly op: "guest";
  readonly lp: number;
  readonly fn?: string;
  readonly mask?: Mask;
}

/** A call, or with `action` what a guest does, that is suspended after its n-th acquisition of a lock. */
export interface BeginOp extends Partial<GuestFields> {
  readonly op: "begin";
  readonly lp: number;
  readonly fn: string;
  readonly in?: Registers;
  readonly hex?: string;
  readonly hold: { readonly lock: string; readonly id?: string; readonly n: number };
}

export interface FinishOp extends Outcome {
  readonly op: "finish";
  readonly lp: number;
  readonly mask?: Mask;
}
