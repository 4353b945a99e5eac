/** What the unit that comes next may do, from the code where the flow stands. */
import type { FlowProgram, FlowStatement } from "../language/flow-code.ts";
import { FIBER_DEPTH, FRAME_PC } from "../runtime/fibers.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { calleesOf, type UnitScan, UnitScans } from "./unit-scan.ts";

export class NextUnit {
  private readonly runtime: Runtime;
  private readonly program: FlowProgram;
  private readonly scans: UnitScans;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
    this.program = runtime.program;
    this.scans = new UnitScans(runtime.program);
  }

  /** Of a frame of the fiber that moves next; `level` 0 is the outermost. */
  private scan(fiber: number, level: number): UnitScan {
    const { state, store } = this.runtime;
    const frame = state.fibers.frame(fiber, level);
    return this.scans.at(state.functionOf(frame), store.read(frame + FRAME_PC));
  }

  private get fiber(): number {
    return this.runtime.state.active(this.runtime.task);
  }

  private get depth(): number {
    return this.runtime.state.fibers.read(this.fiber, FIBER_DEPTH);
  }

  /** Whether it may end in the same function. */
  get mayStay(): boolean {
    return this.scan(this.fiber, this.depth - 1).stays;
  }

  /** Whether it may call a leaf whose flag is set, or any. */
  mayCall(flags: Readonly<Uint8Array> | undefined): boolean {
    const { fiber } = this;
    const isGuest = this.runtime.state.isGuest(fiber);
    for (let level = this.depth - 1; level >= 0; level--) {
      const scan = this.scan(fiber, level);
      // What a guest does can end its TDH.VP.ENTER.
      if (isGuest && (scan.builtins || scan.returns || scan.calls.length > 0)) return true;
      const callees = calleesOf(this.program, scan);
      if (callees === undefined) return true;
      if (flags === undefined ? callees.length > 0 : callees.some((callee) => flags[callee] === 1)) return true;
      if (!scan.returns) return false;
    }
    return isGuest;
  }

  /** Callees of the unit that begins with a statement; undefined: the code does not tell. */
  calleesFrom(statement: number): readonly number[] | undefined {
    const { fn, pc } = this.program.statements[statement] as FlowStatement;
    return this.scans.calleesFrom(fn, pc);
  }

  /** Whether it makes one call of the module and nothing else can stop it. */
  get callsOnce(): boolean {
    const { fiber, depth } = this;
    if (this.runtime.state.isGuest(fiber) || depth === 0) return false;
    const scan = this.scan(fiber, depth - 1);
    return !scan.returns && calleesOf(this.program, scan)?.length === 1;
  }
}
