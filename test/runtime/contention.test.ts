/** Tasks that stand inside the module while others run. */
import { describe, expect, it, vi } from "vitest";
import { checkInvariants } from "../../src/module/invariants.ts";
import { complaints, run, session } from "./support.ts";

const TD = `
import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
let tdr = td.tdr
fn add_table(gpa) { return TDH.MEM.SEPT.ADD(gpa: gpa, level: 1, tdr: tdr, page: alloc_page()) }
TDH.MEM.SEPT.ADD(gpa: 1G, level: 2, tdr: tdr, page: alloc_page())
`;

describe("pause at", () => {
  it("lets the others run with the locks held that the call has taken", async () => {
    const output = await run(`${TD}
spawn other on lp 2 {
  pause at "fill the page with free entries"
  log "other: {add_table(1G).status}"
}
yield
log "first: {add_table(1G).status}"
log "beside: {add_table(1G + 2M).status}"
log "tree: {TDH.MEM.SEPT.REMOVE(gpa: 1G + 2M, level: 1, tdr: tdr).status}"
join other
log "after: {add_table(1G).name}"
`);
    expect(output).toEqual([
      "first: TDX_OPERAND_BUSY(RCX)",
      "beside: TDX_SUCCESS",
      "tree: TDX_OPERAND_BUSY(SEPT_TREE)",
      "other: TDX_SUCCESS",
      "after: TDX_EPT_ENTRY_STATE_INCORRECT",
    ]);
  });

  it("counts locks, and leaves the ones behind free for others", async () => {
    const output = await run(`${TD}
fn at(locks) {
  spawn other on lp 2 { pause at locks add_table(1G) }
  yield
  let r = TDH.MNG.RD(tdr: tdr, field: TD_FIELD.NUM_VCPUS)
  let flush = TDH.MNG.VPFLUSHDONE(tdr: tdr)
  log "{locks}: {r.ok} {flush.name}"
  join other
  TDH.MEM.RANGE.BLOCK(gpa: 1G, level: 1, tdr: tdr)
  TDH.MEM.TRACK(tdr: tdr)
  TDH.MEM.SEPT.REMOVE(gpa: 1G, level: 1, tdr: tdr)
}
for locks in 1 .. 5 { at(locks) }
`);
    // The first two are the PAMT entries of the 1 GiB and 2 MiB around the TDR, shared as in every call.
    expect(output).toEqual([
      "1: true TDX_FLUSHVP_NOT_DONE",
      "2: true TDX_FLUSHVP_NOT_DONE",
      "3: true TDX_OPERAND_BUSY",
      "4: true TDX_OPERAND_BUSY",
    ]);
  });

  it("goes for guests too: a TDCALL stands between the host's calls", async () => {
    const output = await run(`
import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
let tdr = td.tdr
let tdvpr = td.vcpus[0].tdvpr
aug_page(td, 0x5000)
guest tdvpr {
  pause at "read the entry again"
  let r = TDG.MEM.PAGE.ACCEPT(gpa: 0x5000, level: 0)
  log "guest: {r.status}"
}
TDH.VP.FLUSH(tdvpr: tdvpr)
spawn vcpu on lp 1 { TDH.VP.ENTER(tdvpr: tdvpr) }
yield
log "block: {TDH.MEM.RANGE.BLOCK(gpa: 0x5000, level: 0, tdr: tdr).status}"
join vcpu
log "block: {TDH.MEM.RANGE.BLOCK(gpa: 0x5000, level: 0, tdr: tdr).status}"
`);
    expect(output).toEqual(["block: TDX_OPERAND_BUSY(RCX)", "guest: TDX_SUCCESS", "block: TDX_SUCCESS"]);
  });

  it("is for the next call of the module: a guest's plain accesses and MSRs are none", async () => {
    const output = await run(`
import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
let tdr = td.tdr
let tdvpr = td.vcpus[0].tdvpr
guest tdvpr {
  pause at "read the entry again"
  write64(0, 7)
  log "guest: {read64(0)}"
  rdmsr(0x174)
  let r = TDG.MEM.PAGE.ACCEPT(gpa: 0x5000, level: 0)
  log "guest: {r.status}"
}
aug_page(td, 0x5000)
TDH.VP.FLUSH(tdvpr: tdvpr)
spawn vcpu on lp 1 { TDH.VP.ENTER(tdvpr: tdvpr) }
yield
log "block: {TDH.MEM.RANGE.BLOCK(gpa: 0x5000, level: 0, tdr: tdr).status}"
join vcpu
`);
    expect(output).toEqual(["guest: 7", "block: TDX_OPERAND_BUSY(RCX)", "guest: TDX_SUCCESS"]);
  });

  it("keeps others off the LP: they wait until it has left the module", async () => {
    const output = await run(`${TD}
spawn a on lp 1 { pause at 1 log "a: {add_table(1G).name}" }
spawn b on lp 1 { log "b: {add_table(1G).name}" }
spawn c on lp 3 { on lp 1 { log "c: {add_table(1G).name}" } }
join a
join b
join c
`);
    expect(output).toEqual(["a: TDX_SUCCESS", "b: TDX_EPT_ENTRY_STATE_INCORRECT", "c: TDX_EPT_ENTRY_STATE_INCORRECT"]);
  });

  it("does nothing else where nobody else can run", async () => {
    expect(await run(`${TD}\npause at 1\nlog add_table(1G).name`)).toEqual(["TDX_SUCCESS"]);
  });

  it("fails where the call does not come there", async () => {
    await expect(run(`${TD}\npause at "no such step"\nadd_table(1G)`)).rejects.toThrow(
      '5:28 the call ended without coming to a step "no such step"',
    );
    await expect(run(`${TD}\npause at 30\nadd_table(1G)`)).rejects.toThrow("before it had taken 30 locks");
    await expect(run("pause at 0")).rejects.toThrow("pause at takes the number of locks");
    await expect(run("pause at null")).rejects.toThrow("pause at takes the number of locks");
  });

  it("says where no call came that could have paused, and steps no later one for it", async () => {
    const { runtime, machine, output } = await session(`${TD}
spawn other on lp 2 {
  pause at "read the entry again"
}
join other
add_table(1G)`);
    const stepped = vi.spyOn(machine, "beginSeamcall");
    runtime.run(1_000_000);
    expect(runtime.status).toBe("done");
    expect(output).toEqual([
      'WARNING: pause at "read the entry again" (main.tdx:9) was never reached: other has made no call of the module since; write it right before the call that is to pause',
    ]);
    expect(stepped).not.toHaveBeenCalled();
  });

  it("says so where the next one takes its place, and where a guest ends, gets other code, or is entered no more", async () => {
    expect(await run(`pause at 1\npause at 2`)).toEqual([
      expect.stringContaining("pause at 1 (main.tdx:1) was never reached: main has made no call"),
      expect.stringContaining("pause at 2 (main.tdx:2) was never reached"),
    ]);
    const guest = async (code: string, host: string) =>
      (
        await run(`import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
let tdvpr = td.vcpus[0].tdvpr
TDH.VP.FLUSH(tdvpr: tdvpr)
guest tdvpr { ${code} }
spawn vcpu on lp 1 { TDH.VP.ENTER(tdvpr: tdvpr) }
yield
on lp 1 { }
join vcpu
log "left"
${host}
log "end"`)
      ).map((line) => line.replace(/.*pause at (\d+) .*: (guest) .*/, "$2 $1"));
    expect(await guest("pause at 7", "")).toEqual(["guest 7", "left", "end"]);
    expect(await guest("pause at 8 while true { yield }", "guest tdvpr { }")).toEqual(["left", "guest 8", "end"]);
    expect(await guest("pause at 9 while true { yield }", "")).toEqual(["left", "end", "guest 9"]);
  });

  it("is a statement of the language, and pause no name", async () => {
    expect(await complaints("let at = 2\npause at at\nTDH.SYS.INIT()")).toEqual([]);
    expect(await complaints("let pause = 2")).not.toEqual([]);
  });
});

/** Two LPs build the same table: whoever comes second is busy, tries again and finds it there. */
const RACE = (schedule: number): string => `
platform { interleave true schedule ${schedule} }
${TD}
let log_ = []
fn build(name) {
  for gpa in 1G .. 1G + 8M step 2M {
    let r = add_table(gpa)
    while r == TDX_OPERAND_BUSY { push(log_, name) r = add_table(gpa) }
    expect r.ok || r.status == TDX_EPT_ENTRY_STATE_INCORRECT
  }
}
spawn a on lp 1 { build("a") }
spawn b on lp 2 { build("b") }
join a
join b
log "{log_}"
`;

describe("platform { interleave true }", () => {
  it("lets tasks meet inside the module: the same for the same seed, otherwise for another", async () => {
    const outcomes = new Map<number, string>();
    for (const schedule of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const { runtime, machine, output, store } = await session(RACE(schedule));
      runtime.run(100_000);
      expect(runtime.failure).toBeUndefined();
      expect(runtime.status).toBe("done");
      expect(checkInvariants(machine)).toEqual([]);
      outcomes.set(schedule, `${output} ${store.hash()}`);
    }
    expect([...outcomes.values()].some((text) => text.includes('"a"') || text.includes('"b"'))).toBe(true);
    expect(new Set(outcomes.values()).size).toBeGreaterThan(2);
    for (const [schedule, outcome] of outcomes) {
      const { runtime, output, store } = await session(RACE(schedule));
      while (runtime.status === "running") runtime.run(7);
      expect(`${output} ${store.hash()}`).toBe(outcome);
    }
  });
});
