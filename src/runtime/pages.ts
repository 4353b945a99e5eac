/**
 * The host's page allocator: as simple as a flow needs it. Pages come in rising order from the convertible memory above 4 GiB
 * (below it firmware and devices live), or from a given address on; pages that were given back are used again, last first.
 */
import { FlowError } from "./flow-error.ts";
import { ALLOCATED_TO, type SessionState, VALUE_FREE_PAGES } from "./session-state.ts";

const PAGE = 4096;
const FOUR_GIB = 2 ** 32;
/** The first pages of that memory are left out, so that an address of 0 in it is never a page's. */
const RESERVED = 0x10_0000;

/** A free list as immutable cells, so that the store can keep each version of it. */
interface FreePage {
  readonly hpa: number;
  readonly next: FreePage | undefined;
}

/** Adjacent free pages, aligned to `align` bytes, at or above `from` (0: anywhere). */
export function allocatePages(state: SessionState, count: number, align: number, from: number): number {
  if (align < PAGE || Math.log2(align) % 1 !== 0)
    throw new FlowError(`an alignment is a power of two from ${PAGE} on, not ${align}`);
  if (count === 1 && align === PAGE && from === 0) {
    const free = state.readValue(VALUE_FREE_PAGES) as FreePage | undefined;
    if (free !== undefined) {
      state.writeValue(VALUE_FREE_PAGES, free.next);
      return free.hpa;
    }
  }
  const next = Math.max(state.readNumber(ALLOCATED_TO), firstPage(state), from);
  const size = count * PAGE;
  for (const { base, size: bytes } of state.machine.platform.config.cmrs) {
    const hpa = Math.ceil(Math.max(next, base) / align) * align;
    if (hpa + size > base + bytes) continue;
    state.writeNumber(ALLOCATED_TO, hpa + size);
    return hpa;
  }
  throw new FlowError(`no ${count} free pages${from > 0 ? ` above 0x${from.toString(16)}` : ""}`);
}

function firstPage(state: SessionState): number {
  const above = state.machine.platform.config.cmrs.find((cmr) => cmr.base >= FOUR_GIB);
  return (above?.base ?? 0) + RESERVED;
}

export function freePage(state: SessionState, hpa: number): void {
  if (hpa % PAGE !== 0) throw new FlowError(`0x${hpa.toString(16)} is not the address of a page`);
  let free = state.readValue(VALUE_FREE_PAGES) as FreePage | undefined;
  for (let page = free; page !== undefined; page = page.next) {
    if (page.hpa === hpa) throw new FlowError(`the page 0x${hpa.toString(16)} is free already`);
  }
  free = { hpa, next: free };
  state.writeValue(VALUE_FREE_PAGES, free);
}
