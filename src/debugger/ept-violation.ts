/** What an EPT violation was that made a guest leave: read from the registers that TDH.VP.ENTER returns. */
import { R8, RDX } from "../arch/registers.ts";
import { EXTENDED_PENDING } from "../module/guest/td-exit.ts";
import type { Machine } from "../module/machine.ts";
import { isPrivateGpa } from "../module/sept.ts";
import type { Outcome } from "./debuggee.ts";

/** "private", "shared" or "pending": RDX bits 3:0 are the kind of extended exit qualification, R8 is the GPA. */
export function eptViolationKind(machine: Machine, outcome: Outcome): string | undefined {
  const call = machine.calls[outcome.lp];
  if (call === undefined || call.tdcs === 0) return undefined;
  if ((machine.platform.readGpr(outcome.lp, RDX) & 0xfn) === BigInt(EXTENDED_PENDING)) return "pending";
  return isPrivateGpa(call, call.tdcs, Number(machine.platform.readGpr(outcome.lp, R8))) ? "private" : "shared";
}
