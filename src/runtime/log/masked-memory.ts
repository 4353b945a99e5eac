/**
 * Compares memory that was read. A mask says which bytes the log cannot foretell: those that the recorder's processor made up,
 * as the MAC of a report. A later read may show such bytes again, without a mask, as the rest of a page that was partly
 * overwritten. They count as masked for as long as neither side has changed them.
 */
import type { Mask } from "./format.ts";
import { type Report, toHex } from "./outcome.ts";

/** Guest-physical addresses are kept apart from host-physical ones by this offset. */
export const GUEST_MEMORY = 2 ** 52;

/** Bytes that a report of a difference shows. */
const SHOWN = 16;

export class MaskedMemory {
  /** Masked bytes that differ: what the log had and what was read, as two digits each, by address. */
  private readonly seen = new Map<number, string>();

  /**
   * Compares what was read at `address` with the digits of the log; reports the first difference. Returns true if there is none.
   *
   * @param address HPA, or GPA plus GUEST_MEMORY
   */
  compare(address: number, hex: string, got: Uint8Array, mask: Mask | undefined, report: Report): boolean {
    const have = toHex(got);
    if (have === hex) return true;
    const masked = new Uint8Array(got.length);
    for (const range of mask ?? []) {
      const [offset, length] = range as readonly [number, number];
      masked.fill(1, offset, offset + length);
    }
    const digits = Math.max(have.length, hex.length);
    for (let i = 0; 2 * i < digits; i++) {
      const expected = hex.slice(2 * i, 2 * i + 2);
      const found = have.slice(2 * i, 2 * i + 2);
      if (expected === found) continue;
      if (masked[i]) this.seen.set(address + i, expected + found);
      else if (this.seen.get(address + i) !== expected + found) {
        report(`byte ${i}`, hex.slice(2 * i, 2 * (i + SHOWN)), have.slice(2 * i, 2 * (i + SHOWN)));
        return false;
      }
    }
    return true;
  }
}
