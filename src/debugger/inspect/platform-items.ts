/** The platform: the TDX module, packages, LPs, KeyIDs and memory. */

import { systemStateNames } from "../../arch/generated/system-states.ts";
import { hkidStateNames } from "../../arch/generated/td-states.ts";
import { registerNames } from "../../arch/registers.ts";
import { LP_IS_INIT } from "../../module/local-data.ts";
import * as sys from "../../module/sys.ts";
import { LP_GPR, LP_GUEST_TDVPR } from "../../platform/lp.ts";
import { BLOCK_WORDS } from "../../state/store.ts";
import { describedStatus } from "../describe-status.ts";
import { registerPlace } from "../edit-place.ts";
import { type Field, fieldItems } from "./fields.ts";
import { bits, bytes, count, hex, range } from "./format.ts";
import type { Item } from "./item.ts";
import { lockText, mutexText } from "./locks.ts";
import type { Moment } from "./moment.ts";

const MODULE_FIELDS: readonly Field[] = [
  { label: "SYS_STATE", place: sys.SYS_STATE, kind: { names: systemStateNames } },
  { label: "SYS_LOCK", place: sys.SYS_LOCK, kind: mutexText },
  { label: "global KeyID", place: sys.SYS_HKID, kind: "u32" },
  { label: "initialised LPs", place: sys.SYS_NUM_INIT_LPS, kind: "u32" },
  {
    label: "packages with the global key",
    place: sys.SYS_PKG_CONFIG_BITMAP,
    kind: bits,
  },
  { label: "TDMRs", place: sys.SYS_NUM_TDMRS, kind: "u32" },
  { label: "KOT_LOCK", place: sys.SYS_KOT_LOCK, kind: (word) => lockText(word, false) },
];

export function platformItems(moment: Moment): readonly Item[] {
  const { machine } = moment;
  const { platform } = machine;
  const state = systemStateNames[machine.store.read(machine.sys + sys.SYS_STATE)] ?? "";
  return [
    {
      id: "module",
      label: "TDX module",
      value: `${platform.config.module.version} · ${state}`,
      cells: [[machine.sys, sys.SYS_TDMRS]],
      children: () => fieldItems(moment, "module", { base: machine.sys, name: "the TDX module" }, MODULE_FIELDS),
    },
    ...platform.config.packages.map((lps, index) => packageItem(moment, index, lps)),
    keysItem(moment),
    memoryItem(moment),
  ];
}

function packageItem(moment: Moment, index: number, lps: readonly number[]): Item {
  const id = `package${index}`;
  return {
    id,
    label: `package ${index}`,
    value: `LP ${lps.join(", ")}`,
    cells: lps.map((lp) => [moment.machine.platform.lpCell(lp), BLOCK_WORDS] as const),
    children: () => lps.map((lp) => lpItem(moment, lp, `${id}/lp${lp}`)),
  };
}

/** One LP. `id` is that of the item. */
export function lpItem(moment: Moment, lp: number, id: string): Item {
  const { machine } = moment;
  const cell = machine.platform.lpCell(lp);
  return {
    id,
    label: `LP ${lp}`,
    value: lpState(moment, lp),
    cells: [[cell, BLOCK_WORDS]],
    children: () => lpFields(moment, lp, id),
  };
}

function lpState(moment: Moment, lp: number): string {
  const { machine } = moment;
  const cell = machine.platform.lpCell(lp);
  const tdvpr = machine.store.readNumber(cell + LP_GUEST_TDVPR);
  if (machine.openEntry(lp) !== undefined) return "inside the TDX module";
  if (tdvpr !== 0) return `runs ${moment.hpa(tdvpr)}`;
  return machine.store.read(cell + LP_IS_INIT) ? "host" : "host, not initialised for TDX";
}

/** Registers of an LP, RAX decoded where it can be a status. `id` is that of the item that has them. */
export function lpFields(moment: Moment, lp: number, id: string): Item[] {
  const { machine } = moment;
  const cell = machine.platform.lpCell(lp);
  const items = fieldItems(
    moment,
    id,
    { base: cell, name: `LP ${lp}` },
    registerNames.map((label, i) => ({ label, place: LP_GPR + i * 2, kind: "hex64" as const })),
  ).map((item, register): Item => ({ ...item, edit: registerPlace(lp, register) }));
  const hi = machine.store.read(cell + LP_GPR + 1);
  const rax = items[0];
  if (rax && hi !== 0) items[0] = { ...rax, value: describedStatus(hi, machine.store.read(cell + LP_GPR)) };
  return [
    { id: `${id}/mode`, label: "mode", value: lpState(moment, lp), cells: [[cell + LP_GUEST_TDVPR, 2]] },
    ...items,
  ];
}

function keysItem(moment: Moment): Item {
  const { machine } = moment;
  const { total, privateStart } = machine.platform.config.keyids;
  const first = machine.sys + sys.SYS_KOT;
  return {
    id: "keyids",
    label: "KeyIDs",
    value: `${privateStart} shared, ${total - privateStart} private`,
    cells: [[first + privateStart * sys.KOT_WORDS, (total - privateStart) * sys.KOT_WORDS]],
    children: () => keyRuns(moment, privateStart, total),
  };
}

/** Private KeyIDs, those in the same state folded. */
function keyRuns(moment: Moment, from: number, to: number): Item[] {
  const { machine } = moment;
  const text = (hkid: number): string => {
    const cell = machine.sys + sys.SYS_KOT + hkid * sys.KOT_WORDS;
    const state = hkidStateNames[machine.store.read(cell + sys.KOT_STATE)] ?? "";
    const dirty = machine.store.read(cell + sys.KOT_WBINVD_BITMAP);
    const td = moment.domains.all.find((candidate) => candidate.hkid === hkid && candidate.lifecycle !== 3);
    const owner =
      hkid === machine.store.read(machine.sys + sys.SYS_HKID) ? " · the module's own" : td ? ` · ${td.name}` : "";
    return `${state}${owner}${dirty ? ` · caches to write back on package ${bits(dirty)}` : ""}`;
  };
  const items: Item[] = [];
  for (let hkid = from; hkid < to; ) {
    const value = text(hkid);
    let end = hkid + 1;
    while (end < to && text(end) === value) end++;
    items.push({
      id: `keyids/${hkid}`,
      label: end === hkid + 1 ? `KeyID ${hkid}` : `KeyID ${hkid} – ${end - 1}`,
      value,
      cells: [[machine.sys + sys.SYS_KOT + hkid * sys.KOT_WORDS, (end - hkid) * sys.KOT_WORDS]],
    });
    hkid = end;
  }
  return items;
}

function memoryItem(moment: Moment): Item {
  const { config } = moment.machine.platform;
  return {
    id: "memory",
    label: "memory",
    value: `${bytes(config.cmrs.reduce((sum, cmr) => sum + cmr.size, 0))} convertible · ${count(moment.domains.tdmrs.length, "TDMR")}`,
    cells: [[moment.machine.sys + sys.SYS_TDMRS, sys.MAX_TDMRS * sys.TDMR_WORDS]],
    children: () => [
      ...config.memory.map(({ base, size, node }, i) => ({
        id: `memory/range${i}`,
        label: `node ${node}`,
        value: `${range(base, size)} · ${bytes(size)}`,
        hpa: base,
      })),
      ...config.cmrs.map(({ base, size }, i) => ({
        id: `memory/cmr${i}`,
        label: `CMR ${i}`,
        value: `${range(base, size)} · ${bytes(size)}`,
        hpa: base,
      })),
      ...moment.domains.tdmrs.map((tdmr) => ({
        id: `memory/tdmr${tdmr.index}`,
        label: `TDMR ${tdmr.index}`,
        value: `${range(tdmr.base, tdmr.size)} · PAMT at ${tdmr.pamt.map(hex).join(", ")}`,
        cells: [[tdmr.cell, sys.TDMR_WORDS]] as const,
      })),
      { id: "memory/seamrr", label: "SEAMRR", value: range(config.seamrr.base, config.seamrr.size) },
    ],
  };
}
