import type { ExtensionContext } from "vscode";
import { activateWith } from "./activate.ts";

export function activate(context: ExtensionContext): void {
  activateWith(context, () => {
    throw new Error("no adapter in this build");
  });
}
