/**
 * Defence against zero-step attacks: a host that lets the same instruction fault again and again, on private pages that it
 * took away, learns which pages the instruction uses. After EPF_THRESHOLD EPT violations at one RIP further faulting pages
 * go to a list (LAST_EPF_GPA_LIST); while a listed page would still fault, TDH.VP.ENTER returns at once.
 *
 * The defence against single-step attacks depends on the time between entry and interrupt; on this platform's clock every
 * run of a guest is long enough (test/vectors/README.md, limit 5), so it never starts.
 */
import { OPERAND_SEPT_TREE } from "../../arch/generated/operand-ids.ts";
import { TDX_OPERAND_BUSY } from "../../arch/generated/status-codes.ts";
import { type Call, fail } from "../call.ts";
import { releaseVcpuEpoch } from "../epoch.ts";
import {
  TDCS_SECURE_EPT_LOCK,
  TDVPS_LAST_EPF_GPA_LIST,
  TDVPS_LAST_EPF_GPA_LIST_IDX,
  TDVPS_POSSIBLY_EPF_STEPPING,
  VMCS_GUEST_RIP,
} from "../layout.ts";
import { LP_RIP_ON_ENTRY } from "../local-data.ts";
import { EXCLUSIVE, TAKEN, trySharex } from "../lock-words.ts";
import type { Steps } from "../step.ts";
import { translatePrivate } from "./translate.ts";

/** EPT violations at one RIP before the faulting pages are listed. */
const EPF_THRESHOLD = 6;
const EPF_GPA_LIST_SIZE = 32;

/** The page of the list that faults again, or -1: none does. */
export const NO_FAULT_EXPECTED = -1;

/** Notes where the guest is entered. */
export function noteEntry(call: Call, vmcs: number): void {
  const { store, lpCell } = call;
  store.write(lpCell + LP_RIP_ON_ENTRY, store.read(vmcs + VMCS_GUEST_RIP));
  store.write(lpCell + LP_RIP_ON_ENTRY + 1, store.read(vmcs + VMCS_GUEST_RIP + 1));
}

function hasMoved(call: Call): boolean {
  const { store, vmcs, lpCell } = call;
  return (
    store.read(vmcs + VMCS_GUEST_RIP) !== store.read(lpCell + LP_RIP_ON_ENTRY) ||
    store.read(vmcs + VMCS_GUEST_RIP + 1) !== store.read(lpCell + LP_RIP_ON_ENTRY + 1)
  );
}

/** A guest that moved since its entry is not stepped. */
export function noteProgress(call: Call): void {
  if (!hasMoved(call)) return;
  call.store.write(call.tdvpr + TDVPS_LAST_EPF_GPA_LIST_IDX, 0);
  call.store.write(call.tdvpr + TDVPS_POSSIBLY_EPF_STEPPING, 0);
}

/** Notes an EPT violation on a private page that becomes a TD exit. */
export function noteEptViolation(call: Call, gpa: bigint): void {
  const { store, tdvpr } = call;
  noteProgress(call);
  const faults = store.read(tdvpr + TDVPS_POSSIBLY_EPF_STEPPING);
  if (faults < EPF_THRESHOLD) {
    store.write(tdvpr + TDVPS_POSSIBLY_EPF_STEPPING, faults + 1);
    return;
  }
  const listed = store.read(tdvpr + TDVPS_LAST_EPF_GPA_LIST_IDX);
  if (listed >= EPF_GPA_LIST_SIZE) return;
  for (let i = 0; i < listed; i++) if (store.readBig(tdvpr + TDVPS_LAST_EPF_GPA_LIST + i * 2) === gpa) return;
  store.writeBig(tdvpr + TDVPS_LAST_EPF_GPA_LIST + listed * 2, gpa);
  store.write(tdvpr + TDVPS_LAST_EPF_GPA_LIST_IDX, listed + 1);
}

/**
 * Under suspicion: takes the S-EPT tree, so that nothing changes any more, and looks whether a listed page would fault again.
 * Returns its GPA with the tree released, or NO_FAULT_EXPECTED with the tree locked until the entry.
 * Errors: TDX_OPERAND_BUSY(SEPT_TREE).
 */
export function* checkListedPages(call: Call, tdcs: number, tdvpr: number): Steps<number> {
  const { store } = call;
  const listed = store.read(tdvpr + TDVPS_LAST_EPF_GPA_LIST_IDX);
  if (listed === 0) return NO_FAULT_EXPECTED;

  yield "a zero-step attack is suspected: lock the S-EPT tree (exclusive)";
  if (trySharex(call, tdcs + TDCS_SECURE_EPT_LOCK, EXCLUSIVE) !== TAKEN) {
    releaseVcpuEpoch(call, tdcs, tdvpr);
    fail(TDX_OPERAND_BUSY, OPERAND_SEPT_TREE);
  }
  yield "check that none of the pages that faulted would fault again";
  for (let i = 0; i < listed; i++) {
    const gpa = store.readNumber(tdvpr + TDVPS_LAST_EPF_GPA_LIST + i * 2);
    if (!translatePrivate(call, tdcs, gpa, 0b111).allowed) {
      call.release(tdcs + TDCS_SECURE_EPT_LOCK);
      return gpa;
    }
  }
  return NO_FAULT_EXPECTED;
}
