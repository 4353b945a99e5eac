/** The module's own metadata: what TDH.SYS.RD and RDALL, and a guest's TDG.SYS.RD and RDALL, tell of platform and module. */

import { cpuidConfigurable } from "../../arch/generated/cpuid-tables.ts";
import { TDX_METADATA_FIELD_ID_INCORRECT, TDX_METADATA_FIELD_NOT_READABLE } from "../../arch/generated/status-codes.ts";
import { PAGE_SIZE } from "../../arch/page.ts";
import { ATTRIBUTES_FIXED0 } from "../attributes.ts";
import * as build from "../build.ts";
import { type Call, fail } from "../call.ts";
import { featuresOf } from "../features.ts";
import { allowedFms } from "../fms.ts";
import { PAMT_ENTRY_BYTES } from "../pamt.ts";
import { PLATFORM_FMS } from "../platform-config.ts";
import { packageFms } from "../platform-cpuid.ts";
import { HANDOFF_SIZE, HANDOFF_VALID, HANDOFF_VERSION, MAX_RESERVED_AREAS, MAX_TDMRS, SYS_HANDOFF } from "../sys.ts";
import { MIN_NUM_TDCS_PAGES } from "../td.ts";
import { ARCH_CAPABILITIES_CONFIGURABLE } from "../td-msrs.ts";
import { configFlagsFixed0 } from "../td-params.ts";
import { MIN_TDVPS_PAGES, TDVPS_PAGES_PER_L2_VM } from "../vcpu.ts";
import { supportedXfam, XFAM_FIXED1 } from "../xfam.ts";
import { type Party, readMask } from "./access.ts";
import { fieldCode } from "./field-id.ts";
import { type Field, findField, sysTable } from "./tables.ts";

/** Entries of the CMR list, used or not. */
const MAX_CMRS = 32;

/** What a field's value depends on: its number in an array of fields, and the element in that. */
type Read = (call: Call, field: number, element: number) => number | bigint;

const handoff =
  (word: number): Read =>
  ({ store, sys }) =>
    store.read(sys + SYS_HANDOFF + word);

const reads: Readonly<Record<string, Read>> = {
  NUM_PKGS: ({ platform }) => platform.config.packages.length,
  PKG_FMS: ({ platform }, field) => packageFms(platform, field),

  VENDOR_ID: () => build.VENDOR_ID,
  BUILD_DATE: ({ platform }) => platform.config.module.buildDate,
  BUILD_NUM: ({ platform }) => platform.config.module.buildNum,
  MINOR_VERSION: (call) => versionPart(call, 1),
  MAJOR_VERSION: (call) => versionPart(call, 0),
  UPDATE_VERSION: (call) => versionPart(call, 2),
  INTERNAL_VERSION: () => 0,

  MODULE_HV: () => build.MODULE_HANDOFF_VERSION,
  MIN_UPDATE_HV: () => build.MIN_UPDATE_HANDOFF_VERSION,
  NO_DOWNGRADE: () => build.NO_DOWNGRADE,
  NUM_HANDOFF_PAGES: () => build.NUM_HANDOFF_PAGES,
  HANDOFF_DATA_VALID: handoff(HANDOFF_VALID),
  HANDOFF_DATA_HV: handoff(HANDOFF_VERSION),
  HANDOFF_DATA_SIZE: handoff(HANDOFF_SIZE),

  SYS_ATTRIBUTES: () => 0,
  NUM_TDX_FEATURES: () => 1,
  TDX_FEATURES0: ({ platform }) => featuresOf(platform.config),

  NUM_CMRS: () => MAX_CMRS,
  CMR_BASE: ({ platform }, field) => platform.config.cmrs[field]?.base ?? 0,
  CMR_SIZE: ({ platform }, field) => platform.config.cmrs[field]?.size ?? 0,

  MAX_TDMRS: () => MAX_TDMRS,
  MAX_RESERVED_PER_TDMR: () => MAX_RESERVED_AREAS,
  PAMT_4K_ENTRY_SIZE: () => PAMT_ENTRY_BYTES,
  PAMT_2M_ENTRY_SIZE: () => PAMT_ENTRY_BYTES,
  PAMT_1G_ENTRY_SIZE: () => PAMT_ENTRY_BYTES,

  TDR_BASE_SIZE: () => PAGE_SIZE,
  TDCS_BASE_SIZE: () => MIN_NUM_TDCS_PAGES * PAGE_SIZE,
  TDCS_SIZE_PER_L2_VM: () => PAGE_SIZE,
  TDVPS_BASE_SIZE: () => MIN_TDVPS_PAGES * PAGE_SIZE,
  TDVPS_SIZE_PER_L2_VM: () => TDVPS_PAGES_PER_L2_VM * PAGE_SIZE,

  ATTRIBUTES_FIXED0: () => word64(...ATTRIBUTES_FIXED0),
  ATTRIBUTES_FIXED1: () => 0,
  XFAM_FIXED0: (call) => supportedXfam(call),
  XFAM_FIXED1: () => XFAM_FIXED1,
  NUM_CPUID_CONFIG: () => cpuidConfigurable.length,
  CONFIG_FLAGS_FIXED0: ({ platform }) => configFlagsFixed0(platform.config),
  CONFIG_FLAGS_FIXED1: () => 0,
  CPUID_CONFIG_LEAVES: (_, field) => {
    const entry = cpuidConfigurable[field];
    return entry === undefined ? -1n : word64(entry.leaf, entry.subleaf ?? 0xffff_ffff);
  },
  CPUID_CONFIG_VALUES: (_, field, element) => {
    const direct = cpuidConfigurable[field]?.masks.config_direct;
    return direct === undefined ? 0 : word64(direct[element * 2] as number, direct[element * 2 + 1] as number);
  },
  IA32_ARCH_CAPABILITIES_CONFIG_MASK: () => ARCH_CAPABILITIES_CONFIGURABLE,
  NUM_ALLOWED_FMS: (call) => allowedOn(call).length,
  NUM_DISALLOWED_FMS: () => 0,
  ALLOWED_FMS: (call, field) => allowedOn(call)[field] ?? 0,
  DISALLOWED_FMS: () => 0,

  MIG_ATTRIBUTES: () => 0,
  MIN_EXPORT_VERSION: () => 0,
  MAX_EXPORT_VERSION: () => 0,
  MIN_IMPORT_VERSION: () => 0,
  MAX_IMPORT_VERSION: () => 0,
  MAX_MIGS: () => 512,
  NUM_IMMUTABLE_STATE_PAGES: () => 3,
  NUM_TD_STATE_PAGES: () => 2,
  NUM_VP_STATE_PAGES: () => 5,

  MAX_SERV_TDS: () => 1,
  SERVTD_ATTR_FIXED0: () => word64(0x1, 0x7ff),
  SERVTD_ATTR_FIXED1: () => 0,

  GUEST_L2_GPA_ATTR_MASK: () => 0x807f,
  VM_CTLS_FIXED0: () => 1,
  VM_CTLS_FIXED1: () => 0,
  VPCU_L2_CTLS_FIXED0: () => 3,
  VCPU_L2_CTLS_FIXED1: () => 0,
  VPCU_L2_DEBUG_CTLS_FIXED0: () => 7,
  VCPU_L2_DEBUG_CTLS_FIXED1: () => 0,
};

function word64(lo: number, hi: number): bigint {
  return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
}

function versionPart({ platform }: Call, part: number): number {
  return Number(platform.config.module.version.split(".")[part] ?? 0);
}

/** The platform's own family, model and stepping, then those of older processors that a TD may show. */
function allowedOn({ store, sys }: Call): readonly number[] {
  return allowedFms(store.read(sys + PLATFORM_FMS));
}

/** The value of one element; `code` is its field code. */
export function sysValue(call: Call, field: Field, code: number): bigint {
  const read = reads[field.name];
  if (read === undefined) throw new Error(`system field ${field.name} has no value`);
  const offset = code - field.code;
  const value = read(call, Math.floor(offset / field.elementsPerField), offset % field.elementsPerField);
  return BigInt.asUintN(64, BigInt(value));
}

/** Errors: TDX_METADATA_FIELD_ID_INCORRECT, TDX_METADATA_FIELD_NOT_READABLE. */
export function readSysElement(call: Call, id: bigint, party: Party): bigint {
  const index = findField(sysTable, 0, id);
  if (index < 0) fail(TDX_METADATA_FIELD_ID_INCORRECT);
  const field = sysTable.fields[index] as Field;
  const mask = readMask(field, party);
  if (mask === 0n) fail(TDX_METADATA_FIELD_NOT_READABLE);
  return sysValue(call, field, fieldCode(id)) & mask;
}
