/**
 * Guest leaves of module 1.5.01 that are left out: service TDs, and running L2 VMs. Each makes the first checks of the module's
 * own (no TD here has a service TD bound, so a binding handle never fits), and where that one would go on, answers as a leaf
 * that a module does not have: TDX_OPERAND_INVALID(RAX).
 */
import { OPERAND_L2_VAPIC_GPA } from "../../arch/generated/operand-ids.ts";
import { TDX_OPERAND_INVALID } from "../../arch/generated/status-codes.ts";
import { R8, RAX, RCX, RDX } from "../../arch/registers.ts";
import { type Call, fail } from "../call.ts";
import { TDCS_NUM_L2_VMS, TDVPS_L2_VAPIC_GPA } from "../layout.ts";
import { NO_FIELD } from "../metadata/field-id.ts";
import { isPrivateGpa } from "../sept.ts";
import type { Steps } from "../step.ts";

const REGISTER_LIST_ALIGNMENT = 256;

/** An L2 VM in bits 53:52 of RCX; `flags`: bits of the low word that may be set beside it. */
function checkVm(call: Call, flags: number): number {
  const vm = (call.hi(RCX) >>> 20) & 3;
  const reserved = (call.lo(RCX) & ~flags) !== 0 || (call.hi(RCX) & 0xffcf_ffff) !== 0;
  if (vm === 0 || vm > call.store.read(call.tdcs + TDCS_NUM_L2_VMS) || reserved) fail(TDX_OPERAND_INVALID, RCX);
  return vm;
}

/** TDG.SERVTD.RD: RCX binding handle · RDX field id. */
export function* tdgServtdRd(call: Call): Steps {
  call.setBig(RDX, NO_FIELD);
  call.setNum(R8, 0);
  yield "check the binding handle";
  fail(TDX_OPERAND_INVALID, RCX);
}

/** TDG.SERVTD.WR: RCX binding handle · RDX field id · R8 value · R9 mask. */
export function* tdgServtdWr(call: Call): Steps {
  call.setNum(R8, 0);
  yield "check the binding handle";
  fail(TDX_OPERAND_INVALID, RCX);
}

/** TDG.VP.ENTER: RCX L2 VM and flags · RDX GPA of its registers. */
export function* tdgVpEnter(call: Call): Steps {
  yield "check the address of the register list";
  const aligned = call.lo(RDX) % REGISTER_LIST_ALIGNMENT === 0;
  if (!aligned || !isPrivateGpa(call, call.tdcs, call.num(RDX))) fail(TDX_OPERAND_INVALID, RDX);
  yield "check that the L2 VM exists and has a virtual APIC page";
  const vapic = call.tdvpr + TDVPS_L2_VAPIC_GPA + checkVm(call, 3) * 2;
  if (call.store.read(vapic + 1) === 0xffff_ffff) fail(TDX_OPERAND_INVALID, OPERAND_L2_VAPIC_GPA);
  yield "refuse: this emulator does not run L2 VMs";
  fail(TDX_OPERAND_INVALID, RAX);
}

/** TDG.VP.INVVPID: RCX L2 VM, bit 0: a list · RDX linear addresses. */
export function* tdgVpInvvpid(call: Call): Steps {
  yield "check that the L2 VM exists";
  checkVm(call, 1);
  yield "refuse: this emulator does not run L2 VMs";
  fail(TDX_OPERAND_INVALID, RAX);
}
