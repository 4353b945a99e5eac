/**
 * A TDX platform with the TDX module loaded: what flows, logs and the debugger drive. An LP issues SEAMCALLs with its
 * general registers (platform.readGpr, writeGpr); while it runs a guest it performs guest actions.
 */
import { RAX } from "../arch/registers.ts";
import { BLOCK_TAG_MODULE } from "../platform/blocks.ts";
import { defaultPlatform, type PlatformConfig } from "../platform/config.ts";
import { LP_GUEST_TDVPR, LP_MODULE } from "../platform/lp.ts";
import { Platform } from "../platform/platform.ts";
import { BLOCK_WORDS, Store } from "../state/store.ts";
import { Call, Completion } from "./call.ts";
import { dispatch } from "./dispatch.ts";
import { dispatch as runDispatch } from "./dispatch.ts?run";
import { type GuestAction, GuestActionError, type GuestResult, type InjectedEvent } from "./guest/actions.ts";
import { injectedEvent } from "./guest/events.ts";
import { perform, resultOfExit } from "./guest/processor.ts";
import { bindVcpu, keepsLock } from "./guest/running.ts";
import { vmExit } from "./guest/vm-exit.ts";
import { vmExit as runVmExit } from "./guest/vm-exit.ts?run";
import { LP_IS_BUSY } from "./local-data.ts";
import type { Steps } from "./step.ts";
import { HANDOFF_WORDS, SYS_HANDOFF, SYS_WORDS } from "./sys.ts";

export class Machine {
  readonly store: Store;
  readonly platform: Platform;
  /** First cell of the module's global data (sys.ts). */
  readonly sys: number;
  /** The call that each LP is in, or was in last. */
  readonly calls: readonly Call[];
  /** The stepped entries that have not finished, by LP. */
  private readonly open: (Entry | undefined)[] = [];

  constructor(store: Store = new Store(), config: PlatformConfig = defaultPlatform) {
    this.store = store;
    this.platform = new Platform(store, config);
    this.sys = store.allocate(BLOCK_TAG_MODULE);
    for (let i = 1; i < Math.ceil(SYS_WORDS / BLOCK_WORDS); i++) store.allocate(BLOCK_TAG_MODULE + i); // adjacent blocks: one range of cells
    this.calls = Array.from({ length: this.platform.lps }, (_, lp) => new Call(this.platform, lp, this.sys));
  }

  /** True while a guest runs on the LP. */
  inGuest(lp: number): boolean {
    return this.store.readNumber(this.platform.lpCell(lp) + LP_GUEST_TDVPR) !== 0;
  }

  /** True while no LP is inside the module: then a call may run as one. */
  get quiescent(): boolean {
    for (let lp = 0; lp < this.open.length; lp++) if (this.open[lp] !== undefined) return false;
    return true;
  }

  /** Runs a SEAMCALL on the LP to its end: from its registers, or with `operands` in them (low and high half of each). */
  seamcall(lp: number, operands?: Readonly<Uint32Array>): void {
    if (!this.quiescent) {
      if (operands !== undefined) this.platform.writeGprs(lp, operands);
      const entry = this.beginSeamcall(lp);
      while (entry.step() !== undefined);
      return;
    }
    const call = this.enter(lp, false, true, operands);
    try {
      runDispatch(call);
    } catch (error) {
      failed(call, error);
    }
    leave(call);
  }

  /** Starts a SEAMCALL that is stepped: it stands before its first step. */
  beginSeamcall(lp: number): Entry {
    return this.begin(this.enter(lp, false, false), dispatch);
  }

  /**
   * The guest on the LP does something, with the LP's general registers as its own, and what that brings about is run to its
   * end. Throws a GuestActionError if it cannot.
   */
  guest(lp: number, action: GuestAction): GuestResult {
    if (!this.quiescent) {
      const entry = this.beginGuest(lp, action);
      while (entry.step() !== undefined);
      return this.guestResult(lp);
    }
    const call = this.guestCall(lp);
    const result = perform(call, action);
    call.guestResult = result;
    if (result !== undefined) return result;
    this.enter(lp, true, true);
    try {
      runVmExit(call);
    } catch (error) {
      failed(call, error);
    }
    leave(call);
    return this.guestResult(lp);
  }

  /** As `guest`, stepped; an action that does not enter the module gives an entry that has ended. */
  beginGuest(lp: number, action: GuestAction): Entry {
    const call = this.guestCall(lp);
    const result = perform(call, action);
    call.guestResult = result;
    if (result !== undefined) {
      call.reset(true, false);
      return this.begin(call, nothing);
    }
    return this.begin(this.enter(lp, true, false), vmExit);
  }

  /** How the LP's last guest action ended. */
  guestResult(lp: number): GuestResult {
    const call = this.calls[lp] as Call;
    return call.guestResult ?? resultOfExit(call, this.inGuest(lp));
  }

  /** The event that the last entry to the guest on the LP, by TDH.VP.ENTER or after a VM exit, delivers. */
  injectedEvent(lp: number): InjectedEvent | undefined {
    return injectedEvent(this.guestCall(lp));
  }

  /** The stepped entry that the LP is in. */
  openEntry(lp: number): Entry | undefined {
    return this.open[lp];
  }

  /**
   * Loads the module again, after TDH.SYS.SHUTDOWN: its global and per-LP data start afresh, save what it left for its successor.
   * Memory stays.
   */
  reload(): void {
    for (let word = 0; word < SYS_WORDS; word++) {
      if (word < SYS_HANDOFF || word >= SYS_HANDOFF + HANDOFF_WORDS) this.store.write(this.sys + word, 0);
    }
    for (let lp = 0; lp < this.platform.lps; lp++) {
      const cell = this.platform.lpCell(lp);
      for (let word = LP_MODULE; word < BLOCK_WORDS; word++) this.store.write(cell + word, 0);
    }
  }

  /** Whether the guest on the LP keeps a lock for as long as it runs. */
  keepsLock(lp: number, cell: number): boolean {
    return keepsLock(this.calls[lp] as Call, cell);
  }

  /** Drops all stepped entries: the store has gone back to a mark before they began. */
  forgetEntries(): void {
    this.open.length = 0;
  }

  /** The store has gone back: drops the stepped entries that have moved since. The others stand where they stood then. */
  rewound(): void {
    for (const entry of this.open) {
      if (entry !== undefined && entry.movedAt >= this.store.now) this.open[entry.call.lp] = undefined;
    }
  }

  /** What came after this mark is one step now. */
  joined(mark: number): void {
    for (const entry of this.open) if (entry !== undefined) entry.movedAt = Math.min(entry.movedAt, mark);
  }

  private guestCall(lp: number): Call {
    const call = this.calls[lp] as Call;
    if (this.open[lp] !== undefined) throw new GuestActionError(`LP ${lp} is inside the module`);
    if (!this.inGuest(lp)) throw new GuestActionError(`no guest runs on LP ${lp}`);
    bindVcpu(call);
    return call;
  }

  private enter(lp: number, isGuest: boolean, atomic: boolean, operands?: Readonly<Uint32Array>): Call {
    const call = this.calls[lp] as Call;
    if (this.open[lp] !== undefined) throw new Error(`LP ${lp} is inside the module`);
    if (!isGuest && this.inGuest(lp)) throw new Error(`a guest runs on LP ${lp}`);
    this.platform.enterModule();
    call.reset(isGuest, atomic, operands);
    return call;
  }

  private begin(call: Call, leaf: (call: Call) => Steps): Entry {
    this.store.write(call.lpCell + LP_IS_BUSY, 1);
    const entry = new Entry(call, leaf(call), () => {
      this.open[call.lp] = undefined;
    });
    if (entry.next !== undefined) this.open[call.lp] = entry; // an action without steps has ended already
    return entry;
  }
}

/** The steps of an action that the module has no part in. */
function* nothing(): Steps {}

/** Hears of each step of an entry. */
export interface StepListener {
  /** A step comes next. */
  moves(entry: Entry): void;
  /** A step is done; the entry may have ended. */
  moved(entry: Entry): void;
}

/** A leaf that is run step by step. */
export class Entry {
  readonly call: Call;
  listener: StepListener | undefined;
  /** Trace of the step that comes next (step.ts); undefined when the leaf has ended. */
  next: string | undefined;
  /** The store's latest mark when it moved last. */
  movedAt = 0;
  private readonly steps: Steps;
  private readonly onEnd: () => void;

  constructor(call: Call, steps: Steps, onEnd: () => void) {
    this.call = call;
    this.steps = steps;
    this.onEnd = onEnd;
    this.advance();
  }

  /** Runs the next step. Returns the trace of the one after it, or undefined at the end of the leaf. */
  step(): string | undefined {
    this.listener?.moves(this);
    const next = this.advance();
    this.listener?.moved(this);
    return next;
  }

  private advance(): string | undefined {
    this.movedAt = this.call.store.now;
    try {
      const result = this.steps.next();
      if (!result.done) {
        this.next = result.value;
        return result.value;
      }
    } catch (error) {
      failed(this.call, error);
    }
    this.next = undefined;
    leave(this.call);
    this.onEnd();
    return undefined;
  }
}

/** Takes over how a leaf ended early; anything else than a completion status is a defect of the module and goes on up. */
function failed(call: Call, error: unknown): void {
  if (!(error instanceof Completion)) throw error;
  call.statusHi = error.hi;
  call.statusLo = error.lo;
  call.why = error.why;
}

/** The end of every entry: what is still locked is released, and the host sees the status. */
function leave(call: Call): void {
  if (!call.atomic) call.store.write(call.lpCell + LP_IS_BUSY, 0);
  call.releaseAll();
  if (!call.ownRegisters) call.set(RAX, call.statusLo, call.statusHi);
  call.joinRegisters();
}
