/**
 * Translations of guest-physical addresses that an LP remembers. They serve one purpose: to notice a translation that is used
 * although the S-EPT says something else by now. The access itself always follows the S-EPT, as the recorded calls do.
 *
 * Rules
 * - An access by a guest fills the entry of its page; entries are found by KeyID (a TD's identity to the processor) and GPA.
 * - Nothing is dropped by itself but what another page of the same set displaces: 256 entries an LP.
 * - INVEPT drops all of an LP: the module does it when a VCPU is entered in a newer TD epoch, in TDH.VP.FLUSH and in
 *   TDH.SYS.LP.INIT.
 */
import { PAGE_SIZE } from "../arch/page.ts";
import { BLOCK_WORDS, type Store } from "../state/store.ts";
import { BLOCK_TAG_TLB } from "./blocks.ts";
import { HAZARD_STALE_TLB, type Hazards } from "./hazards.ts";

/** Words: 0 GPA's page number, low half; 1 its bits 39:32, KeyID in 19:8, bits 39:32 of the HPA's in 27:20; 2 HPA's; 3 generation. */
const ENTRY_WORDS = 4;
const ENTRIES = BLOCK_WORDS / ENTRY_WORDS - 1;
/** The last entry's place holds the LP's generation: an entry of an older one is gone. Fresh blocks are zero, so it counts from 1. */
const GENERATION = ENTRIES * ENTRY_WORDS;

export class Tlb {
  private readonly store: Store;
  private readonly hazards: Hazards;
  private readonly blocks: readonly number[];

  constructor(store: Store, hazards: Hazards, lps: number) {
    this.store = store;
    this.hazards = hazards;
    this.blocks = Array.from({ length: lps }, (_, lp) => store.allocate(BLOCK_TAG_TLB + lp));
  }

  /** INVEPT, all contexts. */
  flush(lp: number): void {
    const generation = (this.blocks[lp] as number) + GENERATION;
    this.store.write(generation, this.store.read(generation) + 1);
  }

  /**
   * A guest on `lp` accesses `gpa`; the S-EPT gives `hpa`, or undefined where it does not allow the access. If the LP remembers
   * something else, a real processor may use that: a hazard. Remembers what the S-EPT gives.
   */
  use(lp: number, hkid: number, gpa: number, hpa: number | undefined): void {
    const { store } = this;
    const block = this.blocks[lp] as number;
    const page = Math.floor(gpa / PAGE_SIZE);
    const entry = block + (page % ENTRIES) * ENTRY_WORDS;
    const generation = store.read(block + GENERATION) + 1;
    const tag = Math.floor(page / 0x1_0000_0000) | (hkid << 8);
    const known =
      store.read(entry + 3) === generation &&
      store.read(entry) === page >>> 0 &&
      (store.read(entry + 1) & 0xf_ffff) === tag;
    if (known) {
      const old = ((store.read(entry + 1) >>> 20) * 0x1_0000_0000 + store.read(entry + 2)) * PAGE_SIZE;
      if (hpa === undefined || old !== hpa - (hpa % PAGE_SIZE)) {
        this.hazards.add({ kind: HAZARD_STALE_TLB, hpa: old, hkid, ownHkid: hkid });
      }
    }
    if (hpa === undefined) return;
    const target = Math.floor(hpa / PAGE_SIZE);
    store.write(entry, page);
    store.write(entry + 1, tag | (Math.floor(target / 0x1_0000_0000) << 20));
    store.write(entry + 2, target);
    store.write(entry + 3, generation);
  }
}
