/** The state that TDH.VP.INIT gives to the VMCSs of a VCPU: reset state of a guest that starts in 32-bit protected mode. */
import { ATTRIBUTE_KL, ATTRIBUTE_PKS } from "./attributes.ts";
import type { Call } from "./call.ts";
import {
  CR0_CD,
  CR0_NE,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_RESERVED,
  CR4_CET,
  CR4_KEY_LOCKER,
  CR4_MCE,
  CR4_PKE,
  CR4_PKS,
  CR4_RESERVED,
  CR4_SMXE,
  CR4_UINTR,
  CR4_VMXE,
} from "./control-registers.ts";
import { cpuidFlag, FLAG_DDPD, realSpecCtrl, SPEC_CTRL_DDPD_U } from "./cpuid-flags.ts";
import * as layout from "./layout.ts";
import {
  PLATFORM_ENTRY_CTLS,
  PLATFORM_EXIT_CTLS,
  PLATFORM_PINBASED_CTLS,
  PLATFORM_PROCBASED_CTLS,
  PLATFORM_PROCBASED_CTLS2,
  PLATFORM_PROCBASED_CTLS3,
  SAMPLED_MSRS,
  sampledMsr,
} from "./platform-config.ts";
import { ZERO_PAGE } from "./td.ts";
import { tdvpsCell } from "./vcpu.ts";
import { type Controls, l2Controls, l2Cr4WriteMask, withTdConfiguration } from "./vmx-controls.ts";
import { XFAM_CET, XFAM_PKU, XFAM_ULI } from "./xfam.ts";

const PAGE_WORDS = 1024;
const L2_PAGES = 3;
const NULL_PA = 0xffff_ffff_ffff_ffffn;
const MSR_BITMAPS_PAGE = 2;
/** Page of the first L2 VM's S-EPT root in the TDCS, of its MSR bitmaps in the TDVPS. */
const L2_SEPT_ROOT_PAGE = 6;
const L2_MSR_BITMAPS_PAGE = 7;
const VAPIC_PAGE = 2;
const VE_INFO_PAGE = 0;
/** KeyIDs that fit in a VPID (bits 15:2; bits 1:0 are the VM). */
const MAX_VPID_HKID = 4096;

const PROCBASED2_ENCLV_EXITING = 1 << 28;
const PROCBASED3_GPAW = 1n << 5n;

/** Fields of every VMCS that do not start as zero: place and value, up to 32 bits wide. */
const initial32: readonly (readonly [place: number, value: number])[] = [
  [layout.VMCS_GUEST_LDTR_LIMIT, 0xffff],
  [layout.VMCS_GUEST_LDTR_ACCESS_RIGHTS, 0x1_0082],
  [layout.VMCS_GUEST_TR_LIMIT, 0xffff],
  [layout.VMCS_GUEST_TR_ACCESS_RIGHTS, 0x8b],
  [layout.VMCS_GUEST_GDTR_LIMIT, 0xffff],
  [layout.VMCS_GUEST_CS_LIMIT, 0xffff_ffff],
  [layout.VMCS_GUEST_DS_LIMIT, 0xffff_ffff],
  [layout.VMCS_GUEST_ES_LIMIT, 0xffff_ffff],
  [layout.VMCS_GUEST_FS_LIMIT, 0xffff_ffff],
  [layout.VMCS_GUEST_GS_LIMIT, 0xffff_ffff],
  [layout.VMCS_GUEST_SS_LIMIT, 0xffff_ffff],
  [layout.VMCS_GUEST_CS_ACCESS_RIGHTS, 0xc09b],
  [layout.VMCS_GUEST_DS_ACCESS_RIGHTS, 0xc093],
  [layout.VMCS_GUEST_ES_ACCESS_RIGHTS, 0xc093],
  [layout.VMCS_GUEST_FS_ACCESS_RIGHTS, 0xc093],
  [layout.VMCS_GUEST_GS_ACCESS_RIGHTS, 0xc093],
  [layout.VMCS_GUEST_SS_ACCESS_RIGHTS, 0xc093],
  [layout.VMCS_POSTED_INTERRUPT_NOTIFICATION_VECTOR, 0xffff],
  [layout.VMCS_EXCEPTION_BITMAP, 1 << 18], // machine checks
];

/** The same, 64 bits wide. */
const initial64: readonly (readonly [place: number, value: bigint])[] = [
  [layout.VMCS_GUEST_DR7, 0x400n],
  [layout.VMCS_GUEST_RIP, 0xffff_fff0n],
  [layout.VMCS_GUEST_RFLAGS, 0x2n],
  [layout.VMCS_IA32_PERF_GLOBAL_CTRL, 0xffn],
  [layout.VMCS_IA32_PAT, 0x0007_0406_0007_0406n],
  [layout.VMCS_IA32_EFER, 0x901n],
  [layout.VMCS_GUEST_CR0, 0x21n],
  [layout.VMCS_GUEST_CR4, 0x2040n],
  [layout.VMCS_APIC_ACCESS_ADDRESS, NULL_PA],
  [layout.VMCS_POSTED_INTERRUPT_DESCRIPTOR_ADDRESS, NULL_PA],
  [layout.VMCS_I_O_BITMAP_ADDRESS_N, NULL_PA],
  [layout.VMCS_I_O_BITMAP_ADDRESS_N + 2, NULL_PA],
  [layout.VMCS_EPTP_LIST_ADDRESS, NULL_PA],
  [layout.VMCS_VMREAD_BITMAP_ADDRESS, NULL_PA],
  [layout.VMCS_VMWRITE_BITMAP_ADDRESS, NULL_PA],
  [layout.VMCS_ENCLS_EXITING_BITMAP, NULL_PA],
  [layout.VMCS_PML_ADDRESS, NULL_PA],
  [layout.VMCS_PCONFIG_EXITING_BITMAP, NULL_PA],
  [layout.VMCS_EXECUTIVE_VMCS_POINTER, NULL_PA],
  [layout.VMCS_VM_EXIT_MSR_STORE_ADDRESS, NULL_PA],
  [layout.VMCS_VM_EXIT_MSR_LOAD_ADDRESS, NULL_PA],
  [layout.VMCS_VM_ENTRY_MSR_LOAD_ADDRESS, NULL_PA],
  [layout.VMCS_VMCS_LINK_POINTER, NULL_PA],
  [layout.VMCS_PDPTEN, NULL_PA],
  [layout.VMCS_PDPTEN + 2, NULL_PA],
  [layout.VMCS_PDPTEN + 4, NULL_PA],
  [layout.VMCS_PDPTEN + 6, NULL_PA],
];

/** Controls that a TD's own VMCS starts with on this platform. */
function platformControls(call: Call): Controls {
  const { store, sys } = call;
  return {
    pinbased: store.read(sys + PLATFORM_PINBASED_CTLS),
    procbased: store.read(sys + PLATFORM_PROCBASED_CTLS),
    procbased2: store.read(sys + PLATFORM_PROCBASED_CTLS2),
    procbased3: store.readBig(sys + PLATFORM_PROCBASED_CTLS3),
    exit: store.read(sys + PLATFORM_EXIT_CTLS),
    entry: store.read(sys + PLATFORM_ENTRY_CTLS),
  };
}

/** Initialises the VMCS of the TD itself (`vm` 0) or of an L2 VM. */
export function initVmcs(call: Call, tdr: number, tdcs: number, tdvpr: number, vm: number): void {
  const { store } = call;
  const page = vm === 0 ? 0 : layout.TDVPS_L2_VMCS_1 + (vm - 1) * L2_PAGES * PAGE_WORDS - PAGE_WORDS;
  const cell = (place: number): number => tdvpsCell(call, tdvpr, page + place);
  const write32 = (place: number, value: number): void => store.write(cell(place), value);
  const write64 = (place: number, value: bigint): void => store.writeBig(cell(place), value);
  const hkid = store.read(tdr + layout.TDR_HKID);
  const withHkid = (pages: number, index: number): bigint =>
    store.readBig(pages + index * 2) | (BigInt(hkid) << BigInt(call.platform.addressBits));

  for (const [place, value] of initial32) write32(place, value);
  for (const [place, value] of initial64) write64(place, value);
  if ((store.read(call.sys + PLATFORM_PROCBASED_CTLS2) & PROCBASED2_ENCLV_EXITING) !== 0) {
    write64(layout.VMCS_ENCLV_EXITING_BITMAP, NULL_PA);
  }

  const tdvpsPages = tdvpr + layout.TDVPS_TDVPS_PAGE_PA;
  const tdcsPages = tdr + layout.TDR_TDCX_PA;
  const zeroPage = withHkid(tdcsPages, ZERO_PAGE);
  write64(layout.VMCS_VIRTUAL_APIC_ADDRESS, vm === 0 ? withHkid(tdvpsPages, VAPIC_PAGE) : NULL_PA);
  write64(
    layout.VMCS_MSR_BITMAP_ADDRESS,
    vm === 0 ? withHkid(tdcsPages, MSR_BITMAPS_PAGE) : withHkid(tdvpsPages, L2_MSR_BITMAPS_PAGE + (vm - 1) * L2_PAGES),
  );
  write64(
    layout.VMCS_VIRTUALIZATION_EXCEPTION_INFORMATION_ADDRESS,
    vm === 0 ? withHkid(tdvpsPages, VE_INFO_PAGE) : NULL_PA,
  );
  write64(layout.VMCS_LOW_PASID_DIRECTORY_ADDRESS, zeroPage);
  write64(layout.VMCS_HIGH_PASID_DIRECTORY_ADDRESS, zeroPage);
  write64(layout.VMCS_SHARED_EPTP, zeroPage);
  write32(layout.VMCS_TD_HKID, hkid);
  write32(layout.VMCS_VPID, hkid < MAX_VPID_HKID ? vm | (hkid << 2) : 0);

  const controls = withTdConfiguration(call, tdcs, vm === 0 ? platformControls(call) : l2Controls(call));
  const gpaw = store.read(tdcs + layout.TDCS_GPAW) !== 0;
  write32(layout.VMCS_PIN_BASED_VM_EXECTION_CONTROLS, controls.pinbased);
  write32(layout.VMCS_PRIMARY_PROCESSOR_BASED_VM_EXECTION_CONTROLS, controls.procbased);
  write32(layout.VMCS_SECONDARY_PROCESSOR_BASED_VM_EXECTION_CONTROLS, controls.procbased2);
  write64(
    layout.VMCS_TERTIARY_PROCESSOR_BASED_VM_EXECTION_CONTROLS,
    gpaw ? controls.procbased3 | PROCBASED3_GPAW : controls.procbased3 & ~PROCBASED3_GPAW,
  );
  write32(layout.VMCS_VM_EXIT_CONTROLS, controls.exit);
  write32(layout.VMCS_VM_ENTRY_CONTROLS, controls.entry);
  write64(layout.VMCS_TIME_STAMP_COUNTER_MULTIPLIER, store.readBig(tdcs + layout.TDCS_TSC_MULTIPLIER));
  write64(layout.VMCS_TIME_STAMP_COUNTER_OFFSET, store.readBig(tdcs + layout.TDCS_TSC_OFFSET));
  write64(layout.VMCS_EPTP, eptp(call, tdr, tdcs, vm));
  write64(layout.VMCS_IA32_SPEC_CTRL_MASK, cpuidFlag(call, tdcs, FLAG_DDPD) ? 0n : SPEC_CTRL_DDPD_U);

  const crs = vm === 0 ? ownCrs(call, tdcs) : l2Crs;
  write64(layout.VMCS_CR0_GUEST_HOST_MASK, crs.cr0Mask);
  write64(layout.VMCS_CR0_READ_SHADOW, crs.cr0Shadow);
  write64(layout.VMCS_CR4_GUEST_HOST_MASK, crs.cr4Mask);
  write64(layout.VMCS_CR4_READ_SHADOW, crs.cr4Shadow);
  // What an L2 VM's shadows start with is what its TD asked for: nothing of its own.
  const shadow = (field: number, own: bigint, l2: bigint): void =>
    store.writeBig(tdvpr + field + vm * 2, vm === 0 ? own : l2);
  shadow(layout.TDVPS_SHADOW_CR0_GUEST_HOST_MASK, crs.cr0Mask, NULL_PA);
  shadow(layout.TDVPS_SHADOW_CR0_READ_SHADOW, crs.cr0Shadow, 0n);
  shadow(layout.TDVPS_SHADOW_CR4_GUEST_HOST_MASK, crs.cr4Mask, NULL_PA);
  shadow(layout.TDVPS_SHADOW_CR4_READ_SHADOW, crs.cr4Shadow, 0n);
}

/** The TD's EPTP; that of an L2 VM has the same controls and a root page of its own. No KeyID. */
function eptp(call: Call, tdr: number, tdcs: number, vm: number): bigint {
  const own = call.store.readBig(tdcs + layout.TDCS_EPTP);
  if (vm === 0) return own;
  const root = call.store.readBig(tdr + layout.TDR_TDCX_PA + (L2_SEPT_ROOT_PAGE + vm - 1) * 2);
  return (own & 0xfffn) | root;
}

interface CrControls {
  readonly cr0Mask: bigint;
  readonly cr0Shadow: bigint;
  readonly cr4Mask: bigint;
  readonly cr4Shadow: bigint;
}

/** An L2 VM's control registers belong to its TD until that gives bits away. */
const l2Crs: CrControls = {
  cr0Mask: NULL_PA,
  cr0Shadow: CR0_PE | CR0_NE,
  cr4Mask: NULL_PA,
  cr4Shadow: CR4_MCE | CR4_VMXE,
};

/** Bits of CR0 that the module owns whatever the VM: fixed by VMX, reserved, and caching. Without PE and PG. */
function cr0Owned(call: Call): bigint {
  const fixed0 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED0);
  const fixed1 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED1);
  const owned = (fixed0 | BigInt.asUintN(64, ~fixed1)) & ~(CR0_PE | CR0_PG);
  return owned | CR0_NE | CR0_NW | CR0_CD | CR0_RESERVED;
}

/** Bits that a TD must not change, and what it sees of them. */
function ownCrs(call: Call, tdcs: number): CrControls {
  const { store } = call;
  const cr0Fixed0 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED0);
  const cr4Fixed0 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED0);
  const cr4Fixed1 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED1);
  const xfam = store.read(tdcs + layout.TDCS_XFAM);
  const attributes = store.read(tdcs + layout.TDCS_ATTRIBUTES);
  let cr4Mask = cr4Fixed0 | BigInt.asUintN(64, ~cr4Fixed1) | CR4_MCE | CR4_VMXE | CR4_SMXE | CR4_RESERVED;
  if ((xfam & XFAM_PKU) === 0) cr4Mask |= CR4_PKE;
  if ((xfam & XFAM_CET) !== XFAM_CET) cr4Mask |= CR4_CET;
  if ((xfam & XFAM_ULI) === 0) cr4Mask |= CR4_UINTR;
  if ((attributes & ATTRIBUTE_KL) === 0) cr4Mask |= CR4_KEY_LOCKER;
  if ((attributes & ATTRIBUTE_PKS) === 0) cr4Mask |= CR4_PKS;
  return {
    cr0Mask: cr0Owned(call) | CR0_PE,
    cr0Shadow: cr0Fixed0 | CR0_PE | CR0_NE,
    cr4Mask,
    cr4Shadow: (cr4Fixed0 & ~CR4_VMXE) | CR4_MCE,
  };
}

/** Fields of the TDVPS that start with something else than zero, besides registers: shadows of the VMCSs and what L2 VMs share. */
export function initShadows(call: Call, tdcs: number, tdvpr: number): void {
  const { store } = call;
  const cr0Fixed0 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED0);
  const cr4Fixed0 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED0);
  store.writeBig(tdvpr + layout.TDVPS_SHADOW_PID_HPA, NULL_PA);
  store.write(tdvpr + layout.TDVPS_SHADOW_PINBASED_EXEC_CTLS, platformControls(call).pinbased);
  store.write(tdvpr + layout.TDVPS_SHADOW_POSTED_INT_NOTIFICATION_VECTOR, 0xffff);
  const l2Vms = store.read(tdcs + layout.TDCS_NUM_L2_VMS);
  for (let vm = 0; vm <= l2Vms; vm++) {
    const procbased2 = (vm === 0 ? platformControls(call) : l2Controls(call)).procbased2;
    store.write(tdvpr + layout.TDVPS_SHADOW_PROCBASED_EXEC_CTLS2 + vm, procbased2);
    for (const field of [
      layout.TDVPS_SHADOW_SHARED_EPTP,
      layout.TDVPS_L2_ENTER_GUEST_STATE_GPA,
      layout.TDVPS_L2_ENTER_GUEST_STATE_HPA,
      layout.TDVPS_L2_VAPIC_GPA,
      layout.TDVPS_L2_VAPIC_HPA,
      layout.TDVPS_TSC_DEADLINE,
    ]) {
      store.writeBig(tdvpr + field + vm * 2, NULL_PA);
    }
  }
  store.writeBig(tdvpr + layout.TDVPS_BASE_L2_CR0_GUEST_HOST_MASK, cr0Owned(call));
  store.writeBig(tdvpr + layout.TDVPS_BASE_L2_CR0_READ_SHADOW, (cr0Fixed0 & ~(CR0_PE | CR0_PG)) | CR0_NE);
  store.writeBig(tdvpr + layout.TDVPS_BASE_L2_CR4_GUEST_HOST_MASK, BigInt.asUintN(64, ~l2Cr4WriteMask(call, tdcs)));
  store.writeBig(tdvpr + layout.TDVPS_BASE_L2_CR4_READ_SHADOW, cr4Fixed0 | CR4_MCE | CR4_VMXE);
  store.writeBig(tdvpr + layout.TDVPS_IA32_SPEC_CTRL, realSpecCtrl(call, tdcs, 0n));
}
