/** Every step forward has its exact step back. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { cellsDataId, slotDataId } from "../../src/debugger/data-ids.ts";
import type { Command, Granularity } from "../../src/debugger/goals.ts";
import { openSession, SCENARIOS, SMALL, stateOf, type TestSession } from "./support.ts";

const command = fc.constantFrom<Command>("over", "in", "out", "continue");
const granularity = fc.constantFrom<Granularity>("statement", "call", "module");
const step = fc.record({ command, granularity });

const FUNCTIONS = ["TDH.SYS.INIT", "TDH.MEM.*", "TDG.MEM.PAGE.ACCEPT", "twice"];

const FLOWS = [{ name: "a small flow", text: SMALL }, ...SCENARIOS];

describe.each(FLOWS)("in $name", ({ text }) => {
  let test: TestSession;
  let steps: number;
  beforeAll(async () => {
    test = await openSession(text);
    expect((await test.session.control.forward("continue")).reason).toBe("end");
    steps = test.session.position.step;
  });

  async function goTo(where: number): Promise<void> {
    await test.session.control.goToStep(Math.floor(where * steps));
  }

  it("the inverse of a command leads back to the identical state, from anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0, max: 1, noNaN: true }), step, fc.nat(30), async (where, move, inside) => {
        const { control, timeline } = test.session;
        await goTo(where);
        for (let i = 0; i < inside; i++) timeline.fineForward();
        const before = stateOf(test);
        const position = test.session.position;
        await control.forward(move.command, move.granularity);
        if (position.step !== test.session.position.step || position.sub !== test.session.position.sub) {
          await control.backward(move.command, move.granularity);
        }
        expect(stateOf(test)).toBe(before);
      }),
      { numRuns: 30 },
    );
  });

  it("so does any walk, taken back command by command, with breakpoints on the way", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(step, { maxLength: 12 }),
        async (where, walk) => {
          const { control, breakpoints } = test.session;
          breakpoints.setFunctions(FUNCTIONS.map((name) => ({ name })));
          test.session.exceptions.set([{ filter: "seamcall-error" }, { filter: "ept-violation-pending" }]);
          await goTo(where);
          const states: string[] = [];
          const done: typeof walk = [];
          for (const move of walk) {
            states.push(stateOf(test));
            await control.forward(move.command, move.granularity);
            if (stateOf(test) === states.at(-1)) states.pop();
            else done.push(move);
          }
          for (const move of done.reverse()) {
            await control.backward(move.command, move.granularity);
            expect(stateOf(test)).toBe(states.pop());
          }
          breakpoints.setFunctions([]);
          test.session.exceptions.set([]);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("a state does not depend on the way that led to it", async () => {
    const other = await openSession(text);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), fc.nat(10_000), async (walk, seed) => {
        const target = seed % (steps + 1);
        for (const [i, move] of walk.entries()) {
          await (i % 2 === 0 ? test.session.control.forward : test.session.control.backward).call(
            test.session.control,
            move.command,
            move.granularity,
          );
        }
        await test.session.control.goToStep(target);
        await other.session.control.goToStep(target);
        expect(stateOf(test)).toBe(stateOf(other));
      }),
      { numRuns: 10 },
    );
  });

  /** Continues from the start to the end and back: the stops must be the same. Returns how many there were. */
  async function compareDirections(): Promise<number> {
    const { control } = test.session;
    await control.goToStep(0);
    const there: string[] = [];
    while ((await control.forward("continue")).reason !== "end") there.push(stateOf(test));
    // A stop at the end is where the way back begins.
    if (there.at(-1) === stateOf(test)) there.pop();
    const back: string[] = [];
    // Where the last command began is no breakpoint: a fresh start of the way back.
    const { position } = test.session;
    await control.goToStep(0);
    await control.goToStep(position.step);
    while ((await control.backward("continue")).reason !== "start") back.push(stateOf(test));
    expect(back.reverse()).toEqual(there);
    return there.length;
  }

  it("stops at the same places in both directions", async () => {
    const { breakpoints, exceptions } = test.session;
    breakpoints.setFunctions(FUNCTIONS.map((name) => ({ name })));
    exceptions.set([
      { filter: "seamcall-error" },
      { filter: "ept-violation-pending" },
      { filter: "ept-violation-private" },
      { filter: "guest-ve" },
      { filter: "dirty-line" },
    ]);
    const { debuggee } = test.session;
    const { machine } = debuggee;
    breakpoints.setData(debuggee, [
      { dataId: cellsDataId(machine, [[machine.sys, 8]]) },
      { dataId: cellsDataId(machine, [[machine.platform.lpCell(0), 34]]), condition: "task == 0" },
      { dataId: slotDataId(test.session.debuggee.runtime.state.globals) },
    ]);
    expect(await compareDirections()).toBeGreaterThan(0);
    // Reads and equal writes are in no journal, and what was passed before depends on time alone.
    breakpoints.setFunctions([{ name: "TDH.*", condition: 'after("TDH.*", "lp == 0") && lp == 1' }]);
    const globals = slotDataId(test.session.debuggee.runtime.state.globals);
    breakpoints.setData(debuggee, [
      { dataId: globals, access: "any" },
      { dataId: cellsDataId(machine, [[machine.sys, 4]]), access: "write", condition: 'after("TDH.SYS.CONFIG")' },
    ]);
    expect(await compareDirections()).toBeGreaterThan(0);
    breakpoints.setFunctions([]);
    breakpoints.setData(test.session.debuggee, []);
    exceptions.set([]);
  }, 60_000);

  it("so it does where most units are not looked at on the way back", async () => {
    const { breakpoints, exceptions } = test.session;
    let stops = 0;
    for (const [names, condition, filters] of [
      [["TDH.*"], "level == 0", []],
      [["TDG.*"], "", []],
      [["TDH.MEM.*%return"], "", ["guest-ve"]],
      [["twice", "TDH.VP.ENTER"], "", ["host-warn"]],
      [["twice%return"], "", ["dirty-line"]],
      [["TDG.*"], "gpa == 1", ["seamcall-error", "guest-ve", "host-warn", "ept-violation-private"]],
    ] as const) {
      breakpoints.setFunctions(names.map((name) => ({ name, condition })));
      exceptions.set(filters.map((filter) => ({ filter })));
      stops += await compareDirections();
    }
    expect(stops).toBeGreaterThan(0);
    breakpoints.setFunctions([]);
    exceptions.set([]);
  });
});
