/**
 * Every lock of every leaf that deals with the S-EPT, held by somebody else: the leaf refuses with the recorded status and
 * registers (test/vectors/abi/locks.json), asks for host priority where the lock knows it, and changes nothing else.
 */
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, it } from "vitest";
import { HELD_HP_EXCLUSIVE, HELD_HP_SHARED, HELD_SEPT_ENTRY } from "../../src/module/lock-words.ts";
import { SEPT_HOST_LOCK, SEPT_HOST_PRIORITY } from "../../src/module/sept-entry.ts";
import { BLOCK_TAG_KEYED, BLOCK_TAG_LOST, BLOCK_TAG_LP, BLOCK_TAG_PLATFORM } from "../../src/platform/blocks.ts";
import { buildZoo, type Call, GPA } from "../support/zoo.ts";

interface Refusal {
  readonly heldBy: "exclusive" | "shared";
  readonly rax: string;
  readonly regs?: Readonly<Record<string, string>>;
  readonly hpSetAfterFailure?: boolean;
}

interface RecordedLock {
  readonly n: number;
  readonly lock: string;
  readonly mode: string;
  /** A text where the call cannot fail here. */
  readonly ifBusy: string | readonly Refusal[];
}

interface RecordedLeaf {
  readonly leaf: string;
  readonly variant?: string;
  readonly locks: readonly RecordedLock[];
}

const recorded: { readonly leaves: readonly RecordedLeaf[] } = JSON.parse(
  readFileSync(new URL("../vectors/abi/locks.json", import.meta.url), "utf8"),
);

const { host, tdr, calls } = buildZoo();
const { machine } = host;
const { store } = machine;
const PAGE = 4096;
const PAGE_2M = 512 * PAGE;
const LEVEL_2M = 1;
/** Address bits of an S-EPT entry: they depend on where the recording had its pages. */
const HPA_BITS = 0x000f_ffff_ffff_f000n;
const HP_FLAG = 2;

const cases: readonly (readonly [name: string, variant: string | undefined, call: Call])[] = [
  ["aug", undefined, calls.aug as Call],
  [
    "aug of 2 MiB",
    "2M page",
    {
      leaf: "TDH.MEM.PAGE.AUG",
      operands: { rcx: GPA.hole + LEVEL_2M, rdx: tdr, r8: host.page(PAGE_2M) },
    },
  ],
  ["remove", undefined, calls.remove as Call],
  ["remove of 2 MiB", "2M page", { leaf: "TDH.MEM.PAGE.REMOVE", operands: { rcx: GPA.large + LEVEL_2M, rdx: tdr } }],
  ["relocate", undefined, calls.relocate as Call],
  ["block", undefined, calls.block as Call],
  ["block of a table", "non-leaf entry, level 1", calls.blockTable as Call],
  ["unblock", undefined, calls.unblock as Call],
  ["demote", undefined, calls.demote as Call],
  ["promote", undefined, calls.promote as Call],
  ["add a table", undefined, calls.addTable as Call],
  ["remove a table", undefined, calls.removeTable as Call],
  ["read", undefined, calls.read as Call],
  ["track", undefined, calls.track as Call],
];

const start = store.mark();

interface Acquisition {
  readonly cell: number;
  readonly kind: number;
  readonly isPromotion: boolean;
}

/** The locks that a call takes, in order. */
function acquisitions({ leaf, operands }: Call): Acquisition[] {
  const taken: Acquisition[] = [];
  const entry = host.begin(leaf, operands, 0);
  let heldBefore = 0;
  do {
    const { held } = entry.call;
    const last = held.at(-1);
    if (entry.call.acquisitions > taken.length && last !== undefined) {
      taken.push({ ...last, isPromotion: held.length === heldBefore });
    }
    heldBefore = held.length;
  } while (entry.step() !== undefined);
  machine.forgetEntries();
  store.undo(start);
  return taken;
}

/** Somebody else holds the lock. */
function holdElsewhere({ cell, kind }: Acquisition, heldBy: string): void {
  const word = store.read(cell);
  if (kind === HELD_SEPT_ENTRY) store.write(cell, word | SEPT_HOST_LOCK);
  else if (heldBy === "exclusive") store.write(cell, 1);
  else store.write(cell, kind === HELD_HP_SHARED || kind === HELD_HP_EXCLUSIVE ? 4 : 2);
}

function asksForPriority({ cell, kind }: Acquisition): boolean {
  return kind === HELD_SEPT_ENTRY
    ? (store.read(cell + 1) & SEPT_HOST_PRIORITY) !== 0
    : (kind === HELD_HP_SHARED || kind === HELD_HP_EXCLUSIVE) && (store.read(cell) & HP_FLAG) !== 0;
}

/**
 * Cells of the module and of memory that differ from what they were at `mark`, but for the page in R8 and what
 * is noted of pages' KeyIDs: a demotion that fails at its last lock has filled the new table, which is still a free page.
 */
function changedCells(mark: number, r8: number): number[] {
  const had = new Map<number, number>();
  for (const change of store.changes(mark)) {
    if ("cell" in change && !had.has(change.cell)) had.set(change.cell, change.old);
  }
  const isPlatform = (cell: number): boolean => {
    const tag = store.tagOf(cell);
    const isLp = tag >= BLOCK_TAG_LP && tag < BLOCK_TAG_LP + machine.platform.lps;
    return isLp || tag === BLOCK_TAG_PLATFORM || (tag >= BLOCK_TAG_KEYED && tag < BLOCK_TAG_LOST);
  };
  const isFreePage = (cell: number): boolean =>
    Math.floor((machine.platform.memory.hpaOf(cell) ?? 0) / PAGE) * PAGE === r8;
  return [...had.keys()].filter((cell) => !isPlatform(cell) && !isFreePage(cell) && store.read(cell) !== had.get(cell));
}

afterEach(() => {
  machine.forgetEntries();
  store.undo(start);
});

describe.each(cases)("%s", (_, variant, call) => {
  const leaf = recorded.leaves.find((entry) => entry.leaf === call.leaf && entry.variant === variant);
  const locks = leaf?.locks ?? [];
  const taken = acquisitions(call);

  it("takes as many locks as recorded", () => {
    expect(taken.length).toBe(locks.at(-1)?.n);
  });

  const refusals = locks.flatMap(({ n, lock, mode, ifBusy }) =>
    typeof ifBusy === "string" ? [] : ifBusy.map((refusal) => ({ n, lock, mode, heldBy: refusal.heldBy, refusal })),
  );
  it.each(refusals)("refuses when lock $n, $lock ($mode), is held $heldBy", ({ n, refusal }) => {
    const lock = taken[n - 1] as Acquisition;
    expect(lock.isPromotion && refusal.heldBy === "exclusive").toBe(false);
    holdElsewhere(lock, refusal.heldBy);
    const mark = store.mark();
    const rax = host.call(call.leaf, call.operands);
    expect(rax.toString(16)).toBe(refusal.rax.slice(2));
    for (const [name, value] of Object.entries(refusal.regs ?? {})) {
      const got = host.register(name as "rcx") & ~HPA_BITS;
      expect(`${name} ${got.toString(16)}`).toBe(`${name} ${(BigInt(value) & ~HPA_BITS).toString(16)}`);
    }
    expect(asksForPriority(lock)).toBe(refusal.hpSetAfterFailure ?? false);
    const priorityCell = lock.kind === HELD_SEPT_ENTRY ? lock.cell + 1 : lock.cell;
    expect(changedCells(mark, Number(call.operands.r8 ?? -1)).filter((cell) => cell !== priorityCell)).toEqual([]);
  });
});
