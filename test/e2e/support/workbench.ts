import { join } from "node:path";
import { type Browser, chromium, type Locator, type Page } from "playwright-core";
import { inject } from "vitest";

/**
 * A VS Code window as a user sees it. The selectors are VS Code's own and held from 1.99 to 1.139.
 *
 * Lists are virtual and redraw at any time, so rows are read in one go inside the page, and a wait states what must become
 * true instead of how long it takes.
 */
export class Workbench {
  readonly page: Page;
  readonly #browser: Browser;
  /** Hosts other than this machine that the window asked for: there must be none. */
  readonly outside = new Set<string>();

  constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.page = page;
  }

  /**
   * @param query beside the folder, which is the workspace
   * @param prepare done before the page loads
   */
  static async open(
    url: string,
    query: Readonly<Record<string, string>> = {},
    prepare: (page: Page) => Promise<void> = async () => undefined,
  ): Promise<Workbench> {
    const browser = await chromium.connect(inject("browser"));
    const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-US" });
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const workbench = new Workbench(browser, page);
    const host = new URL(url).host;
    await context.route(
      (target) => target.protocol.startsWith("http") && target.host !== host,
      (route) => {
        workbench.outside.add(new URL(route.request().url()).host);
        return route.abort();
      },
    );
    await prepare(page);
    await page.goto(`${url}?${new URLSearchParams({ folder: inject("workspace"), ...query })}`);
    await page.locator(".monaco-workbench .part.activitybar").waitFor();
    return workbench;
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  async screenshot(name: string): Promise<void> {
    await this.page.screenshot({ path: join(inject("output"), `${name}.png`) });
  }

  editor(name: string): Locator {
    return this.page.locator(`.monaco-editor[data-uri$='${name}']`);
  }

  async openFile(name: string): Promise<void> {
    // Asked before VS Code knows the folder's files, the list stays empty.
    for (let attempt = 1; !(await this.#tryToOpen(name)); attempt++) {
      if (attempt === 4) throw new Error(`no file ${name} is offered`);
    }
    await this.page.locator(`.tab[data-resource-name="${name}"].active`).waitFor();
    await this.editor(name).locator(".view-line").first().waitFor();
  }

  async #tryToOpen(name: string): Promise<boolean> {
    await this.page.keyboard.press("Control+P");
    try {
      await this.#pick(name, name, 6000);
      return true;
    } catch {
      await this.page.keyboard.press("Escape");
      return false;
    }
  }

  /** Runs a command by its title in the palette. */
  async command(title: string): Promise<void> {
    await this.page.keyboard.press("F1");
    await this.#pick(`>${title}`, title);
    await this.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  }

  async #pick(text: string, row: string, timeout = 20_000): Promise<void> {
    await this.page.locator(".quick-input-widget:visible .quick-input-box input").fill(text);
    // Until the list follows the text, Enter would pick another row.
    await this.page.locator(".quick-input-list .monaco-list-row.focused").filter({ hasText: row }).waitFor({ timeout });
    await this.page.keyboard.press("Enter");
  }

  /** Presses a button of the debug toolbar, once it can be pressed. */
  async toolbar(title: string): Promise<void> {
    await this.page.locator(`.debug-toolbar .action-label:not(.disabled)[aria-label^="${title}"]`).click();
  }

  /** Moves the cursor to a line, which scrolls it into view. */
  async goToLine(line: number): Promise<void> {
    await this.page.keyboard.press("Control+G");
    await this.page.locator(".quick-input-widget:visible .quick-input-box input").fill(`:${line}`);
    await this.page.keyboard.press("Enter");
    await this.page.locator(".quick-input-widget").waitFor({ state: "hidden" });
  }

  /** Clicks beside a line of the file in front, until its breakpoint is there. */
  async clickGutter(name: string, line: number): Promise<void> {
    const editor = this.editor(name);
    const glyphs = editor.locator(".glyph-margin-widgets [class*='codicon-debug-breakpoint']");
    const before = await glyphs.count();
    for (let attempt = 0; attempt < 5; attempt++) {
      const number = await editor
        .locator(".margin-view-overlays .line-numbers", { hasText: new RegExp(`^${line}$`) })
        .boundingBox();
      const margin = await editor.locator(".margin").first().boundingBox();
      if (!number || !margin) throw new Error(`line ${line} of ${name} is not on screen`);
      // The glyphs are the leftmost column of the margin.
      await this.page.mouse.click(margin.x + 9, number.y + number.height / 2);
      for (let wait = 0; wait < 20; wait++) {
        if ((await glyphs.count()) > before) return;
        await this.page.waitForTimeout(100);
      }
    }
    throw new Error(`no breakpoint at line ${line} of ${name}`);
  }

  /** Waits until the yellow arrow stands in a file, and gives its line. */
  async stoppedAt(name: string): Promise<number> {
    const arrow = this.editor(name).locator(".codicon-debug-stackframe").first();
    await arrow.waitFor();
    const top = (await arrow.boundingBox())?.y ?? 0;
    const lines = await this.editor(name)
      .locator(".margin-view-overlays .line-numbers")
      .evaluateAll((all) => all.map((e) => ({ y: e.getBoundingClientRect().y, line: Number(e.textContent) })));
    lines.sort((a, b) => Math.abs(a.y - top) - Math.abs(b.y - top));
    return lines[0]?.line ?? 0;
  }

  /** The functions of the call stack, innermost first. */
  async callStack(): Promise<string[]> {
    const labels = await this.page
      .locator(".debug-call-stack .monaco-list-row .stack-frame .label")
      .evaluateAll((rows) => rows.map((row) => row.textContent ?? ""));
    return labels;
  }

  async showTrees(): Promise<void> {
    await this.#showContainer("TDX", "PAMT");
  }

  async showDebugView(): Promise<void> {
    await this.#showContainer("Run and Debug", "Breakpoints");
  }

  /** Shows views of the side bar by their icon: a press on the icon of what is shown would hide them. */
  async #showContainer(icon: string, view: string): Promise<void> {
    const item = this.page.locator(".activitybar .action-item", { has: this.page.locator(`[aria-label^="${icon}"]`) });
    const header = this.page.locator(`.pane-header[aria-label^="${view}"]`);
    if (!(await header.isVisible())) await item.click();
    await header.waitFor();
  }

  /** Names a function to stop in, in the Breakpoints view. */
  async addFunctionBreakpoint(name: string): Promise<void> {
    const pane = this.pane("Breakpoints");
    await pane.locator(".pane-header").hover();
    await pane.locator('[aria-label^="Add Function Breakpoint"]').click();
    const input = this.page.locator(".debug-breakpoints .inputBoxContainer input");
    await input.fill(name);
    await input.press("Enter");
    await this.page.locator(".debug-breakpoints .monaco-list-row", { hasText: name }).waitFor();
  }

  pane(title: string): Locator {
    return this.page.locator(".pane", { has: this.page.locator(`.pane-header[aria-label^="${title}"]`) });
  }

  /** What a tree shows, a row each: what is read aloud, which includes "changed". */
  async treeRows(title: string): Promise<string[]> {
    return this.pane(title)
      .locator(".monaco-list-row")
      .evaluateAll((rows) => rows.map((row) => row.getAttribute("aria-label") ?? ""));
  }

  /** Waits until some row of a tree matches, and gives it. */
  async treeRow(title: string, pattern: RegExp, timeout = 15_000): Promise<string> {
    const end = Date.now() + timeout;
    for (;;) {
      const rows = await this.treeRows(title);
      const row = rows.find((text) => pattern.test(text));
      if (row) return row;
      if (Date.now() > end) throw new Error(`no row ${pattern} in ${title}; there are:\n${rows.join("\n")}`);
      await this.page.waitForTimeout(100);
    }
  }
}
