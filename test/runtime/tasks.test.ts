import { describe, expect, it } from "vitest";
import { run, session } from "./support.ts";

const COUNTERS = `
let m = mutex("counter")
let seen = []
fn work(name, n) { for i in 0 .. n { with m { push(seen, name) yield push(seen, name) } yield } }
spawn a on lp 1 { work("a", 3) }
spawn b on lp 2 { work("b", 3) }
join a
join b
for i in 0 .. len(seen) / 2 { expect seen[i * 2] == seen[i * 2 + 1] }
log "{seen}"
`;

describe("tasks", () => {
  it("run on their LPs, wait for each other, and see the same records", async () => {
    const output = await run(`
let shared = { sum: 0 }
fn f(n) {
  let local = { n: n }
  spawn one on lp 3 { local.n += 1 shared.sum += current_lp() }
  spawn two { shared.sum += local.n * 10 }
  join one
  join two
  return local.n
}
log "{f(4)} {shared.sum} {current_lp()}"
`);
    expect(output).toEqual(["5 53 0"]);
  });

  it("exclude each other by a mutex, whatever the schedule", async () => {
    const orders = new Set<string>();
    for (let scheduleSeed = 0; scheduleSeed < 12; scheduleSeed++) {
      const { runtime, output } = await session(COUNTERS, { scheduleSeed });
      runtime.run(100_000);
      expect(runtime.failure).toBeUndefined();
      orders.add(output[0] ?? "");
    }
    expect(orders.size).toBeGreaterThan(1);
  });

  it("give the same run for the same seed", async () => {
    const outputs = await Promise.all(
      [5, 5].map(async (scheduleSeed) => {
        const { runtime, output } = await session(COUNTERS, { scheduleSeed });
        runtime.run(100_000);
        return output;
      }),
    );
    expect(outputs[0]).toEqual(outputs[1]);
  });

  it("read together and write alone", async () => {
    const output = await run(`
let l = rwlock("table")
let log_ = []
spawn r1 { with l.read { push(log_, "r1+") yield push(log_, "r1-") } }
spawn r2 { with l.read { push(log_, "r2+") yield push(log_, "r2-") } }
spawn w { with l.write { push(log_, "w+") yield push(log_, "w-") } }
join r1 join r2 join w
log "{log_}"
`);
    expect(output).toEqual(['["r1+", "r2+", "r1-", "r2-", "w+", "w-"]']);
  });

  it("leave locks by return, break and continue", async () => {
    const output = await run(`
let m = mutex()
fn f() { while true { with m { return 5 } } }
for i in 0 .. 3 { with m { if i == 1 { continue } if i == 2 { break } } }
fn g() { on lp 3 { return current_lp() } }
let x = f()
with m { log "{x} {g()} {current_lp()}" }
`);
    expect(output).toEqual(["5 3 0"]);
  });

  it("tell a deadlock with who waits for whom", async () => {
    await expect(
      run(`
let a = mutex("a")
let b = mutex("b")
spawn one { with a { yield with b { } } }
spawn two { with b { yield with a { } } }
join one
`),
    ).rejects.toThrow(
      /deadlock: main waits for the end of one; one waits for mutex lock "b" held by two; two waits for mutex lock "a" held by one/,
    );
    await expect(run('let m = mutex("m")\nwith m { with m { } }')).rejects.toThrow("this task holds the lock already");
  });

  it("are listed with where they are and whether they wait", async () => {
    const { runtime } = await session("let m = mutex()\nspawn t on lp 2 { with m { yield } }\njoin t\n");
    for (let i = 0; i < 5; i++) runtime.step();
    expect(runtime.tasks().map(({ name, lp, state }) => [name, lp, state])).toEqual([
      ["main", 0, "waiting"],
      ["t", 2, "ready"],
    ]);
  });
});
