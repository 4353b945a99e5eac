/** Trust domains: TDR, TDCS, VCPUs and Secure EPT of each. */

import { opStateNames } from "../../arch/generated/op-states.ts";
import { lifecycleNames, vcpuStateNames } from "../../arch/generated/td-states.ts";
import { registerNames } from "../../arch/registers.ts";
import * as layout from "../../module/layout.ts";
import { NO_LP } from "../../module/vcpu.ts";
import type { Domain, Vcpu } from "./domains.ts";
import { type Field, fieldItems } from "./fields.ts";
import { bits, count, hex } from "./format.ts";
import type { CellRange, Item } from "./item.ts";
import { lockText } from "./locks.ts";
import type { Moment } from "./moment.ts";
import { septOfTd } from "./sept-items.ts";

const sharexHp: Field["kind"] = (word) => lockText(word, true);
const sharex: Field["kind"] = (word) => lockText(word, false);

const TDR_FIELDS: readonly Field[] = [
  { label: "LIFECYCLE_STATE", place: layout.TDR_LIFECYCLE_STATE, kind: { names: lifecycleNames } },
  { label: "FATAL", place: layout.TDR_FATAL, kind: "u32" },
  { label: "HKID", place: layout.TDR_HKID, kind: "u32" },
  {
    label: "PKG_CONFIG_BITMAP",
    place: layout.TDR_PKG_CONFIG_BITMAP,
    kind: bits,
    tooltip: "Packages on which the TD's key is configured",
  },
  { label: "NUM_TDCX", place: layout.TDR_NUM_TDCX, kind: "u32", tooltip: "Pages of the TDCS" },
  {
    label: "CHLDCNT",
    place: layout.TDR_CHLDCNT,
    kind: "u64",
    tooltip: "4 KiB pages that belong to the TD, the TDR not counted",
  },
  { label: "TD_UUID", place: layout.TDR_TD_UUID, kind: { words: 8 } },
];

/** Fields of the TDCS's first page. */
const TDCS_FIELDS: readonly Field[] = [
  { label: "OP_STATE", place: layout.TDCS_OP_STATE, kind: { names: opStateNames } },
  { label: "OP_STATE_LOCK", place: layout.TDCS_OP_STATE_LOCK, kind: sharexHp },
  { label: "NUM_VCPUS", place: layout.TDCS_NUM_VCPUS, kind: "u32" },
  { label: "NUM_ASSOC_VCPUS", place: layout.TDCS_NUM_ASSOC_VCPUS, kind: "u32" },
  { label: "MAX_VCPUS", place: layout.TDCS_MAX_VCPUS, kind: "u32" },
  { label: "ATTRIBUTES", place: layout.TDCS_ATTRIBUTES, kind: "hex64" },
  { label: "XFAM", place: layout.TDCS_XFAM, kind: "hex64" },
  {
    label: "GPAW",
    place: layout.TDCS_GPAW,
    kind: (word) => (word ? "52 bits, shared bit 51" : "48 bits, shared bit 47"),
  },
  { label: "EPTP", place: layout.TDCS_EPTP, kind: "hex64" },
  { label: "SECURE_EPT_LOCK", place: layout.TDCS_SECURE_EPT_LOCK, kind: sharex },
  { label: "TSC_FREQUENCY", place: layout.TDCS_TSC_FREQUENCY, kind: "u32", tooltip: "In units of 25 MHz" },
  {
    label: "TD_EPOCH",
    place: layout.TDCS_TD_EPOCH,
    kind: "u64",
    tooltip: "Raised by TDH.MEM.TRACK",
  },
  ...["even", "odd"].map(
    (epoch, i): Field => ({
      label: `REFCOUNT[${i}]`,
      place: layout.TDCS_REFCOUNT + i,
      kind: "u32",
      tooltip: `LPs in the TD that entered it in an ${epoch} epoch`,
    }),
  ),
  { label: "EPOCH_LOCK", place: layout.TDCS_EPOCH_LOCK, kind: sharex },
  { label: "MRTD", place: layout.TDCS_MRTD, kind: { words: 12 } },
  { label: "MRCONFIGID", place: layout.TDCS_MRCONFIGID, kind: { words: 12 } },
  { label: "MROWNER", place: layout.TDCS_MROWNER, kind: { words: 12 } },
  { label: "MROWNERCONFIG", place: layout.TDCS_MROWNERCONFIG, kind: { words: 12 } },
  ...[0, 1, 2, 3].map((i): Field => ({ label: `RTMR${i}`, place: layout.TDCS_RTMR + i * 12, kind: { words: 12 } })),
];

const VCPU_FIELDS: readonly Field[] = [
  { label: "VCPU_STATE", place: layout.TDVPS_VCPU_STATE, kind: { names: vcpuStateNames } },
  {
    label: "ASSOC_LPID",
    place: layout.TDVPS_ASSOC_LPID,
    kind: (word) => (word === NO_LP ? "none" : `LP ${word}`),
  },
  {
    label: "VCPU_EPOCH",
    place: layout.TDVPS_VCPU_EPOCH,
    kind: "u64",
    tooltip: "TD epoch in which it was entered",
  },
  { label: "LAST_TD_EXIT", place: layout.TDVPS_LAST_TD_EXIT, kind: "u32" },
  { label: "EXIT_REASON", place: layout.TDVPS_EXIT_REASON, kind: "hex32", tooltip: "Of the #VE for the guest to take" },
  { label: "GPA", place: layout.TDVPS_GPA, kind: "hex64", tooltip: "Of the #VE for the guest to take" },
];

export function domainItems(moment: Moment): readonly Item[] {
  return moment.domains.all.map((td) => domainItem(moment, td, td.name));
}

function lifecycle(td: Domain): string {
  return lifecycleNames[td.lifecycle] ?? `${td.lifecycle}`;
}

/** One TD. `id` is that of the item. */
export function domainItem(moment: Moment, td: Domain, id: string): Item {
  const { domains } = moment;
  const opState = td.tdcs === 0 ? "" : ` · ${opStateNames[td.opState] ?? td.opState}`;
  const tdrCells: CellRange[] = domains.pageCells(td.hpa);
  const tdcsCells = td.tdcsPages.flatMap((page) => domains.pageCells(page));
  const sept = septOfTd(moment, td, `${id}/sept`, "Secure EPT");
  return {
    id,
    label: td.name,
    value: `${lifecycle(td)}${opState} · KeyID ${td.hkid} · ${count(td.vcpus.length, "VCPU")}`,
    tooltip: `TDR at ${hex(td.hpa)}`,
    hpa: td.hpa,
    isChanged: (changes) =>
      changes.inAny(tdrCells) ||
      changes.inAny(tdcsCells) ||
      td.vcpus.some((vcpu) => changes.inAny(vcpuCells(moment, vcpu))) ||
      sept.isChanged?.(changes) === true,
    children: () => [
      {
        id: `${id}/tdr`,
        label: "TDR",
        value: hex(td.hpa),
        hpa: td.hpa,
        cells: tdrCells,
        children: () => fieldItems(moment, `${id}/tdr`, { base: td.tdr, name: td.name }, TDR_FIELDS),
      },
      ...(td.tdcs === 0 ? [] : [tdcsItem(moment, td, `${id}/tdcs`, tdcsCells)]),
      ...td.vcpus.map((vcpu) => vcpuItem(moment, vcpu, `${id}/vcpu${vcpu.index}`)),
      sept,
    ],
  };
}

function tdcsItem(moment: Moment, td: Domain, id: string, cells: readonly CellRange[]): Item {
  const pages = `${id}/pages`;
  return {
    id,
    label: "TDCS",
    value: `${count(td.tdcsPages.length, "page")} · ${opStateNames[td.opState] ?? td.opState}`,
    cells,
    children: () => [
      {
        id: pages,
        label: "pages",
        value: `${td.tdcsPages.length}`,
        cells,
        children: () =>
          td.tdcsPages.map((hpa, i) => ({
            id: `${pages}/${i}`,
            label: `${i}`,
            value: hex(hpa),
            hpa,
            cells: moment.domains.pageCells(hpa),
          })),
      },
      ...fieldItems(moment, id, { base: td.tdcs, name: td.name }, TDCS_FIELDS),
    ],
  };
}

function vcpuName({ td, index }: Vcpu): string {
  return `${td.name}, vcpu ${index}`;
}

function vcpuCells(moment: Moment, vcpu: Vcpu): CellRange[] {
  return vcpu.pages.flatMap((page) => moment.domains.pageCells(page));
}

/** One VCPU. `id` is that of the item. */
export function vcpuItem(moment: Moment, vcpu: Vcpu, id: string): Item {
  const { store } = moment.machine;
  const cells = vcpuCells(moment, vcpu);
  const lp = store.read(vcpu.cell + layout.TDVPS_ASSOC_LPID);
  const state = vcpuStateNames[vcpu.state] ?? `${vcpu.state}`;
  const where = vcpu.state === 0 || lp === NO_LP ? "" : ` · LP ${lp}`;
  return {
    id,
    label: `vcpu ${vcpu.index}`,
    value: `${state}${where}`,
    tooltip: `TDVPR at ${hex(vcpu.hpa)}\n${count(vcpu.pages.length, "page")}`,
    hpa: vcpu.hpa,
    cells,
    children: () => [
      ...fieldItems(moment, id, { base: vcpu.cell, name: vcpuName(vcpu) }, VCPU_FIELDS),
      registersItem(moment, vcpu, `${id}/registers`),
      {
        id: `${id}/pages`,
        label: "pages",
        value: `${vcpu.pages.length}`,
        cells,
        children: () =>
          vcpu.pages.map((hpa, i) => ({
            id: `${id}/pages/${i}`,
            label: i === 0 ? "TDVPR" : `${i}`,
            value: hex(hpa),
            hpa,
            cells: moment.domains.pageCells(hpa),
          })),
      },
    ],
  };
}

/** Registers of the guest as they were saved when it left its LP. */
function registersItem(moment: Moment, vcpu: Vcpu, id: string): Item {
  const first = vcpu.cell + layout.TDVPS_RAX;
  return {
    id,
    label: "registers",
    value: "saved at the last exit",
    cells: [[first, 32]],
    children: () =>
      fieldItems(
        moment,
        id,
        { base: first, name: vcpuName(vcpu) },
        registerNames
          .map((label, i) => ({ label, place: i * 2, kind: "hex64" as const }))
          .filter(({ label }) => label !== "rsp"),
      ),
  };
}
