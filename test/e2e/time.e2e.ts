import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { Workbench } from "./support/workbench.ts";

const FLOW = "what-if.tdx";

let workbench: Workbench;

beforeAll(async () => {
  workbench = await Workbench.open(inject("installed"));
  await workbench.openFile(FLOW);
});

afterAll(async () => {
  await workbench.screenshot("time-last");
  await workbench.close();
});

const variables = (): Promise<string[]> => workbench.treeRows("Variables");

/** Presses a key until the arrow stands in a line: a key is lost while the session has not settled. */
async function goTo(key: string, line: number): Promise<void> {
  await workbench.page.keyboard.press(key);
  await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(line);
}

/** One story, told in the order in which a user does it: each test goes on where the one before ended. */
it("goes forward and a step back into the past", async () => {
  await workbench.page.keyboard.press("F5");
  await workbench.page.locator(".debug-toolbar").waitFor();
  await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(1);
  for (const line of [2, 3, 4, 5]) await goTo("F10", line);
  await workbench.toolbar("Step Back");
  await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(4);
  await workbench.toolbar("Step Back");
  await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(3);
  await expect.poll(variables).toContain("n, value 1");
});

it("begins another branch with a value that is set in the Variables view", async () => {
  const { page } = workbench;
  const row = workbench.pane("Variables").locator('.monaco-list-row[aria-label="n, value 1"]');
  const input = workbench.pane("Variables").locator(".inputBoxContainer input");
  // A view that is drawn anew under the click has another row there.
  await expect
    .poll(async () => {
      const value = (await input.count()) === 1 ? await input.inputValue() : undefined;
      if (value === "1") return value;
      if (value !== undefined) await page.keyboard.press("Escape");
      await row.click();
      await page.keyboard.press("F2");
      return undefined;
    })
    .toBe("1");
  await input.fill("40");
  await input.press("Enter");
  await expect.poll(variables).toContain("n, value 40");
  await page.locator(".statusbar-item", { hasText: "Branch 2 of 2" }).waitFor();
  await workbench.screenshot("time-1-branch");
  for (const line of [4, 5]) await goTo("F10", line);
  await expect.poll(variables).toContain("n, value 42");
});

it("goes back to the old branch as it was left", async () => {
  const { page } = workbench;
  await page.locator(".statusbar-item", { hasText: "Branch 2 of 2" }).click();
  const old = page.locator('.quick-input-list .monaco-list-row[aria-label*="Branch 1,"]');
  await expect.poll(() => old.textContent()).toContain("nothing edited");
  await old.click();
  await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(3);
  await expect.poll(variables).toContain("n, value 1");
  await page.locator(".statusbar-item", { hasText: "Branch 1 of 2" }).waitFor();
  for (const line of [4, 5]) await goTo("F10", line);
  await expect.poll(variables).toContain("n, value 3");
});

it("goes to a call that is chosen from the list of milestones", async () => {
  const { page } = workbench;
  await page.keyboard.press("Alt+Shift+F7");
  const call = page.locator('.quick-input-list .monaco-list-row[aria-label*="TDH.SYS.INIT"]');
  await expect.poll(() => call.textContent()).toContain("TDX_SUCCESS");
  await workbench.screenshot("time-2-milestones");
  await call.click();
  await expect.poll(() => workbench.stoppedAt(FLOW)).toBe(1);
  await page.keyboard.press("F5");
  await page.locator(".debug-toolbar").waitFor({ state: "hidden" });
  expect([...workbench.outside]).toEqual([]);
});
