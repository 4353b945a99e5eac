/** How numbers and sizes are written for people. */
import { PAGE_SIZE } from "../../arch/page.ts";

export function hex(value: number | bigint): string {
  return `0x${value.toString(16)}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** A number of bytes in the largest unit that divides it: 4096 is "4 KiB". */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 1024 && value % 1024 === 0 && unit < UNITS.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value} ${UNITS[unit]}`;
}

/** First and last address of a range. */
export function range(first: number, size: number): string {
  return size <= PAGE_SIZE ? hex(first) : `${hex(first)} – ${hex(first + size - 1)}`;
}

/** "1 page", "2 pages". */
export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** A list of numbers as bits of a map: 0b1011 is "0, 1, 3". */
export function bits(map: number): string {
  const set: number[] = [];
  for (let bit = 0; bit < 32; bit++) if ((map >>> bit) & 1) set.push(bit);
  return set.length ? set.join(", ") : "none";
}
