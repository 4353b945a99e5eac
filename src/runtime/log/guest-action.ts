/** Guest actions as the log writes them. */
import type { GuestAction } from "../../module/guest/actions.ts";
import { LogFormatError } from "./fields.ts";
import type { GuestFields } from "./format.ts";
import { bytesOf } from "./outcome.ts";

const ACTIONS = ["longmode", "advance", "tdcall", "cpuid", "rdmsr", "wrmsr", "access", "vmexit"];

const number = (text: string | undefined): number => Number(text ?? 0);
const big = (text: string | undefined): bigint => BigInt(text ?? 0);

/** @throws LogFormatError */
export function guestAction(op: Partial<GuestFields> & { readonly hex?: string }, line: number): GuestAction {
  const { action } = op;
  switch (action) {
    case "longmode":
    case "tdcall":
    case "cpuid":
    case "rdmsr":
    case "wrmsr":
      return { action };
    case "advance":
      return { action, bytes: op.bytes ?? 0 };
    case "access": {
      const access = { action, gpa: number(op.gpa), kind: op.kind ?? "r" } as const;
      if (op.kind === "w") return { ...access, data: bytesOf(op.hex ?? "") };
      return op.len === undefined ? access : { ...access, length: op.len };
    }
    case "vmexit":
      return {
        action,
        reason: number(op.reason),
        qualification: big(op.qual),
        interruption: number(op.intr),
        interruptionError: number(op.intrerr),
        gpa: big(op.gpa),
        gla: big(op.gla),
        instructionLength: number(op.ilen),
        instructionInformation: number(op.iinfo),
        idtVectoring: number(op.idtvec),
        idtVectoringError: number(op.idterr),
      };
    default:
      throw new LogFormatError(line, `unknown guest action ${action}; there are ${ACTIONS.join(", ")}`);
  }
}
