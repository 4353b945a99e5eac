/**
 * Memory as software outside SEAM and TDs reads and writes it: with an address that may carry a shared KeyID. What it then meets
 * is in keyed-memory.ts.
 */
import { PAGE_SIZE } from "../arch/page.ts";
import type { Platform } from "./platform.ts";

const LINE_BYTES = 64;

/** An access that no software outside SEAM can make; the message says why. */
export class HostAccessError extends Error {}

/** Splits an address into the HPA and its KeyID. Errors: HostAccessError for a private KeyID or an address above MAXPA. */
export function splitAddress(platform: Platform, address: number): { readonly hpa: number; readonly hkid: number } {
  const span = 2 ** platform.addressBits;
  const hkid = Math.floor(address / span);
  if (address >= 2 ** platform.config.maxpa) {
    throw new HostAccessError(
      `0x${address.toString(16)} is above the physical address width of ${platform.config.maxpa} bits`,
    );
  }
  if (hkid >= platform.config.keyids.privateStart) {
    // A private KeyID in a page table entry is a reserved-bit page fault outside SEAM (Intel SDM, TDX).
    throw new HostAccessError(`0x${address.toString(16)} carries the private KeyID ${hkid}: a page fault outside SEAM`);
  }
  return { hpa: address % span, hkid };
}

/** Calls `visit` with each part of a range that lies in one page: its HPA, its offset in the range, its length. */
function forEachPage(hpa: number, length: number, visit: (at: number, offset: number, bytes: number) => void): void {
  for (let offset = 0; offset < length; ) {
    const at = hpa + offset;
    const bytes = Math.min(PAGE_SIZE - (at % PAGE_SIZE), length - offset);
    visit(at, offset, bytes);
    offset += bytes;
  }
}

export function hostRead(platform: Platform, address: number, length: number): Uint8Array {
  const { hpa, hkid } = splitAddress(platform, address);
  const data = platform.memory.readBytes(hpa, length);
  forEachPage(hpa, length, (at, offset, bytes) => {
    if (platform.keyed.meets(at, bytes, hkid) === "zeros") data.fill(0, offset, offset + bytes);
  });
  return data;
}

/** Notes who writes under which KeyID, before the bytes change. */
function noteWrite(platform: Platform, lp: number, address: number, length: number): number {
  const { hpa, hkid } = splitAddress(platform, address);
  const wholeLines = hpa % LINE_BYTES === 0 && length % LINE_BYTES === 0;
  const poisons = platform.config.partialWriteErratum === true && !wholeLines;
  forEachPage(hpa, length, (at, _offset, bytes) => {
    platform.keyed.writeShared(at, bytes, hkid, platform.packageOf[lp] as number, poisons);
  });
  return hpa;
}

export function hostWrite(platform: Platform, lp: number, address: number, bytes: Uint8Array): void {
  platform.memory.writeBytes(noteWrite(platform, lp, address, bytes.length), bytes);
}

export function hostFill(platform: Platform, lp: number, address: number, byte: number, length: number): void {
  platform.memory.fill(noteWrite(platform, lp, address, length), byte, length);
}

/** CLFLUSH of every line of a range. */
export function hostClflush(platform: Platform, address: number, length: number): void {
  const { hpa } = splitAddress(platform, address);
  forEachPage(hpa, length, (at) => platform.keyed.flushPage(at));
}

/** WBINVD on an LP: the caches of its package. */
export function hostWbinvd(platform: Platform, lp: number): void {
  platform.keyed.flushPackage(platform.packageOf[lp] as number);
}
