/** The call of the module at the present place: operands before it and in it, status and results behind it. */
import { leafSignatures } from "../arch/leaf-operands.ts";
import { registerNames } from "../arch/registers.ts";
import { LP_GPR } from "../platform/lp.ts";
import { leafName, takeResult } from "../runtime/leaf-call.ts";
import { returnedSlot } from "../runtime/operands.ts";
import { AT_CALL, IN_LEAF } from "./debuggee.ts";
import { describedStatus } from "./describe-status.ts";
import { operandPlace, resultFieldPlace, returnedPlace } from "./edit-place.ts";
import type { Item } from "./inspect/item.ts";
import { heldLock } from "./inspect/locks.ts";
import { type ValueContext, valueItem } from "./value-items.ts";

export interface CallView {
  readonly leaf: string;
  readonly items: readonly Item[];
}

/** Undefined where no call is near. */
export function callView(context: ValueContext, task: number): CallView | undefined {
  const { debuggee } = context;
  const place = debuggee.placeOf(task);
  const isCurrent = task === debuggee.task;
  if (place === AT_CALL || place === IN_LEAF) {
    return openCall(context, task, leafName(isCurrent ? debuggee.callee : debuggee.calleeOf(task)));
  }
  return isCurrent && debuggee.outcome ? endedCall(context) : undefined;
}

function openCall(context: ValueContext, task: number, leaf: string): CallView {
  const { debuggee } = context;
  const signature = leafSignatures.get(leaf);
  const items: Item[] = (debuggee.runtime.pendingLeafOf(task)?.operands ?? []).map(
    ({ name, register, value }, index) => {
      const what = signature?.inputs.find((input) => input.name === name)?.what;
      const label = `${name} (${registerNames[register]})`;
      const edit = debuggee.placeOf(task) === AT_CALL ? operandPlace(name, task, index) : undefined;
      const item = valueItem(context, `call/${name}`, label, undefined, value, edit);
      return { ...item, ...(what && { tooltip: what }) };
    },
  );
  if (debuggee.placeOf(task) === IN_LEAF) items.push(...lockItems(context, task));
  return { leaf, items };
}

/** The locks that the open call holds. */
function lockItems({ debuggee, moment }: ValueContext, task: number): Item[] {
  const lp = debuggee.runtime.pendingLeafOf(task)?.lp ?? 0;
  const call = debuggee.machine.calls[lp];
  return (call?.held ?? []).map(({ cell, kind }, i) => {
    const { what, mode } = heldLock(moment, cell, kind);
    return { id: `call/lock${i}`, label: `lock ${i + 1}`, value: `${mode} · ${what}`, cells: [[cell, 1]] as const };
  });
}

function endedCall(context: ValueContext): CallView | undefined {
  const { debuggee } = context;
  const { outcome } = debuggee;
  if (outcome === undefined) return undefined;
  const leaf = leafName(outcome.callee);
  const result = takeResult(debuggee.machine.platform, outcome.lp, leaf);
  const returned = returnedSlot(debuggee.runtime) === undefined ? undefined : returnedPlace("result");
  const placeOf = (field: string) => returned && resultFieldPlace(field, returned, field);
  const statusPlace = placeOf("status");
  const status: Item = {
    ...(statusPlace && { edit: statusPlace }),
    id: "call/status",
    label: "status (rax)",
    value: describedStatus(outcome.hi, outcome.lo),
    cells: [[debuggee.machine.platform.lpCell(outcome.lp) + LP_GPR, 2]],
  };
  const outputs = leafSignatures.get(leaf)?.outputs ?? [];
  return {
    leaf,
    items: [
      status,
      ...outputs.map(({ name, register, what }) => ({
        ...valueItem(
          context,
          `call/${name}`,
          `${name} (${registerNames[register]})`,
          undefined,
          result.field(name),
          placeOf(name),
        ),
        tooltip: what,
      })),
    ],
  };
}
