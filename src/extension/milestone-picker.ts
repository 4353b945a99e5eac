/** Lets a person choose one of the calls, exits and faults of a run: a page around the present, and what is typed filters. */
import * as vscode from "vscode";
import type { MilestoneInfo, MilestonesArguments, MilestonesResponse } from "../adapter/milestone-protocol.ts";

const PAGE = 100;
const ICONS = { seamcall: "arrow-right", tdcall: "arrow-left", exit: "sign-out", fault: "zap" } as const;

type Row = vscode.QuickPickItem & { readonly id?: number; readonly start?: number };

/** Its id; undefined if none was chosen. */
export function pickMilestone(session: vscode.DebugSession, step: number): Promise<number | undefined> {
  const pick = vscode.window.createQuickPick<Row>();
  pick.title = "Go to Milestone";
  pick.placeholder = "A leaf, a status or a pattern: MEM.PAGE.ADD, OPERAND_BUSY, TDG.*; ! in front: those that failed";
  // Rows are found by the adapter: the editor is not to filter them once more.
  const shown = (row: Row): Row => ({ ...row, alwaysShow: true });
  let asked = 0;
  const ask = async (start?: number): Promise<void> => {
    const number = ++asked;
    const typed = pick.value.trim();
    const args: MilestonesArguments = {
      text: typed.replace(/^!/, "").trim(),
      failed: typed.startsWith("!"),
      count: PAGE,
      ...(start !== undefined && { start }),
    };
    pick.busy = true;
    for (let isComplete = false; !isComplete && number === asked; ) {
      const page: MilestonesResponse = await session.customRequest("tdx/milestones", args);
      if (number !== asked) return;
      isComplete = page.isComplete;
      const rows = rowsOf(page).map(shown);
      pick.items = rows;
      const now = rows.findLast((row) => row.id !== undefined && (stepOf(page, row.id) ?? step) <= step);
      if (start === undefined && now) pick.activeItems = [now];
    }
    if (number === asked) pick.busy = false;
  };
  return new Promise((resolve) => {
    const failed = (error: unknown): void => {
      pick.hide();
      void vscode.window.showErrorMessage(String(error instanceof Error ? error.message : error));
    };
    pick.onDidChangeValue(() => void ask().catch(failed));
    pick.onDidAccept(() => {
      const [row] = pick.selectedItems;
      if (row?.start !== undefined) {
        void ask(row.start).catch(failed);
        return;
      }
      resolve(row?.id);
      pick.hide();
    });
    pick.onDidHide(() => {
      asked++;
      resolve(undefined);
      pick.dispose();
    });
    pick.show();
    void ask().catch(failed);
  });
}

function stepOf({ milestones }: MilestonesResponse, id: number): number | undefined {
  return milestones.find((milestone) => milestone.id === id)?.step;
}

function rowsOf({ milestones, start, total, step, isComplete }: MilestonesResponse): Row[] {
  const behind = start + milestones.length;
  return [
    ...(start > 0 ? [{ label: `$(chevron-up) ${start} before these`, start: Math.max(0, start - PAGE) }] : []),
    ...milestones.map(rowOf),
    ...(behind < total ? [{ label: `$(chevron-down) ${total - behind} behind these`, start: behind }] : []),
    ...(milestones.length === 0 && isComplete ? [{ label: "Nothing like this up to where you have been" }] : []),
    ...(isComplete ? [] : [{ label: `$(sync~spin) looked at up to step ${step}` }]),
  ];
}

function rowOf({ id, kind, step, name, status, failed, task, lp, path, line }: MilestoneInfo): Row {
  const file = path?.split("/").pop();
  return {
    id,
    label: `$(${failed ? "error" : ICONS[kind]}) ${name}`,
    description: `step ${step}${status && ` · ${status}`}`,
    detail: `task ${task} · LP ${lp}${file === undefined ? "" : ` · ${file}:${line}`}`,
  };
}
