/** Lets a person choose one of the session's futures. */
import * as vscode from "vscode";
import type { BranchesResponse, BranchInfo } from "../adapter/branch-protocol.ts";

/** Edits of a branch that its row tells. */
const MAX_EDITS = 4;

interface BranchItem extends vscode.QuickPickItem {
  readonly branch: BranchInfo;
}

/** The branch to go to; undefined if none was chosen. */
export async function pickBranch(session: vscode.DebugSession): Promise<number | undefined> {
  const { branches }: BranchesResponse = await session.customRequest("tdx/branches");
  const picked = await vscode.window.showQuickPick(branches.map(itemOf), {
    title: "Switch Branch",
    placeHolder:
      branches.length === 1
        ? "There is one future yet: an edited value in the past begins another one"
        : "Goes to where you stood in it last",
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return picked?.branch.current ? undefined : picked?.branch.id;
}

function itemOf(branch: BranchInfo): BranchItem {
  const { id, parent, step, edits, length, left, current } = branch;
  const from = parent === 0 ? "" : `from branch ${parent} at step ${step} · `;
  const texts = edits.slice(0, MAX_EDITS).map(({ step: at, text }) => `${text} (step ${at})`);
  const more = edits.length > MAX_EDITS ? `, and ${edits.length - MAX_EDITS} more` : "";
  return {
    label: `$(${current ? "check" : "git-branch"}) ${branchName(id)}`,
    description: `${from}${length} steps · ${current ? "you are" : "left"} at step ${left}`,
    detail: texts.length ? texts.join(", ") + more : "nothing edited",
    branch,
  };
}

export function branchName(id: number): string {
  return `Branch ${id}`;
}
