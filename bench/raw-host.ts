/** A host's loop with the least work of its own: four operands, handed over as flows hand them over, and a mark after each call. */
import { R8, R9, RAX, RCX, RDX, registerNames } from "../src/arch/registers.ts";
import type { Host } from "../test/support/host.ts";

export class RawHost {
  readonly host: Host;
  private readonly operands = new Uint32Array(2 * registerNames.length);

  constructor(host: Host) {
    this.host = host;
  }

  /** Issues leaf number `leaf` on LP 0, which must succeed. */
  call(leaf: number, rcx: number, rdx = 0, r8 = 0, r9 = 0): void {
    const { machine } = this.host;
    this.set(RAX, leaf);
    this.set(RCX, rcx);
    this.set(RDX, rdx);
    this.set(R8, r8);
    this.set(R9, r9);
    machine.seamcall(0, this.operands);
    if (machine.calls[0]?.statusHi !== 0) {
      throw new Error(`leaf ${leaf}: 0x${machine.platform.readGpr(0, RAX).toString(16)}`);
    }
    if (machine.store.recording) machine.store.mark();
  }

  private set(register: number, value: number): void {
    this.operands[register * 2] = value;
    this.operands[register * 2 + 1] = value / 0x1_0000_0000;
  }
}
