/**
 * Writes to CR0 and CR4 of bits that the guest does not own. What the processor would refuse gets #GP(0); what it would
 * accept but a TD may not do gets #VE.
 */
import { RSP } from "../../arch/registers.ts";
import { LP_GPR } from "../../platform/lp.ts";
import { ATTRIBUTE_PKS } from "../attributes.ts";
import type { Call } from "../call.ts";
import {
  CR0_CD,
  CR0_NE,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_RESERVED_LO,
  CR0_WP,
  CR4_CET,
  CR4_KEY_LOCKER,
  CR4_PKE,
  CR4_PKS,
  CR4_UINTR,
  CR4_VMXE,
} from "../control-registers.ts";
import {
  TDCS_ATTRIBUTES,
  TDVPS_XFAM,
  VMCS_EXIT_QUALIFICATION,
  VMCS_GUEST_CR0,
  VMCS_GUEST_CR4,
  VMCS_GUEST_RSP,
} from "../layout.ts";
import { SAMPLED_MSRS, sampledMsr } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { XFAM_CET, XFAM_PKU, XFAM_ULI } from "../xfam.ts";
import { injectGp, injectVe } from "./events.ts";
import * as Reason from "./reasons.ts";

const ACCESS_MOV_TO_CR = 0;
const ACCESS_LMSW = 3;

/** Bits that LMSW can change in protected mode: MP, EM, TS. */
const LMSW_MASK = 0xe;

const DONE = 0;
const GP = 1;
const VE = 2;

/** Returns false if the TD can have no such exit. */
export function* crAccessExit(call: Call): Steps<boolean> {
  const { store, vmcs } = call;
  const qualification = store.read(vmcs + VMCS_EXIT_QUALIFICATION);
  const access = (qualification >>> 4) & 3;
  if (access === ACCESS_LMSW) {
    yield "write MP, EM and TS of CR0";
    const source = qualification >>> 16;
    const cr0 = store.read(vmcs + VMCS_GUEST_CR0);
    store.write(vmcs + VMCS_GUEST_CR0, (source & LMSW_MASK) | (cr0 & ~LMSW_MASK));
    return true;
  }
  if (access !== ACCESS_MOV_TO_CR) return false;

  const register = (qualification >>> 8) & 15;
  const value = store.readBig(register === RSP ? vmcs + VMCS_GUEST_RSP : call.lpCell + LP_GPR + register * 2);
  const number = qualification & 15;
  if (number !== 0 && number !== 4) return false;
  yield "check the value and write the control register";
  const result = number === 0 ? writeCr0(call, value) : checkCr4(call, value);
  if (result === GP) injectGp(call);
  if (result === VE) injectVe(call, Reason.CR_ACCESS, store.readBig(vmcs + VMCS_EXIT_QUALIFICATION), 0n, 0n);
  return true;
}

function writeCr0(call: Call, value: bigint): number {
  const { store, vmcs } = call;
  const fixed0 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED0) & ~(CR0_PE | CR0_PG);
  const fixed1 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR0_FIXED1);
  if ((~value & fixed0) !== 0n || (value & ~fixed1) !== 0n) return GP;
  if ((value & CR0_PE) === 0n && (value & CR0_PG) !== 0n) return GP;
  const cr4 = store.readBig(vmcs + VMCS_GUEST_CR4);
  if ((cr4 & CR4_CET) !== 0n && (value & CR0_WP) === 0n) return GP;

  const reserved = value >> 32n;
  if ((value & CR0_PE) === 0n || (value & CR0_NE) === 0n || (value & (CR0_NW | CR0_CD)) !== 0n || reserved !== 0n) {
    return VE;
  }
  const cr0 = store.readBig(vmcs + VMCS_GUEST_CR0);
  store.writeBig(vmcs + VMCS_GUEST_CR0, (value & ~CR0_RESERVED_LO) | (cr0 & CR0_RESERVED_LO));
  return DONE;
}

/** True if all features that CR4 would switch on are among those of the TD. */
export function isCr4Allowed(cr4: bigint, attributes: bigint, xfamBits: bigint): boolean {
  const xfam = Number(xfamBits & 0xffff_ffffn);
  if ((cr4 & CR4_PKE) !== 0n && (xfam & XFAM_PKU) === 0) return false;
  if ((cr4 & CR4_CET) !== 0n && (xfam & XFAM_CET) !== XFAM_CET) return false;
  if ((cr4 & CR4_UINTR) !== 0n && (xfam & XFAM_ULI) === 0) return false;
  if ((cr4 & CR4_KEY_LOCKER) !== 0n) return false;
  return (cr4 & CR4_PKS) === 0n || (attributes & BigInt(ATTRIBUTE_PKS)) !== 0n;
}

/** A write of allowed bits alone does not exit, so no value is written here. */
function checkCr4(call: Call, value: bigint): number {
  const { store, vmcs, tdcs, tdvpr } = call;
  const fixed0 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED0) & ~CR4_VMXE;
  const fixed1 = sampledMsr(call, SAMPLED_MSRS.IA32_VMX_CR4_FIXED1);
  if ((~value & fixed0) !== 0n || (value & ~fixed1) !== 0n) return GP;
  if (!isCr4Allowed(value, store.readBig(tdcs + TDCS_ATTRIBUTES), store.readBig(tdvpr + TDVPS_XFAM))) return GP;
  const cr0 = store.readBig(vmcs + VMCS_GUEST_CR0);
  return (value & CR4_CET) !== 0n && (cr0 & CR0_WP) === 0n ? GP : VE;
}
