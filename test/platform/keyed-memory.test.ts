import { beforeEach, describe, expect, it } from "vitest";
import {
  HAZARD_DIRTY_LINE,
  HAZARD_MACHINE_CHECK,
  HAZARD_PRIVATE_OVERWRITTEN,
  Hazards,
} from "../../src/platform/hazards.ts";
import { KeyedMemory } from "../../src/platform/keyed-memory.ts";
import { Store } from "../../src/state/store.ts";

const PRIVATE = 33;
const OTHER = 34;
const PAGE = 0x1_0010_0000;

let store: Store;
let hazards: Hazards;
let keyed: KeyedMemory;

beforeEach(() => {
  store = new Store();
  hazards = new Hazards(store, store.allocate(2 ** 44));
  keyed = new KeyedMemory(store, hazards, 32);
});

describe("memory under KeyIDs", () => {
  it("gives zeros, not ciphertext, to a read of private memory with a shared KeyID", () => {
    keyed.writePage(PAGE, PRIVATE, 0);
    expect(keyed.meets(PAGE, 8, 0)).toBe("zeros");
    expect(keyed.meets(PAGE + 4096, 8, 0)).toBe("data");
    expect(hazards.count).toBe(0);
  });

  it("gives its owner the data and another key a machine check", () => {
    keyed.writePage(PAGE, PRIVATE, 0);
    expect(keyed.meets(PAGE + 64, 64, PRIVATE)).toBe("data");
    expect(keyed.meets(PAGE + 64, 64, OTHER)).toBe("poison");
    expect(hazards.latest).toEqual({ kind: HAZARD_MACHINE_CHECK, hpa: PAGE + 64, hkid: OTHER, ownHkid: PRIVATE });
  });

  it("loses the lines that a shared write touches, and only those", () => {
    keyed.writePage(PAGE, PRIVATE, 0);
    keyed.flushPage(PAGE);
    keyed.writeShared(PAGE + 60, 8, 0, 1, false);
    expect(hazards.latest?.kind).toBe(HAZARD_PRIVATE_OVERWRITTEN);
    expect(keyed.meets(PAGE, 4, PRIVATE)).toBe("poison");
    expect(keyed.meets(PAGE + 64, 4, PRIVATE)).toBe("poison");
    expect(keyed.meets(PAGE + 128, 4, PRIVATE)).toBe("data");
    keyed.writePage(PAGE, PRIVATE, 0);
    expect(keyed.meets(PAGE, 4096, PRIVATE)).toBe("data");
  });

  it("reports a page that is used under a new KeyID while lines are dirty under the old one", () => {
    keyed.writePage(PAGE, PRIVATE, 0);
    keyed.writePage(PAGE, OTHER, 0);
    expect(hazards.latest).toEqual({ kind: HAZARD_DIRTY_LINE, hpa: PAGE, hkid: OTHER, ownHkid: PRIVATE });
  });

  it.each([
    ["the page is written back", () => keyed.flushPage(PAGE)],
    ["the caches of the package that wrote it are written back", () => keyed.flushPackage(0)],
  ])("reports nothing when %s first", (_, flush) => {
    keyed.writePage(PAGE, PRIVATE, 0);
    expect(keyed.dirtyKeyOf(PAGE)).toBe(PRIVATE);
    flush();
    expect(keyed.dirtyKeyOf(PAGE)).toBeUndefined();
    keyed.writePage(PAGE, OTHER, 0);
    expect(hazards.count).toBe(0);
    expect(keyed.keyOf(PAGE)).toBe(OTHER);
  });

  it("keeps a line dirty while another package's caches are written back", () => {
    keyed.writePage(PAGE, PRIVATE, 1);
    keyed.flushPackage(0);
    expect(keyed.dirtyKeyOf(PAGE)).toBe(PRIVATE);
  });

  it("goes back with the store", () => {
    keyed.writePage(PAGE, PRIVATE, 0);
    store.mark();
    const before = store.hash();
    keyed.writeShared(PAGE, 1, 0, 1, true);
    expect(store.hash()).not.toBe(before);
    store.undo(1);
    expect(store.hash()).toBe(before);
    expect(keyed.meets(PAGE, 1, PRIVATE)).toBe("data");
    expect(hazards.count).toBe(0);
  });
});
