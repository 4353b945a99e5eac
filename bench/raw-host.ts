/** A host's loop with the fewest register writes: four operands, and a mark after each call as the debugger sets it. */
import { R8, R9, RAX, RCX, RDX } from "../src/arch/registers.ts";
import { LP_GPR } from "../src/platform/lp.ts";
import type { Host } from "../test/support/host.ts";

export class RawHost {
  readonly host: Host;
  private readonly gpr: number;

  constructor(host: Host) {
    this.host = host;
    this.gpr = host.machine.platform.lpCell(0) + LP_GPR;
  }

  /** Issues leaf number `leaf` on LP 0, which must succeed. */
  call(leaf: number, rcx: number, rdx = 0, r8 = 0, r9 = 0): void {
    const { store } = this.host.machine;
    store.writeNumber(this.gpr + RAX * 2, leaf);
    store.writeNumber(this.gpr + RCX * 2, rcx);
    store.writeNumber(this.gpr + RDX * 2, rdx);
    store.writeNumber(this.gpr + R8 * 2, r8);
    store.writeNumber(this.gpr + R9 * 2, r9);
    this.host.machine.seamcall(0);
    if (store.readNumber(this.gpr + RAX * 2) !== 0) {
      throw new Error(`leaf ${leaf}: 0x${store.readBig(this.gpr + RAX * 2).toString(16)}`);
    }
    if (store.recording) store.mark();
  }
}
