/** The constants that every flow knows: the architecture's, by their standard names. */
import { sysFields, tdFields, vmcsFields, vpFields } from "../arch/generated/metadata-fields.ts";
import * as opStates from "../arch/generated/op-states.ts";
import * as operandIds from "../arch/generated/operand-ids.ts";
import * as pamtTypes from "../arch/generated/pamt-types.ts";
import { SEPT_STATES } from "../arch/generated/sept-states.ts";
import { statusCodes } from "../arch/generated/status-codes.ts";
import * as systemStates from "../arch/generated/system-states.ts";
import * as tdStates from "../arch/generated/td-states.ts";
import {
  exceptionVectors,
  exitReasons,
  tdAttributes,
  tdvmcallFunctions,
  tdvmcallResults,
} from "../arch/linux-constants.ts";
import { tdxFeatures0 } from "../arch/tdx-features.ts";
import { builtinNumbers } from "./builtins.ts";
import { type Constant, fromHalves, Status } from "./values.ts";

export interface ConstantInfo {
  readonly value: Constant;
  readonly what: string;
}

function numbers(from: Readonly<Record<string, unknown>>, what: string, into: Map<string, ConstantInfo>): void {
  for (const [name, value] of Object.entries(from)) {
    if (typeof value === "number" && /^[A-Z][A-Z0-9_]*$/.test(name)) into.set(name, { value, what });
  }
}

function build(): Map<string, ConstantInfo> {
  const all = new Map<string, ConstantInfo>();
  for (const { name, code } of statusCodes) all.set(name, { value: new Status(code, 0), what: "completion status" });
  numbers(pamtTypes, "page type in the PAMT", all);
  numbers(operandIds, "operand id in a status", all);
  for (const { name, reportedState } of SEPT_STATES) {
    all.set(name, { value: reportedState, what: "state of a Secure EPT entry, as leaf functions report it" });
  }
  numbers(opStates, "operation state of a TD", all);
  numbers(tdStates, "state of a TD, KeyID or VCPU", all);
  numbers(systemStates, "state of the TDX module", all);
  numbers(exitReasons, "VM exit reason", all);
  numbers(exceptionVectors, "exception vector", all);
  numbers(tdvmcallFunctions, "service of the Guest-Hypervisor Communication Interface (R11 of TDG.VP.VMCALL)", all);
  for (const [name, value] of Object.entries(tdvmcallResults))
    all.set(name, { value: wide(value), what: "what the host answers to TDG.VP.VMCALL (R10)" });
  for (const [name, bit] of Object.entries(tdAttributes))
    all.set(name, { value: wide(1n << BigInt(bit)), what: "bit of a TD's ATTRIBUTES" });
  for (const [name, { bit, what }] of Object.entries(tdxFeatures0))
    all.set(`TDX_FEATURES0_${name}`, { value: 1 << bit, what: `bit of TDX_FEATURES0: ${what}` });
  return all;
}

function wide(value: bigint): Constant {
  return fromHalves(Number(value & 0xffff_ffffn), Number(value >> 32n));
}

/** By name. */
export const constants: ReadonlyMap<string, ConstantInfo> = build();

type Fields = readonly { readonly name: string; readonly id: readonly [number, number] }[];

/** Ids of metadata fields, as `TD_FIELD.TSC_OFFSET`: of the module, a TD, a VCPU, and the VMCS of a VCPU. */
const fieldTables: Readonly<Record<string, Fields>> = {
  SYS_FIELD: sysFields,
  TD_FIELD: tdFields,
  VP_FIELD: vpFields,
  VMCS_FIELD: vmcsFields,
};

const fieldCache = new Map<string, ReadonlyMap<string, Constant>>();

/** The metadata fields of a namespace by name, or undefined if it is none. */
export function fieldNamespace(name: string): ReadonlyMap<string, Constant> | undefined {
  const fields = Object.hasOwn(fieldTables, name) ? fieldTables[name] : undefined;
  if (fields === undefined) return undefined;
  let ids = fieldCache.get(name);
  if (ids === undefined) {
    ids = new Map(fields.map((field) => [identifier(field.name), fromHalves(field.id[0], field.id[1])]));
    fieldCache.set(name, ids);
  }
  return ids;
}

export const fieldNamespaces: readonly string[] = Object.keys(fieldTables);

/** A field name of the specification as a word: "Guest CR0" is GUEST_CR0. */
function identifier(name: string): string {
  return name
    .replace(/[^A-Za-z0-9]+/g, "_")
    .toUpperCase()
    .replace(/^_|_$/g, "");
}

/** Whether a name means something in a flow that does not declare it. */
export function isBuiltIn(name: string): boolean {
  return builtinNumbers.has(name) || constants.has(name) || fieldNamespaces.includes(name) || /^TD[HG]$/.test(name);
}
