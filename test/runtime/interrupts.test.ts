import { describe, expect, it } from "vitest";
import { start } from "./support.ts";
import { tdFlow } from "./td.ts";

/** A guest runs on LP 2, in the task `runner`, which logs how its TDH.VP.ENTER returned. */
const RUNNING = `
let seen = []
guest tdvpr {
    push(seen, "guest")
    while len(seen) < 20 { yield }
}
TDH.VP.FLUSH(tdvpr: tdvpr)
spawn runner on lp 2 {
    let exit = TDH.VP.ENTER(tdvpr: tdvpr)
    push(seen, "exit {exit.exit_reason}")
}
yield
`;

async function run(statements: string, scheduleSeed = 0): Promise<string[]> {
  const { runtime, output } = start(await tdFlow(RUNNING + statements), { scheduleSeed });
  runtime.run(100_000);
  expect(runtime.failure).toBeUndefined();
  expect(runtime.status).toBe("done");
  return output;
}

describe("code for an LP that runs a guest", () => {
  it("interrupts it: TDH.VP.ENTER returns with an external interrupt, behind the block", async () => {
    expect(await run('on lp 2 { push(seen, "block {current_lp()}") }\njoin runner\nlog seen')).toEqual([
      '["guest", "block 2", "exit 1"]',
    ]);
  });

  it("may call the module there, and leaves the other task's result alone", async () => {
    const statements = `
on lp 2 {
    let r = TDH.VP.FLUSH(tdvpr: tdvpr)
    push(seen, "flush {r.name}")
    push(seen, "{TDH.MNG.RD(tdr: td.tdr, field: TD_FIELD.NUM_VCPUS).value}")
}
join runner
log seen`;
    expect(await run(statements)).toEqual(['["guest", "flush TDX_SUCCESS", "1", "exit 1"]']);
  });

  it("may be another task on that LP, which has it when it calls the module", async () => {
    expect(await run("spawn other on lp 2 { TDH.MEM.TRACK(tdr: td.tdr) }\njoin other join runner\nlog seen")).toEqual([
      '["guest", "exit 1"]',
    ]);
  });

  it("does not end the guest: the next entry goes on where it was", async () => {
    const statements = `
on lp 2 { }
join runner
push(seen, "again")
while len(seen) < 20 { push(seen, 0) }
log on_lp_2().r11
log len(seen)
fn on_lp_2() { on lp 2 { return TDH.VP.ENTER(tdvpr: tdvpr) } }`;
    expect(await run(statements)).toEqual(["12", "20"]);
  });

  it("lets a host shoot translations down as Linux does: block, track, an IPI, remove", async () => {
    const statements = `
expect seen == ["guest"]
TDH.MEM.RANGE.BLOCK(gpa: 0x1000, level: 0, tdr: td.tdr)
TDH.MEM.TRACK(tdr: td.tdr)
expect fails TDH.MEM.PAGE.REMOVE(gpa: 0x1000, level: 0, tdr: td.tdr) == TDX_TLB_TRACKING_NOT_DONE
on lp 2 { }
TDH.MEM.PAGE.REMOVE(gpa: 0x1000, level: 0, tdr: td.tdr)
join runner
log seen`;
    expect(await run(statements)).toEqual(['["guest", "exit 1"]']);
  });

  it("waits while the LP is inside the module", async () => {
    const statements = `
spawn caller on lp 3 { pause at 1 TDH.MEM.TRACK(tdr: td.tdr) push(seen, "tracked") }
yield
on lp 3 { push(seen, "block") }
join caller
on lp 2 { }
join runner
log seen`;
    expect(await run(statements)).toEqual(['["guest", "tracked", "block", "exit 1"]']);
  });

  it("is the same run for every seed, with history undone and done again", async () => {
    for (const scheduleSeed of [0, 1, 7]) {
      const { runtime, store } = start(await tdFlow(`${RUNNING}on lp 2 { TDH.MEM.TRACK(tdr: td.tdr) }\njoin runner`), {
        scheduleSeed,
      });
      const hashes: string[] = [];
      const marks: number[] = [];
      const limit = 3000;
      for (let i = 0; i < limit && runtime.status === "running"; i++) {
        marks.push(store.now);
        hashes.push(String(store.hash()));
        runtime.step();
      }
      expect(runtime.failure).toBeUndefined();
      expect(runtime.status).toBe("done");
      const end = String(store.hash());
      for (const back of [3, 10, 40]) {
        const at = marks.length - back;
        store.undo(marks[at] as number);
        runtime.rewound();
        expect(String(store.hash())).toBe(hashes[at]);
        runtime.run(limit);
        expect(String(store.hash())).toBe(end);
      }
    }
  });

  it("is the end of a guest, too, where the task goes on whose guest ran there before", async () => {
    const flow = await tdFlow(`
let other = new_td({ attributes: 0, pages: 1 }).vcpus[0].tdvpr
let rounds = 0
guest tdvpr { while rounds < 9 { rounds += 1 yield } }
guest other { while rounds < 9 { rounds += 1 yield } }
TDH.VP.FLUSH(tdvpr: tdvpr)
TDH.VP.FLUSH(tdvpr: other)
spawn a on lp 2 { log "a {TDH.VP.ENTER(tdvpr: tdvpr).exit_reason}" }
spawn b on lp 2 { log "b {TDH.VP.ENTER(tdvpr: other).exit_reason}" }
join a
join b`);
    const { runtime, output } = start(flow);
    runtime.run(100_000);
    expect(runtime.status).toBe("done");
    expect(output).toEqual(["a 1", "b 1"]);
  });
});
