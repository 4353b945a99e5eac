import { afterEach, describe, expect, it } from "vitest";
import { checkInvariants } from "../../src/module/invariants.ts";
import { survey } from "../../src/module/survey.ts";
import { Guest, MAPPED, PENDING } from "../support/guest.ts";

const NO_PAGE = 2n ** 64n - 1n;
const LEVEL_2M = 1;
const PAGE_2M = 0x20_0000;
/** Attributes of a page for L2 VM 1: R, W, Xs, Xu, and that they are valid. */
const VM1 = 16n;
const READ = 0x8001n << VM1;
const READ_WRITE = 0x8003n << VM1;
const ALL_BITS = 0x7fffn << VM1;
/** TDH.MEM.SEPT.RD: read the attributes too. */
const WITH_ATTRIBUTES = 1;

const guest = new Guest({ l2Vms: 1, debug: true });
const { host, tdr } = guest;
const { machine } = guest;
const { store } = machine;

const sound = (): void => expect(checkInvariants(machine)).toEqual([]);

/** SEPT.ADD version 1 for VM 1 alone: the TD itself has the table. */
function addL2Table(level: number): bigint {
  return host.call(
    "TDH.MEM.SEPT.ADD",
    { rax: 0x1_0000, rcx: level, rdx: tdr, r8: NO_PAGE, r9: host.page(), r10: NO_PAGE, r11: NO_PAGE },
    1,
  );
}

function attributes(gpa: number): bigint {
  host.must("TDH.MEM.SEPT.RD", { rcx: gpa, rdx: tdr + WITH_ATTRIBUTES }, 1);
  return host.register("r8", 1);
}

function must(leaf: string, operands: Parameters<typeof host.call>[1]): void {
  host.must(leaf, operands, 1);
  sound();
}

/** Blocks an entry so that no LP can have it cached: the guest leaves. */
function blockAndTrack(entry: number): void {
  must("TDH.MEM.RANGE.BLOCK", { rcx: entry, rdx: tdr });
  must("TDH.MEM.TRACK", { rcx: tdr });
  guest.tdcall("TDG.VP.VMCALL", { rcx: 0 });
}

for (let level = 3; level > 1; level--)
  host.must(
    "TDH.MEM.SEPT.ADD",
    { rax: 0x1_0000, rcx: level, rdx: tdr, r8: NO_PAGE, r9: host.page(), r10: NO_PAGE, r11: NO_PAGE },
    1,
  );
const start = store.mark();
const startHash = store.hash();

afterEach(() => {
  machine.forgetEntries();
  store.undo(start);
  expect(store.hash()).toBe(startHash);
});

describe("the Secure EPT of an L2 VM", () => {
  it("has to have its tables before the guest can give access", () => {
    const vmAndLevel = 0x0001_0001n; // the walk ended at the entry of level 1
    const status = guest.status("TDG.MEM.PAGE.ATTR.WR", { rcx: MAPPED, rdx: READ, r8: ALL_BITS });
    expect(status >> 63n).toBe(1n);
    expect(status & 0xffff_ffffn).toBe(vmAndLevel);
    sound();
  });

  it("refuses a page for a VM that the TD does not have", () => {
    const rax = host.call(
      "TDH.MEM.SEPT.ADD",
      { rax: 0x1_0000, rcx: LEVEL_2M, rdx: tdr, r8: NO_PAGE, r9: NO_PAGE, r10: host.page(), r11: NO_PAGE },
      1,
    );
    expect(rax).toBe(0xc000_0100_0000_000an);
  });

  it("returns all ones for a page that was added, and bit 63 for one that was there", () => {
    expect(addL2Table(LEVEL_2M)).toBe(0n);
    expect(host.register("r9", 1)).toBe(NO_PAGE);
    sound();
    const page = host.page();
    const operands = { rax: 0x1_0000, rcx: LEVEL_2M, rdx: tdr + 1, r8: NO_PAGE, r9: page, r10: NO_PAGE, r11: NO_PAGE };
    expect(host.call("TDH.MEM.SEPT.ADD", operands, 1)).toBe(0n);
    expect(host.register("r9", 1)).toBe(BigInt(page) | (1n << 63n));
  });
});

describe("a page of the TD that an L2 VM may use", () => {
  it("follows blocking and unblocking, and ends with its removal", () => {
    addL2Table(LEVEL_2M);
    expect(guest.status("TDG.MEM.PAGE.ATTR.WR", { rcx: MAPPED, rdx: READ, r8: ALL_BITS })).toBe(0n);
    expect(host.register("rdx")).toBe(READ);
    sound();
    expect(attributes(MAPPED)).toBe(READ);

    blockAndTrack(MAPPED);
    expect(attributes(MAPPED)).toBe(READ);
    must("TDH.MEM.RANGE.UNBLOCK", { rcx: MAPPED, rdx: tdr });
    expect(attributes(MAPPED)).toBe(READ);
    guest.enter();
    expect(guest.status("TDG.MEM.PAGE.ATTR.RD", { rcx: MAPPED })).toBe(0n);
    expect(host.register("rdx")).toBe(READ);

    blockAndTrack(MAPPED);
    must("TDH.MEM.PAGE.RELOCATE", { rcx: MAPPED, rdx: tdr, r8: host.page() });
    expect(attributes(MAPPED)).toBe(READ);
    guest.enter();
    blockAndTrack(MAPPED);
    must("TDH.MEM.PAGE.REMOVE", { rcx: MAPPED, rdx: tdr });
    expect(survey(machine).tds[0]?.l2Mappings[0]?.every(({ isTable }) => isTable)).toBe(true);
  });

  it("is taken away by attributes without access", () => {
    addL2Table(LEVEL_2M);
    guest.status("TDG.MEM.PAGE.ATTR.WR", { rcx: MAPPED, rdx: READ_WRITE, r8: ALL_BITS });
    expect(attributes(MAPPED)).toBe(READ_WRITE);
    expect(guest.status("TDG.MEM.PAGE.ATTR.WR", { rcx: MAPPED, rdx: 0x8000n << VM1, r8: ALL_BITS })).toBe(0n);
    sound();
    expect(attributes(MAPPED)).toBe(0n);
  });

  it("cannot be writable without being readable", () => {
    addL2Table(LEVEL_2M);
    const status = guest.status("TDG.MEM.PAGE.ATTR.WR", { rcx: MAPPED, rdx: 0x8002n << VM1, r8: ALL_BITS });
    expect(status >> 63n).toBe(1n);
    sound();
    expect(attributes(MAPPED)).toBe(0n);
  });

  it("is blocked for the VM until the TD has accepted it", () => {
    addL2Table(LEVEL_2M);
    expect(guest.status("TDG.MEM.PAGE.ATTR.WR", { rcx: PENDING, rdx: READ_WRITE, r8: ALL_BITS })).toBe(0n);
    sound();
    expect(guest.status("TDG.MEM.PAGE.ACCEPT", { rcx: PENDING })).toBe(0n);
    sound();
    expect(attributes(PENDING)).toBe(READ_WRITE);
  });
});

describe("a large page of the TD that an L2 VM may use", () => {
  it("is split and merged together with the VM's entry, and its tables go with the TD's", () => {
    const entry = PAGE_2M + LEVEL_2M;
    must("TDH.MEM.PAGE.AUG", { rcx: entry, rdx: tdr, r8: host.page(PAGE_2M) });
    expect(guest.status("TDG.MEM.PAGE.ACCEPT", { rcx: entry })).toBe(0n);
    expect(guest.status("TDG.MEM.PAGE.ATTR.WR", { rcx: entry, rdx: READ, r8: ALL_BITS })).toBe(0n);
    sound();
    blockAndTrack(entry);
    const tables = { r8: host.page(), r9: host.page(), r10: NO_PAGE, r11: NO_PAGE };
    expect(host.call("TDH.MEM.PAGE.DEMOTE", { rcx: entry, rdx: tdr, ...tables, r9: NO_PAGE }, 1) & 0xffn).toBe(9n);
    must("TDH.MEM.PAGE.DEMOTE", { rcx: entry, rdx: tdr, ...tables });
    expect(attributes(PAGE_2M + 4096)).toBe(READ);

    guest.enter();
    blockAndTrack(entry);
    must("TDH.MEM.PAGE.PROMOTE", { rax: 0x1_0000, rcx: entry, rdx: tdr });
    expect(host.register("rcx", 1)).toBe(BigInt(tables.r8));
    expect(host.register("r9", 1)).toBe(BigInt(tables.r9));
    expect(attributes(entry)).toBe(READ);
  });

  it("gives an empty table back with that of the VM", () => {
    const entry = PAGE_2M + LEVEL_2M;
    const page = host.page();
    must("TDH.MEM.SEPT.ADD", {
      rax: 0x1_0000,
      rcx: entry,
      rdx: tdr,
      r8: host.page(),
      r9: page,
      r10: NO_PAGE,
      r11: NO_PAGE,
    });
    blockAndTrack(entry);
    must("TDH.MEM.SEPT.REMOVE", { rax: 0x1_0000, rcx: entry, rdx: tdr });
    expect(host.register("r9", 1)).toBe(BigInt(page));
  });
});
