/**
 * What expressions can name beside the flow's variables: `lp`, `task`, `td`, at a call `leaf` and its operands, behind one also
 * `status` and its results. `td`, `gpa` and `hpa` are there everywhere, so that one condition serves leaves that have them and
 * leaves that do not: null where they mean nothing.
 */
import { type LeafOperand, leafSignatures } from "../arch/leaf-operands.ts";
import { RAX } from "../arch/registers.ts";
import { and, fromHalves, type Integer, Status, shiftLeft, shiftRight } from "../language/values.ts";
import type { Call } from "../module/call.ts";
import type { Machine } from "../module/machine.ts";
import { LP_GPR, LP_GUEST_TDVPR } from "../platform/lp.ts";
import { GUEST_LEAF } from "../runtime/hooks.ts";
import { leafName } from "../runtime/leaf-call.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import { pageEntry, tdmrs } from "./inspect/pamt-scan.ts";

/** The call that a place belongs to: none, before or in one, behind one. */
export interface NearCall {
  readonly side: "before" | "behind";
  readonly callee: number;
  readonly lp: number;
}

/** A name and its value at the present place, for a task on its LP. */
export interface Given {
  readonly name: string;
  readonly what: string;
  readonly value: (lp: number, task: number) => unknown;
  /** A variable of the flow with this name hides it. */
  readonly yields?: boolean;
}

type Value = Given["value"];

/** Names for all calls of a leaf: whose call it is, is asked when a value is. */
export function givenNames(debuggee: FlowDebuggee, near: NearCall | undefined): readonly Given[] {
  const names = new Map<string, Given>();
  const add = (name: string, what: string, value: Value): void => {
    if (!names.has(name)) names.set(name, { name, what, value });
  };
  const { machine } = debuggee;
  add("lp", "the LP", (lp) => lp);
  add("task", "the task", (_, task) => task);
  if (near !== undefined) {
    const leaf = leafName(near.callee);
    const signature = leafSignatures.get(leaf);
    add("leaf", "the leaf function", () => leaf);
    if (near.side === "behind") {
      add("status", "how the call ended", (lp) => statusOf(machine, lp));
      for (const operand of signature?.outputs ?? []) {
        add(operand.name, operand.what, (lp) => part(machine, lp, operand, undefined));
      }
    }
    for (const operand of signature?.inputs ?? []) {
      for (const name of [operand.name, ...operand.aliases]) {
        add(name, operand.what, (lp, task) => {
          if (near.side === "before") return waiting(debuggee, lp, task, operand) ?? operandOf(machine, lp, operand);
          return isGuestsNow(machine, near, lp) ? null : part(machine, lp, operand, callOf(machine, lp));
        });
      }
    }
  }
  const td: Value = (lp, task) => tdrOf(machine, lp, task, near, names);
  const given = [...names.values(), { name: "td", what: "the TD: HPA of its TDR", value: td, yields: true }];
  for (const name of ["gpa", "hpa"]) {
    if (!names.has(name)) given.push({ name, what: "null: there is none here", value: () => null, yields: true });
  }
  return given;
}

/** Of a call before which a task stands while another one moves, and may use its LP. */
function waiting({ runtime, machine }: FlowDebuggee, lp: number, task: number, { name }: LeafOperand): unknown {
  if (task === runtime.task || machine.openEntry(lp) !== undefined) return undefined;
  return runtime.pendingLeafOf(task)?.operands.find((operand) => operand.name === name)?.value;
}

/** Of a call that comes next on an LP, or is open there. */
function operandOf(machine: Machine, lp: number, operand: LeafOperand): Integer {
  return part(machine, lp, operand, machine.openEntry(lp)?.call);
}

function callOf(machine: Machine, lp: number): Call {
  return machine.calls[lp] as Call;
}

/** Behind a TDH.VP.ENTER that came back from its guest: the LP's last entry into the module was the guest's. */
function isGuestsNow(machine: Machine, { side, callee }: NearCall, lp: number): boolean {
  return side === "behind" && callee < GUEST_LEAF && callOf(machine, lp).isGuest;
}

/** HPA of the root page of the TD that the call is about, or that runs on the LP; null: of none. */
function tdrOf(
  machine: Machine,
  lp: number,
  task: number,
  near: NearCall | undefined,
  names: ReadonlyMap<string, Given>,
): number | null {
  const { memory } = machine.platform;
  if (near !== undefined && isGuestsNow(machine, near, lp)) return memory.hpaOf(callOf(machine, lp).tdr) ?? null;
  const number = (name: string): number | undefined => {
    const value = names.get(name)?.value(lp, task);
    return value === undefined || value === null ? undefined : Number(value);
  };
  const tdr = number("tdr");
  if (tdr !== undefined) return tdr;
  const guest = machine.store.readNumber(machine.platform.lpCell(lp) + LP_GUEST_TDVPR);
  const tdvpr = number("tdvpr") ?? guest;
  return (tdvpr !== 0 && pageEntry(machine, tdmrs(machine), tdvpr)?.owner) || null;
}

function statusOf(machine: Machine, lp: number): Status {
  return Status.of(machine.platform.readGpr(lp, RAX));
}

/** An operand or result: from the registers of the LP, or as `call` had them at its entry. */
function part(machine: Machine, lp: number, operand: LeafOperand, call: Call | undefined): Integer {
  const cell = machine.platform.lpCell(lp) + LP_GPR + operand.register * 2;
  const value = call
    ? fromHalves(call.lo(operand.register), call.hi(operand.register))
    : fromHalves(machine.store.read(cell), machine.store.read(cell + 1));
  if (operand.width === 64) return value;
  if (operand.width === 0) return shiftRight(value, machine.platform.addressBits);
  const bits = and(shiftRight(value, operand.low), 2 ** operand.width - 1);
  return operand.inPlace ? shiftLeft(bits, operand.low) : bits;
}
