/**
 * One entry to the TDX module on one LP: a SEAMCALL, or a guest's TDCALL or VM exit. A leaf reads and writes the LP's
 * registers through it, and it knows which locks the leaf holds. It lives as long as the leaf runs; nothing here is state
 * that outlives the leaf, and a leaf that is stopped in the middle is brought back by running it again from its start.
 */

import { highHalf, lowHalf, toBig } from "../arch/u64.ts";
import { LP_GPR } from "../platform/lp.ts";
import type { Memory } from "../platform/memory.ts";
import type { Platform } from "../platform/platform.ts";
import type { Store } from "../state/store.ts";
import type { GuestResult } from "./guest/actions.ts";
import { releaseLock } from "./lock-words.ts";
import type { Steps } from "./step.ts";

/** A leaf function. */
export type Leaf = (call: Call) => Steps;

/** How a leaf ended when it did not run to its last line. Thrown, so that a failed check in a shared step ends the leaf. */
export class Completion {
  /** Bits 63:32 and 31:0 of RAX. */
  hi = 0;
  lo = 0;
  /** The values that the failed check compared, in words, where the leaf gives them. */
  why = "";
}

/** The only instance: an LP's call is over when it is thrown, and the driver copies it at once. */
const completion = new Completion();

/** Thrown when an entry is over before its leaf's last line and the registers are already what they are to be. */
export const entryOver = new Completion();

/** Ends an entry from a guest: it went to the host, or back to the guest with an exception. */
export function endEntry(): never {
  throw entryOver;
}

/** Ends the leaf with this status. `code` is bits 63:32 of RAX (arch/generated/status-codes.ts), `detail` bits 31:0. */
export function fail(code: number, detail = 0, why = ""): never {
  completion.hi = code >>> 0;
  completion.lo = detail >>> 0;
  completion.why = why;
  throw completion;
}

export class Call {
  readonly platform: Platform;
  readonly store: Store;
  readonly memory: Memory;
  readonly lp: number;
  /** First cell of the LP's block (platform/lp.ts). */
  readonly lpCell: number;
  /** First cell of the module's global data (sys.ts). */
  readonly sys: number;

  /** True for TDCALLs and VM exits: their lock acquisitions yield to a host that waits. */
  isGuest = false;
  /** True when nothing can run between two steps: locks that are free again at the end then leave no journal entries. */
  atomic = true;
  /** Leaf number, RAX[15:0], and version, RAX[23:16]. */
  leaf = 0;
  version = 0;
  /** Successful lock acquisitions so far. */
  acquisitions = 0;
  /** Status of a leaf that runs to its end: bits 63:32 and 31:0 of RAX. */
  statusHi = 0;
  statusLo = 0;
  /** Why the leaf failed, where the failed check says so. */
  why = "";
  /** Cell of the lock that the leaf could not have last, or -1. */
  refused = -1;
  /** The leaf left the registers (RAX included) as they are to be: it entered a guest, or went back to one or to the host. */
  ownRegisters = false;

  /** First cells of what belongs to the VCPU that runs on the LP, in an entry from a guest: TDR, TDCS, TDVPR. */
  tdr = 0;
  tdcs = 0;
  tdvpr = 0;
  /** `vmcs` + VMCS_X (layout.ts) is a field of its VMCS. */
  vmcs = 0;
  /** The guest's leaf stopped for an interrupt: RIP and RAX stay, so that it is called again. */
  interrupted = false;
  /** How the guest's last action ended, if the module had no part in it. */
  guestResult: GuestResult | undefined = undefined;
  /** Guest RIP (low word) at the VM exit: the result of a guest's action says how far it moved. */
  ripAtExit = 0;

  private readonly gpr: number;
  /** The general registers as they were at entry: a leaf's operands stay readable while it prepares its outputs. */
  private readonly input = new Uint32Array(32);
  /** The general registers as they will be at the end, while the LP's own do not follow (`isApart`). */
  private readonly output = new Uint32Array(32);
  private isApart = false;
  /** Locks held, oldest first: cell and kind (lock-words.ts) of each. */
  private readonly heldCells: number[] = [];
  private readonly heldKinds: number[] = [];
  private heldCount = 0;

  constructor(platform: Platform, lp: number, sys: number) {
    this.platform = platform;
    this.store = platform.store;
    this.memory = platform.memory;
    this.lp = lp;
    this.lpCell = platform.lpCell(lp);
    this.gpr = this.lpCell + LP_GPR;
    this.sys = sys;
  }

  /**
   * Makes the object ready for a new entry. With `operands`, low and high half of each general register, the LP's registers go
   * from what they are to what the leaf leaves in them at once, when it has ended: nobody sees them in between, and history
   * keeps one change of each.
   */
  reset(isGuest: boolean, atomic: boolean, operands?: Readonly<Uint32Array>): void {
    this.isGuest = isGuest;
    this.atomic = atomic;
    this.acquisitions = 0;
    this.statusHi = 0;
    this.statusLo = 0;
    this.why = "";
    this.refused = -1;
    this.ownRegisters = isGuest;
    this.interrupted = false;
    this.heldCount = 0;
    this.isApart = operands !== undefined;
    if (operands === undefined) this.store.load(this.gpr, this.input);
    else {
      this.input.set(operands);
      this.output.set(operands);
    }
    this.leaf = (this.input[0] as number) & 0xffff;
    this.version = ((this.input[0] as number) >>> 16) & 0xff;
  }

  // ---- registers (arch/registers.ts): read as they were at entry, written as they will be at the end ----

  lo(register: number): number {
    return this.input[register * 2] as number;
  }

  hi(register: number): number {
    return this.input[register * 2 + 1] as number;
  }

  /** A register as a number. Exact below 2^53; anything above is no valid address, whatever its low bits. */
  num(register: number): number {
    return (this.input[register * 2 + 1] as number) * 0x1_0000_0000 + (this.input[register * 2] as number);
  }

  big(register: number): bigint {
    return toBig(this.input[register * 2] as number, this.input[register * 2 + 1] as number);
  }

  set(register: number, lo: number, hi: number): void {
    if (this.isApart) {
      this.output[register * 2] = lo;
      this.output[register * 2 + 1] = hi;
      return;
    }
    this.store.write(this.gpr + register * 2, lo);
    this.store.write(this.gpr + register * 2 + 1, hi);
  }

  setNum(register: number, value: number): void {
    this.set(register, value >>> 0, Math.floor(value / 0x1_0000_0000));
  }

  setBig(register: number, value: bigint): void {
    this.set(register, lowHalf(value), highHalf(value));
  }

  /** The LP's registers become what the leaf has left so far, and follow it from here on: at its end, or before a guest's take over. */
  joinRegisters(): void {
    if (!this.isApart) return;
    this.isApart = false;
    this.store.save(this.gpr, this.output);
  }

  // ---- memory ----

  /** The module is about to write the page at `hpa` with this KeyID: from now on it is that KeyID's (platform/keyed-memory.ts). */
  claimPage(hpa: number, hkid: number): void {
    this.platform.keyed.writePage(hpa, hkid, this.platform.packageOf[this.lp] as number);
  }

  // ---- locks ----

  /** Notes a lock that was just taken. */
  hold(cell: number, kind: number): void {
    const at = this.heldCount++;
    this.heldCells[at] = cell;
    this.heldKinds[at] = kind;
    this.acquisitions++;
  }

  /** The kind in which this call holds the lock at `cell`, or -1. */
  holds(cell: number): number {
    const index = this.indexOfHeld(cell);
    return index < 0 ? -1 : (this.heldKinds[index] as number);
  }

  /** Changes how a lock is held (promotion, demotion); a promotion counts as an acquisition. */
  rehold(cell: number, kind: number): void {
    this.heldKinds[this.indexOfHeld(cell)] = kind;
    this.acquisitions++;
  }

  /** Releases one lock before the end of the leaf. */
  release(cell: number): void {
    const kind = this.forget(cell);
    if (kind >= 0) releaseLock(this, cell, kind);
  }

  /** Drops a lock from the list without releasing it: it is kept past the end of the call, or vanished with its entry. */
  forget(cell: number): number {
    const index = this.indexOfHeld(cell);
    if (index < 0) return -1;
    const kind = this.heldKinds[index] as number;
    this.heldCount--;
    for (let i = index; i < this.heldCount; i++) {
      this.heldCells[i] = this.heldCells[i + 1] as number;
      this.heldKinds[i] = this.heldKinds[i + 1] as number;
    }
    return kind;
  }

  /** Releases everything that is still held, latest first: the end of each leaf, however it ends. */
  releaseAll(): void {
    for (let i = this.heldCount - 1; i >= 0; i--) {
      releaseLock(this, this.heldCells[i] as number, this.heldKinds[i] as number);
    }
    this.heldCount = 0;
  }

  /** The locks held now, for the debugger. */
  get held(): readonly { cell: number; kind: number }[] {
    return this.heldCells.slice(0, this.heldCount).map((cell, i) => ({ cell, kind: this.heldKinds[i] as number }));
  }

  /** Index of the latest hold of the lock at `cell`, or -1. */
  private indexOfHeld(cell: number): number {
    let index = this.heldCount - 1;
    while (index >= 0 && this.heldCells[index] !== cell) index--;
    return index;
  }
}
