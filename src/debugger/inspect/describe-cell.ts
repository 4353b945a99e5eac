/** Says what a word of the store is, where that is something of the module's: a field, an entry, a lock. */
import { PAGE_SIZE } from "../../arch/page.ts";
import * as layout from "../../module/layout.ts";
import { levelBytes } from "../../module/sept-entry.ts";
import * as sys from "../../module/sys.ts";
import { BLOCK_WORDS } from "../../state/store.ts";
import { pamtEntry } from "./locks.ts";
import type { Moment } from "./moment.ts";
import { entryName, ROOT_PAGE } from "./sept-scan.ts";

const ENTRY_BYTES = 8;

/** Names of a structure's fields by their first word. */
function namesOf(prefix: string, constants: object = layout): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const [name, place] of Object.entries(constants)) {
    if (name.startsWith(prefix) && typeof place === "number") names.set(place, name.slice(prefix.length));
  }
  return names;
}

const SYS_NAMES = namesOf("SYS_", sys);
const NAMES = { TDR: namesOf("TDR_"), TDCS: namesOf("TDCS_"), TDVPS: namesOf("TDVPS_") } as const;

/** Undefined for what is not the module's: registers, and memory of guests and hosts. */
export function describeCell(moment: Moment, cell: number): string | undefined {
  const { machine, domains } = moment;
  if (cell >= machine.sys && cell < machine.sys + sys.SYS_WORDS) return globalData(moment, cell - machine.sys);
  const hpa = machine.platform.memory.hpaOf(cell);
  if (hpa === undefined) return undefined;
  const page = hpa - (hpa % PAGE_SIZE);
  const word = (hpa % PAGE_SIZE) / 4;
  for (const td of domains.all) {
    if (td.hpa === page) return field("TDR", word, td.name);
    const at = td.tdcsPages.indexOf(page);
    if (at >= 0 && at !== ROOT_PAGE) return field("TDCS", at * BLOCK_WORDS + word, td.name);
    const vcpu = td.vcpus.find(({ pages }) => pages.includes(page));
    if (vcpu) {
      return field("TDVPS", vcpu.pages.indexOf(page) * BLOCK_WORDS + word, `${td.name}, vcpu ${vcpu.index}`);
    }
    const table = td.sept?.hpa === page ? { level: td.sept.level + 1, gpa: 0 } : domains.mapping(page);
    if (td.sept?.hpa === page || td.septPages.includes(page)) {
      if (table === undefined) return `S-EPT entry of ${td.name}`;
      const level = table.level - 1;
      const gpa = table.gpa + Math.floor((hpa % PAGE_SIZE) / ENTRY_BYTES) * levelBytes(level);
      return entryName(td.name, level, gpa);
    }
  }
  return pamtEntry(moment, domains, hpa);
}

/** The module's own data (module/sys.ts). */
function globalData(moment: Moment, word: number): string {
  if (word < sys.SYS_TDMRS) return `${SYS_NAMES.get(word) ?? "global data"} of the TDX module`;
  if (word < sys.SYS_KOT) {
    const tdmr = moment.domains.tdmrs.find(({ cell }) => {
      const first = cell - moment.machine.sys;
      return word >= first && word < first + sys.TDMR_WORDS;
    });
    return tdmr ? `TDMR ${tdmr.index}` : "TDMR table";
  }
  if (word < sys.SYS_WBT) return `key ownership of KeyID ${Math.floor((word - sys.SYS_KOT) / sys.KOT_WORDS)}`;
  return "global data of the TDX module";
}

/** The field that a word lies in: the nearest that begins at or before it. */
function field(structure: keyof typeof NAMES, word: number, of: string): string {
  let best = -1;
  for (const place of NAMES[structure].keys()) if (place <= word && place > best) best = place;
  return `${structure}.${NAMES[structure].get(best) ?? word} of ${of}`;
}
