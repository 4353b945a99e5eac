/**
 * Writes a SEAMCALL log: the same format that replay reads (test/vectors/README.md).
 */

import { RAX, RSP, registerNames } from "../../arch/registers.ts";
import { formatU64 } from "../../arch/u64.ts";
import type { GuestAction, GuestResult, InjectedEvent } from "../../module/guest/actions.ts";
import type { MemoryRange, PlatformConfig } from "../../platform/config.ts";
import type { HostChange } from "../../platform/platform.ts";
import { GUEST_LEAF } from "../hooks.ts";
import { leafName } from "../leaf-call.ts";
import { eventText, type RegisterFile, toHex } from "./outcome.ts";

const REGISTERS = registerNames.length;

const range = ({ base, size }: MemoryRange): object => ({
  base: `0x${base.toString(16)}`,
  size: `0x${size.toString(16)}`,
});

/** Name of the leaf that RAX[15:0] asks for. */
function calledLeaf(file: RegisterFile, guest: boolean): string {
  return leafName(((file[2 * RAX] as number) & 0xffff) + (guest ? GUEST_LEAF : 0));
}

/** Registers for which `take` holds, by name. */
function registers(file: RegisterFile, take: (register: number) => boolean): Record<string, string> {
  const found: Record<string, string> = {};
  for (let register = 0; register < REGISTERS; register++) {
    if (!take(register)) continue;
    found[registerNames[register] as string] = formatU64(
      file[2 * register] as number,
      file[2 * register + 1] as number,
    );
  }
  return found;
}

const isSet = (file: RegisterFile, register: number): boolean =>
  file[2 * register] !== 0 || file[2 * register + 1] !== 0;

const differs = (a: RegisterFile, b: RegisterFile, register: number): boolean =>
  a[2 * register] !== b[2 * register] || a[2 * register + 1] !== b[2 * register + 1];

const nonZero = (file: RegisterFile): Record<string, string> =>
  registers(file, (register) => register !== RSP && isSet(file, register));

/** The fields of a guest action; absent ones are zero. */
function actionFields(action: GuestAction): object {
  switch (action.action) {
    case "advance":
      return { bytes: action.bytes };
    case "access": {
      const { gpa, kind, data, length } = action;
      const hex = kind === "w" && data !== undefined ? { hex: toHex(data) } : {};
      return {
        gpa: `0x${gpa.toString(16)}`,
        kind,
        ...hex,
        ...(kind === "r" && length !== undefined ? { len: length } : {}),
      };
    }
    case "vmexit": {
      const fields = {
        reason: action.reason,
        qual: action.qualification,
        intr: action.interruption,
        intrerr: action.interruptionError,
        gpa: action.gpa,
        gla: action.gla,
        ilen: action.instructionLength,
        iinfo: action.instructionInformation,
        idtvec: action.idtVectoring,
        idterr: action.idtVectoringError,
      };
      const given = Object.entries(fields).filter(([name, value]) => name === "reason" || (value && value !== 0n));
      return Object.fromEntries(given.map(([name, value]) => [name, `0x${(value as number | bigint).toString(16)}`]));
    }
    default:
      return {};
  }
}

export class LogWriter {
  private readonly sink: (line: string) => void;

  /** @param sink takes each line, without its end */
  constructor(sink: (line: string) => void, platform: PlatformConfig, name: string) {
    this.sink = sink;
    const { cmrs, memory: _memory, seamrr, entropySeed, packages, ...rest } = platform;
    this.put({
      tdxlog: 1,
      name,
      family: "flow",
      desc: "",
      platform: {
        ...rest,
        packages,
        lps: packages.flat().length,
        cmrs: cmrs.map(range),
        seamrr: range(seamrr),
        entropy: { kind: "splitmix64", seed: entropySeed },
      },
    });
  }

  write(hpa: number, bytes: Uint8Array): void {
    this.put({ op: "write", hpa: `0x${hpa.toString(16)}`, hex: toHex(bytes) });
  }

  /** A host changes something beside memory. */
  change(change: HostChange): void {
    if (change.op !== "msr") return this.put(change);
    const { op, lp, msr, lo, hi } = change;
    this.put({ op, lp, msr: `0x${msr.toString(16)}`, value: formatU64(lo, hi) });
  }

  /** A SEAMCALL that returned. */
  seamcall(op: "seamcall" | "finish", lp: number, before: RegisterFile, after: RegisterFile): void {
    const out = registers(after, (register) => register === RAX || differs(before, after, register));
    this.put({ ...this.called(op, lp, before), out });
  }

  /** A TDH.VP.ENTER that went into the guest, whose registers are `guest`. */
  enter(
    op: "seamcall" | "finish",
    lp: number,
    before: RegisterFile,
    guest: RegisterFile,
    event: InjectedEvent | undefined,
  ): void {
    const inject = event === undefined ? {} : { inject: eventText(event) };
    const enter = { ...nonZero(guest), ...inject };
    this.put({ ...this.called(op, lp, before), enter });
  }

  /** What a call was made with: `finish` refers to its `begin`. */
  private called(op: "seamcall" | "finish", lp: number, before: RegisterFile): object {
    return op === "finish" ? { op, lp } : { op, lp, fn: calledLeaf(before, false), in: this.host(before) };
  }

  /** A call that stands behind its n-th lock while other things happen. `action`: what a guest does. */
  begin(lp: number, before: RegisterFile, action: GuestAction | undefined, n: number): void {
    const input = action === undefined ? this.host(before) : nonZero(before);
    const what = action === undefined ? {} : { action: action.action, ...actionFields(action) };
    const fn = action === undefined || action.action === "tdcall" ? calledLeaf(before, action !== undefined) : "";
    this.put({ op: "begin", lp, ...what, fn, in: input, hold: { lock: "the call's own", n } });
  }

  /** What a guest did. After a TD exit `after` are the host's registers. */
  guest(
    name: "guest" | "finish",
    lp: number,
    action: GuestAction,
    before: RegisterFile,
    result: GuestResult,
    after: RegisterFile,
  ): void {
    const input = result.kind === "none" ? {} : { in: nonZero(before) };
    const fn = action.action === "tdcall" ? { fn: calledLeaf(before, true) } : {};
    const own = { action: action.action, ...actionFields(action), ...input, ...fn };
    const op = { op: name, lp, ...(name === "guest" && own) };
    switch (result.kind) {
      case "none":
        this.put(op);
        break;
      case "ok":
        this.put({ ...op, ok: true, ...(result.data === undefined ? {} : { hex: toHex(result.data) }) });
        break;
      case "native":
        this.put({ ...op, native: true });
        break;
      case "exit":
        this.put({ ...op, exit: this.host(after) });
        break;
      case "resume": {
        const resume = registers(after, (register) => differs(before, after, register));
        const rip = result.rip === 0 ? {} : { rip: result.rip };
        const inject = result.injected === undefined ? {} : { inject: eventText(result.injected) };
        this.put({ ...op, resume, ...rip, ...inject });
      }
    }
  }

  /** Registers of the host: RAX always, others unless 0. */
  private host(file: RegisterFile): Record<string, string> {
    return registers(file, (register) => register === RAX || isSet(file, register));
  }

  private put(line: object): void {
    this.sink(JSON.stringify(line));
  }
}
