import { describe, expect, it } from "vitest";
import {
  TDX_HKID_NOT_FREE,
  TDX_INCONSISTENT_MSR,
  TDX_INVALID_TDMR,
  TDX_KEY_CONFIGURED,
  TDX_OPERAND_INVALID,
  TDX_SYS_CONFIG_NOT_PENDING,
  TDX_SYS_INIT_NOT_PENDING,
  TDX_SYS_KEY_CONFIG_NOT_PENDING,
  TDX_SYS_LP_INIT_DONE,
  TDX_SYS_LP_INIT_NOT_PENDING,
  TDX_SYS_NOT_READY,
} from "../../src/arch/generated/status-codes.ts";
import { Machine } from "../../src/module/machine.ts";
import { defaultPlatform } from "../../src/platform/config.ts";
import { HOST_PAGE, Host, status, TDMR } from "../support/host.ts";

const SYS_INIT = 33;
const LP_INIT = 35;
const CONFIG = 45;
const KEY_CONFIG = 31;
const TDMR_INIT = 36;

/** RAX of a SEAMCALL with these registers: RAX, RCX, RDX, and R8. */
function seamcall(machine: Machine, lp: number, rax: number, rcx = 0, rdx = 0, r8 = 0): bigint {
  const { platform } = machine;
  for (const [register, value] of [rax, rcx, rdx, 0, 0, 0, 0, 0, r8].entries()) {
    platform.writeGpr(lp, register, BigInt(value));
  }
  machine.seamcall(lp);
  return platform.readGpr(lp, 0);
}

/** A machine on which TDH.SYS.INIT and TDH.SYS.LP.INIT of all LPs are done. */
function prepared(): Machine {
  const machine = new Machine();
  seamcall(machine, 0, SYS_INIT);
  for (let lp = 0; lp < machine.platform.lps; lp++) seamcall(machine, lp, LP_INIT);
  return machine;
}

/** Writes a list of one TDMR_INFO: 1 GiB at 4 GiB, with PAMTs that suffice. Returns its HPA. */
function writeTdmrList(machine: Machine, change: (words: number[]) => void = () => {}): number {
  const words = [TDMR, 2 ** 30, 0x1000_0000, 0x1000, 0x1010_0000, 0x2000, 0x1100_0000, 0x40_0000];
  change(words);
  const { memory } = machine.platform;
  for (const [i, word] of words.entries()) memory.writeBig(HOST_PAGE + 0x1000 + i * 8, BigInt(word));
  memory.writeBig(HOST_PAGE, BigInt(HOST_PAGE + 0x1000));
  return HOST_PAGE;
}

describe("bring-up", () => {
  it("must be done in order", () => {
    const machine = new Machine();
    expect(seamcall(machine, 0, LP_INIT)).toBe(status(TDX_SYS_LP_INIT_NOT_PENDING));
    expect(seamcall(machine, 0, CONFIG, HOST_PAGE, 1, 32)).toBe(status(TDX_SYS_CONFIG_NOT_PENDING));
    expect(seamcall(machine, 0, SYS_INIT)).toBe(0n);
    expect(seamcall(machine, 0, SYS_INIT)).toBe(status(TDX_SYS_INIT_NOT_PENDING));
    expect(seamcall(machine, 0, LP_INIT)).toBe(0n);
    expect(seamcall(machine, 0, LP_INIT)).toBe(status(TDX_SYS_LP_INIT_DONE));
    expect(seamcall(machine, 0, CONFIG, HOST_PAGE, 1, 32)).toBe(status(TDX_SYS_CONFIG_NOT_PENDING));
    expect(seamcall(machine, 0, KEY_CONFIG)).toBe(status(TDX_SYS_KEY_CONFIG_NOT_PENDING));
    expect(seamcall(machine, 0, TDMR_INIT, TDMR)).toBe(status(TDX_SYS_NOT_READY));
  });

  it("refuses an LP that differs from the first, and names the MSR", () => {
    const machine = new Machine();
    seamcall(machine, 0, SYS_INIT);
    const IA32_TSC_ADJUST = 0x3b;
    machine.platform.wrmsr(2, IA32_TSC_ADJUST, 1n);
    expect(seamcall(machine, 2, LP_INIT)).toBe(status(TDX_INCONSISTENT_MSR, 0x3b));
    machine.platform.wrmsr(2, IA32_TSC_ADJUST, 0n);
    expect(seamcall(machine, 2, LP_INIT)).toBe(0n);
  });

  it("keeps the global KeyID reserved when the TDMRs are refused", () => {
    const machine = prepared();
    const list = writeTdmrList(machine, (words) => {
      words[1] = 2 ** 29;
    });
    expect(seamcall(machine, 0, CONFIG, list, 1, 40)).toBe(status(TDX_INVALID_TDMR));
    writeTdmrList(machine);
    expect(seamcall(machine, 0, CONFIG, list, 1, 32)).toBe(0n);
    for (const lp of [0, 2]) seamcall(machine, lp, KEY_CONFIG);
    for (let i = 0; i < 256; i++) seamcall(machine, 0, TDMR_INIT, TDMR);
    const MNG_CREATE = 9;
    expect(seamcall(machine, 0, MNG_CREATE, TDMR, 40)).toBe(status(TDX_HKID_NOT_FREE));
    expect(seamcall(machine, 0, MNG_CREATE, TDMR, 41)).toBe(0n);
  });

  it("is the same when it is stepped", () => {
    const atOnce = new Host();
    const stepped = new Machine();
    const step = (lp: number, ...registers: number[]): void => {
      for (let register = 0; register < 16; register++) {
        stepped.platform.writeGpr(lp, register, BigInt(registers[register] ?? 0));
      }
      const entry = stepped.beginSeamcall(lp);
      while (entry.next !== undefined) entry.step();
    };
    step(0, SYS_INIT);
    for (let lp = 0; lp < 4; lp++) step(lp, LP_INIT);
    const info = HOST_PAGE + 0x2000;
    const { memory } = stepped.platform;
    memory.writeBytes(info, atOnce.machine.platform.memory.readBytes(info, 64));
    memory.writeBig(HOST_PAGE, BigInt(info));
    step(0, CONFIG, HOST_PAGE, 1, 0, 0, 0, 0, 0, 32);
    for (const lp of [0, 2]) step(lp, KEY_CONFIG);
    for (let i = 0; i < 256; i++) step(0, TDMR_INIT, TDMR);
    expect(stepped.store.hash()).toBe(atOnce.machine.store.hash());
  });

  it("can be undone call by call", () => {
    const host = new Host();
    const { store } = host.machine;
    const hashes: string[] = [];
    const marks: number[] = [];
    const note = (): void => {
      marks.push(store.mark());
      hashes.push(store.hash());
    };
    note();
    host.buildTd();
    note();
    host.call("TDH.SYS.INFO", { rcx: HOST_PAGE + 0x4000, rdx: 1024, r8: HOST_PAGE + 0x5000, r9: 32 });
    note();
    host.call("TDH.SYS.SHUTDOWN");
    note();
    host.machine.reload();
    host.call("TDH.SYS.INIT");
    note();
    for (let i = marks.length - 1; i >= 0; i--) {
      store.undo(marks[i] as number);
      expect(store.hash()).toBe(hashes[i]);
    }
  });

  it("works on other platforms", () => {
    const config = {
      ...defaultPlatform,
      packages: [[0, 1, 2], [3], [4, 5]],
      keyids: { total: 128, privateStart: 96 },
    };
    const machine = new Machine(undefined, config);
    seamcall(machine, 0, SYS_INIT);
    for (let lp = 0; lp < 6; lp++) expect(seamcall(machine, lp, LP_INIT)).toBe(0n);
    expect(seamcall(machine, 0, CONFIG, writeTdmrList(machine), 1, 95)).toBe(status(TDX_OPERAND_INVALID, 0x8));
    expect(seamcall(machine, 0, CONFIG, HOST_PAGE, 1, 127)).toBe(0n);
    expect(seamcall(machine, 1, KEY_CONFIG)).toBe(0n);
    expect(seamcall(machine, 2, KEY_CONFIG)).toBe(status(TDX_KEY_CONFIGURED)); // LP 1's package
    expect(seamcall(machine, 3, KEY_CONFIG)).toBe(0n);
    expect(seamcall(machine, 5, KEY_CONFIG)).toBe(0n);
    expect(seamcall(machine, 0, TDMR_INIT, TDMR)).toBe(0n);
  });
});
