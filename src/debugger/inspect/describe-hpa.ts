/** Says what a physical address is, so that none is ever shown alone. */
import { PT_EPT, PT_NDA, PT_REG, PT_RSVD, PT_TDCX, PT_TDR, PT_TDVPR } from "../../arch/generated/pamt-types.ts";
import { PAGE_4K, PAGE_BYTES } from "../../module/pamt.ts";
import type { Domain, Domains } from "./domains.ts";
import { bytes, hex } from "./format.ts";
import type { Moment } from "./moment.ts";
import { isInArray, type PageEntry, pageEntry, pamtArrays } from "./pamt-scan.ts";

/** "0x100107000 · TDVPR of td0, vcpu 1". */
export function describedHpa(domains: Domains, hpa: number): string {
  return `${hex(hpa)} · ${describeHpa(domains, hpa)}`;
}

/** What is at a physical address; KeyID bits in it are named too. */
export function describeHpa(domains: Domains, address: number): string {
  const { platform } = domains.machine;
  const span = 2 ** platform.addressBits;
  if (address >= 2 ** platform.config.maxpa) return "no physical address";
  const hkid = Math.floor(address / span);
  const hpa = address % span;
  const what = describePage(domains, hpa);
  return hkid === 0 ? what : `${what}, KeyID ${hkid}`;
}

/** As `describeHpa`, for a number that may mean anything: undefined unless it is an address of a page in use by TDX. */
export function recognizeHpa(moment: Moment, value: number): string | undefined {
  const { addressBits, config } = moment.machine.platform;
  const hpa = value % 2 ** addressBits;
  if (value < 2 ** 20 || value >= 2 ** config.maxpa || hpa % PAGE_4K !== 0) return undefined;
  const { domains } = moment;
  const entry = pageEntry(domains.machine, domains.tdmrs, hpa);
  const isUsed = entry !== undefined && entry.type !== PT_NDA && entry.type !== PT_RSVD;
  return isUsed || pamtAt(domains, hpa) !== undefined ? describeHpa(domains, value) : undefined;
}

function describePage(domains: Domains, hpa: number): string {
  const { config } = domains.machine.platform;
  const entry = pageEntry(domains.machine, domains.tdmrs, hpa);
  if (entry !== undefined && entry.type !== PT_NDA) return describeEntry(domains, entry, hpa);
  const pamt = pamtAt(domains, hpa);
  if (pamt !== undefined) return pamt;
  if (entry !== undefined) {
    const tdmr = domains.tdmrs.find(({ base, size }) => hpa >= base && hpa < base + size);
    return `free page in TDMR ${tdmr?.index}`;
  }
  if (hpa >= config.seamrr.base && hpa < config.seamrr.base + config.seamrr.size)
    return "SEAM memory of the TDX module";
  const isMemory = config.cmrs.some(({ base, size }) => hpa >= base && hpa < base + size);
  return isMemory ? "host memory" : "no convertible memory";
}

/** Which array of the PAMT an address lies in. */
function pamtAt(domains: Domains, hpa: number): string | undefined {
  for (const tdmr of domains.tdmrs) {
    const array = pamtArrays(tdmr).find((candidate) => isInArray(candidate, hpa));
    if (array) return `PAMT of TDMR ${tdmr.index}, ${bytes(PAGE_BYTES[array.size] as number)} pages`;
  }
  return undefined;
}

/** What a page is by its PAMT entry. `hpa` may lie inside a larger page. */
export function describeEntry(domains: Domains, entry: PageEntry, hpa = entry.hpa): string {
  const td = domains.byTdr(entry.type === PT_TDR ? entry.hpa : entry.owner);
  const name = td?.name ?? (entry.owner === 0 ? "no TD" : `the TD at ${hex(entry.owner)}`);
  const base = hpa - (hpa % PAGE_4K);
  switch (entry.type) {
    case PT_RSVD:
      return "reserved area of the TDMR";
    case PT_TDR:
      return `TDR of ${name}`;
    case PT_TDVPR: {
      const vcpu = td?.vcpus.find((candidate) => candidate.hpa === base);
      return `TDVPR of ${name}${vcpu ? `, vcpu ${vcpu.index}` : ""}`;
    }
    case PT_TDCX:
      return describeTdcx(td, name, base);
    case PT_EPT: {
      const mapping = domains.mapping(entry.hpa);
      const where = mapping ? `, level ${mapping.level - 1}, GPA ${hex(mapping.gpa)}` : "";
      return `S-EPT page of ${name}${where}`;
    }
    case PT_REG: {
      const mapping = domains.mapping(entry.hpa);
      const where = mapping ? ` at GPA ${hex(mapping.gpa + (base - entry.hpa))}` : "";
      return `private page of ${name}${where}`;
    }
    default:
      return entry.type === PT_NDA ? "free page" : `page of unknown type ${entry.type}`;
  }
}

function describeTdcx(td: Domain | undefined, name: string, hpa: number): string {
  const page = td?.tdcsPages.indexOf(hpa) ?? -1;
  if (page >= 0) return `TDCS page ${page} of ${name}`;
  for (const vcpu of td?.vcpus ?? []) {
    const place = vcpu.pages.indexOf(hpa);
    if (place >= 0) return `TDVPS page ${place} of ${name}, vcpu ${vcpu.index}`;
  }
  return `control page of ${name}`;
}
