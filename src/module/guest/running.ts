/**
 * The VCPU that runs on an LP: where its structures are, and the locks that TDH.VP.ENTER keeps on them until the TD exit
 * (PAMT entries of the TDVPR's blocks and page, and of the TDR's page, all shared), so that neither page can be taken away.
 */
import { LP_GUEST_TDVPR } from "../../platform/lp.ts";
import type { Call } from "../call.ts";
import { LP_GUEST_TDR } from "../local-data.ts";
import { keepLock, releaseKeptLock } from "../lock-words.ts";
import { implicitEntry, PG_1G, PG_2M, PG_4K, pamtLock } from "../pamt.ts";
import { tdcsCell } from "../td.ts";
import { tdvpsCell } from "../vcpu.ts";

/** Page of the TDVPS that holds the VMCS, as a place (layout.ts). */
const VMCS_PLACE = 1024;

/** Makes the call know the running VCPU. */
export function bindVcpu(call: Call): void {
  const { store, memory, lpCell } = call;
  call.tdvpr = memory.cell(store.readNumber(lpCell + LP_GUEST_TDVPR));
  call.tdr = memory.cell(store.readNumber(lpCell + LP_GUEST_TDR));
  call.tdcs = tdcsCell(call, call.tdr, 0);
  call.vmcs = vmcsOf(call, call.tdvpr);
}

/** `vmcsOf(...)` + VMCS_X is a field of the VCPU's VMCS. */
export function vmcsOf(call: Call, tdvpr: number): number {
  return tdvpsCell(call, tdvpr, VMCS_PLACE) - VMCS_PLACE;
}

/** The VCPU runs on this LP from now on. */
export function setRunning(call: Call, tdvprHpa: number, tdrHpa: number): void {
  for (const cell of keptLocks(call, tdvprHpa, tdrHpa)) keepLock(call, cell);
  call.store.writeNumber(call.lpCell + LP_GUEST_TDVPR, tdvprHpa);
  call.store.writeNumber(call.lpCell + LP_GUEST_TDR, tdrHpa);
}

/** No guest runs on this LP any more. */
export function setNotRunning(call: Call): void {
  const { store, lpCell } = call;
  const tdvprHpa = store.readNumber(lpCell + LP_GUEST_TDVPR);
  for (const cell of keptLocks(call, tdvprHpa, store.readNumber(lpCell + LP_GUEST_TDR))) releaseKeptLock(call, cell);
  store.writeNumber(lpCell + LP_GUEST_TDVPR, 0);
  store.writeNumber(lpCell + LP_GUEST_TDR, 0);
}

/** Whether the guest that runs on the LP of this call keeps the lock. */
export function keepsLock(call: Call, cell: number): boolean {
  const { store, lpCell } = call;
  const tdvprHpa = store.readNumber(lpCell + LP_GUEST_TDVPR);
  return tdvprHpa !== 0 && keptLocks(call, tdvprHpa, store.readNumber(lpCell + LP_GUEST_TDR)).includes(cell);
}

/** In the order of their release. */
function keptLocks(call: Call, tdvprHpa: number, tdrHpa: number): number[] {
  return [
    pamtLock(implicitEntry(call, tdrHpa, PG_4K)),
    pamtLock(implicitEntry(call, tdvprHpa, PG_4K)),
    pamtLock(implicitEntry(call, tdvprHpa, PG_2M)),
    pamtLock(implicitEntry(call, tdvprHpa, PG_1G)),
  ];
}
