import { describe, expect, it } from "vitest";
import { Host } from "../support/host.ts";
import { Interleaver, type PlacedCall } from "../support/interleave.ts";

/** TDs in each part of their lives, on a platform of two packages; LPs 0 and 1 are of the first, 2 and 3 of the second. */
function buildWorld(): { host: Host; calls: Record<string, PlacedCall> } {
  const host = new Host();
  const { tdr: running } = host.buildTd({ hkid: 33 });
  const { tdr: flushed } = host.buildTd({ hkid: 34, vcpus: 0 });
  const { tdr: writtenBack } = host.buildTd({ hkid: 35, vcpus: 0 });
  const { tdr: tornDown } = host.buildTd({ hkid: 36, vcpus: 0 });
  for (const tdr of [writtenBack, tornDown]) host.must("TDH.MNG.VPFLUSHDONE", { rcx: tdr });
  for (const lp of [0, 2]) host.must("TDH.PHYMEM.CACHE.WB", {}, lp);
  host.must("TDH.MNG.KEY.FREEID", { rcx: tornDown });
  host.must("TDH.MNG.VPFLUSHDONE", { rcx: flushed });
  const keyless = host.page();
  host.must("TDH.MNG.CREATE", { rcx: keyless, rdx: 37 });
  host.must("TDH.MNG.KEY.CONFIG", { rcx: keyless }, 0);
  const growing = host.page();
  host.must("TDH.MNG.CREATE", { rcx: growing, rdx: 38 });
  for (const lp of [0, 2]) host.must("TDH.MNG.KEY.CONFIG", { rcx: growing }, lp);
  for (let i = 0; i < 5; i++) host.must("TDH.MNG.ADDCX", { rcx: host.page(), rdx: growing });
  const page = host.page();
  const on = (leaf: string, operands: PlacedCall["operands"], lp = 0): PlacedCall => ({ leaf, operands, lp });
  return {
    host,
    calls: {
      create: on("TDH.MNG.CREATE", { rcx: page, rdx: 39 }),
      "create another TD with that key": on("TDH.MNG.CREATE", { rcx: host.page(), rdx: 39 }),
      "create with a key that becomes free": on("TDH.MNG.CREATE", { rcx: host.page(), rdx: 35 }),
      "configure a key": on("TDH.MNG.KEY.CONFIG", { rcx: keyless }, 2),
      "add the sixth TDCS page": on("TDH.MNG.ADDCX", { rcx: page, rdx: growing }),
      "confirm the flush": on("TDH.MNG.VPFLUSHDONE", { rcx: growing }),
      "free a key": on("TDH.MNG.KEY.FREEID", { rcx: writtenBack }),
      "free a key too early": on("TDH.MNG.KEY.FREEID", { rcx: flushed }),
      "write back": on("TDH.PHYMEM.CACHE.WB", {}),
      "write back the other package": on("TDH.PHYMEM.CACHE.WB", {}, 2),
      "reclaim a page": on("TDH.PHYMEM.PAGE.RECLAIM", { rcx: tornDown + 4096 }),
      "reclaim the TDR": on("TDH.PHYMEM.PAGE.RECLAIM", { rcx: tornDown }),
      "read the page's metadata": on("TDH.PHYMEM.PAGE.RDMD", { rcx: tornDown + 4096 }),
      "write back the page": on("TDH.PHYMEM.PAGE.WBINVD", { rcx: page }),
      "read a TD": on("TDH.MNG.RD", { rcx: running, rdx: 0x9000_0001_0000_0000n }),
      "shut down": on("TDH.SYS.SHUTDOWN", {}),
    },
  };
}

const { host, calls } = buildWorld();
const interleaver = new Interleaver(host);
const names = Object.keys(calls);

describe.each(names)("%s", (first) => {
  it.each(names)("and %s", (second) => {
    const a = calls[first] as PlacedCall;
    const b = calls[second] as PlacedCall;
    // The second call comes from another LP of the package that it is meant for.
    expect(interleaver.violations(a, { ...b, lp: b.lp + 1 })).toEqual([]);
  });
});
