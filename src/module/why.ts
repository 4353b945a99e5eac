/** What a failed check compared, in words: a status only says which check it was. The debugger shows it where a call failed. */
import { pageTypeNames } from "../arch/generated/pamt-types.ts";
import { systemStateNames } from "../arch/generated/system-states.ts";
import { lifecycleNames } from "../arch/generated/td-states.ts";

const SIZE_NAMES = ["4 KiB", "2 MiB", "1 GiB"];

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

function pageName(type: number, size: number): string {
  return `${pageTypeNames[type] ?? `type ${type}`} of ${SIZE_NAMES[size] ?? `size ${size}`}`;
}

/** A page's type and size in the PAMT, and what the leaf needs. */
export function whyPage(hpa: number, type: number, size: number, wantedType: number, wantedSize: number): string {
  return `page ${hex(hpa)} is ${pageName(type, size)}, not ${pageName(wantedType, wantedSize)}`;
}

export function whyLifecycle(state: number): string {
  return `the TD is ${lifecycleNames[state] ?? state}`;
}

/** A lock word without a host-priority flag (lock-words.ts): bit 0 exclusive, the readers from `readerShift` on. */
export function whyLocked(word: number, readerShift: number): string {
  return (word & 1) !== 0 ? "it is locked exclusively" : `it is locked shared (holders: ${word >>> readerShift})`;
}

export function whySystem(state: number): string {
  return `the system is ${systemStateNames[state] ?? state}`;
}

export function whyLps(done: number, of: number): string {
  return `${done} of ${of} LPs did TDH.SYS.LP.INIT`;
}
