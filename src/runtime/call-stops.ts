/** The places before and behind calls of the module at which whoever drives the run can have it stop (hooks.ts). */
import { TDH_VP_ENTER } from "../arch/generated/leaves.ts";
import { TDX_SUCCESS } from "../arch/generated/status-codes.ts";
import { RAX, registerNames } from "../arch/registers.ts";
import type { LeafCall } from "../language/flow-code.ts";
import { LP_GPR } from "../platform/lp.ts";
import { calleeOf, leafName } from "./leaf-call.ts";
import type { SessionState } from "./session-state.ts";

const REGISTER_WORDS = registerNames.length * 2;

export class CallStops {
  /** Places before and behind calls of leaves that were passed in this unit. */
  places = 0;
  /** In this unit a call had another status than plain success, or a TDH.VP.ENTER returned. */
  isNotable = false;
  private readonly state: SessionState;
  /** An LP's registers while somebody looks at those of a call that comes next. */
  private readonly hidden = new Uint32Array(REGISTER_WORDS);
  private readonly shown = new Uint32Array(REGISTER_WORDS);

  constructor(state: SessionState) {
    this.state = state;
  }

  beginUnit(): void {
    this.places = 0;
    this.isNotable = false;
  }

  /**
   * Whether to stop before a leaf is called, with its operands on the stack from `first` on. `registers`: what the LP's are to hold for
   * the call, if they do not yet. They do for whoever is asked.
   */
  before(
    task: number,
    lp: number,
    call: LeafCall,
    stack: readonly unknown[],
    first: number,
    registers?: Readonly<Uint32Array>,
  ): boolean {
    this.places++;
    const { machine, hooks } = this.state;
    if (hooks.leafEntry === undefined) return false;
    const callee = calleeOf(call, stack, first);
    if (hooks.leaves !== undefined && hooks.leaves[callee] !== 1) return false;
    const event = { task, lp, name: leafName(callee), guest: call.guest, callee };
    if (registers === undefined) return hooks.leafEntry(event);
    let stops = false;
    machine.platform.swapGprs(lp, registers, this.hidden);
    try {
      stops = hooks.leafEntry(event);
    } finally {
      machine.platform.swapGprs(lp, this.hidden, this.shown);
    }
    // For a probe they are as good as gone.
    if (stops && hooks.isProbe !== true) machine.platform.writeGprs(lp, registers);
    return stops;
  }

  /** Whether to stop before an instruction of the guest that is no TDCALL, by the name of its builtin. */
  beforeInstruction(task: number, lp: number, name: string): boolean {
    return this.state.hooks.guestEntry?.({ task, lp, name }) === true;
  }

  /** Whether to stop behind a leaf that has returned. */
  behind(task: number, lp: number, call: LeafCall, stack: readonly unknown[], first: number): boolean {
    this.places++;
    const { machine, hooks } = this.state;
    const rax = machine.platform.lpCell(lp) + LP_GPR + RAX * 2;
    const hi = machine.store.read(rax + 1);
    const callee = calleeOf(call, stack, first);
    const isPlain = hi === TDX_SUCCESS && callee !== TDH_VP_ENTER;
    if (!isPlain) this.isNotable = true;
    if (hooks.leafReturn === undefined) return false;
    if (isPlain && hooks.returnedLeaves !== undefined && hooks.returnedLeaves[callee] !== 1) return false;
    const event = { task, lp, name: leafName(callee), guest: call.guest, callee };
    return hooks.leafReturn(event, hi, machine.store.read(rax));
  }
}
