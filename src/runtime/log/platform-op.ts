/** Operations of a log that are no entry to the module: what the host writes, and what happens to the processors. */
import type { Machine } from "../../module/machine.ts";
import type { PlatformOp } from "./format.ts";
import { bytesOf } from "./outcome.ts";

export function applyToPlatform(machine: Machine, op: PlatformOp): void {
  const { platform } = machine;
  const lps = (lp: number): readonly number[] => (lp >= 0 ? [lp] : Array.from({ length: platform.lps }, (_, i) => i));
  switch (op.op) {
    case "write":
      platform.memory.writeBytes(Number(op.hpa), bytesOf(op.hex));
      break;
    case "fill":
      platform.memory.fill(Number(op.hpa), op.byte, op.len);
      break;
    case "intr":
      platform.setInterrupt(op.after, op.pending);
      break;
    case "inject":
      platform.inject(op.what, op.value);
      break;
    case "msr":
      for (const lp of lps(op.lp)) platform.wrmsr(lp, Number(op.msr), BigInt(op.value));
      break;
    case "cpuid": {
      const result = [Number(op.eax), Number(op.ebx), Number(op.ecx), Number(op.edx)] as const;
      for (const lp of lps(op.lp)) platform.setCpuid(lp, Number(op.leaf), Number(op.subleaf), result);
      break;
    }
    case "tsc":
      platform.addTsc(Number(op.add));
      break;
    case "reload":
      machine.reload();
  }
}
