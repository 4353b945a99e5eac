/**
 * A TD of 64 GiB in 4 KiB pages, built and taken apart with history off: time for each page at its beginning and its end, and
 * the memory that it takes.
 */
import { defaultPlatform } from "../src/platform/config.ts";
import { HOST_PAGE, Host, TDMR } from "../test/support/host.ts";
import { type Figure, median, perSecond } from "./figures.ts";
import { RawHost } from "./raw-host.ts";

const PAGE = 4096;
const GIB = 2 ** 30;
const SIZE = 64;
const PAGES_PER_GIB = GIB / PAGE;
/** The TD's structures and tables come before its pages. */
const FIRST_PAGE = TDMR + 2 * GIB;

const [MEM_SEPT_ADD, MEM_PAGE_AUG, PHYMEM_PAGE_RECLAIM] = [3, 6, 28];

function largeHost(): Host {
  const [low] = defaultPlatform.cmrs;
  const config = {
    ...defaultPlatform,
    cmrs: [
      { base: low?.base ?? HOST_PAGE, size: low?.size ?? 0 },
      { base: TDMR, size: (SIZE + 2) * GIB },
    ],
  };
  return new Host({ config, gib: SIZE + 2, store: { recording: false } });
}

const resident = (): number => process.memoryUsage().rss;

export function run(): Figure[] {
  const host = largeHost();
  const raw = new RawHost(host);
  const { tdr, vcpus } = host.buildTd();
  host.must("TDH.MR.FINALIZE", { rcx: tdr });
  const before = resident();
  const tables: number[] = [];
  const addTable = (entry: number): void => {
    const page = host.page();
    tables.push(page);
    raw.call(MEM_SEPT_ADD, entry, tdr, page);
  };
  const rates: number[] = [];
  addTable(3);
  for (let base = 0; base < SIZE * GIB; base += GIB) {
    addTable(base + 2);
    for (let at = base; at < base + GIB; at += 512 * PAGE) addTable(at + 1);
    rates.push(
      perSecond(PAGES_PER_GIB, () => {
        for (let at = base; at < base + GIB; at += PAGE) raw.call(MEM_PAGE_AUG, at, tdr, FIRST_PAGE + at);
      }),
    );
  }
  const grown = resident() - before;

  for (const vcpu of vcpus) host.must("TDH.VP.FLUSH", { rcx: vcpu });
  host.must("TDH.MNG.VPFLUSHDONE", { rcx: tdr });
  for (const [lp = 0] of defaultPlatform.packages) host.must("TDH.PHYMEM.CACHE.WB", {}, lp);
  host.must("TDH.MNG.KEY.FREEID", { rcx: tdr });
  const reclaim = perSecond(SIZE * PAGES_PER_GIB + tables.length, () => {
    for (let at = 0; at < SIZE * GIB; at += PAGE) raw.call(PHYMEM_PAGE_RECLAIM, FIRST_PAGE + at);
    for (const table of tables) raw.call(PHYMEM_PAGE_RECLAIM, table);
  });
  return [
    { name: "PAGE.AUG, GiB 2 to 8 of 64", value: median(rates.slice(1, 8)), unit: "calls/s" },
    { name: "PAGE.AUG, GiB 58 to 64", value: median(rates.slice(-7)), unit: "calls/s" },
    { name: "PAGE.RECLAIM of pages and tables", value: reclaim, unit: "calls/s", aim: 750_000 },
    { name: "memory for each page (S-EPT, PAMT)", value: grown / (SIZE * PAGES_PER_GIB), unit: "bytes", aim: 40 },
    { name: "memory of the process", value: resident() / 2 ** 20, unit: "MiB", aim: 2048 },
  ];
}
