/**
 * Two LPs in leaves at the same time: LP 0 stops at each step of one leaf, LP 1 runs the other as a whole, LP 0 goes on. What
 * comes out must be what one of the two orders gives, or one of them (or both) was busy and changed nothing.
 */
import { describe, expect, it } from "vitest";
import { tdEpoch } from "../../src/module/epoch.ts";
import { checkInvariants } from "../../src/module/invariants.ts";
import { TDR_CHLDCNT } from "../../src/module/layout.ts";
import { survey } from "../../src/module/survey.ts";
import { buildZoo, type Call, GPA } from "../support/zoo.ts";

const LEVEL_2M = 1;
/** A leaf that locks 512 entries is stopped at its first and last steps only. */
const MANY_STEPS = 40;

const { host, tdr, tdvpr, calls } = buildZoo();
const { machine } = host;
const { store } = machine;
const start = store.mark();

/** Calls that meet others at the same entry or page, beside those of the zoo. */
const more: Readonly<Record<string, Call>> = {
  removeMapped: { leaf: "TDH.MEM.PAGE.REMOVE", operands: { rcx: GPA.mapped, rdx: tdr } },
  blockFull: { leaf: "TDH.MEM.RANGE.BLOCK", operands: { rcx: GPA.full + 512, rdx: tdr } },
  unblockFull: { leaf: "TDH.MEM.RANGE.UNBLOCK", operands: { rcx: GPA.full + LEVEL_2M, rdx: tdr } },
  unblockLarge: { leaf: "TDH.MEM.RANGE.UNBLOCK", operands: { rcx: GPA.large + LEVEL_2M, rdx: tdr } },
  removeLarge: { leaf: "TDH.MEM.PAGE.REMOVE", operands: { rcx: GPA.large + LEVEL_2M, rdx: tdr } },
  unblockEmpty: { leaf: "TDH.MEM.RANGE.UNBLOCK", operands: { rcx: GPA.empty + LEVEL_2M, rdx: tdr } },
  flush: { leaf: "TDH.VP.FLUSH", operands: { rcx: tdvpr } },
  vpRead: { leaf: "TDH.VP.RD", operands: { rcx: tdvpr, rdx: 0x1010_0010_0000_0000n } },
  flushDone: { leaf: "TDH.MNG.VPFLUSHDONE", operands: { rcx: tdr } },
  create: { leaf: "TDH.MNG.CREATE", operands: { rcx: calls.aug?.operands.r8 ?? 0, rdx: 34 } },
  readTdr: { leaf: "TDH.PHYMEM.PAGE.RDMD", operands: { rcx: tdr } },
};
const all = { ...calls, ...more };

interface Outcome {
  readonly status: readonly [bigint, bigint];
  /** What the module's tables say, without registers and host-priority flags. */
  readonly state: string;
}

const isBusy = (status: bigint): boolean => status >> 32n === 0x8000_0200n;

function tables(): string {
  const { pages, tds } = survey(machine);
  const td = tds.find(({ hpa }) => hpa === tdr);
  return JSON.stringify({
    pages: pages.map(({ hpa, size, type, owner, bepoch }) => [hpa, size, type, owner, bepoch]),
    mappings: td?.mappings.map(({ gpa, level, state, hpa }) => [gpa, level, state, hpa]),
    lifecycle: td?.lifecycle,
    children: store.readNumber((td?.tdr ?? 0) + TDR_CHLDCNT),
    epoch: tdEpoch(machine.calls[0]!, td?.tdcs ?? 0),
  });
}

const initial = tables();
/** States whose invariants were checked. */
const sound = new Set<string>();

/** Goes back to the start, does `work`, and tells what came out. */
function outcome(work: () => readonly [bigint, bigint]): Outcome {
  machine.forgetEntries();
  store.undo(start);
  const status = work();
  const state = tables();
  if (!sound.has(state)) expect(checkInvariants(machine)).toEqual([]);
  sound.add(state);
  return { status, state };
}

const run = ({ leaf, operands }: Call, lp: number): bigint => host.call(leaf, operands, lp);

/** LP 0 stops `a` before its step number `stop`; LP 1 runs `b`; LP 0 goes on. Undefined if `a` has no such step. */
function interleaved(a: Call, b: Call, stop: number): Outcome | undefined {
  let reached = true;
  const result = outcome(() => {
    const entry = host.begin(a.leaf, a.operands, 0);
    for (let i = 0; i < stop; i++) reached = entry.step() !== undefined && reached;
    const other = run(b, 1);
    while (entry.next !== undefined) entry.step();
    return [host.register("rax", 0), other];
  });
  return reached ? result : undefined;
}

function stepsOf({ leaf, operands }: Call): number {
  machine.forgetEntries();
  store.undo(start);
  const entry = host.begin(leaf, operands, 0);
  let steps = 0;
  while (entry.step() !== undefined) steps++;
  return steps;
}

const names = Object.keys(all);

describe.each(names)("%s", (first) => {
  it.each(names)("and %s", (second) => {
    const a = all[first] as Call;
    const b = all[second] as Call;
    const alone = { a: outcome(() => [run(a, 0), 0n]), b: outcome(() => [0n, run(b, 1)]) };
    const orders = [
      outcome(() => [run(a, 0), run(b, 1)]),
      outcome(() => {
        const other = run(b, 1);
        return [run(a, 0), other];
      }),
    ];
    const allowed = ({ status, state }: Outcome): boolean =>
      orders.some((order) => String(order.status) === String(status) && order.state === state) ||
      (isBusy(status[0]) && isBusy(status[1]) && state === initial) ||
      (isBusy(status[0]) && status[1] === alone.b.status[1] && state === alone.b.state) ||
      (isBusy(status[1]) && status[0] === alone.a.status[0] && state === alone.a.state);

    const steps = stepsOf(a);
    for (let stop = 1; stop <= steps; stop++) {
      if (stop === MANY_STEPS && steps > 2 * MANY_STEPS) stop = steps - MANY_STEPS;
      const result = interleaved(a, b, stop);
      if (result !== undefined && !allowed(result)) {
        expect({ stop, status: result.status.map((rax) => rax.toString(16)) }).toEqual({
          stop,
          status: "an allowed one",
        });
      }
    }
  });
});
