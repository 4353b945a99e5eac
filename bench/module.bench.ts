/**
 * Speed of the module: what a host's calls cost when it builds a TD of 4 KiB pages, changes it and takes it apart. The aims
 * are those of an emulator that is at least half as fast as the module's native code with history off, a quarter with
 * history on (test/vectors/scale/README.md).
 */
import { HOST_PAGE, Host, TDMR } from "../test/support/host.ts";
import { type Figure, median, perSecond } from "./figures.ts";
import { RawHost } from "./raw-host.ts";

const PAGE = 4096;
/** Pages that are mapped: 256 MiB. */
const PAGES = 65_536;
const FIRST_PAGE = TDMR + 2 ** 29;
/** Pages that are added and measured: SHA-384 dominates. */
const MEASURED = 2_048;
/** Rounds that count, each on a new machine; the one before them is there for V8 to compile: native code needs none. As there, the median is given. */
const ROUNDS = 5;
const NATIVE = { aug: 1_000_000, remove: 1_030_000, add: 341_000, reclaim: 1_500_000 };

const [MEM_PAGE_ADD, MEM_PAGE_AUG, MEM_RANGE_BLOCK, MR_EXTEND, MEM_PAGE_REMOVE, MEM_TRACK] = [2, 6, 7, 16, 29, 38];

/** A TD with tables for all pages, and the calls that are measured. */
class Loop {
  readonly tdr: number;
  readonly host: Host;
  private readonly raw: RawHost;

  constructor(recording: boolean) {
    this.host = new Host({ store: { recording, historyBudget: 2 ** 30 } });
    this.raw = new RawHost(this.host);
    this.tdr = this.host.buildTd().tdr;
    this.host.addTables(this.tdr, 0);
    for (let at = 512; at < PAGES; at += 512) this.host.addTables(this.tdr, at * PAGE, 1);
  }

  addAndMeasure(): void {
    for (let i = 0; i < MEASURED; i++) {
      this.raw.call(MEM_PAGE_ADD, i * PAGE, this.tdr, FIRST_PAGE + i * PAGE, HOST_PAGE);
      for (let at = 0; at < PAGE; at += 256) this.raw.call(MR_EXTEND, i * PAGE + at, this.tdr);
    }
  }

  aug(): void {
    for (let i = 0; i < PAGES; i++) this.raw.call(MEM_PAGE_AUG, i * PAGE, this.tdr, FIRST_PAGE + i * PAGE);
  }

  blockTrackRemove(): void {
    for (let i = 0; i < PAGES; i++) this.raw.call(MEM_RANGE_BLOCK, i * PAGE, this.tdr);
    this.raw.call(MEM_TRACK, this.tdr);
    for (let i = 0; i < PAGES; i++) this.raw.call(MEM_PAGE_REMOVE, i * PAGE, this.tdr);
  }
}

/** Calls a second of each phase, once. */
function round(recording: boolean): { aug: number; remove: number; add: number } {
  const loop = new Loop(recording);
  const add = perSecond(MEASURED * 17, () => loop.addAndMeasure());
  const other = new Loop(recording);
  other.host.must("TDH.MR.FINALIZE", { rcx: other.tdr });
  const aug = perSecond(PAGES, () => other.aug());
  const remove = perSecond(PAGES * 2 + 1, () => other.blockTrackRemove());
  return { aug, remove, add };
}

function measure(recording: boolean, share: number): Figure[] {
  const kept = recording ? "history on" : "history off";
  round(recording); // warm up
  const rounds = Array.from({ length: ROUNDS }, () => round(recording));
  const [aug, remove, add] = (["aug", "remove", "add"] as const).map((phase) =>
    median(rounds.map((one) => one[phase])),
  );
  return [
    {
      name: `PAGE.AUG into existing tables, ${kept}`,
      value: aug,
      unit: "calls/s",
      aim: recording ? 500_000 : NATIVE.aug * share,
    },
    { name: `RANGE.BLOCK, TRACK, PAGE.REMOVE, ${kept}`, value: remove, unit: "calls/s", aim: NATIVE.remove * share },
    { name: `PAGE.ADD with 16 MR.EXTENDs, ${kept}`, value: add, unit: "calls/s", aim: NATIVE.add * share },
  ];
}

export function run(): Figure[] {
  return [...measure(false, 0.5), ...measure(true, 0.25)];
}
