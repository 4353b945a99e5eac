import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { ROOT } from "../../scripts/set-up.mjs";
import { Workbench } from "./support/workbench.ts";

const FLOW = "td-lifecycle.tdx";
const LEAF = "tdh-mem-page-add.ts";
const lines = readFileSync(join(ROOT, "scenarios", FLOW), "utf8").split("\n");
/** The first statement that adds a page. */
const addLine = lines.findIndex((text) => /^[^/]*TDH\.MEM\.PAGE\.ADD\(/.test(text)) + 1;
/** The statements that remove one; the last succeeds. */
const removeLines = lines.flatMap((text, index) => (/^[^/]*TDH\.MEM\.PAGE\.REMOVE\(/.test(text) ? [index + 1] : []));

let workbench: Workbench;

beforeAll(async () => {
  workbench = await Workbench.open(inject("installed"));
  await workbench.openFile(FLOW);
});

afterAll(async () => {
  await workbench.screenshot("session-last");
  await workbench.close();
});

/** One story, told in the order in which a user does it: each test goes on where the one before ended. */
it("stops at a breakpoint that was clicked, after F5 without a launch.json", async () => {
  await workbench.goToLine(addLine);
  await workbench.clickGutter(FLOW, addLine);
  await workbench.showDebugView();
  await workbench.addFunctionBreakpoint("TDH.MEM.PAGE.REMOVE");
  await workbench.page.keyboard.press("F5");
  await workbench.page.locator(".debug-toolbar").waitFor();
  const entry = await workbench.stoppedAt(FLOW);
  expect(entry).toBeLessThan(addLine);
  await workbench.page.keyboard.press("F5");
  await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(addLine);
  await workbench.screenshot("session-1-breakpoint");
});

it("steps into the leaf's own source", async () => {
  await workbench.page.keyboard.press("F11");
  await workbench.page.locator(`.tab[data-resource-name="${LEAF}"].active`).waitFor();
  const first = await workbench.stoppedAt(LEAF);
  await workbench.page.keyboard.press("F10");
  await expect.poll(() => workbench.stoppedAt(LEAF)).toBeGreaterThan(first);
  await expect.poll(async () => (await workbench.callStack())[0] ?? "").toContain("TDH.MEM.PAGE.ADD");
  await workbench.screenshot("session-2-leaf");
});

it("steps back by the same way", async () => {
  const before = await workbench.stoppedAt(LEAF);
  await workbench.toolbar("Step Back");
  await expect.poll(() => workbench.stoppedAt(LEAF)).toBeLessThan(before);
});

it("steps out of the leaf, and the trees show the page that it added", async () => {
  await workbench.toolbar("Step Out");
  await workbench.page.locator(`.tab[data-resource-name="${FLOW}"].active`).waitFor();
  await workbench.showTrees();
  await workbench.treeRow("Secure EPT", /^0x0 SEPT_MAPPED.*changed/);
  await workbench.treeRow("PAMT", /PT_REG.*changed/);
  await workbench.screenshot("session-3-page-added");
});

it("takes the page away again by stepping back, and brings it back forwards", async () => {
  await workbench.toolbar("Step Back");
  await expect.poll(async () => (await workbench.treeRows("PAMT")).some((row) => /PT_REG/.test(row))).toBe(false);
  await workbench.page.keyboard.press("F10");
  await workbench.treeRow("PAMT", /PT_REG/);
});

it("stops at a leaf by a function breakpoint, and the trees show the page go", async () => {
  await workbench.page.keyboard.press("F5");
  await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(addLine);
  await workbench.page.keyboard.press("F5");
  await workbench.showTrees();
  for (const line of removeLines) {
    await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(line);
    // A tree opens down to what changed since the last stop: who goes on before it did, does not see it opened later.
    await workbench.treeRow("Secure EPT", line === removeLines[0] ? /^0x10000 SEPT_MAPPED/ : /^0x10000 SEPT_BLOCKED/);
    if (line !== removeLines.at(-1)) await workbench.page.keyboard.press("F5");
  }
  await workbench.screenshot("session-4-function-breakpoint");
  await workbench.page.keyboard.press("F10");
  await workbench.treeRow("Secure EPT", /changed/);
  await expect
    .poll(async () => (await workbench.treeRows("Secure EPT")).some((row) => /^0x10000 /.test(row)))
    .toBe(false);
  await workbench.screenshot("session-5-page-removed");
});

it("runs to the end", async () => {
  await workbench.page.keyboard.press("F5");
  await workbench.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
  expect([...workbench.outside]).toEqual([]);
});
