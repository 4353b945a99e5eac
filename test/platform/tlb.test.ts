import { beforeEach, describe, expect, it } from "vitest";
import { HAZARD_STALE_TLB, Hazards } from "../../src/platform/hazards.ts";
import { Tlb } from "../../src/platform/tlb.ts";
import { Store } from "../../src/state/store.ts";

const HKID = 33;
const GPA = 0x7fff_ffff_f000;
const HPA = 0x3_ff_ffff_f000;

let store: Store;
let hazards: Hazards;
let tlb: Tlb;

beforeEach(() => {
  store = new Store();
  hazards = new Hazards(store, store.allocate(2 ** 44));
  tlb = new Tlb(store, hazards, 2);
});

describe("an LP's translations", () => {
  it("are no hazard while the S-EPT says the same", () => {
    tlb.use(0, HKID, GPA, HPA);
    tlb.use(0, HKID, GPA + 8, HPA + 8);
    expect(hazards.count).toBe(0);
  });

  it.each([
    ["another page", HPA + 4096],
    ["no access", undefined],
  ])("are stale when the S-EPT gives %s by now", (_, now) => {
    tlb.use(0, HKID, GPA, HPA);
    tlb.use(0, HKID, GPA, now);
    expect(hazards.latest).toEqual({ kind: HAZARD_STALE_TLB, hpa: HPA, hkid: HKID, ownHkid: HKID });
  });

  it("are gone after a flush, on that LP only", () => {
    tlb.use(0, HKID, GPA, HPA);
    tlb.use(1, HKID, GPA, HPA);
    tlb.flush(0);
    tlb.use(0, HKID, GPA, undefined);
    expect(hazards.count).toBe(0);
    tlb.use(1, HKID, GPA, undefined);
    expect(hazards.count).toBe(1);
  });

  it("are another TD's with another KeyID", () => {
    tlb.use(0, HKID, GPA, HPA);
    tlb.use(0, HKID + 1, GPA, HPA + 4096);
    expect(hazards.count).toBe(0);
  });

  it("go back with the store", () => {
    store.mark();
    const before = store.hash();
    tlb.use(0, HKID, GPA, HPA);
    tlb.flush(0);
    store.undo(1);
    expect(store.hash()).toBe(before);
  });
});
