/**
 * What goes wrong below the TDX module without a status that says so: each is counted in the platform's state, so that the
 * debugger can stop on it and step back to it. The cells stand in one block: a count, then kind, page, KeyIDs and LP of the
 * latest.
 */
import type { Change, Store } from "../state/store.ts";

/** A line dirty in a cache under one KeyID while its page is used under another: its late write-back destroys what is there. */
export const HAZARD_DIRTY_LINE = 1;
/** Private memory written with a shared KeyID: the next read with the private one gets poison. */
export const HAZARD_PRIVATE_OVERWRITTEN = 2;
/** A read that met poison: machine check. */
export const HAZARD_MACHINE_CHECK = 3;
/** A translation that was used although its S-EPT entry had changed. */
export const HAZARD_STALE_TLB = 4;

export const hazardNames: Readonly<Record<number, string>> = {
  [HAZARD_DIRTY_LINE]: "cache line dirty under another KeyID",
  [HAZARD_PRIVATE_OVERWRITTEN]: "private memory written with a shared KeyID",
  [HAZARD_MACHINE_CHECK]: "machine check",
  [HAZARD_STALE_TLB]: "stale TLB entry used",
};

export interface Hazard {
  readonly kind: number;
  /** HPA without KeyID bits. */
  readonly hpa: number;
  /** KeyID of the access that made it, and the one that the memory had. */
  readonly hkid: number;
  readonly ownHkid: number;
}

const COUNT = 0;
const KIND = 1;
const HPA = 2; // number, 2 words
const HKID = 4;
const OWN_HKID = 5;

export class Hazards {
  private readonly store: Store;
  private readonly base: number;

  constructor(store: Store, base: number) {
    this.store = store;
    this.base = base;
  }

  /** Cell of the count: written by each hazard, so a watch on it sees them all. */
  get countCell(): number {
    return this.base + COUNT;
  }

  get count(): number {
    return this.store.read(this.base + COUNT);
  }

  /** Kinds of the hazards of which these journal entries tell. */
  kindsIn(changes: Iterable<Change>): ReadonlySet<number> {
    const kinds = new Set<number>();
    // From the latest back: what a cell held after an entry is known. Each hazard writes the count, then the kind if it is another.
    let kind = this.store.read(this.base + KIND);
    let kindBefore = kind;
    for (const change of [...changes].reverse()) {
      if (!("cell" in change)) continue;
      if (change.cell === this.base + KIND) kindBefore = change.old;
      if (change.cell !== this.countCell) continue;
      kinds.add(kind);
      kind = kindBefore;
    }
    return kinds;
  }

  get latest(): Hazard | undefined {
    const { store, base } = this;
    if (this.count === 0) return undefined;
    return {
      kind: store.read(base + KIND),
      hpa: store.readNumber(base + HPA),
      hkid: store.read(base + HKID),
      ownHkid: store.read(base + OWN_HKID),
    };
  }

  add({ kind, hpa, hkid, ownHkid }: Hazard): void {
    const { store, base } = this;
    store.write(base + COUNT, this.count + 1);
    store.write(base + KIND, kind);
    store.writeNumber(base + HPA, hpa);
    store.write(base + HKID, hkid);
    store.write(base + OWN_HKID, ownHkid);
  }
}
