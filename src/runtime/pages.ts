/**
 * The host's page allocator: as simple as a flow needs it. Pages come in rising order from the convertible memory above 4 GiB
 * (below it firmware and devices live) of any NUMA node or a given one; pages that were given back are used again, last first.
 */
import { PAGE_SIZE } from "../arch/page.ts";
import type { NodeMemory, PlatformConfig } from "../platform/config.ts";
import { FlowError } from "./flow-error.ts";
import { ALLOCATED, type SessionState } from "./session-state.ts";

const FOUR_GIB = 2 ** 32;
/** The first pages of that memory are left out, so that an address of 0 in it is never a page's. */
const RESERVED = 0x10_0000;

/** What pages are wanted. */
export interface PageRequest {
  readonly count: number;
  /** Bytes, a power of two from a page on. */
  readonly align: number;
  /** NUMA node; undefined: any. */
  readonly node: number | undefined;
  /** Lowest address, or 0. */
  readonly from: number;
}

/** Adjacent free pages. Errors: no such node, none left. */
export function allocatePages(state: SessionState, request: PageRequest): number {
  const { count, align, node, from } = request;
  if (align < PAGE_SIZE || Math.log2(align) % 1 !== 0)
    throw new FlowError(`an alignment is a power of two from ${PAGE_SIZE} on, not ${align}`, "64K, 2M and 1G are");
  const { config } = state.machine.platform;
  if (node !== undefined && !config.memory.some((memory) => memory.node === node))
    throw new FlowError(`node ${node} has no memory`, `memory is on ${nodesOf(config)}`);
  if (count === 1 && align === PAGE_SIZE && from === 0) {
    const hpa = state.freePages.take((page) => node === undefined || nodeOf(config, page) === node);
    if (hpa !== undefined) return hpa;
  }
  const size = count * PAGE_SIZE;
  for (const [number, range] of allocatable(config).entries()) {
    if (node !== undefined && range.node !== node) continue;
    const next = Math.max(state.readNumber(ALLOCATED + 2 * number), range.base, from);
    const hpa = Math.ceil(next / align) * align;
    if (hpa + size > range.base + range.size) continue;
    state.writeNumber(ALLOCATED + 2 * number, hpa + size);
    return hpa;
  }
  const what = count === 1 ? "no page" : `no ${count} adjacent pages`;
  const where = node === undefined ? "memory has" : `node ${node} has`;
  throw new FlowError(
    `${where} ${what} left${from > 0 ? ` above 0x${from.toString(16)}` : ""}`,
    node === undefined || nodesOf(config) === `node ${node}`
      ? "platform { memory … } makes more"
      : "any node: leave the node out",
  );
}

function nodesOf(config: PlatformConfig): string {
  const nodes = [...new Set(config.memory.map(({ node }) => node))].sort((a, b) => a - b);
  return `${nodes.length === 1 ? "node" : "nodes"} ${nodes.join(", ")}`;
}

/** The NUMA node of an address; undefined where there is no memory. */
export function nodeOf({ memory }: PlatformConfig, hpa: number): number | undefined {
  return memory.find(({ base, size }) => hpa >= base && hpa < base + size)?.node;
}

/** What `allocatable` found, by configuration: that never changes. */
const known = new WeakMap<PlatformConfig, readonly NodeMemory[]>();

/** Where pages come from, ascending: on each node the convertible memory above 4 GiB, or below it if that is all there is. */
function allocatable(config: PlatformConfig): readonly NodeMemory[] {
  let ranges = known.get(config);
  if (ranges === undefined) {
    const all = config.memory.flatMap((memory) => config.cmrs.flatMap((cmr) => partsOf(memory, cmr)));
    const isHigh = ({ base }: NodeMemory) => base >= FOUR_GIB;
    const high = new Set(all.filter(isHigh).map(({ node }) => node));
    ranges = all
      .filter((range) => isHigh(range) || !high.has(range.node))
      .map((range, at) => (at === 0 ? { ...range, base: range.base + RESERVED, size: range.size - RESERVED } : range));
    known.set(config, ranges);
  }
  return ranges;
}

/** The part of a memory range in a CMR, below and above 4 GiB. */
function partsOf(memory: NodeMemory, cmr: { readonly base: number; readonly size: number }): NodeMemory[] {
  const start = Math.max(memory.base, cmr.base);
  const end = Math.min(memory.base + memory.size, cmr.base + cmr.size);
  const cut = Math.min(Math.max(start, FOUR_GIB), end);
  return [
    { base: start, size: cut - start, node: memory.node },
    { base: cut, size: end - cut, node: memory.node },
  ].filter(({ size }) => size > 0);
}

export function freePage(state: SessionState, hpa: number): void {
  if (hpa % PAGE_SIZE !== 0)
    throw new FlowError(`0x${hpa.toString(16)} is not the address of a page`, "it is a multiple of 4K: hpa & ~0xfff");
  if (hpa >= state.machine.platform.addressEnd)
    throw new FlowError(`0x${hpa.toString(16)} has a KeyID in it`, "a page is given back by its address alone");
  if (state.freePages.has(hpa))
    throw new FlowError(`the page 0x${hpa.toString(16)} is free already`, "it was given back before");
  state.freePages.add(hpa);
}
