/**
 * What the statements of a program do, as text that tells nothing of where things are numbered: the same text in two programs is the
 * same code. Jumps are left out, since where they lead shows as the statement that comes next.
 */
import type { FlowFunction, FlowProgram } from "../language/flow-code.ts";
import * as ops from "../language/flow-code.ts";
import { FunctionValue, Status } from "../language/values.ts";
import { isJump } from "./unit-scan.ts";

/** By number of the statement. */
export function statementCodes(program: FlowProgram): readonly string[] {
  const codes: string[] = [];
  const byFunction = new Map<number, { id: number; pc: number }[]>();
  for (const { id, fn, pc } of program.statements) byFunction.set(fn, [...(byFunction.get(fn) ?? []), { id, pc }]);
  for (const [index, statements] of byFunction) {
    const fn = program.functions[index] as FlowFunction;
    const ordered = statements.toSorted((a, b) => a.pc - b.pc);
    ordered.forEach(({ id, pc }, at) => {
      codes[id] = codeText(program, fn, pc, ordered[at + 1]?.pc ?? fn.code.length);
    });
  }
  return codes;
}

function codeText(program: FlowProgram, fn: FlowFunction, from: number, to: number): string {
  const parts = [`${fn.kind} ${fn.name} ${fn.source.path}`];
  for (let pc = from; pc < to; ) {
    const operation = fn.code[pc] as number;
    const length = ops.lengthAt(fn.code, pc);
    const operands = [...fn.code.subarray(pc + 1, pc + length)];
    // The number of a statement is not what it does, and neither is where its last jump goes.
    if (operation !== ops.OP_STATEMENT && operation !== ops.OP_JUMP) {
      if (isJump(operation)) operands[0] = 0;
      parts.push(`${operation}(${operandTexts(program, operation, operands).join(",")})`);
    }
    pc += length;
  }
  return parts.join(" ");
}

function operandTexts(program: FlowProgram, operation: number, [first = 0, ...rest]: readonly number[]): string[] {
  const more = rest.map(String);
  switch (operation) {
    case ops.OP_CONSTANT:
      return [constantText(program, first)];
    case ops.OP_LOAD_GLOBAL:
    case ops.OP_STORE_GLOBAL: {
      const global = program.globals[first];
      return [`${global?.source.path}:${global?.name}`];
    }
    case ops.OP_CALL:
    case ops.OP_SPAWN:
    case ops.OP_GUEST: {
      const handler =
        operation === ops.OP_GUEST ? [functionText(program, rest[0] ?? -1)] : [program.names[rest[0] ?? -1] ?? ""];
      return [functionText(program, first), ...handler, ...more.slice(1)];
    }
    case ops.OP_FIELD:
    case ops.OP_SET_FIELD:
      return [program.names[first] ?? ""];
    case ops.OP_RECORD:
      return [(program.shapes[first] ?? []).join("|")];
    case ops.OP_LEAF: {
      const call = program.leafCalls[first];
      const operands = call?.operands.map(({ name, register }) => `${name}:${register}`).join("|");
      return [`${call?.name ?? call?.guest} ${operands}`, ...more];
    }
    case ops.OP_EXPECT:
    case ops.OP_EXPECT_COMPARE:
      return [JSON.stringify(program.expectations[first])];
    default:
      return first === 0 && more.length === 0 ? [] : [`${first}`, ...more];
  }
}

function functionText({ functions }: FlowProgram, index: number): string {
  const fn = functions[index];
  return fn === undefined ? "" : `${fn.source.path}:${fn.name}`;
}

function constantText(program: FlowProgram, index: number): string {
  const constant: unknown = program.constants[index];
  if (constant instanceof FunctionValue) return functionText(program, constant.index);
  if (constant instanceof Status) return constant.stateKey();
  return `${typeof constant} ${String(constant)}`;
}
