/** Checks of physical address operands. `operand` is the operand id that a status names; for registers it is the register's number. */
import { TDX_OPERAND_INVALID } from "../arch/generated/status-codes.ts";
import { type Call, fail } from "./call.ts";
import { SYS_SEAMRR_BASE, SYS_SEAMRR_SIZE } from "./sys.ts";
import { hex } from "./why.ts";

/** A private or TDX-owned page: aligned, no KeyID bits, nothing above the physical address width. Returns the HPA. */
export function checkHpa(call: Call, hpa: number, alignment: number, operand: number): number {
  if ((hpa & (alignment - 1)) !== 0 || hpa >= call.platform.addressEnd) {
    const aligned = (hpa & (alignment - 1)) === 0;
    const wrong = aligned ? "has a KeyID or is too high" : `is not aligned to ${hex(alignment)}`;
    fail(TDX_OPERAND_INVALID, operand, `${hex(hpa)} ${wrong}`);
  }
  return hpa;
}

/**
 * A buffer of the host's, `size` bytes: below MAXPA, outside SEAMRR, with a shared KeyID (0 to the first private one).
 * Returns its address without KeyID bits.
 */
export function checkSharedHpa(call: Call, hpa: number, size: number, operand: number): number {
  if (!isSharedHpa(call, hpa, size)) {
    fail(TDX_OPERAND_INVALID, operand, `${hex(hpa)} has a private KeyID, is too high, or is in the SEAM range`);
  }
  return hpa % 2 ** call.platform.addressBits;
}

/** The check of `checkSharedHpa` as a question. */
export function isSharedHpa(call: Call, hpa: number, size: number): boolean {
  const { store, sys, platform } = call;
  const { config, addressBits } = platform;
  const span = 2 ** addressBits;
  const address = hpa % span;
  const base = store.readNumber(sys + SYS_SEAMRR_BASE);
  const inSeamrr = base < address + size && address < base + store.readNumber(sys + SYS_SEAMRR_SIZE);
  return hpa < 2 ** config.maxpa && !inSeamrr && Math.floor(hpa / span) < config.keyids.privateStart;
}

/** As `checkSharedHpa`, for a buffer that must be aligned to its size, a power of two. */
export function checkAlignedSharedHpa(call: Call, hpa: number, size: number, operand: number): number {
  if (hpa % size !== 0) fail(TDX_OPERAND_INVALID, operand, `${hex(hpa)} is not aligned to ${hex(size)}`);
  return checkSharedHpa(call, hpa, size, operand);
}
