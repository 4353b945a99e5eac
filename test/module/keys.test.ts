import { describe, expect, it } from "vitest";
import {
  TDX_INTERRUPTED_RESUMABLE,
  TDX_LIFECYCLE_STATE_INCORRECT,
  TDX_TD_ASSOCIATED_PAGES_EXIST,
  TDX_WBCACHE_NOT_COMPLETE,
  TDX_WBCACHE_RESUME_ERROR,
} from "../../src/arch/generated/status-codes.ts";
import { Host, status } from "../support/host.ts";

/** A TD without VCPUs whose KeyID is flushed, on a platform of two packages. */
function flushed(): { host: Host; tdr: number } {
  const host = new Host();
  const { tdr } = host.buildTd({ vcpus: 0 });
  host.must("TDH.MNG.VPFLUSHDONE", { rcx: tdr });
  return { host, tdr };
}

const WBCACHE_NOT_COMPLETE = status(TDX_WBCACHE_NOT_COMPLETE);
const INTERRUPTED_RESUMABLE = status(TDX_INTERRUPTED_RESUMABLE);

describe("the life of a KeyID", () => {
  it("needs the caches of every package written back before it is free", () => {
    const { host, tdr } = flushed();
    expect(host.call("TDH.MNG.KEY.FREEID", { rcx: tdr })).toBe(WBCACHE_NOT_COMPLETE);
    host.must("TDH.PHYMEM.CACHE.WB", {}, 1);
    expect(host.call("TDH.MNG.KEY.FREEID", { rcx: tdr })).toBe(WBCACHE_NOT_COMPLETE);
    host.must("TDH.PHYMEM.CACHE.WB", {}, 2);
    host.must("TDH.MNG.KEY.FREEID", { rcx: tdr });
    const next = host.page();
    host.must("TDH.MNG.CREATE", { rcx: next, rdx: 33 });
  });

  it("does not count a KeyID that was flushed after a write-back began", () => {
    const { host } = flushed();
    const { tdr: second } = host.buildTd({ hkid: 34, vcpus: 0 });
    host.machine.platform.setInterrupt(2, 1);
    expect(host.call("TDH.PHYMEM.CACHE.WB")).toBe(INTERRUPTED_RESUMABLE);
    host.machine.platform.setInterrupt(-1, 0);
    host.must("TDH.MNG.VPFLUSHDONE", { rcx: second });
    host.must("TDH.PHYMEM.CACHE.WB", { rcx: 1 });
    host.must("TDH.PHYMEM.CACHE.WB", {}, 2);
    expect(host.call("TDH.MNG.KEY.FREEID", { rcx: second })).toBe(WBCACHE_NOT_COMPLETE);
    host.must("TDH.PHYMEM.CACHE.WB");
    host.must("TDH.MNG.KEY.FREEID", { rcx: second });
  });

  it("makes a write-back go on where an interrupt stopped it", () => {
    const { host } = flushed();
    const blocks = host.machine.platform.config.cacheBlocks;
    let calls = 0;
    host.machine.platform.setInterrupt(0, 1); // one is pending at every look
    let answer = host.call("TDH.PHYMEM.CACHE.WB");
    for (calls = 1; answer === INTERRUPTED_RESUMABLE; calls++) answer = host.call("TDH.PHYMEM.CACHE.WB", { rcx: 1 });
    expect(answer).toBe(0n);
    expect(calls).toBe(blocks);
    expect(host.call("TDH.PHYMEM.CACHE.WB", { rcx: 1 })).toBe(status(TDX_WBCACHE_RESUME_ERROR));
  });

  it("ends with the TD's pages reclaimed, its TDR last", () => {
    const { host, tdr } = flushed();
    for (const lp of [0, 2]) host.must("TDH.PHYMEM.CACHE.WB", {}, lp);
    const ASSOCIATED_PAGES_EXIST = status(TDX_TD_ASSOCIATED_PAGES_EXIST);
    expect(host.call("TDH.PHYMEM.PAGE.RECLAIM", { rcx: tdr })).toBe(status(TDX_LIFECYCLE_STATE_INCORRECT)); // its key is not free yet
    host.must("TDH.MNG.KEY.FREEID", { rcx: tdr });
    expect(host.call("TDH.PHYMEM.PAGE.RECLAIM", { rcx: tdr })).toBe(ASSOCIATED_PAGES_EXIST);
    for (let page = tdr + 4096; page <= tdr + 6 * 4096; page += 4096) {
      host.must("TDH.PHYMEM.PAGE.RECLAIM", { rcx: page });
      expect(host.register("rdx")).toBe(BigInt(tdr));
      host.must("TDH.PHYMEM.PAGE.WBINVD", { rcx: page });
    }
    host.must("TDH.PHYMEM.PAGE.RECLAIM", { rcx: tdr });
    host.must("TDH.PHYMEM.PAGE.RDMD", { rcx: tdr });
    expect(host.register("rcx")).toBe(0n); // PT_NDA
  });
});
