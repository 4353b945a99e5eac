/**
 * What the unit that begins with a statement calls for certain, from its code alone: where all ways through it make the same calls of
 * the module, one has only to know that it ran to know which it made. Strict where unit-scan.ts is rough.
 */
import type { FlowFunction, FlowProgram, FlowStatement } from "../language/flow-code.ts";
import * as ops from "../language/flow-code.ts";
import { GUEST_LEAF } from "../runtime/hooks.ts";
import { type Continuation, calleeAt, continuations, isJump, mayRunInGuest } from "./unit-scan.ts";

/** Leaves in the order of their calls, as breakpoints number them; undefined: the code does not tell. */
type Calls = readonly number[] | undefined;

export class CertainCalls {
  private readonly program: FlowProgram;
  private readonly returnsTo: readonly (readonly Continuation[] | undefined)[];
  /** By statement; null where the code does not tell. */
  private readonly known: (readonly number[] | null)[] = [];

  constructor(program: FlowProgram) {
    this.program = program;
    this.returnsTo = continuations(program);
  }

  /** Undefined also for what changes the LP on which the task goes on. */
  of(statement: number): Calls {
    const known = this.known[statement];
    if (known !== undefined) return known ?? undefined;
    const { fn, pc } = this.program.statements[statement] as FlowStatement;
    const at = this.program.functions[fn] as FlowFunction;
    const calls = new Way(this.program, this.returnsTo).from(at, pc + ops.lengthAt(at.code, pc));
    this.known[statement] = calls ?? null;
    return calls;
  }
}

/** All ways through one unit. */
class Way {
  private readonly program: FlowProgram;
  private readonly returnsTo: readonly (readonly Continuation[] | undefined)[];
  /** By function and place in it; null while it is being looked at. */
  private readonly places = new Map<FlowFunction, Map<number, Calls | null>>();
  private readonly returning = new Set<FlowFunction>();

  constructor(program: FlowProgram, returnsTo: readonly (readonly Continuation[] | undefined)[]) {
    this.program = program;
    this.returnsTo = returnsTo;
  }

  from(at: FlowFunction, pc: number): Calls {
    const places = this.places.get(at) ?? new Map<number, Calls | null>();
    this.places.set(at, places);
    const known = places.get(pc);
    if (known !== undefined || places.has(pc)) return known ?? undefined; // a way that comes back to itself may go round or not
    places.set(pc, null);
    const calls = this.look(at, pc);
    places.set(pc, calls);
    return calls;
  }

  private look(at: FlowFunction, pc: number): Calls {
    const { code } = at;
    const next = pc + ops.lengthAt(code, pc);
    const operation = code[pc] as number;
    switch (operation) {
      case ops.OP_STATEMENT:
        return [];
      case ops.OP_LEAF: {
        const callee = calleeAt(this.program, code[pc + 1] as number);
        const isGuests = callee !== undefined && callee >= GUEST_LEAF && mayRunInGuest(this.program, at);
        const rest = callee === undefined || isGuests ? undefined : this.from(at, next);
        return rest && [callee as number, ...rest];
      }
      case ops.OP_CALL: {
        const callee = this.program.functions[code[pc + 1] as number];
        return callee?.code[0] === ops.OP_STATEMENT ? [] : undefined;
      }
      case ops.OP_RETURN:
        return this.behind(at);
      case ops.OP_JUMP:
        return this.from(at, code[pc + 1] as number);
      case ops.OP_BUILTIN:
        return mayRunInGuest(this.program, at) ? undefined : this.from(at, next);
      case ops.OP_CALL_VALUE:
      case ops.OP_ENTER_LP:
      case ops.OP_LEAVE_LP:
        return undefined;
      default: {
        const rest = this.from(at, next);
        if (!isJump(operation)) return rest;
        const other = this.from(at, code[pc + 1] as number);
        return rest && other && rest.join() === other.join() ? rest : undefined;
      }
    }
  }

  /** Behind the end of a function: nothing is certain there but that there are no calls. */
  private behind(at: FlowFunction): Calls {
    if (mayRunInGuest(this.program, at) || changesLp(at)) return undefined;
    const places = this.returnsTo[at.index];
    if (places === undefined) return undefined;
    if (this.returning.has(at)) return [];
    this.returning.add(at);
    const functions = this.program.functions;
    return places.every((place) => this.from(functions[place.fn] as FlowFunction, place.pc)?.length === 0)
      ? []
      : undefined;
  }
}

/** Whether whoever called a function may stand on another LP than it did when it returns. */
function changesLp({ code }: FlowFunction): boolean {
  for (let pc = 0; pc < code.length; pc += ops.lengthAt(code, pc)) if (code[pc] === ops.OP_ENTER_LP) return true;
  return false;
}
