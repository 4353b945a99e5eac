import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RCX } from "../../src/arch/registers.ts";
import { compileFlow } from "../../src/language/compile.ts";
import { STOP_LEAF } from "../../src/runtime/hooks.ts";
import { mayBeNotable } from "../../src/runtime/unit-note.ts";
import { compiled, run, session, start } from "./support.ts";

const MIXED = `
fn fact(n) { if n < 2 { return 1 } return n * fact(n - 1) }
let log_lines = []
let state = { n: 0, list: [1, 2, 3], big: 0xffff_ffff_ffff_fff0 }
for i in 0 .. 5 {
  state.n += fact(i) + fact(i + 1) * 2
  state.big += 7
  push(state.list, { i: i, page: alloc_page() })
  let page = alloc_page()
  write64(page, state.n)
  if i % 2 == 0 { free_page(page) }
}
let r = TDH.SYS.INIT()
for lp in lps() { on lp lp { r = TDH.SYS.LP.INIT() push(log_lines, "{lp}: {r.status}") } }
let m = mutex("m")
spawn other on lp 1 { for i in 0 .. 3 { with m { state.n += 1 yield } } }
spawn third { for i in 0 .. 3 { with m { state.n += 10 } yield } }
join other
join third
expect state.n == 373
`;

const readSource = (path: string) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

async function lifecycle() {
  const { program } = await compileFlow("scenarios/td-lifecycle.tdx", { readSource, flowsFolder: "flows" });
  return program!;
}

describe("going back", () => {
  it("gives the identical state at every earlier unit, and the same future again", async () => {
    const program = await compiled(MIXED);
    for (const scheduleSeed of [0, 7]) {
      const { runtime, store } = start(program, { scheduleSeed });
      const hashes = [store.hash()];
      while (runtime.status === "running") {
        runtime.step();
        hashes.push(store.hash());
      }
      expect(runtime.failure).toBeUndefined();
      expect(hashes.length).toBeGreaterThan(100);
      const last = hashes.length - 1;
      fc.assert(
        fc.property(fc.array(fc.nat(last), { minLength: 1, maxLength: 5 }), (stops) => {
          for (const stop of stops) {
            const now = store.now - runtime.start;
            if (stop < now) {
              store.undo(runtime.start + stop);
              runtime.rewound();
            } else runtime.run(stop - now);
            if (stop !== store.now - runtime.start && stop !== now) return false;
            if (store.hash() !== hashes[store.now - runtime.start]) return false;
          }
          return true;
        }),
        { numRuns: 200 },
      );
    }
  });

  it("restores a whole TD's life, guest included", async () => {
    const { runtime, store } = start(await lifecycle());
    const hashes = new Map<number, string>();
    while (runtime.status === "running") {
      hashes.set(store.now, store.hash());
      runtime.run(37);
    }
    expect(runtime.failure).toBeUndefined();
    const end = store.hash();
    for (const [mark, hash] of [...hashes].reverse()) {
      store.undo(mark);
      runtime.rewound();
      expect(store.hash()).toBe(hash);
    }
    runtime.run(1_000_000);
    expect(store.hash()).toBe(end);
  });

  it("does not depend on whether leaf functions are stepped, stopped at, or run whole", async () => {
    const program = await lifecycle();
    const whole = start(program);
    whole.runtime.run(1_000_000);
    const stopped = start(program, { hooks: { leafEntry: () => true, leafReturn: () => true } });
    const stepped = start(program, { hooks: { leafEntry: () => true } });
    let leaves = 0;
    while (stopped.runtime.status === "running") stopped.runtime.run(1_000_000);
    while (stepped.runtime.status === "running") {
      if (stepped.runtime.run(1_000_000) !== STOP_LEAF) continue;
      leaves++;
      const before = stepped.store.hash();
      const mark = stepped.store.now;
      expect(stepped.runtime.pendingLeaf?.name).toMatch(/^TD[HG]\./);
      expect(stepped.runtime.enterLeaf()).toBe(true);
      // Back from the middle of the leaf to before it, and through it again.
      for (let i = 0; i < leaves % 7; i++) stepped.runtime.stepLeaf();
      stepped.store.undo(mark);
      stepped.runtime.rewound();
      expect(stepped.store.hash()).toBe(before);
      stepped.runtime.enterLeaf();
      while (stepped.runtime.stepLeaf());
      expect(stepped.runtime.openLeaf).toBeUndefined();
    }
    expect(leaves).toBeGreaterThan(50);
    expect(stepped.runtime.failure).toBeUndefined();
    expect(stopped.runtime.failure).toBeUndefined();
    expect(stepped.store.hash()).toBe(whole.store.hash());
    expect(stopped.store.hash()).toBe(whole.store.hash());
    expect(stepped.output).toEqual(whole.output);
  });
});

it("can always be paused: an endless loop stops at the budget", async () => {
  const { runtime } = start(await compiled("let i = 0\nwhile true { i += 1 }"));
  runtime.run(1000);
  expect(runtime.status).toBe("running");
  await expect(run("fn f(n) { return f(n + 1) }\nf(0)")).rejects.toThrow("calls nest 10000 deep");
});

it("whoever looks before a call and fails there leaves the LP's registers as they were", async () => {
  const program = await compiled("let n = 1\nTDH.SYS.LP.INIT(rcx: 7)");
  const seen: bigint[] = [];
  const { runtime, store, machine } = start(program, {
    hooks: {
      leafEntry: ({ lp }) => {
        seen.push(machine.platform.readGpr(lp, RCX));
        throw new Error("no answer");
      },
    },
  });
  const before = store.hash();
  runtime.run(10);
  expect(runtime.failure?.message).toBe("internal error: no answer");
  expect(seen).toEqual([7n]);
  expect(machine.platform.readGpr(0, RCX)).toBe(0n);
  store.undo(runtime.start);
  expect(store.hash()).toBe(before);
});

it("a mark tells of a failed call in the unit that it ends, and of none before, however that one ended", async () => {
  const { runtime, store } = await session(`let m = mutex("m")
spawn worker {
  with m {
    yield
    m = 1
    m = 2
  }
}
yield
with [m, TDH.MNG.RD(tdr: 0, field: 0)][0] { }`);
  runtime.run(7);
  const notable = Array.from({ length: 7 }, (_, unit) => mayBeNotable(store.noteAt(runtime.start + unit + 1)));
  // Main's first two and the yield; the worker's first two; main's call, which fails, and its wait; the worker again. A unit in which a
  // task waits or yields says nothing of itself.
  expect(notable).toEqual([false, false, true, false, true, true, false]);
});
