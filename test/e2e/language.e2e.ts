import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { Workbench } from "./support/workbench.ts";

/** How long an answer of the language server may take before a person would ask again. */
const PATIENCE_MS = 3000;
const FIXED = "TDH.MEM.PAGE.ADD(";

let workbench: Workbench;

beforeAll(async () => {
  workbench = await Workbench.open(inject("installed"));
});

afterAll(async () => {
  await workbench.screenshot("language-last");
  await workbench.close();
});

/** The text of a file as the editor shows it. */
const shown = (name: string): Promise<string> =>
  workbench
    .editor(name)
    .locator(".view-line")
    .evaluateAll((lines) => lines.map((line) => (line.textContent ?? "").replaceAll("\u00a0", " ")).join("\n"));

it("offers exactly the operands of the leaf inside whose call the cursor is", async () => {
  const { page } = workbench;
  await workbench.openFile("operands.tdx");
  await workbench.goToLine(2);
  await page.keyboard.type("TDH.MEM.SEPT.ADD(");
  const rows = page.locator(".suggest-widget.visible .monaco-list-row");
  await expect
    .poll(async () => {
      if ((await rows.filter({ hasText: "tdr" }).count()) === 1) return true;
      // Typed before the language server answered, the bracket offered nothing.
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+Space");
      await rows
        .first()
        .waitFor({ timeout: PATIENCE_MS })
        .catch(() => undefined);
      return false;
    })
    .toBe(true);
  const labels = await rows.locator(".label-name").evaluateAll((all) => all.map((label) => label.textContent));
  expect(labels).toEqual(["gpa", "tdr", "page", "level", "version"]);
  await workbench.screenshot("language-1-operands");
  await page.keyboard.press("Escape");
});

it("shows a slip and mends it by its quick fix", async () => {
  const { page } = workbench;
  const name = "slip.tdx";
  await workbench.openFile(name);
  await workbench.editor(name).locator(".squiggly-error").waitFor();
  await workbench.goToLine(2);
  const fix = page.locator(".action-widget .monaco-list-row", { hasText: "Change to TDH.MEM.PAGE.ADD" });
  await expect
    .poll(async () => {
      if (await fix.isVisible()) return true;
      // Asked while the window was still busy with opening the file, it says that there are none.
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+.");
      await fix.waitFor({ timeout: PATIENCE_MS }).catch(() => undefined);
      return false;
    })
    .toBe(true);
  await workbench.screenshot("language-2-quick-fix");
  await fix.click();
  await expect.poll(() => shown(name)).toContain(FIXED);
});

it("renames a function in two files that lie open", async () => {
  const { page } = workbench;
  await workbench.openFile("shared-library.tdx");
  await workbench.openFile("shared-user.tdx");
  await workbench.goToLine(3);
  for (let column = 0; column < 10; column++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("F2");
  const input = page.locator(".rename-box input");
  await input.waitFor();
  await input.fill("better_name");
  await input.press("Enter");
  await expect.poll(() => shown("shared-user.tdx")).toMatch(/let one = better_name\(0\)\nexpect better_name\(one\)/);
  await workbench.screenshot("language-3-rename");
  await workbench.openFile("shared-library.tdx");
  await expect.poll(() => shown("shared-library.tdx")).toContain("fn better_name(value)");
});

it("runs a test block by the lens above it", async () => {
  const name = "flow-tests.tdx";
  await workbench.openFile(name);
  const lenses = workbench.editor(name).locator(".codelens-decoration a", { hasText: "Run" });
  await expect.poll(() => lenses.count()).toBe(2);
  await lenses.first().click();
  await workbench.editor(name).locator(".codicon-testing-passed-icon").first().waitFor();
});

it("runs all test blocks from the Test Explorer and says at the line what failed", async () => {
  const { page } = workbench;
  await workbench.command("Testing: Focus on Test Explorer View");
  const rows = page.locator(".test-explorer .monaco-list-row");
  await rows.filter({ hasText: "flow-tests.tdx" }).locator(".monaco-tl-twistie").click();
  await rows.filter({ hasText: "twice doubles" }).waitFor();
  await workbench.command("Test: Run All Tests");
  const results = () =>
    rows.evaluateAll((all) =>
      all.map((row) => row.getAttribute("aria-label") ?? "").filter((label) => /twice/.test(label)),
    );
  await expect.poll(async () => (await results()).join("\n")).toMatch(/twice is wrong.*[Ff]ailed/);
  await expect.poll(async () => (await results()).join("\n")).toMatch(/twice doubles.*[Pp]assed/);
  await workbench.screenshot("language-4-tests");
  await workbench
    .editor("flow-tests.tdx")
    .getByText(/left side is 2/)
    .first()
    .waitFor();
  expect([...workbench.outside]).toEqual([]);
});
