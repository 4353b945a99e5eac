/**
 * The pages that a flow has given back: a list, last first. Each page has its link of the list in the store, so that whether it is
 * free is looked up and not looked for.
 */
import { PAGE_SIZE } from "../arch/page.ts";
import { BLOCK_TAG_RUNTIME } from "../platform/blocks.ts";
import { BLOCK_WORDS, type Store } from "../state/store.ts";

/** Store tag of the first block of links: above those of fibers. */
const LINKS_TAG = BLOCK_TAG_RUNTIME + 2 ** 32;
const LINK_WORDS = 2;
const LINKS_PER_BLOCK = BLOCK_WORDS / LINK_WORDS;

/** A link is the next page's HPA plus this, or LAST; 0: the page is not free. */
const NEXT = 2;
const LAST = 1;

export class FreePages {
  private readonly store: Store;
  /** Words with a link to the first page, or 0. */
  private readonly head: number;
  /** By number, the blocks of links that are there; which those are is not state. */
  private readonly blocks = new Map<number, number>();

  constructor(store: Store, head: number) {
    this.store = store;
    this.head = head;
  }

  has(hpa: number): boolean {
    return this.store.readNumber(this.link(hpa)) !== 0;
  }

  /** The page must not be free. */
  add(hpa: number): void {
    const first = this.store.readNumber(this.head);
    this.store.writeNumber(this.link(hpa), first === 0 ? LAST : first);
    this.store.writeNumber(this.head, hpa + NEXT);
  }

  /** Takes the first page that fits, if there is one. */
  take(fits: (hpa: number) => boolean): number | undefined {
    for (let cell = this.head; ; ) {
      const link = this.store.readNumber(cell);
      if (link <= LAST) return undefined;
      const hpa = link - NEXT;
      const own = this.link(hpa);
      if (fits(hpa)) {
        const rest = this.store.readNumber(own);
        this.store.writeNumber(cell, cell === this.head && rest === LAST ? 0 : rest);
        this.store.writeNumber(own, 0);
        return hpa;
      }
      cell = own;
    }
  }

  /** The words of a page's link. */
  private link(hpa: number): number {
    const page = hpa / PAGE_SIZE;
    const number = Math.floor(page / LINKS_PER_BLOCK);
    let block = this.blocks.get(number);
    if (block === undefined) {
      block = this.store.allocate(LINKS_TAG + number);
      this.blocks.set(number, block);
    }
    return block + (page % LINKS_PER_BLOCK) * LINK_WORDS;
  }
}
