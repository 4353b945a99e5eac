/**
 * The machine under the TDX module: LPs with their registers, MSRs and CPUID, memory, KeyIDs, entropy, the time-stamp
 * counter and pending interrupts. Everything that a run can change is in the store.
 */
import { cpuidTable } from "../arch/generated/platform-cpu.ts";
import type { Store } from "../state/store.ts";
import { BLOCK_TAG_LP, BLOCK_TAG_PLATFORM } from "./blocks.ts";
import type { PlatformConfig } from "./config.ts";
import { draw } from "./entropy.ts";
import { Hazards } from "./hazards.ts";
import { KeyedMemory } from "./keyed-memory.ts";
import { LP_GPR } from "./lp.ts";
import { Memory } from "./memory.ts";
import { Msrs } from "./msrs.ts";
import { Tlb } from "./tlb.ts";
import { cpuidOnPlatform } from "./topology.ts";

/** MSR "interrupts pending" that long-running leaves poll (MSR_INTR_PENDING). */
export const MSR_INTR_PENDING = 0x9a;

/** TSC = base + 10000 per module entry + 100 per read in that entry (test/vectors/README.md). */
const TSC_BASE = 1_000_000_000_000;
const TSC_PER_ENTRY = 10_000;
const TSC_PER_READ = 100;

// Words of the platform's own block. Its cell 0 stays unused: 0 means "no cell" to memory.
const ENTROPY_DRAWS = 2; // number, 2 words
const MODULE_ENTRIES = 4; // number
const TSC_READS = 6;
const TSC_ADDED = 8; // number: ticks added by jumps of the clock
const INTR_AFTER = 10; // polls until an interrupt becomes pending, plus 1; 0: none comes
const INTR_VALUE = 11;
const RDRAND_FAILURES = 12; // draws that are still to fail
const PCONFIG_STATUS = 13; // failure code plus 1 of the next PCONFIG; 0: it succeeds
const RDSEED_FAILURES = 15; // as RDRAND_FAILURES
const VERIFY_STATUS = 14; // failure code plus 1 of the next SEAMVERIFYREPORT; 0: it is really verified

const HAZARDS = 16; // hazards.ts
const VE_COUNT = 24;
const VE_LP = 25;

/** EAX, EBX, ECX, EDX. */
export type CpuidResult = readonly [number, number, number, number];

export type HostChange =
  | { readonly op: "intr"; readonly after: number; readonly pending: number }
  | { readonly op: "inject"; readonly what: "pconfig" | "rdseed" | "rdrand" | "verify"; readonly value: number }
  | { readonly op: "msr"; readonly lp: number; readonly msr: number; readonly lo: number; readonly hi: number };

export class Platform {
  readonly store: Store;
  readonly config: PlatformConfig;
  readonly memory: Memory;
  /** Under which KeyID each page was written, and what its next user meets. */
  readonly keyed: KeyedMemory;
  /** What went wrong below the module without a status. */
  readonly hazards: Hazards;
  readonly tlb: Tlb;
  /** LPs have numbers below it. */
  readonly lps: number;
  /** How many there are: a capture may number them with gaps. */
  readonly lpCount: number;
  /** Physical address bits below the KeyID bits. */
  readonly addressBits: number;
  /** The first addresses that do not exist: without, and with KeyID bits. */
  readonly addressEnd: number;
  readonly keyedAddressEnd: number;
  /** Package number of each LP. */
  readonly packageOf: readonly number[];

  private readonly base: number;
  private readonly lpBlocks: number[] = [];
  private readonly msrs: Msrs;
  /** Per LP a value slot: CPUID results that differ from the table, as an immutable Map by `cpuidKey`. */
  private readonly cpuidSlot: number;

  constructor(store: Store, config: PlatformConfig) {
    this.store = store;
    this.config = config;
    this.base = store.allocate(BLOCK_TAG_PLATFORM); // first, so that no other block has cell 0
    this.memory = new Memory(store);
    this.hazards = new Hazards(store, this.base + HAZARDS);
    this.keyed = new KeyedMemory(store, this.hazards, config.keyids.privateStart);
    this.lps = Math.max(...config.packages.flat()) + 1;
    this.lpCount = config.packages.flat().length;
    this.tlb = new Tlb(store, this.hazards, this.lps);
    this.addressBits = config.maxpa - Math.log2(config.keyids.total);
    this.addressEnd = 2 ** this.addressBits;
    this.keyedAddressEnd = 2 ** config.maxpa;
    this.packageOf = Array.from({ length: this.lps }, (_, lp) => config.packages.findIndex((p) => p.includes(lp)));
    this.cpuidSlot = store.allocateValues(this.lps);
    this.msrs = new Msrs(store);
    for (let lp = 0; lp < this.lps; lp++) {
      this.lpBlocks.push(store.allocate(BLOCK_TAG_LP + lp));
      this.msrs.addLp(config);
    }
  }

  // ---- LPs ----

  /** First cell of an LP's block (lp.ts). */
  lpCell(lp: number): number {
    return this.lpBlocks[lp] as number;
  }

  readGpr(lp: number, register: number): bigint {
    return this.store.readBig(this.lpCell(lp) + LP_GPR + register * 2);
  }

  writeGpr(lp: number, register: number, value: bigint): void {
    this.store.writeBig(this.lpCell(lp) + LP_GPR + register * 2, value);
  }

  /** Writes all general registers of the LP: low and high half of each. */
  writeGprs(lp: number, words: Readonly<Uint32Array>): void {
    this.store.save(this.lpCell(lp) + LP_GPR, words);
  }

  /** Puts `words` into the LP's general registers without a trace in history, and what was in them into `before`. */
  swapGprs(lp: number, words: Readonly<Uint32Array>, before: Uint32Array): void {
    const cell = this.lpCell(lp) + LP_GPR;
    for (let i = 0; i < words.length; i++) {
      before[i] = this.store.read(cell + i);
      this.store.poke(cell + i, words[i] as number);
    }
  }

  // ---- CPUID and MSRs ----

  cpuid(lp: number, leaf: number, subleaf: number): CpuidResult {
    const changed = this.cpuidChanges(lp);
    const exact = cpuidKey(leaf, subleaf);
    const any = cpuidKey(leaf, -1);
    const found = changed.get(exact) ?? changed.get(any);
    if (found !== undefined) return found;
    const ofProcessor = cpuidOfTable(lp, exact) ?? cpuidOfTable(lp, any);
    return ofProcessor === undefined ? [0, 0, 0, 0] : cpuidOnPlatform(this.config, lp, leaf, ofProcessor);
  }

  /**
   * Changes what CPUID answers on one LP. Sub-leaf 0 of a leaf that ignores its sub-leaf in the table stands for all of them; the
   * others of such a leaf are for captures of processors that do not ignore it.
   */
  setCpuid(lp: number, leaf: number, subleaf: number, result: CpuidResult): void {
    const isAny = subleaf === 0 && cpuidOfTable(lp, cpuidKey(leaf, -1)) !== undefined;
    const key = cpuidKey(leaf, isAny ? -1 : subleaf);
    this.store.writeValue(this.cpuidSlot + lp, new CpuidChanges([...this.cpuidChanges(lp), [key, result]]));
  }

  rdmsr(lp: number, msr: number): bigint {
    if (msr === MSR_INTR_PENDING) return BigInt(this.pollInterrupt());
    return this.msrs.read(lp, msr);
  }

  wrmsr(lp: number, msr: number, value: bigint): void {
    this.msrs.write(lp, msr, value);
  }

  // ---- faults in guests ----

  /** The guest on an LP gets #VE at its next entry. Counted, so that a debugger can stop there. */
  noteVe(lp: number): void {
    this.store.write(this.veCell, this.veCount + 1);
    this.store.write(this.base + VE_LP, lp);
  }

  /** Cell of the count of #VE. */
  get veCell(): number {
    return this.base + VE_COUNT;
  }

  get veCount(): number {
    return this.store.read(this.veCell);
  }

  /** LP of the guest that got the latest #VE. */
  get veLp(): number {
    return this.store.read(this.base + VE_LP);
  }

  // ---- time, interrupts, entropy ----

  /** Called at each entry to the module: SEAMCALL or guest exit. */
  enterModule(): void {
    const { store, base } = this;
    const entries = (store.read(base + MODULE_ENTRIES) + 1) >>> 0;
    store.write(base + MODULE_ENTRIES, entries);
    if (entries === 0) store.write(base + MODULE_ENTRIES + 1, store.read(base + MODULE_ENTRIES + 1) + 1);
    store.write(base + TSC_READS, 0);
  }

  rdtsc(): number {
    const reads = this.store.read(this.base + TSC_READS);
    this.store.write(this.base + TSC_READS, reads + 1);
    const entries = this.store.readNumber(this.base + MODULE_ENTRIES);
    const added = this.store.readNumber(this.base + TSC_ADDED);
    return TSC_BASE + TSC_PER_ENTRY * entries + TSC_PER_READ * reads + added;
  }

  addTsc(ticks: number): void {
    this.store.writeNumber(this.base + TSC_ADDED, this.store.readNumber(this.base + TSC_ADDED) + ticks);
  }

  /** An interrupt becomes pending after the module polled `after` more times; -1: none comes. `value`: what the poll then reads. */
  setInterrupt(after: number, value: number): void {
    this.store.write(this.base + INTR_AFTER, after < 0 ? 0 : after + 1);
    this.store.write(this.base + INTR_VALUE, value);
  }

  /** What the MSR "interrupts pending" reads; each read counts. */
  pollInterrupt(): number {
    const after = this.store.read(this.base + INTR_AFTER);
    if (after === 0) return 0;
    if (after === 1) return this.store.read(this.base + INTR_VALUE);
    this.store.write(this.base + INTR_AFTER, after - 1);
    return 0;
  }

  /** RDRAND or RDSEED; undefined when it fails. Both draw from one source. */
  random(instruction: "rdrand" | "rdseed"): bigint | undefined {
    const word = this.base + (instruction === "rdrand" ? RDRAND_FAILURES : RDSEED_FAILURES);
    const failures = this.store.read(word);
    if (failures > 0) {
      this.store.write(word, failures - 1);
      return undefined;
    }
    const n = this.store.readNumber(this.base + ENTROPY_DRAWS);
    this.store.writeNumber(this.base + ENTROPY_DRAWS, n + 1);
    return draw(this.config.entropySeed, n);
  }

  /** Makes the next PCONFIG (or report verification) return `status`, or the next `status` draws of entropy fail. */
  inject(what: "pconfig" | "rdseed" | "rdrand" | "verify", status: number): void {
    if (what === "pconfig") this.store.write(this.base + PCONFIG_STATUS, status + 1);
    else if (what === "verify") this.store.write(this.base + VERIFY_STATUS, status === 0 ? 0 : status + 1);
    else this.store.write(this.base + (what === "rdrand" ? RDRAND_FAILURES : RDSEED_FAILURES), status);
  }

  /** PCONFIG's failure code: 0, or what was injected. */
  pconfig(): number {
    return this.takeInjected(PCONFIG_STATUS) ?? 0;
  }

  /** The injected result of the next report verification, if any. */
  injectedVerification(): number | undefined {
    return this.takeInjected(VERIFY_STATUS);
  }

  /** What a host changed if it changed this cell, as an operation of a log; undefined for memory, registers and the module's cells. */
  hostChange(cell: number): HostChange | undefined {
    const value = this.store.read(cell);
    switch (cell - this.base) {
      case INTR_AFTER:
      case INTR_VALUE:
        return {
          op: "intr",
          after: this.store.read(this.base + INTR_AFTER) - 1,
          pending: this.store.read(this.base + INTR_VALUE),
        };
      case RDRAND_FAILURES:
        return { op: "inject", what: "rdrand", value };
      case RDSEED_FAILURES:
        return { op: "inject", what: "rdseed", value };
      case PCONFIG_STATUS:
        return { op: "inject", what: "pconfig", value: value - 1 };
      case VERIFY_STATUS:
        return { op: "inject", what: "verify", value: Math.max(0, value - 1) };
    }
    const msr = this.msrs.at(cell);
    return msr && { op: "msr", ...msr };
  }

  private takeInjected(word: number): number | undefined {
    const status = this.store.read(this.base + word);
    if (status === 0) return undefined;
    this.store.write(this.base + word, 0);
    return status - 1;
  }

  private cpuidChanges(lp: number): CpuidChanges {
    return (this.store.readValue(this.cpuidSlot + lp) as CpuidChanges | undefined) ?? noChanges;
  }
}

class CpuidChanges extends Map<number, CpuidResult> {
  stateKey(): string {
    return JSON.stringify([...this].sort((a, b) => a[0] - b[0]));
  }
}

const noChanges = new CpuidChanges();

/** Leaf and sub-leaf as one number; sub-leaf -1: it does not matter. */
function cpuidKey(leaf: number, subleaf: number): number {
  return (leaf >>> 0) * 0x1000 + (subleaf & 0xfff);
}

const table = new Map(cpuidTable.map((entry) => [cpuidKey(entry.leaf, entry.subleaf ?? -1), entry]));

function cpuidOfTable(lp: number, key: number): CpuidResult | undefined {
  const entry = table.get(key);
  if (entry === undefined) return undefined;
  const of = (value: number | readonly number[]): number =>
    typeof value === "number" ? value : (value[lp] ?? value[0] ?? 0);
  return [of(entry.eax), of(entry.ebx), of(entry.ecx), of(entry.edx)];
}
