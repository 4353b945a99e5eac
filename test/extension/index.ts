import { runHostTests } from "./harness.ts";
import { languageTests } from "./language.ts";

/** VS Code calls this in its extension host. */
export const run = (): Promise<void> => runHostTests([...languageTests]);
