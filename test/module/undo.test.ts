import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkInvariants } from "../../src/module/invariants.ts";
import { survey } from "../../src/module/survey.ts";
import { expectUndone, expectUndoneByStep } from "../support/undoable.ts";
import { buildZoo, GPA } from "../support/zoo.ts";

const zoo = buildZoo();
const { host, tdr, calls } = zoo;
const { machine } = host;
const { store } = machine;
const start = store.mark();
const startHash = store.hash();

describe.each(Object.entries(calls))("%s", (_, call) => {
  it("succeeds, breaks no invariant, and is undone without a trace", () => expectUndone(host, call));

  it("ends in the same state when it is stepped, and can be undone from each step", () => {
    expectUndoneByStep(host, call);
  });
});

describe("a busy status", () => {
  it("comes when a call names one page twice, sets host priority, and is undone", () => {
    const busy = 0x8000_0200_0000_0008n;
    expect(host.call("TDH.MEM.PAGE.AUG", { rcx: GPA.free, rdx: tdr, r8: tdr })).toBe(busy);
    expect(checkInvariants(machine)).toEqual([]);
    store.undo(start);
    expect(store.hash()).toBe(startHash);
  });
});

describe("a random sequence of calls", () => {
  const anyCall = fc.record({
    leaf: fc.constantFrom(...new Set(Object.values(calls).map(({ leaf }) => leaf))),
    gpa: fc.constantFrom(...Object.values(GPA)),
    level: fc.nat(2),
    page: fc.nat(3),
  });
  const pages = Array.from({ length: 3 }, () => host.page());

  it("never breaks an invariant, and is undone call by call", () => {
    fc.assert(
      fc.property(fc.array(anyCall, { minLength: 5, maxLength: 25 }), (sequence) => {
        const hashes: string[] = [];
        const marks: number[] = [];
        let before = survey(machine);
        for (const { leaf, gpa, level, page } of sequence) {
          hashes.push(store.hash());
          marks.push(store.mark());
          const rcx = leaf === "TDH.MEM.TRACK" ? tdr : gpa + level;
          host.call(leaf, { rcx, rdx: tdr, r8: pages[page] ?? gpa });
          expect(checkInvariants(machine, before)).toEqual([]);
          before = survey(machine);
        }
        for (let i = marks.length - 1; i >= 0; i--) {
          store.undo(marks[i] as number);
          expect(store.hash()).toBe(hashes[i]);
        }
        store.undo(start);
        expect(store.hash()).toBe(startHash);
      }),
      { numRuns: 15 },
    );
  });
});
