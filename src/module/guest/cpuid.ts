/**
 * CPUID in a TD: values that TDH.MNG.INIT calculated (TDCS.CPUID_VALUES), except for a few bits that follow the state of the
 * VCPU. A leaf that the module does not virtualize gets #VE, and so does every leaf for which the guest asked for it.
 */
import { cpuidLookup } from "../../arch/generated/cpuid-tables.ts";
import { RAX, RBX, RCX, RDX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { cpuidFlag, FLAG_TSX } from "../cpuid-flags.ts";
import {
  TDCS_CPUID_VALUES,
  TDVPS_CPUID_CONTROL,
  TDVPS_CPUID_SUPERVISOR_VE,
  TDVPS_CPUID_USER_VE,
  TDVPS_IA32_TSX_CTRL,
  TDVPS_VCPU_INDEX,
  VMCS_GUEST_CR4,
} from "../layout.ts";
import { PLATFORM_LAST_BASE_LEAF, PLATFORM_LAST_EXTENDED_LEAF } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { injectVe } from "./events.ts";
import * as Reason from "./reasons.ts";
import { is64Bit, privilegeLevel } from "./rip.ts";

const FIRST_EXTENDED_LEAF = 0x8000_0000;
/** Leaves for hypervisors: whatever the processor's last leaf is, they are not taken for it. */
const HYPERVISOR_FIRST = 0x4000_0000;
const HYPERVISOR_LAST = 0x4fff_ffff;

const CPUID_VALUE_WORDS = 4;
const SUPERVISOR_VE = 1;
const USER_VE = 2;

const CR4_OSXSAVE = 1 << 18;
const CR4_PKE = 1 << 22;
const ECX_OSXSAVE = 1 << 27;
const ECX_OSPKE = 1 << 4;
const EBX_HLE = 1 << 4;
const EBX_RTM = 1 << 11;
const EDX_SYSCALL = 1 << 11;
const TSX_CPUID_CLEAR = 1 << 1;

/** Index of a leaf and sub-leaf in the table, or -1. */
function lookup(leaf: number, subleaf: number): number {
  return cpuidLookup.findIndex(
    (entry) => entry.leaf === leaf && (entry.subleaf === undefined || entry.subleaf === subleaf),
  );
}

function wantsVe(call: Call, index: number): boolean {
  const { store, tdvpr } = call;
  const control = store.read(tdvpr + TDVPS_CPUID_CONTROL + index);
  return privilegeLevel(call) === 0
    ? store.read(tdvpr + TDVPS_CPUID_SUPERVISOR_VE) !== 0 || (control & SUPERVISOR_VE) !== 0
    : store.read(tdvpr + TDVPS_CPUID_USER_VE) !== 0 || (control & USER_VE) !== 0;
}

/** CPUID: leaf in EAX, sub-leaf in ECX; EAX, EBX, ECX and EDX are returned. */
export function* cpuidExit(call: Call): Steps {
  const { store, tdcs } = call;
  yield "take a leaf past the processor's last for the last basic one";
  let leaf = call.lo(RAX);
  const subleaf = call.lo(RCX);
  const lastBase = store.read(call.sys + PLATFORM_LAST_BASE_LEAF);
  const lastExtended = store.read(call.sys + PLATFORM_LAST_EXTENDED_LEAF);
  const isHypervisor = leaf >= HYPERVISOR_FIRST && leaf <= HYPERVISOR_LAST;
  if (!isHypervisor && (leaf > lastExtended || (leaf > lastBase && leaf < FIRST_EXTENDED_LEAF))) leaf = lastBase;

  yield "find the leaf and check whether the guest wants #VE for it";
  const index = lookup(leaf, subleaf);
  if (index < 0 || cpuidLookup[index]?.masks.faulting !== undefined || wantsVe(call, index)) {
    injectVe(call, Reason.CPUID, 0n, 0n, 0n);
    return;
  }

  yield "return the leaf's virtual value";
  const cell = tdcs + TDCS_CPUID_VALUES + index * CPUID_VALUE_WORDS;
  let ebx = store.read(cell + 1);
  let ecx = store.read(cell + 2);
  let edx = store.read(cell + 3);
  const cr4 = store.read(call.vmcs + VMCS_GUEST_CR4);
  if (leaf === 1) {
    ebx = ((ebx & 0x00ff_ffff) | (store.read(call.tdvpr + TDVPS_VCPU_INDEX) << 24)) >>> 0;
    ecx = (cr4 & CR4_OSXSAVE) !== 0 ? ecx | ECX_OSXSAVE : ecx & ~ECX_OSXSAVE;
  } else if (leaf === 7 && subleaf === 0) {
    const clear = (store.read(call.tdvpr + TDVPS_IA32_TSX_CTRL) & TSX_CPUID_CLEAR) !== 0;
    if (clear && cpuidFlag(call, tdcs, FLAG_TSX)) ebx &= ~(EBX_HLE | EBX_RTM);
    ecx = (cr4 & CR4_PKE) !== 0 ? ecx | ECX_OSPKE : ecx & ~ECX_OSPKE;
  } else if (leaf === 0xd && subleaf <= 1) {
    ebx = call.platform.cpuid(call.lp, leaf, subleaf)[1];
  } else if (leaf === 0x8000_0001) {
    edx = is64Bit(call) ? edx | EDX_SYSCALL : edx & ~EDX_SYSCALL;
  }
  call.set(RAX, store.read(cell), 0);
  call.set(RBX, ebx, 0);
  call.set(RCX, ecx, 0);
  call.set(RDX, edx, 0);
}
