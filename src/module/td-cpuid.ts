/**
 * The TD's virtual CPUID: TDCS.CPUID_VALUES, one entry for each leaf of the module's table. A value starts as sampled from the
 * processor, takes the host's configuration where that is possible, and is then cut to what ATTRIBUTES and XFAM allow.
 */
import { cpuidConfigurable, cpuidLookup } from "../arch/generated/cpuid-tables.ts";
import { OPERAND_CPUID_CONFIG } from "../arch/generated/operand-ids.ts";
import { TDX_INCORRECT_MSR_VALUE, TDX_OPERAND_INVALID } from "../arch/generated/status-codes.ts";
import { RCX } from "../arch/registers.ts";
import { ATTRIBUTE_MIGRATABLE, ATTRIBUTE_PERFMON_HI, ATTRIBUTE_PKS } from "./attributes.ts";
import { type Call, fail } from "./call.ts";
import {
  FLAG_DCA,
  FLAG_DDPD,
  FLAG_LA57,
  FLAG_MKTME,
  FLAG_MONITOR_MWAIT,
  FLAG_TME,
  FLAG_TSC_DEADLINE,
  FLAG_TSX,
  FLAG_WAITPKG,
  FLAG_XFD,
} from "./cpuid-flags.ts";
import { isAllowedFms } from "./fms.ts";
import {
  TDCS_ATTRIBUTES,
  TDCS_CPUID_FLAGS,
  TDCS_CPUID_VALID,
  TDCS_CPUID_VALUES,
  TDCS_TSC_FREQUENCY,
  TDCS_XFAM,
} from "./layout.ts";
import {
  cpuidCell,
  EAX,
  EBX,
  ECX,
  EDX,
  PLATFORM_FMS,
  PLATFORM_XFD_FAULTING,
  SAMPLED_MSRS,
  sampledMsr,
} from "./platform-config.ts";
import type { Steps } from "./step.ts";
import { PARAMS_CPUID_CONFIG } from "./td-params.ts";
import { hex } from "./why.ts";
import { XFAM_AMX, XFAM_AVX, XFAM_LAST_BIT, XFAM_LBR, XFAM_PT } from "./xfam.ts";

/** EAX, EBX, ECX, EDX. */
type Registers = [number, number, number, number];

/** Bits of CPUID that depend on one feature of XFAM, by register, for the leaves that have such bits. */
type XfamBits = Readonly<Record<number, readonly [eax: number, ebx: number, ecx: number, edx: number]>>;

const AVX512_BITS = [0, 0xdc23_0000, 0x5842, 0x80_010c] as const;
const xfamBitsOf7: XfamBits = {
  2: [0, 0x20, 0x600, 0],
  5: AVX512_BITS,
  6: AVX512_BITS,
  7: AVX512_BITS,
  8: [0, 0x200_0000, 0, 0],
  9: [0, 0, 0x8, 0],
  11: [0, 0, 0x80, 0x10_0000],
  12: [0, 0, 0x80, 0x10_0000],
  14: [0, 0, 0, 0x20],
  15: [0, 0, 0, 0x8_0000],
  17: [0, 0, 0, 0x340_0000],
  18: [0, 0, 0, 0x340_0000],
};
const xfamBitsOf7x1: XfamBits = { 5: [0x30, 0, 0, 0], 6: [0x30, 0, 0, 0], 7: [0x30, 0, 0, 0] };
const xfamBitsOfD: XfamBits = {
  2: [0x4, 0, 0, 0],
  5: [0xe0, 0, 0, 0],
  6: [0xe0, 0, 0, 0],
  7: [0xe0, 0, 0, 0],
  9: [0x200, 0, 0, 0],
  17: [0x6_0000, 0, 0, 0],
  18: [0x6_0000, 0, 0, 0],
};
const xfamBitsOfDx1: XfamBits = {
  8: [0, 0, 0x100, 0],
  11: [0, 0, 0x1800, 0],
  12: [0, 0, 0x1800, 0],
  14: [0, 0, 0x4000, 0],
  15: [0, 0, 0x8000, 0],
};
/** CPUID 1 ECX: OSXSAVE aside, what AVX brings. */
const ECX_OF_AVX = 0x3000_1000;

const EBX_HLE = 1 << 4;
const EBX_RTM = 1 << 11;
const ECX_PKS = 0x8000_0000;
const ECX_KEY_LOCKER = 1 << 23;
const EAX_XFD = 1 << 4;
/** IA32_ARCH_CAPABILITIES.TSX_CTRL. */
const ARCH_CAP_TSX_CTRL = 1n << 7n;
const LA57_BITS = 57;
const LA48_BITS = 48;

const registerNames = ["EAX", "EBX", "ECX", "EDX"] as const;

/** What the rules of the leaves read, and the flags that they gather. */
interface TdConfig {
  readonly call: Call;
  readonly tdcs: number;
  readonly xfam: number;
  readonly attributes: number;
  readonly attributesHi: number;
  flags: number;
}

/** Index of the host's configuration of each entry of the table; -1: not configurable. */
const configIndex = cpuidLookup.map(({ leaf, subleaf }) =>
  cpuidConfigurable.findIndex((entry) => entry.leaf === leaf && entry.subleaf === subleaf),
);

/**
 * Computes the virtual CPUID values. Errors: TDX_OPERAND_INVALID(CPUID_CONFIG), with the leaf and sub-leaf in RCX where one is
 * to blame; TDX_INCORRECT_MSR_VALUE.
 */
export function* configureCpuid(call: Call, tdcs: number, params: DataView): Steps {
  const { store } = call;
  const td: TdConfig = {
    call,
    tdcs,
    xfam: store.read(tdcs + TDCS_XFAM),
    attributes: store.read(tdcs + TDCS_ATTRIBUTES),
    attributesHi: store.read(tdcs + TDCS_ATTRIBUTES + 1),
    flags: 0,
  };
  for (let index = 0; index < cpuidLookup.length; index++) {
    yield "check the configuration of one CPUID leaf and compute its virtual value";
    const values = applyConfiguration(call, index, params);
    applyRule(td, index, values);
    for (let i = 0; i < 4; i++) store.write(tdcs + TDCS_CPUID_VALUES + index * 4 + i, values[i] as number);
    const faulting = cpuidLookup[index]?.masks.faulting !== undefined;
    store.write(tdcs + TDCS_CPUID_VALID + index, faulting ? 0 : 1);
    store.write(tdcs + TDCS_CPUID_FLAGS, td.flags);
  }
}

/** Ends the call with the leaf that is wrong in RCX: leaf in bits 31:0, sub-leaf (all ones if none) above. */
function failLeaf(call: Call, index: number, why: string): never {
  const entry = cpuidLookup[index];
  call.set(RCX, entry?.leaf ?? 0, entry?.subleaf ?? 0xffff_ffff);
  fail(TDX_OPERAND_INVALID, OPERAND_CPUID_CONFIG, `CPUID leaf ${hex(entry?.leaf ?? 0)}: ${why}`);
}

/** The sampled value with the host's configuration: bits that it sets directly, and bits that it may allow. */
function applyConfiguration(call: Call, index: number, params: DataView): Registers {
  const values: Registers = [0, 0, 0, 0];
  const config = configIndex[index] as number;
  const { masks } = cpuidLookup[index] as (typeof cpuidLookup)[number];
  for (let i = 0; i < 4; i++) {
    let value = call.store.read(cpuidCell(call, index, i));
    if (config >= 0) {
      const given = params.getUint32(PARAMS_CPUID_CONFIG + config * 16 + i * 4, true);
      const direct = cpuidConfigurable[config]?.masks.config_direct?.[i] ?? 0;
      const allowed = cpuidConfigurable[config]?.masks.allow_direct?.[i] ?? 0;
      const wrong = (given & ~(direct | allowed)) >>> 0;
      if (wrong !== 0) failLeaf(call, index, `bits ${hex(wrong)} of ${registerNames[i]} are not configurable`);
      value = (value & ~(masks.fixed0_or_dynamic?.[i] ?? 0)) | (masks.fixed1?.[i] ?? 0);
      value = (value & ~direct) | (given & direct);
      value &= given | ~allowed;
    }
    values[i] = value >>> 0;
  }
  return values;
}

/** What a leaf's value depends on besides its configuration. */
function applyRule(td: TdConfig, index: number, values: Registers): void {
  const { leaf, subleaf } = cpuidLookup[index] as (typeof cpuidLookup)[number];
  switch (leaf) {
    case 0x1:
      leaf1(td, index, values);
      break;
    case 0x5:
      clearUnless((td.flags & FLAG_MONITOR_MWAIT) !== 0, values);
      break;
    case 0x7:
      leaf7(td, subleaf ?? 0, values);
      break;
    case 0xa:
      clearUnless((td.attributesHi & ATTRIBUTE_PERFMON_HI) !== 0, values);
      break;
    case 0xd:
      leafD(td, subleaf ?? 0, values);
      break;
    case 0x14:
      clearUnless((td.xfam & XFAM_PT) !== 0, values);
      break;
    case 0x15:
      // Denominator 1 and a crystal of 25 MHz are fixed, so the numerator is the frequency in those units.
      values[EBX] = td.call.store.read(td.tdcs + TDCS_TSC_FREQUENCY);
      break;
    case 0x19:
      clearUnless(false, values);
      break;
    case 0x1c:
      clearUnless((td.xfam & XFAM_LBR) !== 0, values);
      break;
    case 0x1d:
      clearUnless((td.xfam & XFAM_AMX) === XFAM_AMX, values);
      break;
    case 0x8000_0008:
      values[EAX] = ((values[EAX] & ~0xff00) | (((td.flags & FLAG_LA57) !== 0 ? LA57_BITS : LA48_BITS) << 8)) >>> 0;
      break;
    default:
      break;
  }
}

function clearUnless(present: boolean, values: Registers): void {
  if (!present) values.fill(0);
}

/** Clears the bits of all features that XFAM does not have. */
function clearXfamBits(xfam: number, values: Registers, bits: XfamBits): void {
  for (let bit = 0; bit <= XFAM_LAST_BIT; bit++) {
    const masks = bits[bit];
    if (masks === undefined || (xfam & (1 << bit)) !== 0) continue;
    for (let i = 0; i < 4; i++) values[i] = ((values[i] as number) & ~(masks[i] as number)) >>> 0;
  }
}

function leaf1(td: TdConfig, index: number, values: Registers): void {
  const { call } = td;
  // Family, model and stepping: 0 stands for the platform's own, and only a migratable TD may have another.
  const native = call.store.read(call.sys + PLATFORM_FMS);
  if (values[EAX] === 0) values[EAX] = native;
  const valid =
    (td.attributes & ATTRIBUTE_MIGRATABLE) !== 0 ? isAllowedFms(native, values[EAX]) : values[EAX] === native;
  if (!valid)
    failLeaf(call, index, `family, model and stepping are ${hex(values[EAX])}, the platform's ${hex(native)}`);
  if ((td.xfam & XFAM_AVX) === 0) values[ECX] = (values[ECX] & ~ECX_OF_AVX) >>> 0;
  if ((values[ECX] & (1 << 3)) !== 0) td.flags |= FLAG_MONITOR_MWAIT;
  if ((values[ECX] & (1 << 18)) !== 0) td.flags |= FLAG_DCA;
  if ((values[ECX] & (1 << 24)) !== 0) td.flags |= FLAG_TSC_DEADLINE;
}

function leaf7(td: TdConfig, subleaf: number, values: Registers): void {
  const { call } = td;
  if (subleaf === 1) {
    clearXfamBits(td.xfam, values, xfamBitsOf7x1);
  } else if (subleaf === 2) {
    if ((values[EDX] & (1 << 3)) !== 0) td.flags |= FLAG_DDPD;
  } else {
    clearXfamBits(td.xfam, values, xfamBitsOf7);
    const hle = (values[EBX] & EBX_HLE) !== 0;
    if (hle !== ((values[EBX] & EBX_RTM) !== 0)) {
      fail(TDX_OPERAND_INVALID, OPERAND_CPUID_CONFIG, "HLE and RTM differ");
    }
    const capabilities = SAMPLED_MSRS.IA32_ARCH_CAPABILITIES;
    if (hle && (sampledMsr(call, capabilities) & ARCH_CAP_TSX_CTRL) === 0n) {
      fail(TDX_INCORRECT_MSR_VALUE, capabilities, "HLE needs IA32_TSX_CTRL, which the processor does not have");
    }
    if (hle) td.flags |= FLAG_TSX;
    const pks = (td.attributes & ATTRIBUTE_PKS) !== 0 ? ECX_PKS : 0;
    values[ECX] = ((values[ECX] & ~(ECX_PKS | ECX_KEY_LOCKER)) | pks) >>> 0;
    if ((values[ECX] & (1 << 5)) !== 0) td.flags |= FLAG_WAITPKG;
    if ((values[ECX] & (1 << 13)) !== 0) td.flags |= FLAG_TME;
    if ((values[ECX] & (1 << 16)) !== 0) td.flags |= FLAG_LA57;
    if ((values[EDX] & (1 << 18)) !== 0) td.flags |= FLAG_MKTME;
  }
}

function leafD(td: TdConfig, subleaf: number, values: Registers): void {
  const { call } = td;
  if (subleaf === 0) {
    clearXfamBits(td.xfam, values, xfamBitsOfD);
    // The largest XSAVE area: what the processor says with XCR0 set to XFAM's user features.
    values[ECX] = call.platform.cpuid(call.lp, 0xd, 0)[EBX] as number;
  } else if (subleaf === 1) {
    clearXfamBits(td.xfam, values, xfamBitsOfDx1);
    if ((call.store.read(call.sys + PLATFORM_XFD_FAULTING) & td.xfam) === 0) {
      values[EAX] = (values[EAX] & ~EAX_XFD) >>> 0;
    }
    if ((values[EAX] & EAX_XFD) !== 0) td.flags |= FLAG_XFD;
  } else if (subleaf <= XFAM_LAST_BIT) {
    clearUnless((td.xfam & (1 << subleaf)) !== 0, values);
  }
}
