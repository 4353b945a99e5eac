/**
 * What the next unit of a flow may call, from its code alone: so that going back over a million units does not run each of
 * them to see whether it has a place to stop at. Rough on the safe side.
 */

import { TDH_VP_ENTER } from "../arch/generated/leaves.ts";
import type { FlowFunction, FlowProgram } from "../language/flow-code.ts";
import * as ops from "../language/flow-code.ts";
import { FunctionValue } from "../language/values.ts";
import { GUEST_LEAF } from "../runtime/hooks.ts";

const TARGETS = new Set<number>([
  ops.OP_JUMP,
  ops.OP_JUMP_IF_FALSE,
  ops.OP_NEXT_IN_RANGE,
  ops.OP_NEXT_IN_LIST,
  ops.OP_AND,
  ops.OP_OR,
]);

/** Whether the first operand is where the code may go on. */
export function isJump(operation: number): boolean {
  return TARGETS.has(operation);
}

export interface UnitScan {
  /** Leaf calls of the program that it may make in this function. */
  readonly calls: readonly number[];
  /** It may use builtins, which for a guest can be instructions that leave it. */
  readonly builtins: boolean;
  /** It may leave the function, and then goes on in the caller. */
  readonly returns: boolean;
  /** It may end in the function, where a statement begins. */
  readonly stays: boolean;
}

export class UnitScans {
  private readonly program: FlowProgram;
  private readonly known = new WeakMap<FlowFunction, Map<number, UnitScan>>();
  /** Where the flow goes on behind its calls of each function; undefined for one that may be called through a value. */
  private returnsTo: (Continuation[] | undefined)[] | undefined;

  constructor(program: FlowProgram) {
    this.program = program;
  }

  /** The unit that goes on at `pc`. */
  at(fn: FlowFunction, pc: number): UnitScan {
    let byPc = this.known.get(fn);
    if (byPc === undefined) {
      byPc = new Map();
      this.known.set(fn, byPc);
    }
    let scan = byPc.get(pc);
    if (scan === undefined) {
      scan = scanUnit(fn.code, pc);
      byPc.set(pc, scan);
    }
    return scan;
  }

  /**
   * Numbers of the leaves, as breakpoints know them, that the unit may call which goes on at `pc`, in whatever function it
   * was called from; undefined: any, or it may be a guest's, which can end its TDH.VP.ENTER.
   */
  calleesFrom(fn: number, pc: number, seen = new Set<FlowFunction>()): readonly number[] | undefined {
    const { functions } = this.program;
    const at = functions[fn] as FlowFunction;
    const scan = this.at(at, pc);
    const callees = calleesOf(this.program, scan);
    const mayBeGuest = scan.builtins || scan.returns || callees?.some((callee) => callee >= GUEST_LEAF) === true;
    if (callees === undefined || (mayBeGuest && mayRunInGuest(this.program, at))) return undefined;
    if (!scan.returns || at.kind !== "function" || seen.has(at)) return callees;
    seen.add(at);
    this.returnsTo ??= continuations(this.program);
    const all = [...callees];
    const places = this.returnsTo[fn];
    if (places === undefined) return undefined;
    for (const place of places) {
      const more = this.calleesFrom(place.fn, place.pc, seen);
      if (more === undefined) return undefined;
      all.push(...more);
    }
    return all;
  }
}

/** Guests run their own blocks, and any function of the flow. */
export function mayRunInGuest({ functions }: FlowProgram, { kind }: FlowFunction): boolean {
  if (kind === "guest" || kind === "handler") return true;
  return kind === "function" && functions.some((fn) => fn.kind === "guest");
}

/** A place in a function, by its number. */
export interface Continuation {
  readonly fn: number;
  readonly pc: number;
}

/** By function, where its calls return to; undefined for one that may be called through a value. */
export function continuations({ functions, constants }: FlowProgram): (Continuation[] | undefined)[] {
  const found: (Continuation[] | undefined)[] = functions.map(() => []);
  for (const { code, index } of functions) {
    for (let pc = 0; pc < code.length; pc += ops.lengthAt(code, pc)) {
      if (code[pc] === ops.OP_CALL) found[code[pc + 1] as number]?.push({ fn: index, pc: pc + ops.lengthAt(code, pc) });
    }
  }
  for (const constant of constants) if (constant instanceof FunctionValue) found[constant.index] = undefined;
  return found;
}

function scanUnit(code: Int32Array, start: number): UnitScan {
  const calls = new Set<number>();
  let builtins = false;
  let returns = false;
  let stays = false;
  const seen = new Set<number>();
  const open = [start];
  for (let pc = open.pop(); pc !== undefined; pc = open.pop()) {
    const operation = code[pc] as number;
    // A statement that begins ends the unit, save the one with which it begins.
    stays ||= operation === ops.OP_STATEMENT && (pc !== start || seen.has(pc));
    if (seen.has(pc) || pc >= code.length || (operation === ops.OP_STATEMENT && pc !== start)) continue;
    seen.add(pc);
    if (operation === ops.OP_LEAF) calls.add(code[pc + 1] as number);
    builtins ||= operation === ops.OP_BUILTIN;
    if (operation === ops.OP_RETURN) {
      returns = true;
      continue;
    }
    if (TARGETS.has(operation)) open.push(code[pc + 1] as number);
    if (operation !== ops.OP_JUMP) open.push(pc + ops.lengthAt(code, pc));
  }
  return { calls: [...calls], builtins, returns, stays };
}

/**
 * Number of the leaf, as breakpoints know it, that a leaf call of the program calls; undefined: any. Who enters a guest goes on there,
 * in the middle of what it did when it left.
 */
export function calleeAt({ leafCalls }: FlowProgram, index: number): number | undefined {
  const call = leafCalls[index];
  if (call === undefined || call.name === undefined) return undefined;
  const callee = call.guest ? GUEST_LEAF + call.number : call.number;
  return callee === TDH_VP_ENTER ? undefined : callee;
}

/** The same of all calls of a scan; undefined: any. */
export function calleesOf(program: FlowProgram, scan: UnitScan): readonly number[] | undefined {
  const callees: number[] = [];
  for (const index of scan.calls) {
    const callee = calleeAt(program, index);
    if (callee === undefined) return undefined;
    callees.push(callee);
  }
  return callees;
}
