/** Inputs from outside, and the futures that they start. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Input } from "../../src/debugger/branches.ts";
import { globalPlace } from "../../src/debugger/edit-place.ts";
import { editOf } from "../../src/debugger/edits.ts";
import { openSession, SCENARIOS, SMALL, stateOf, type TestSession } from "./support.ts";

/** Writes bytes of memory that the flows here do not use, so that any run goes on with it. */
function poke(hpa: number, value: number): Input {
  return { text: `${value}`, apply: ({ machine }) => machine.platform.memory.write32(hpa, value) };
}

const HPA = 0x2000;

function read({ session }: TestSession): number {
  return session.debuggee.machine.platform.memory.read32(HPA);
}

describe("an input", () => {
  it("at the end of what was run is a step of its own, undone and done again", async () => {
    const test = await openSession(SMALL);
    const { control, timeline } = test.session;
    await control.goToStep(5);
    const before = stateOf(test);
    expect(control.put(poke(HPA, 7))).toBe(false);
    expect(test.session.position).toEqual({ step: 6, sub: 0 });
    const behind = stateOf(test);
    await control.forward("over");
    const later = stateOf(test);
    await control.backward("over");
    expect(stateOf(test)).toBe(behind);
    await control.backward("over");
    expect(stateOf(test)).toBe(before);
    expect(read(test)).toBe(0);
    await control.forward("over");
    expect(stateOf(test)).toBe(behind);
    await control.forward("over");
    expect(stateOf(test)).toBe(later);
    expect(timeline.branches.list()).toHaveLength(1);
  });

  it("in the past starts a branch, and the old future can be returned to", async () => {
    const test = await openSession(SMALL);
    const { control, timeline } = test.session;
    await control.forward("continue");
    const end = stateOf(test);
    await control.goToStep(4);
    expect(control.put(poke(HPA, 7))).toBe(true);
    await control.forward("continue");
    expect(read(test)).toBe(7);
    const other = stateOf(test);
    expect(other).not.toBe(end);
    const [first, second] = timeline.branches.list();
    expect(second).toMatchObject({ id: 2, parent: 1, from: { step: 4, sub: 0 } });
    await control.goToStep(0);
    expect((await control.switchTo(first as NonNullable<typeof first>)).reason).toBe("goto");
    expect(test.session.position).toEqual({ step: 4, sub: 0 });
    await control.forward("continue");
    expect(stateOf(test)).toBe(end);
    await control.switchTo(second as NonNullable<typeof second>);
    await control.forward("continue");
    expect(stateOf(test)).toBe(other);
  });

  it("inside a statement is a place of its own, and the statement goes on from there", async () => {
    const test = await openSession(SMALL);
    const { control, timeline, breakpoints } = test.session;
    breakpoints.setFunctions([{ name: "TDH.SYS.INIT" }]);
    await control.forward("continue");
    const { step, sub } = test.session.position;
    expect(sub).toBe(1);
    control.put(poke(HPA, 9));
    expect(test.session.position).toEqual({ step, sub: 2 });
    await control.forward("in");
    const inside = stateOf(test);
    await control.forward("out");
    await control.forward("over");
    const behind = stateOf(test);
    expect(read(test)).toBe(9);
    expect(test.session.position.sub).toBe(0);
    await control.goToStep(step + 1);
    const { step: now } = test.session.position;
    expect(now).toBe(step + 1);
    await control.goToStep(step);
    expect(read(test)).toBe(0);
    await control.goToStep(step, 3);
    await control.goToStep(0);
    expect((await control.forward("continue")).reason).toBe("breakpoint");
    expect(test.session.position).toEqual({ step, sub: 1 });
    await control.forward("in");
    expect(stateOf(test)).toBe(inside);
    await control.forward("out");
    await control.forward("over");
    expect(stateOf(test)).toBe(behind);
    expect(timeline.branches.list()).toHaveLength(1);
  });

  it("that cannot be changes nothing", async () => {
    const test = await openSession(SMALL);
    await test.session.control.goToStep(3);
    const before = stateOf(test);
    const refuse: Input = {
      text: "",
      apply: () => {
        throw new Error("no");
      },
    };
    expect(() => test.session.control.put(refuse)).toThrow("no");
    expect(stateOf(test)).toBe(before);
    await test.session.control.forward("continue");
    expect(test.session.timeline.branches.current.inputs).toEqual([]);
  });

  it("is there again when the run starts over for what history has forgotten, and gone after a restart", async () => {
    const text = `let a = 0\nwhile a < 40000 { a += 1 }\n`;
    const test = await openSession(text, 2 ** 18);
    const { control, debuggee } = test.session;
    await control.goToStep(10);
    control.put(poke(HPA, 3));
    await control.goToStep(60_000);
    expect(debuggee.store.oldest).toBeGreaterThan(debuggee.start + 11);
    const far = stateOf(test);
    await control.goToStep(11);
    expect(read(test)).toBe(3);
    await control.backward("over");
    expect(read(test)).toBe(0);
    await control.goToStep(60_000);
    expect(stateOf(test)).toBe(far);
    control.restart();
    await control.goToStep(20);
    expect(read(test)).toBe(0);
    expect(test.session.timeline.branches.list()).toHaveLength(2);
  });
});

describe.each([{ name: "a small flow", text: SMALL }, ...SCENARIOS.slice(0, 4)])("in $name", ({ text }) => {
  it("any walk over branches finds each as it was left", async () => {
    const move = fc.record({
      kind: fc.constantFrom("go", "edit", "switch", "switch", "step", "back", "again"),
      where: fc.double({ min: 0, max: 1, noNaN: true }),
      inside: fc.nat(6),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 4, maxLength: 14 }), async (walk) => {
        const test = await openSession(text, 2 ** 20);
        const { control, timeline } = test.session;
        await control.forward("continue");
        const end = test.session.position.step;
        const left = new Map<number, string>();
        for (const [i, { kind, where, inside }] of walk.entries()) {
          const { branches } = timeline;
          if (kind === "go") await control.goToStep(Math.floor(where * end));
          else if (kind === "step") await control.forward("in", inside % 2 ? "module" : "statement");
          else if (kind === "back") await control.backward("in", inside % 2 ? "module" : "statement");
          else if (kind === "again") {
            // As when history does not reach back far enough: on another machine, where cells were given out in another order.
            const [before, { step, sub }] = [stateOf(test), timeline.position];
            timeline.restart();
            await control.goToStep(step, sub);
            expect(stateOf(test)).toBe(before);
          } else if (kind === "edit") {
            for (let n = 0; n < inside; n++) timeline.fineForward();
            left.set(branches.current.id, stateOf(test));
            control.put(poke(HPA, i + 1));
          } else {
            left.set(branches.current.id, stateOf(test));
            const list = branches.list();
            const target = list[Math.floor(where * list.length * 0.999)] as (typeof list)[number];
            await control.switchTo(target);
            const known = left.get(target.id);
            if (known !== undefined) expect(stateOf(test)).toBe(known);
          }
          // Only of those that are not the current one is it known how they were left.
          left.delete(branches.current.id);
        }
      }),
      { numRuns: 12 },
    );
  });
});

describe("a state", () => {
  it("has the same hash whatever other futures were seen before, and so on another machine", async () => {
    const text = `let n = 0
if n == 0 {
  for i in 0 .. 1500 { let r = {a: i} }
}
spawn other on lp 1 { let x = {b: 1} }
join other
log "end"
`;
    const test = await openSession(text);
    const { control, timeline } = test.session;
    await control.forward("continue");
    await control.goToStep(1);
    control.put(editOf(globalPlace("n", "/flow/test.tdx"), 1, "1"));
    await control.forward("continue");
    const here = test.session.position;
    const state = stateOf(test);
    timeline.restart();
    await control.goToStep(here.step, here.sub);
    expect(stateOf(test)).toBe(state);
  });
});
