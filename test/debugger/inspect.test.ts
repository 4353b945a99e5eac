import { beforeAll, describe, expect, it } from "vitest";
import { describedHpa, recognizeHpa } from "../../src/debugger/inspect/describe-hpa.ts";
import { findItem, type Item, inGroups } from "../../src/debugger/inspect/item.ts";
import { LIFECYCLE, openSession, type TestSession } from "./support.ts";

describe("in the life of a TD", () => {
  let test: TestSession;
  beforeAll(async () => {
    test = await openSession(LIFECYCLE);
  });

  async function stopBefore(name: string): Promise<void> {
    const { breakpoints, control } = test.session;
    breakpoints.setFunctions([{ name }]);
    await control.goToStep(0);
    expect((await control.forward("continue")).reason).toBe("breakpoint");
    test.session.stopped();
  }

  it("says what a physical address is", async () => {
    await stopBefore("TDH.VP.ENTER");
    const { domains } = test.session.inspector.moment;
    const describe = (hpa: number): string => describedHpa(domains, hpa);
    const td = domains.all[0]!;
    const vcpu = td.vcpus[0]!;
    expect(td.name).toBe("td0");
    expect(describe(td.hpa)).toBe(`0x${td.hpa.toString(16)} · TDR of td0`);
    expect(describe(td.tdcsPages[2]!)).toMatch(/ · TDCS page 2 of td0$/);
    expect(describe(vcpu.hpa)).toMatch(/ · TDVPR of td0, vcpu 0$/);
    expect(describe(vcpu.pages[1]!)).toMatch(/ · TDVPS page 1 of td0, vcpu 0$/);
    expect(describe(td.septPages[0]!)).toMatch(/ · S-EPT page of td0, level \d, GPA 0x0$/);
    expect(describe(domains.tdmrs[0]!.pamt[0]!)).toMatch(/ · PAMT of TDMR 0, 4 KiB pages$/);
    expect(describe(domains.tdmrs[0]!.base + 0x3fff_f000)).toMatch(/ · free page in TDMR 0$/);
    expect(describe(2 ** 20)).toMatch(/ · host memory$/);
    expect(describe(0x1f_e000_0000)).toMatch(/ · SEAM memory of the TDX module$/);
    expect(describe(0)).toMatch(/ · no convertible memory$/);
    expect(describe(td.hpa + 33 * 2 ** 46)).toMatch(/ · TDR of td0, KeyID 33$/);
  });

  it("takes a number for an address only where TDX uses the page", () => {
    const { moment } = test.session.inspector;
    const { domains } = moment;
    const td = domains.all[0]!;
    expect(recognizeHpa(moment, td.hpa)).toBe("TDR of td0");
    expect(recognizeHpa(moment, td.hpa + 1)).toBeUndefined();
    expect(recognizeHpa(moment, 4096)).toBeUndefined();
    expect(recognizeHpa(moment, domains.tdmrs[0]!.base + 0x3fff_f000)).toBeUndefined();
  });

  it("tells which locks a call holds", async () => {
    await stopBefore("TDH.MEM.PAGE.AUG");
    await test.session.control.forward("in");
    const seen = new Set<string>();
    for (let i = 0; i < 60 && test.session.debuggee.trace !== ""; i++) {
      test.session.stopped();
      for (const item of test.session.call()?.items ?? []) if (item.label.startsWith("lock")) seen.add(item.value);
      await test.session.control.forward("in");
    }
    const locks = [...seen];
    expect(locks.some((lock) => /^shared · PAMT entry of the 1 GiB at 0x/.test(lock))).toBe(true);
    expect(locks.some((lock) => /^shared · PAMT entry of 0x\w+ · TDR of td0$/.test(lock))).toBe(true);
    expect(locks).toContain("shared · operation state of td0");
    expect(locks).toContain("shared · S-EPT tree of td0");
    expect(locks.some((lock) => /^exclusive · S-EPT entry at 0x\w+ · S-EPT page of td0/.test(lock))).toBe(true);
    expect(locks.some((lock) => /^exclusive · PAMT entry of 0x\w+ · free page/.test(lock))).toBe(true);
  });

  it("marks what a step changed, forwards and back, and nothing else", async () => {
    await stopBefore("TDH.MEM.PAGE.AUG");
    const { session } = test;
    const changed = (): string[] =>
      (session.inspector.children("domains", "td0/tdr") ?? [])
        .filter((item) => session.inspector.isChanged(item))
        .map((item) => item.label);
    await session.control.forward("over");
    session.stopped();
    expect(changed()).toEqual(["CHLDCNT"]);
    await session.control.backward("over");
    session.stopped();
    expect(changed()).toEqual(["CHLDCNT"]);
    // Locks were taken and released in between.
    const tdcs = session.inspector.children("domains", "td0/tdcs") ?? [];
    expect(tdcs.filter((item) => session.inspector.isChanged(item)).map((item) => item.label)).toEqual([]);
  });

  it("gives the same thing the same id at every step", async () => {
    await stopBefore("TDH.MEM.PAGE.AUG");
    const ids = (): string[] => (test.session.inspector.children("domains", "td0") ?? []).map((item) => item.id);
    const before = ids();
    await test.session.control.forward("over");
    test.session.stopped();
    expect(ids()).toEqual(before);
    expect(test.session.inspector.children("domains", "td7/tdr")).toBeUndefined();
  });
});

describe("long lists", () => {
  it.each([200, 201, 5000, 123_456])(
    "of %i entries are shown a few hundred rows at a time, each to be found",
    (length) => {
      const items: Item[] = Array.from({ length }, (_, i) => ({ id: `top/${i}`, label: `${i}`, value: "" }));
      const rows = inGroups("top", items);
      const leaves: Item[] = [];
      const open = (list: readonly Item[]): void => {
        expect(list.length).toBeLessThanOrEqual(200);
        for (const item of list) {
          if (item.children) open(item.children());
          else leaves.push(item);
        }
      };
      open(rows);
      expect(leaves.map((item) => item.label)).toEqual(items.map((item) => item.label));
      const last = leaves.at(-1)!;
      expect(findItem(rows, last.id)?.label).toBe(last.label);
    },
  );
});
