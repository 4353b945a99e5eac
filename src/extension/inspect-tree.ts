import * as vscode from "vscode";
import {
  INSPECT_REQUEST,
  type InspectArguments,
  type InspectNode,
  type InspectResponse,
  type InspectViewName,
} from "../adapter/inspect-protocol.ts";

/** The trees that open by themselves: entries of tables come and go, while platform and domains are read at leisure. */
const FOLLOWING: readonly InspectViewName[] = ["sept", "pamt"];

/** How deep a tree opens by itself to show a change: the levels of a 5-level Secure EPT and what stands around them. */
const FOLLOW_DEPTH = 8;

/** All that is shown of one session at one moment. */
class Moment {
  readonly session: vscode.DebugSession;
  /** Answers by id of the node asked about; the roots stand under undefined. */
  readonly children = new Map<string | undefined, Promise<readonly InspectNode[]>>();
  readonly parents = new Map<string, InspectNode>();
  /** The step at which all of it holds; the first answer sets it. */
  step: number | undefined;

  constructor(session: vscode.DebugSession) {
    this.session = session;
  }
}

/**
 * One tree view. It asks for what is expanded and for nothing else, keeps the answers until the next stop, and drops any
 * answer that belongs to another step than the rest of the tree.
 */
export class InspectTree implements vscode.TreeDataProvider<InspectNode>, vscode.Disposable {
  readonly #name: InspectViewName;
  readonly #view: vscode.TreeView<InspectNode>;
  readonly #changes = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.#changes.event;
  #moment: Moment | undefined;

  constructor(name: InspectViewName) {
    this.#name = name;
    this.#view = vscode.window.createTreeView(`tdxflow.${name}`, { treeDataProvider: this, showCollapseAll: true });
    this.#view.onDidChangeVisibility(({ visible }) => {
      if (visible && this.#moment) void this.#follow(this.#moment);
    });
  }

  /** Shows a session that stands still, or nothing. @param running whether there is a session that cannot be asked now */
  show(session: vscode.DebugSession | undefined, running: boolean): void {
    // While a flow runs, the last moment stays on screen: a step would flicker otherwise.
    if (!session && running && this.#moment) {
      this.#view.description = "running";
      return;
    }
    this.#moment = session && new Moment(session);
    this.#view.description = "";
    this.#changes.fire(undefined);
    if (this.#moment && this.#view.visible) void this.#follow(this.#moment);
  }

  async getChildren(parent?: InspectNode): Promise<InspectNode[]> {
    return this.#moment ? [...(await this.#children(this.#moment, parent))] : [];
  }

  getParent(node: InspectNode): InspectNode | undefined {
    return this.#moment?.parents.get(node.id);
  }

  getTreeItem(node: InspectNode): vscode.TreeItem {
    const item = new vscode.TreeItem(
      node.label,
      node.collapsible ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
    );
    item.id = node.id;
    item.description = node.description ?? false;
    item.tooltip = node.tooltip ?? (node.description ? `${node.label}\n${node.description}` : node.label);
    item.contextValue = [node.memoryReference ? "memory" : "plain", node.dataId ? "stored" : ""].join(" ").trim();
    const spoken = node.description ? `${node.label} ${node.description}` : node.label;
    item.accessibilityInformation = { label: node.changed ? `${spoken}, changed` : spoken };
    if (node.changed) {
      item.iconPath = new vscode.ThemeIcon("diff-modified", new vscode.ThemeColor("debugView.valueChangedHighlight"));
    }
    return item;
  }

  dispose(): void {
    this.#view.dispose();
    this.#changes.dispose();
  }

  #children(moment: Moment, parent?: InspectNode): Promise<readonly InspectNode[]> {
    const known = moment.children.get(parent?.id);
    if (known) return known;
    const answer = this.#ask(moment, parent);
    moment.children.set(parent?.id, answer);
    return answer;
  }

  async #ask(moment: Moment, parent?: InspectNode): Promise<readonly InspectNode[]> {
    const question: InspectArguments = parent ? { view: this.#name, node: parent.id } : { view: this.#name };
    let answer: InspectResponse;
    try {
      answer = await moment.session.customRequest(INSPECT_REQUEST, question);
    } catch {
      // The session went on or ended while it was asked; its next stop asks again.
      return [];
    }
    moment.step ??= answer.step;
    if (answer.step !== moment.step) return [];
    if (parent) for (const node of answer.nodes) moment.parents.set(node.id, parent);
    return answer.nodes;
  }

  /** Opens the tree down to the first thing that changed. */
  async #follow(moment: Moment): Promise<void> {
    if (!FOLLOWING.includes(this.#name)) return;
    if (!vscode.workspace.getConfiguration("tdxflow").get("views.followChanges", true)) return;
    let node: InspectNode | undefined;
    for (let depth = 0; depth < FOLLOW_DEPTH; depth++) {
      const changed = (await this.#children(moment, node)).find((child) => child.changed);
      if (!changed) break;
      node = changed;
      if (!changed.collapsible) break;
    }
    // To reveal in a view that is not shown any more would bring it back in front.
    if (!node || moment !== this.#moment || !this.#view.visible) return;
    try {
      await this.#view.reveal(node, { select: false, focus: false, expand: true });
    } catch {
      // The tree moved on to the next moment meanwhile, which reveals what changed there.
    }
  }
}
