import { runHostTests } from "./harness.ts";
import { languageTests } from "./language.ts";
import { sessionTests } from "./session.ts";

/** VS Code calls this in its extension host. */
export const run = (): Promise<void> => runHostTests([...languageTests, ...sessionTests]);
