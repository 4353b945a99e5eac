import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { Workbench } from "./support/workbench.ts";

let workbench: Workbench;

beforeAll(async () => {
  workbench = await Workbench.open(inject("installed"));
});
afterAll(async () => {
  await workbench.screenshot("window-last");
  await workbench.close();
});

it("shows a flow as one, and its views", async () => {
  await workbench.openFile("td-lifecycle.tdx");
  await workbench.page.locator(".statusbar-item", { hasText: "TDX Flow" }).waitFor();
  await workbench.showTrees();
  await workbench.screenshot("window-views");
  expect([...workbench.outside]).toEqual([]);
});
