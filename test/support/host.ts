/**
 * A host for tests and benchmarks of the module: it issues SEAMCALLs by name on a machine, and knows how to bring the module
 * up and build a TD. Every call of the set-up must succeed.
 */
import { hostLeafInfo } from "../../src/arch/generated/leaves.ts";
import { RAX, registerNames } from "../../src/arch/registers.ts";
import { type Entry, Machine } from "../../src/module/machine.ts";
import { defaultPlatform, type PlatformConfig } from "../../src/platform/config.ts";
import { Store, type StoreOptions } from "../../src/state/store.ts";

export type Operands = Partial<Record<(typeof registerNames)[number], number | bigint>>;

const GIB = 2 ** 30;
const PAGE = 4096;
/** Where the usual TDMR begins; its PAMT; the host's own pages. */
export const TDMR = 4 * GIB;
export const PAMT = 0x1000_0000;
export const PAMT_END = PAMT + 2 ** 27;
export const HOST_PAGE = 0x0200_0000;

const leafNumbers = new Map(Object.entries(hostLeafInfo).map(([number, { name }]) => [name, Number(number)]));

/** A completion status: `code` as in arch/generated/status-codes.ts, `detail` in bits 31:0. */
export function status(code: number, detail = 0): bigint {
  return (BigInt(code) << 32n) | BigInt(detail);
}

export interface HostOptions {
  readonly config?: PlatformConfig;
  readonly store?: StoreOptions;
  /** Size of the TDMR, GiB, from 4 GiB on. Default 1. */
  readonly gib?: number;
}

/** What a host names when it deals with a TD. */
export interface TdPages {
  /** HPA of the TDR; the TDCS pages follow it. */
  readonly tdr: number;
  /** HPAs of the TDVPRs; each has its pages after it. */
  readonly vcpus: readonly number[];
}

export class Host {
  readonly machine: Machine;
  /** Next page that nobody has. */
  private next = TDMR + 2 ** 20;

  constructor({ config = defaultPlatform, store, gib = 1 }: HostOptions = {}) {
    this.machine = new Machine(new Store(store), config);
    this.bringUp(gib);
  }

  /** Loads the LP's registers for a leaf; those not named are 0. */
  load(leaf: string, operands: Operands, lp = 0): void {
    const { platform } = this.machine;
    const number = leafNumbers.get(leaf);
    if (number === undefined) throw new Error(`no leaf ${leaf}`);
    for (let register = 0; register < 16; register++) {
      platform.writeGpr(lp, register, BigInt(operands[registerNames[register] as keyof Operands] ?? 0));
    }
    platform.writeGpr(lp, RAX, BigInt(number) | (BigInt(operands.rax ?? 0) & ~0xffffn));
  }

  /** Issues a SEAMCALL and returns RAX. */
  call(leaf: string, operands: Operands = {}, lp = 0): bigint {
    this.load(leaf, operands, lp);
    this.machine.seamcall(lp);
    return this.machine.platform.readGpr(lp, RAX);
  }

  /** As `call`, for a call that must succeed. */
  must(leaf: string, operands: Operands = {}, lp = 0): void {
    const rax = this.call(leaf, operands, lp);
    if (rax !== 0n) throw new Error(`${leaf} on LP ${lp}: 0x${rax.toString(16)} (${this.machine.calls[lp]?.why})`);
  }

  /** Starts a SEAMCALL that is stepped. */
  begin(leaf: string, operands: Operands, lp: number): Entry {
    this.load(leaf, operands, lp);
    return this.machine.beginSeamcall(lp);
  }

  register(name: (typeof registerNames)[number], lp = 0): bigint {
    return this.machine.platform.readGpr(lp, registerNames.indexOf(name));
  }

  /** HPA of a free page, aligned to `alignment` bytes. */
  page(alignment = PAGE): number {
    const hpa = Math.ceil(this.next / alignment) * alignment;
    this.next = hpa + alignment;
    return hpa;
  }

  /** A TD with its key, TDCS and VCPUs, initialised; `hkid` from 33 on. */
  buildTd({ hkid = 33, vcpus = 1, debug = false, l2Vms = 0 } = {}): TdPages {
    const tdr = this.page();
    this.must("TDH.MNG.CREATE", { rcx: tdr, rdx: hkid });
    for (const [lp = 0] of this.machine.platform.config.packages) this.must("TDH.MNG.KEY.CONFIG", { rcx: tdr }, lp);
    for (let i = 0; i < 6 + l2Vms; i++) this.must("TDH.MNG.ADDCX", { rcx: this.page(), rdx: tdr });
    const params = this.writeTdParams(debug, Math.max(1, vcpus), l2Vms);
    this.must("TDH.MNG.INIT", { rcx: tdr, rdx: params });
    return { tdr, vcpus: Array.from({ length: vcpus }, () => this.buildVcpu(tdr, l2Vms)) };
  }

  private buildVcpu(tdr: number, l2Vms: number): number {
    const tdvpr = this.page();
    this.must("TDH.VP.CREATE", { rcx: tdvpr, rdx: tdr });
    for (let i = 0; i < 5 + 3 * l2Vms; i++) this.must("TDH.VP.ADDCX", { rcx: this.page(), rdx: tdvpr });
    this.must("TDH.VP.INIT", { rcx: tdvpr, rdx: 0 });
    return tdvpr;
  }

  /** S-EPT tables down to the one that maps 4 KiB pages at `gpa`. `from`: the highest level of an entry that is free yet. */
  addTables(tdr: number, gpa: number, from = 3): void {
    for (let level = from; level > 0; level--) {
      const bytes = PAGE * 512 ** level;
      this.must("TDH.MEM.SEPT.ADD", { rcx: gpa - (gpa % bytes) + level, rdx: tdr, r8: this.page() });
    }
  }

  /** TD_PARAMS with 4-level S-EPT and a 1 GHz TSC. Returns its HPA. */
  private writeTdParams(debug: boolean, vcpus: number, l2Vms: number): number {
    const { memory } = this.machine.platform;
    const hpa = HOST_PAGE + 0x1000;
    memory.fill(hpa, 0, 1024);
    memory.write32(hpa, debug ? 1 : 0);
    memory.write32(hpa + 8, 0xe7); // XFAM: x87, SSE, AVX, AVX-512
    memory.write32(hpa + 16, vcpus | (l2Vms << 16));
    memory.write32(hpa + 24, 0x1e); // EPTP: write-back, 4 levels
    memory.write32(hpa + 40, 40); // TSC frequency, units of 25 MHz
    return hpa;
  }

  private bringUp(gib: number): void {
    const { platform } = this.machine;
    this.must("TDH.SYS.INIT");
    for (let lp = 0; lp < platform.lps; lp++) this.must("TDH.SYS.LP.INIT", {}, lp);
    const info = HOST_PAGE + 0x2000;
    const pamt4k = PAMT + 2 ** 24;
    const numbers = [TDMR, gib * GIB, PAMT, PAGE, PAMT + 2 ** 20, gib * 512 * 16, pamt4k, gib * 512 * 512 * 16];
    numbers.forEach((value, i) => {
      platform.memory.writeBig(info + i * 8, BigInt(value));
    });
    platform.memory.writeBig(HOST_PAGE, BigInt(info));
    this.must("TDH.SYS.CONFIG", { rcx: HOST_PAGE, rdx: 1, r8: 32 });
    for (const [lp = 0] of platform.config.packages) this.must("TDH.SYS.KEY.CONFIG", {}, lp);
    do this.must("TDH.SYS.TDMR.INIT", { rcx: TDMR });
    while (this.register("rdx") < BigInt(TDMR + gib * GIB));
  }
}
