import { beforeEach, describe, expect, it } from "vitest";
import { defaultPlatform } from "../../src/platform/config.ts";
import { HAZARD_MACHINE_CHECK, HAZARD_PRIVATE_OVERWRITTEN } from "../../src/platform/hazards.ts";
import {
  HostAccessError,
  hostClflush,
  hostFill,
  hostRead,
  hostWbinvd,
  hostWrite,
} from "../../src/platform/host-access.ts";
import { Platform } from "../../src/platform/platform.ts";
import { Store } from "../../src/state/store.ts";

const PAGE = 0x1_0010_0000;
const HKID = 33;

let platform: Platform;

beforeEach(() => {
  platform = new Platform(new Store(), defaultPlatform);
});

describe("the host's view of memory", () => {
  it("is the same for every shared KeyID, and has no private one", () => {
    hostWrite(platform, 0, PAGE, Uint8Array.of(1, 2, 3));
    expect(hostRead(platform, PAGE + 2 ** platform.addressBits, 3)).toEqual(Uint8Array.of(1, 2, 3));
    expect(() => hostRead(platform, PAGE + HKID * 2 ** platform.addressBits, 3)).toThrow(HostAccessError);
    expect(() => hostWrite(platform, 0, 2 ** 52, Uint8Array.of(1))).toThrow(/above the physical address width/);
  });

  it("shows zeros in the private part of a range", () => {
    platform.memory.fill(PAGE, 0xaa, 3 * 4096);
    platform.keyed.writePage(PAGE + 4096, HKID, 0);
    const seen = hostRead(platform, PAGE + 4090, 4096 + 12);
    expect([...new Set(seen.subarray(0, 6))]).toEqual([0xaa]);
    expect([...new Set(seen.subarray(6, 6 + 4096))]).toEqual([0]);
    expect([...new Set(seen.subarray(6 + 4096))]).toEqual([0xaa]);
  });

  it("takes a whole page back by writing it, and loses lines by writing less", () => {
    platform.keyed.writePage(PAGE, HKID, 0);
    platform.keyed.flushPage(PAGE);
    hostWrite(platform, 0, PAGE + 64, new Uint8Array(64));
    expect(platform.hazards.latest?.kind).toBe(HAZARD_PRIVATE_OVERWRITTEN);
    expect(platform.keyed.meets(PAGE, 64, HKID)).toBe("data");
    expect(platform.keyed.meets(PAGE + 64, 64, HKID)).toBe("poison");
    expect(platform.hazards.latest?.kind).toBe(HAZARD_MACHINE_CHECK);
    hostFill(platform, 0, PAGE, 0, 4096);
    expect(platform.keyed.keyOf(PAGE)).toBe(0);
  });

  it("is the host's again once every line has been written as a whole, as MOVDIR64B does", () => {
    platform.keyed.writePage(PAGE, HKID, 0);
    platform.keyed.flushPage(PAGE);
    const line = new Uint8Array(64).fill(0x5a);
    for (let at = PAGE; at < PAGE + 4096 - 64; at += 64) hostWrite(platform, 0, at, line);
    expect(hostRead(platform, PAGE, 64)).toEqual(line);
    expect(hostRead(platform, PAGE + 4096 - 64, 64)).toEqual(new Uint8Array(64));
    expect(platform.keyed.keyOf(PAGE)).toBe(HKID);
    hostWrite(platform, 0, PAGE + 4096 - 64, line);
    expect(platform.keyed.keyOf(PAGE)).toBe(0);
    expect(hostRead(platform, PAGE + 4096 - 64, 64)).toEqual(line);
  });

  it("keeps a line poisoned by a partial write on a platform with the erratum", () => {
    const erratum = new Platform(new Store(), { ...defaultPlatform, partialWriteErratum: true });
    erratum.keyed.writePage(PAGE, HKID, 0);
    erratum.keyed.flushPage(PAGE);
    hostWrite(erratum, 0, PAGE, Uint8Array.of(0));
    expect(erratum.keyed.keyOf(PAGE)).toBe(HKID);
    expect(erratum.keyed.meets(PAGE, 1, HKID)).toBe("poison");
  });

  it("writes caches back by page and by package", () => {
    platform.keyed.writePage(PAGE, HKID, 0);
    platform.keyed.writePage(PAGE + 4096, HKID, 1);
    hostClflush(platform, PAGE, 4096);
    expect(platform.keyed.dirtyKeyOf(PAGE)).toBeUndefined();
    hostWbinvd(platform, 0);
    expect(platform.keyed.dirtyKeyOf(PAGE + 4096)).toBe(HKID);
    hostWbinvd(platform, 2);
    expect(platform.keyed.dirtyKeyOf(PAGE + 4096)).toBeUndefined();
  });
});
