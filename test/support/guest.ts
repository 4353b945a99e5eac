/** A TD with one VCPU that runs on LP 0, in 64-bit mode, for tests of the guest side. */
import { guestLeafInfo } from "../../src/arch/generated/leaves.ts";
import { RAX, registerNames } from "../../src/arch/registers.ts";
import type { GuestAction, GuestResult } from "../../src/module/guest/actions.ts";
import type { Entry } from "../../src/module/machine.ts";
import { Host, type Operands } from "./host.ts";

const PAGE = 4096;
const leafNumbers = new Map(Object.entries(guestLeafInfo).map(([number, { name }]) => [name, Number(number)]));

/** GPAs: pages 0 to 3 are mapped, 4 to 7 wait to be accepted, the rest of the first 2 MiB is free. */
export const MAPPED = 0;
export const PENDING = 4 * PAGE;
export const FREE = 8 * PAGE;
/** A shared GPA: GPAW 0. */
export const SHARED_GPA = 2 ** 47;

export class Guest {
  readonly host: Host;
  readonly tdr: number;
  readonly tdvpr: number;
  readonly vcpus: readonly number[];
  readonly lp = 0;

  constructor({ debug = false, vcpus = 1, l2Vms = 0 } = {}) {
    const host = new Host();
    const td = host.buildTd({ debug, vcpus, l2Vms });
    host.addTables(td.tdr, 0);
    const zeroes = 0x0300_0000;
    for (let i = 0; i < 4; i++)
      host.must("TDH.MEM.PAGE.ADD", { rcx: i * PAGE, rdx: td.tdr, r8: host.page(), r9: zeroes });
    host.must("TDH.MR.FINALIZE", { rcx: td.tdr });
    for (let i = 0; i < 4; i++)
      host.must("TDH.MEM.PAGE.AUG", { rcx: PENDING + i * PAGE, rdx: td.tdr, r8: host.page() });
    this.host = host;
    this.tdr = td.tdr;
    this.vcpus = td.vcpus;
    this.tdvpr = td.vcpus[0] as number;
    for (const vcpu of td.vcpus.slice(1)) host.must("TDH.VP.FLUSH", { rcx: vcpu });
    this.enter();
    host.machine.guest(0, { action: "longmode" });
  }

  get machine() {
    return this.host.machine;
  }

  /** TDH.VP.ENTER that must reach the guest. Operands beside RCX are what the host passes. */
  enter(operands: Operands = {}, lp = 0, vcpu = this.tdvpr): void {
    this.host.call("TDH.VP.ENTER", { ...operands, rcx: vcpu }, lp);
    if (!this.machine.inGuest(lp)) {
      throw new Error(`TDH.VP.ENTER: 0x${this.host.register("rax", lp).toString(16)}`);
    }
  }

  load(leaf: string, operands: Operands, lp = 0): void {
    const number = leafNumbers.get(leaf);
    if (number === undefined) throw new Error(`no leaf ${leaf}`);
    registerNames.forEach((name, register) => {
      this.machine.platform.writeGpr(lp, register, BigInt(operands[name] ?? 0));
    });
    this.machine.platform.writeGpr(lp, RAX, BigInt(number));
  }

  /** A TDCALL to its end. */
  tdcall(leaf: string, operands: Operands = {}, lp = 0): GuestResult {
    this.load(leaf, operands, lp);
    return this.machine.guest(lp, { action: "tdcall" });
  }

  /** A TDCALL that goes back to the guest; returns its status. */
  status(leaf: string, operands: Operands = {}, lp = 0): bigint {
    const result = this.tdcall(leaf, operands, lp);
    if (result.kind !== "resume") throw new Error(`${leaf}: ${result.kind}, rax 0x${this.rax(lp).toString(16)}`);
    return this.rax(lp);
  }

  begin(leaf: string, operands: Operands = {}, lp = 0): Entry {
    this.load(leaf, operands, lp);
    return this.machine.beginGuest(lp, { action: "tdcall" });
  }

  do(action: GuestAction, lp = 0): GuestResult {
    return this.machine.guest(lp, action);
  }

  write(gpa: number, data: Uint8Array): GuestResult {
    return this.do({ action: "access", gpa, kind: "w", data });
  }

  read(gpa: number, length: number): Uint8Array {
    const result = this.do({ action: "access", gpa, kind: "r", length });
    if (result.kind !== "ok" || result.data === undefined)
      throw new Error(`read of 0x${gpa.toString(16)}: ${result.kind}`);
    return result.data;
  }

  rax(lp = 0): bigint {
    return this.host.register("rax", lp);
  }
}
