/** The general registers of one LP, as replay loads and compares them: 32 words at once, without a look-up for each. */
import { RSP, registerNames } from "../../arch/registers.ts";
import { formatU64 } from "../../arch/u64.ts";
import type { Machine } from "../../module/machine.ts";
import { LP_GPR } from "../../platform/lp.ts";
import type { Store } from "../../state/store.ts";
import { type RegisterFile, type Report, registerFile } from "./outcome.ts";

const WORDS = 2 * registerNames.length;

export class LpRegisters {
  private readonly store: Store;
  private readonly cell: number;

  constructor({ store, platform }: Machine, lp: number) {
    this.store = store;
    this.cell = platform.lpCell(lp) + LP_GPR;
  }

  /** Writes all registers; `keepRsp`: but the stack pointer, which of a guest is in no log. */
  load(file: RegisterFile, keepRsp: boolean): void {
    for (let i = 0; i < WORDS; i++) {
      if (!keepRsp || i >> 1 !== RSP) this.store.write(this.cell + i, file[i] as number);
    }
  }

  save(file: RegisterFile): void {
    this.store.load(this.cell, file);
  }

  /** Compares with `expected`, but for the registers whose bit is in `skip`. Returns true if they are equal. */
  compare(expected: RegisterFile, skip: number, report: Report): boolean {
    const differing = this.store.differing(this.cell, expected);
    if (differing === 0) return true;
    const got = registerFile();
    this.save(got);
    const text = (file: RegisterFile, register: number): string =>
      formatU64(file[2 * register] as number, file[2 * register + 1] as number);
    let same = true;
    for (const [register, name] of registerNames.entries()) {
      if (((differing >>> (2 * register)) & 3) === 0 || ((skip >>> register) & 1) !== 0) continue;
      same = false;
      report(name, text(expected, register), text(got, register));
    }
    return same;
  }
}

/** Those of all LPs, by number. */
export function registersOf(machine: Machine): LpRegisters[] {
  return Array.from({ length: machine.platform.lps }, (_, lp) => new LpRegisters(machine, lp));
}
