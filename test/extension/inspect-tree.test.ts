import { beforeEach, describe, expect, it } from "vitest";
import type { DebugSession } from "vscode";
import type { InspectArguments, InspectNode, InspectResponse } from "../../src/adapter/inspect-protocol.ts";
import { InspectTree } from "../../src/extension/inspect-tree.ts";
import { type View, views } from "../support/vscode.ts";

/** A session whose state is a tree of nodes at some step. */
class Session {
  step = 1;
  nodes: Record<string, InspectNode[]> = {
    "": [
      { id: "td0", label: "td0", collapsible: true, changed: true },
      { id: "td1", label: "td1", collapsible: true },
    ],
    td0: [
      { id: "td0/a", label: "0x1000", description: "SEPT_PRESENT" },
      { id: "td0/b", label: "0x2000", changed: true },
    ],
  };
  readonly asked: (string | undefined)[] = [];

  async customRequest(_command: string, { node }: InspectArguments): Promise<InspectResponse> {
    this.asked.push(node);
    return { nodes: this.nodes[node ?? ""] ?? [], step: this.step };
  }
}

let tree: InspectTree;
let view: View;
let session: Session;
const show = (running = true): void => tree.show(session as unknown as DebugSession, running);
const labels = async (parent?: InspectNode): Promise<string[]> =>
  (await tree.getChildren(parent)).map(({ label }) => label);

beforeEach(() => {
  tree = new InspectTree("sept");
  view = views.at(-1) as View;
  session = new Session();
});

describe("a tree", () => {
  it("is empty without a session", async () => {
    expect(await labels()).toEqual([]);
  });

  it("asks once at each stop for what is shown, and for nothing else", async () => {
    view.visible = false;
    show();
    expect(session.asked).toEqual([]);
    await tree.getChildren();
    await tree.getChildren();
    expect(session.asked).toEqual([undefined]);
    show();
    await tree.getChildren();
    expect(session.asked).toEqual([undefined, undefined]);
  });

  it("drops an answer of another step than the rest", async () => {
    show();
    const [td0] = await tree.getChildren();
    session.nodes.td1 = [{ id: "late", label: "late" }];
    session.step = 2;
    expect(await labels({ id: "td1", label: "td1" })).toEqual([]);
    expect(td0?.label).toBe("td0");
  });

  it("opens down to what changed", async () => {
    show();
    await expect.poll(() => view.revealed.length).toBe(1);
    expect(view.revealed).toEqual([{ id: "td0/b", label: "0x2000", changed: true }]);
    expect(tree.getParent(view.revealed[0] as InspectNode)?.id).toBe("td0");
  });

  it("does not come back in front when the user has turned to another view meanwhile", async () => {
    show();
    view.visible = false;
    await expect.poll(() => session.asked).toEqual([undefined, "td0"]);
    await new Promise((resolve) => setTimeout(resolve));
    expect(view.revealed).toEqual([]);
  });

  it("keeps the last moment while the flow runs, and empties when it ends", async () => {
    show();
    await tree.getChildren();
    tree.show(undefined, true);
    expect(view.description).toBe("running");
    expect(await labels()).toEqual(["td0", "td1"]);
    tree.show(undefined, false);
    expect(await labels()).toEqual([]);
    expect(view.description).toBe("");
  });

  it("shows nothing where the session cannot answer", async () => {
    session.customRequest = () => Promise.reject(new Error("gone"));
    show();
    expect(await labels()).toEqual([]);
  });

  it("says what changed by icon and to screen readers", () => {
    const item = tree.getTreeItem({ id: "a", label: "0x1000", description: "SEPT_PRESENT", changed: true });
    expect(item.accessibilityInformation?.label).toBe("0x1000 SEPT_PRESENT, changed");
    expect(item.iconPath).toMatchObject({ id: "diff-modified" });
    expect(tree.getTreeItem({ id: "a", label: "0x1000" }).iconPath).toBeUndefined();
  });
});
