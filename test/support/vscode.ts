/**
 * The parts of VS Code's API that the trees use, for tests without VS Code: `vitest.config.ts` puts it in place of `vscode`.
 * The editor tests use the real one.
 */
export const TreeItemCollapsibleState = { None: 0, Collapsed: 1, Expanded: 2 };

export class TreeItem {
  readonly label: string;
  readonly collapsibleState: number;

  constructor(label: string, collapsibleState: number) {
    this.label = label;
    this.collapsibleState = collapsibleState;
  }
}

export class ThemeColor {
  readonly id: string;

  constructor(id: string) {
    this.id = id;
  }
}

export class ThemeIcon extends ThemeColor {}

export class EventEmitter<T> {
  readonly #listeners: ((value: T) => void)[] = [];
  readonly event = (listener: (value: T) => void): void => {
    this.#listeners.push(listener);
  };

  fire(value: T): void {
    for (const listener of this.#listeners) listener(value);
  }

  dispose(): void {
    this.#listeners.length = 0;
  }
}

/** What a view was told. */
export class View {
  visible = true;
  description = "";
  readonly revealed: unknown[] = [];

  onDidChangeVisibility(): void {}

  async reveal(node: unknown): Promise<void> {
    this.revealed.push(node);
  }

  dispose(): void {}
}

/** The views made so far, newest last. */
export const views: View[] = [];

export const window = {
  createTreeView(): View {
    const view = new View();
    views.push(view);
    return view;
  },
};

export const workspace = {
  getConfiguration: () => ({ get: <T>(_name: string, preset: T): T => preset }),
};
