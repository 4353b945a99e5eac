/**
 * The metadata tables of the three contexts, and how a field id finds its field. The VCPU context has three tables that follow
 * each other: the TD's own VMCS (class 0), then TDVPS, in which the VMCS of each L2 VM stands for a table of its own.
 */
import {
  type L2VmcsAccess,
  l2VmcsFields,
  type Mask,
  type MetadataField,
  type SysAccess,
  sysFields,
  type TdAccess,
  tdFields,
  type VmcsAccess,
  type VpAccess,
  vmcsFields,
  vpFields,
} from "../../arch/generated/metadata-fields.ts";
import { tdFieldPlaces, vmcsFieldPlaces, vpFieldPlaces } from "../layout.ts";
import { CONTEXT_SYS, CONTEXT_TD, cpuidElement, fieldClass, fieldCode, isNoField } from "./field-id.ts";

export const CLASS_VMCS = 0;
export const CLASS_CPUID_VALUES = 20;
/** Classes of L2 VM 1; those of the next VM are L2_CLASS_STEP above. */
export const CLASS_L2_VMCS = 36;
export const CLASS_L2_MSR_BITMAPS = 37;
export const L2_CLASS_STEP = 8;
/** L2 VMs that a TD may have. */
export const MAX_L2_VMS = 3;

/** Entries of each L2 VM at the end of the table: those of VMs that a TD does not have are not there. */
const TD_FIELDS_PER_L2_VM = 1;
const VP_FIELDS_PER_L2_VM = 3;

export type AccessKind = keyof SysAccess | keyof TdAccess | keyof VpAccess | keyof VmcsAccess | keyof L2VmcsAccess;
type Access = Readonly<Partial<Record<AccessKind, Mask>>>;

/** A field of any table; each kind of access is there only if the table has it. */
export type Field = MetadataField<Access>;

export interface Table {
  readonly fields: readonly Field[];
  /** Full id of each field's first element. */
  readonly ids: readonly bigint[];
  /** Place of each field's first element (layout.ts); the system's fields have none. */
  readonly places: readonly number[];
}

function table(fields: readonly Field[], places: readonly number[]): Table {
  return { fields, ids: fields.map(({ id }) => (BigInt(id[1]) << 32n) | BigInt(id[0])), places };
}

export const sysTable = table(sysFields, []);
export const tdTable = table(tdFields, tdFieldPlaces);
export const vmcsTable = table(vmcsFields, vmcsFieldPlaces);
export const l2VmcsTable = table(l2VmcsFields, vmcsFieldPlaces);
export const vpTable = table(vpFields, vpFieldPlaces);

/** The L2 VM (1 to 3) whose VMCS a class is, or 0. */
export function l2VmcsOfClass(cls: number): number {
  const offset = cls - CLASS_L2_VMCS;
  return offset >= 0 && offset % L2_CLASS_STEP === 0 && offset / L2_CLASS_STEP < MAX_L2_VMS
    ? offset / L2_CLASS_STEP + 1
    : 0;
}

/** The table that an id belongs to. */
export function tableOf(context: number, id: bigint): Table {
  if (context === CONTEXT_SYS) return sysTable;
  if (context === CONTEXT_TD) return tdTable;
  const cls = fieldClass(id);
  if (isNoField(id) || cls === CLASS_VMCS) return vmcsTable;
  return l2VmcsOfClass(cls) > 0 ? l2VmcsTable : vpTable;
}

/** Entries of a table that a TD with `l2Vms` L2 VMs has. */
export function tableLength(of: Table, l2Vms: number): number {
  const unused = MAX_L2_VMS - l2Vms;
  if (of === tdTable) return of.fields.length - unused * TD_FIELDS_PER_L2_VM;
  if (of === vpTable) return of.fields.length - unused * VP_FIELDS_PER_L2_VM;
  return of.fields.length;
}

/** Codes of successive elements differ by this. */
export function codeStride(field: Field): number {
  return field.incByTwo ? 2 : 1;
}

/** Index in its table of the field that an id names, or -1. */
export function findField(of: Table, l2Vms: number, id: bigint): number {
  let cls = fieldClass(id);
  let code = fieldCode(id);
  if (of === tdTable && cls === CLASS_CPUID_VALUES) code = cpuidElement(code);
  if (of === l2VmcsTable) cls = CLASS_VMCS;
  const length = tableLength(of, l2Vms);
  for (let i = 0; i < length; i++) {
    const field = of.fields[i] as Field;
    if (field.class !== cls || code < field.code) continue;
    if (code < field.code + field.fields * field.elementsPerField * codeStride(field)) return i;
  }
  return -1;
}
