/** Commands that move a session in time and that VS Code has no buttons for, and the status bar's step number. */
import * as vscode from "vscode";
import type { InspectNode } from "../adapter/inspect-protocol.ts";
import { branchName, pickBranch } from "./branch-picker.ts";
import { DEBUG_TYPE } from "./configuration.ts";
import { pickMilestone } from "./milestone-picker.ts";

/** Body of the event `tdx/stopped`. */
interface Moment {
  readonly step: number;
  readonly place: number;
  /** The future in which the session stands, and how many there are. */
  readonly branch: number;
  readonly branches: number;
  /** The earliest step that history has. */
  readonly oldest: number;
}

/** What VS Code gives to a command in the context menu of a variable. */
interface VariableContext {
  readonly container: { readonly variablesReference: number };
  readonly variable: { readonly name: string };
}

/** Moments that one can return to, for each session. */
const MAX_MOMENTS = 100;

class Times implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem("tdxflow.step", vscode.StatusBarAlignment.Left);
  private readonly branchItem = vscode.window.createStatusBarItem("tdxflow.branch", vscode.StatusBarAlignment.Left);
  private readonly now = new Map<string, Moment>();
  private readonly left = new Map<string, Moment[]>();

  constructor() {
    this.item.name = "TDX: step";
    this.item.command = "tdxflow.goToStep";
    this.branchItem.name = "TDX: branch";
    this.branchItem.command = "tdxflow.switchBranch";
    this.branchItem.tooltip = "Future that an edited value has begun: go to another one, as it was left";
  }

  stopped(session: vscode.DebugSession, moment: Moment): void {
    this.now.set(session.id, moment);
    this.show();
  }

  ended(session: vscode.DebugSession): void {
    this.now.delete(session.id);
    this.left.delete(session.id);
    this.show();
  }

  show(): void {
    const session = active();
    const moment = session && this.now.get(session.id);
    if (moment === undefined) {
      this.item.hide();
      this.branchItem.hide();
      return;
    }
    this.item.text = `$(history) Step ${moment.step}${moment.place ? `.${moment.place}` : ""}`;
    const older = moment.oldest ? `; those before ${moment.oldest} are reached by running again` : "";
    this.item.tooltip = `Step of the flow: choose another one${older}`;
    this.item.show();
    this.branchItem.text = `$(git-branch) ${branchName(moment.branch)} of ${moment.branches}`;
    if (moment.branches > 1) this.branchItem.show();
    else this.branchItem.hide();
  }

  /** Asks for a step and goes there. `given`: no need to ask. */
  async goToStep(given?: number): Promise<void> {
    const session = active();
    if (session === undefined) return;
    const step = given ?? (await this.askForStep(session));
    if (step === undefined) return;
    this.remember(session);
    await session.customRequest("tdx/goToStep", { step });
  }

  private async askForStep(session: vscode.DebugSession): Promise<number | undefined> {
    const text = await vscode.window.showInputBox({
      title: "Go to Step",
      prompt: "Number of the step, from 0. Past the end of the flow: its end.",
      value: String(this.now.get(session.id)?.step ?? 0),
      validateInput: (value) => (/^\d{1,15}$/.test(value.trim()) ? undefined : "A whole number from 0 on"),
    });
    return text === undefined ? undefined : Number(text);
  }

  /** Asks for another future and goes to where the session stood in it. `given`: no need to ask. */
  async switchBranch(given?: number): Promise<void> {
    const session = active();
    if (session === undefined) return;
    const branch = given ?? (await pickBranch(session));
    if (branch === undefined) return;
    this.remember(session);
    await session.customRequest("tdx/switchBranch", { branch });
  }

  /** Asks for a call, exit or fault and goes there. */
  async goToMilestone(): Promise<void> {
    const session = active();
    if (session === undefined) return;
    const id = await pickMilestone(session, this.now.get(session.id)?.step ?? 0);
    if (id === undefined) return;
    this.remember(session);
    await session.customRequest("tdx/goToMilestone", { id });
  }

  /** Goes to the move that wrote a variable, or what a row of a tree stands for, last. */
  async whoChanged(context: VariableContext | InspectNode): Promise<void> {
    const session = active();
    if (session === undefined) return;
    this.remember(session);
    const wanted =
      "variable" in context
        ? { variablesReference: context.container.variablesReference, name: context.variable.name }
        : { dataId: context.dataId };
    await session.customRequest("tdx/whoChanged", wanted);
  }

  /** To where the session stood before it was sent elsewhere. */
  async goBack(): Promise<void> {
    const session = active();
    const moment = session && this.left.get(session.id)?.pop();
    if (moment === undefined) vscode.window.setStatusBarMessage("There is no earlier moment to go back to", 3000);
    else await session?.customRequest("tdx/goToStep", { ...moment });
  }

  private remember(session: vscode.DebugSession): void {
    const moment = this.now.get(session.id);
    if (moment) this.left.set(session.id, [...(this.left.get(session.id) ?? []), moment].slice(-MAX_MOMENTS));
  }

  dispose(): void {
    this.item.dispose();
    this.branchItem.dispose();
  }
}

function active(): vscode.DebugSession | undefined {
  const session = vscode.debug.activeDebugSession;
  return session?.type === DEBUG_TYPE ? session : undefined;
}

export function registerTimeCommands(): vscode.Disposable[] {
  const times = new Times();
  const command = vscode.commands.registerCommand;
  return [
    times,
    vscode.debug.onDidReceiveDebugSessionCustomEvent(({ session, event, body }) => {
      if (session.type === DEBUG_TYPE && event === "tdx/stopped") times.stopped(session, body as Moment);
    }),
    vscode.debug.onDidChangeActiveDebugSession(() => times.show()),
    vscode.debug.onDidTerminateDebugSession((session) => times.ended(session)),
    command("tdxflow.reverseIn", () => active()?.customRequest("tdx/reverseIn")),
    command("tdxflow.reverseOut", () => active()?.customRequest("tdx/reverseOut")),
    command("tdxflow.goToStep", (step?: number) => times.goToStep(typeof step === "number" ? step : undefined)),
    command("tdxflow.switchBranch", (branch?: number) =>
      times.switchBranch(typeof branch === "number" ? branch : undefined),
    ),
    command("tdxflow.goToMilestone", () => times.goToMilestone()),
    command("tdxflow.whoChanged", (context: VariableContext | InspectNode) => times.whoChanged(context)),
    command("tdxflow.goBackInTime", () => times.goBack()),
  ];
}
