/** Checks of the invariants (invariants.ts) about TDs: their pages, keys, VCPUs and locks. */
import { PT_TDCX, PT_TDR } from "../arch/generated/pamt-types.ts";
import {
  HKID_ASSIGNED,
  HKID_FLUSHED,
  TD_BLOCKED,
  TD_KEYS_CONFIGURED,
  TD_TEARDOWN,
  VCPU_ACTIVE,
} from "../arch/generated/td-states.ts";
import { refcountCell } from "./epoch.ts";
import { hex, type Report, type State, typeName } from "./invariant-state.ts";
import { hkidState } from "./kot.ts";
import {
  TDCS_EPOCH_LOCK,
  TDCS_NUM_ASSOC_VCPUS,
  TDCS_OP_STATE_LOCK,
  TDCS_SECURE_EPT_LOCK,
  TDR_CHLDCNT,
  TDR_FATAL,
  TDR_PKG_CONFIG_BITMAP,
  TDVPS_ASSOC_LPID,
  TDVPS_VCPU_EPOCH,
  TDVPS_VCPU_STATE,
} from "./layout.ts";
import { pamtLock } from "./pamt.ts";
import { SEPT_HOST_LOCK } from "./sept-entry.ts";
import type { VcpuPages } from "./survey.ts";
import { NO_LP } from "./vcpu.ts";

export function childCount({ tds, pages, machine }: State, report: Report): void {
  for (const td of tds) {
    let owned = 0;
    for (const page of pages) if (page.type !== PT_TDR && page.owner === td.hpa) owned += 512 ** page.size;
    const counted = machine.store.readNumber(td.tdr + TDR_CHLDCNT);
    if (counted !== owned) report(`TD ${hex(td.hpa)} counts ${counted} child pages and owns ${owned}`);
  }
}

export function structurePages({ tds, vcpus, pages, pageAt }: State, report: Report): void {
  const named = new Map<number, number>();
  for (const td of tds) if (td.lifecycle !== TD_TEARDOWN) for (const hpa of td.tdcx) named.set(hpa, td.hpa);
  const alive = (vcpu: VcpuPages): boolean =>
    tds.some(({ hpa, lifecycle }) => hpa === vcpu.owner && lifecycle !== TD_TEARDOWN);
  for (const vcpu of vcpus.filter(alive)) for (const hpa of vcpu.pages.slice(1)) named.set(hpa, vcpu.owner);
  for (const [hpa, owner] of named) {
    const page = pageAt.get(hpa);
    if (page?.type !== PT_TDCX || page.owner !== owner)
      report(`structure page ${hex(hpa)} of TD ${hex(owner)} is ${typeName(page)}`);
  }
  for (const { hpa, type, owner } of pages) {
    const td = tds.find((other) => other.hpa === owner);
    if (type === PT_TDCX && td?.lifecycle !== TD_TEARDOWN && !named.has(hpa))
      report(`PT_TDCX page ${hex(hpa)} is in no structure`);
  }
}

export function oneTdPerKey({ tds, machine }: State, report: Report): void {
  const users = new Map<number, number>();
  for (const { hkid, hpa, lifecycle } of tds) {
    if (lifecycle === TD_TEARDOWN) continue;
    if (users.has(hkid)) report(`KeyID ${hkid} belongs to the TDs ${hex(users.get(hkid) as number)} and ${hex(hpa)}`);
    users.set(hkid, hpa);
    const state = hkidState(machine.calls[0]!, hkid);
    const wanted = lifecycle === TD_BLOCKED ? HKID_FLUSHED : HKID_ASSIGNED;
    if (state !== wanted) report(`KeyID ${hkid} of TD ${hex(hpa)} (life cycle ${lifecycle}) is in state ${state}`);
  }
}

export function keyBeforeUse({ tds, vcpus, machine }: State, report: Report): void {
  const { store, platform } = machine;
  const allPackages = 2 ** platform.config.packages.length - 1;
  for (const td of tds) {
    if (td.lifecycle !== TD_KEYS_CONFIGURED) continue;
    if (store.read(td.tdr + TDR_PKG_CONFIG_BITMAP) !== allPackages)
      report(`TD ${hex(td.hpa)}: its key is not configured everywhere`);
  }
  for (const { hpa, tdvpr, owner } of vcpus) {
    const td = tds.find((other) => other.hpa === owner);
    const active = store.read(tdvpr + TDVPS_VCPU_STATE) === VCPU_ACTIVE;
    if (active && td?.lifecycle !== TD_KEYS_CONFIGURED && td?.lifecycle !== TD_TEARDOWN) {
      report(`VCPU ${hex(hpa)} runs without a key`);
    }
  }
}

export function vcpusCounted({ tds, vcpus, machine }: State, report: Report): void {
  const { store } = machine;
  // A VCPU that makes its TD fatal stays VCPU_ACTIVE: nobody enters it again.
  for (const td of tds.filter(({ tdr, tdcs }) => tdcs !== 0 && store.read(tdr + TDR_FATAL) === 0)) {
    const running = [0, 0];
    let associated = 0;
    for (const { tdvpr } of vcpus.filter(({ owner }) => owner === td.hpa)) {
      if (store.read(tdvpr + TDVPS_ASSOC_LPID) !== NO_LP) associated++;
      if (store.read(tdvpr + TDVPS_VCPU_STATE) === VCPU_ACTIVE) {
        running[store.readNumber(tdvpr + TDVPS_VCPU_EPOCH) % 2]!++;
      }
    }
    const counted = [store.read(refcountCell(td.tdcs, 0)), store.read(refcountCell(td.tdcs, 1))];
    if (String(counted) !== String(running))
      report(`TD ${hex(td.hpa)} counts ${counted} VCPUs by epoch; ${running} run`);
    const count = store.read(td.tdcs + TDCS_NUM_ASSOC_VCPUS);
    if (count !== associated) report(`TD ${hex(td.hpa)} counts ${count} associated VCPUs; there are ${associated}`);
  }
}

/** Host-priority flag of a lock: it may outlive a call. */
const HP_FLAG = 2;

export function locksFree({ tds, pages, machine }: State, report: Report): void {
  const { store, platform } = machine;
  const inGuest = Array.from({ length: platform.lps }, (_, lp) => machine.inGuest(lp)).includes(true);
  if (inGuest || !machine.quiescent) return;
  for (const { entry, hpa } of pages) {
    if ((store.read(pamtLock(entry)) & ~HP_FLAG) !== 0) report(`the PAMT entry of page ${hex(hpa)} is locked`);
  }
  for (const td of tds.filter(({ tdcs }) => tdcs !== 0)) {
    for (const lock of [TDCS_OP_STATE_LOCK, TDCS_SECURE_EPT_LOCK, TDCS_EPOCH_LOCK]) {
      if ((store.read(td.tdcs + lock) & ~HP_FLAG) !== 0) report(`a lock of TD ${hex(td.hpa)} is held (word ${lock})`);
    }
    for (const { gpa, level, cell } of td.mappings) {
      if ((store.read(cell) & SEPT_HOST_LOCK) !== 0)
        report(`the S-EPT entry of GPA ${hex(gpa)} level ${level} is locked`);
    }
  }
}
