/** Tasks that are moved by turns, also inside the module: every walk has its exact way back. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cellsDataId, slotDataId } from "../../src/debugger/data-ids.ts";
import { AT_STATEMENT } from "../../src/debugger/debuggee.ts";
import type { Command, Granularity } from "../../src/debugger/goals.ts";
import { isBefore } from "../../src/debugger/position.ts";
import { openSession, stateOf, type TestSession } from "./support.ts";

/** Two LPs add the same S-EPT tables; each tries again while the other one holds what it needs. */
const RACE = `import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
let tdr = td.tdr
TDH.MEM.SEPT.ADD(gpa: 1G, level: 2, tdr: tdr, page: alloc_page())
let pages = [alloc_page(), alloc_page(), alloc_page(), alloc_page()]
fn build(first) {
  for i in 0 .. 2 {
    let r = TDH.MEM.SEPT.ADD(gpa: 1G + i * 2M, level: 1, tdr: tdr, page: pages[first + i])
    if r.status == TDX_OPERAND_BUSY { log "busy" }
  }
  let track = TDH.MEM.TRACK(tdr: tdr)
  log track.name
}
spawn a on lp 1 { build(0) }
spawn b on lp 2 { build(2) }
join a
join b
`;

/** A guest accepts pages while another LP works on its S-EPT. */
const GUEST = `import "tdx/host"
let td = new_td({ attributes: TDX_TD_ATTR_SEPT_VE_DISABLE, pages: 1 })
let tdr = td.tdr
let tdvpr = td.vcpus[0].tdvpr
aug_page(td, 0x5000)
aug_page(td, 0x6000)
TDH.VP.FLUSH(tdvpr: tdvpr)
guest tdvpr {
  let one = TDG.MEM.PAGE.ACCEPT(gpa: 0x5000, level: 0)
  let two = TDG.MEM.PAGE.ACCEPT(gpa: 0x6000, level: 0)
  log "{one.name} {two.name}"
}
spawn vcpu on lp 1 {
  let exit = TDH.VP.ENTER(tdvpr: tdvpr)
  exit = TDH.VP.ENTER(tdvpr: tdvpr)
}
spawn host on lp 2 {
  for gpa in 0x5000 .. 0x7000 step 4K {
    let r = TDH.MEM.RANGE.BLOCK(gpa: gpa, level: 0, tdr: tdr)
    log "{r.name}"
    r = TDH.MEM.TRACK(tdr: tdr)
  }
}
join host
`;

const FLOWS = [
  { name: "two hosts build one S-EPT", text: RACE },
  { name: "a guest and its host", text: GUEST, inGuest: true },
  {
    name: "tasks that the seed lets meet",
    text: `platform { interleave true schedule 5 }\n${RACE}`,
    marker: "spawn b",
  },
];

const move = fc.record({
  command: fc.constantFrom<Command>("over", "in", "in", "out"),
  granularity: fc.constantFrom<Granularity>("statement", "module", "module", "module", "call"),
  who: fc.nat(2),
  isSingle: fc.boolean(),
  times: fc.integer({ min: 1, max: 12 }),
});

/** Two tasks by turns, place by place: each is left inside the module. */
const TURNS = [1, 2, 1, 2, 1, 2].map((who) => {
  return { command: "in", granularity: "module", who, isSingle: false, times: 7 } as const;
});

/** Guests have numbers of their own between those of tasks. */
function taskOf({ session }: TestSession, who: number): number {
  return session.debuggee.runtime.tasks()[who]?.id ?? 0;
}

describe.each(FLOWS)("$name", ({ text, inGuest = false }) => {
  /** Where all tasks have been started, and the guest, if one is wanted, has been entered. */
  async function open(): Promise<TestSession> {
    const test = await openSession(text);
    const { timeline, debuggee } = test.session;
    const isStarted = (): boolean => {
      const tasks = debuggee.runtime.tasks();
      return tasks.length === 3 && (inGuest ? tasks.some(({ isGuest }) => isGuest) : debuggee.place === AT_STATEMENT);
    };
    while (!isStarted()) {
      if (timeline.hasEnded) throw new Error("the tasks never start");
      timeline.forward();
    }
    return test;
  }

  it("any walk of the tasks, by turns, goes back to the identical states, and forward to the same again", async () => {
    let switchedInside = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 3, maxLength: 8 }), async (walk) => {
        const test = await open();
        const { session } = test;
        const { control, debuggee } = session;
        const done: { readonly move: (typeof walk)[number]; readonly task: number; readonly before: string }[] = [];
        for (const each of walk) {
          for (let i = 0; i < each.times && !session.timeline.hasEnded; i++) {
            const before = stateOf(test);
            const { isAnyInside, task: mover } = session.debuggee;
            const task = taskOf(test, each.who);
            await control.forward(each.command, each.granularity, { ...each, task });
            if (isAnyInside && session.debuggee.isAnyInside && session.debuggee.task !== mover) switchedInside++;
            if (stateOf(test) !== before) done.push({ move: each, task, before });
          }
        }
        const end = { state: stateOf(test), ...session.position };
        for (const { move: each, task, before } of done.reverse()) {
          await control.backward(each.command, each.granularity, { task });
          expect(stateOf(test)).toBe(before);
        }
        // What was decided is part of the run: the same again, also from the start.
        await control.goToStep(end.step, end.sub);
        expect(stateOf(test)).toBe(end.state);
        await control.goToStep(0);
        await control.goToStep(end.step, end.sub);
        expect(stateOf(test)).toBe(end.state);
        session.timeline.restart();
        await control.goToStep(end.step, end.sub);
        expect(stateOf(test)).toBe(end.state);
        expect(debuggee.program).toBe(session.program);
      }),
      { numRuns: 12, examples: [[TURNS]] },
    );
    expect(switchedInside).toBeGreaterThan(0);
  });

  it("what comes of it is what the journal says: back to any step, and on", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(move, { minLength: 4, maxLength: 8 }),
        fc.array(fc.nat(1000), { maxLength: 6 }),
        async (walk, places) => {
          const test = await open();
          const { session } = test;
          const first = session.position.step;
          for (const each of walk) {
            for (let i = 0; i < each.times && !session.timeline.hasEnded; i++)
              await session.control.forward(each.command, each.granularity, { ...each, task: taskOf(test, each.who) });
          }
          const end = { state: stateOf(test), ...session.position };
          const states = new Map<number, string>();
          for (const place of places) {
            const step = first + (place % (end.step - first + 1));
            await session.control.goToStep(step);
            const known = states.get(step);
            if (known === undefined) states.set(step, stateOf(test));
            else expect(stateOf(test)).toBe(known);
          }
          await session.control.goToStep(end.step, end.sub);
          expect(stateOf(test)).toBe(end.state);
        },
      ),
      { numRuns: 8 },
    );
  });

  it("stops at the same places in both directions, whoever was chosen on the way", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 2, maxLength: 6 }), async (walk) => {
        const test = await open();
        const { session } = test;
        const { control, breakpoints, exceptions } = session;
        const first = session.position.step;
        for (const each of walk) {
          for (let i = 0; i < each.times && !session.timeline.hasEnded; i++)
            await control.forward(each.command, each.granularity, { ...each, task: taskOf(test, each.who) });
        }
        breakpoints.setFunctions([{ name: "TDH.MEM.*" }, { name: "TDG.*" }]);
        exceptions.set([{ filter: "busy" }, { filter: "invariant" }]);
        const { debuggee } = session;
        const { machine, runtime } = debuggee;
        breakpoints.setData(debuggee, [
          { dataId: cellsDataId(machine, [[machine.platform.lpCell(1), 34]]) },
          { dataId: slotDataId(runtime.state.globals) },
        ]);
        await control.goToStep(first);
        const there: string[] = [];
        while ((await control.forward("continue")).reason !== "end") there.push(stateOf(test));
        const end = session.position;
        // A stop at the end is where the way back begins.
        if (there.at(-1) === stateOf(test)) there.pop();
        await control.goToStep(first);
        await control.goToStep(end.step);
        const back: string[] = [];
        while (
          (await control.backward("continue")).reason !== "start" &&
          isBefore({ step: first, sub: 0 }, session.position)
        ) {
          back.push(stateOf(test));
        }
        expect(back.reverse()).toEqual(there);
      }),
      { numRuns: 6 },
    );
  });
});

it("goes back over calls that were left standing where history has forgotten their beginning", async () => {
  const long = RACE.replace("spawn a", "let n = 0\nfor i in 0 .. 12000 { n += 1 }\nspawn a").replace(
    "  for i in 0 .. 2 {",
    "  for i in 0 .. 2 {\n    let m = 0\n    for k in 0 .. 3000 { m += k }",
  );
  const test = await openSession(long, 2 ** 12);
  const { session } = test;
  const { control, timeline } = session;
  const [, a, b] = await (async () => {
    while (session.debuggee.runtime.tasks().length < 3) timeline.forward();
    return session.debuggee.runtime.tasks().map(({ id }) => id);
  })();
  while (!session.debuggee.trace.includes("lock")) await control.forward("in", "module", { task: a });
  const before = stateOf(test);
  // B comes far while A stands inside; only then A moves.
  for (let i = 0; i < 4; i++) await control.forward("out", "statement", { task: b, isSingle: true });
  const between = stateOf(test);
  expect(session.position.step - Number(before.split(".")[0])).toBeGreaterThan(5000);
  await control.forward("over", "module", { task: a });
  await control.backward("over", "module", { task: a });
  expect(stateOf(test)).toBe(between);
  await control.goToStep(...((before.split(" ")[0] as string).split(".").map(Number) as [number, number]));
  expect(stateOf(test)).toBe(before);
});
