/**
 * The run variant of a module is the same source without its steps, so TypeScript cannot see its types. The one importer
 * of such a module gives them: `import { leaves } from "./leaves.ts?run"` is `unknown`, to be read as `RunTable<typeof
 * import("./leaves.ts").leaves>` (see step.ts).
 */
declare module "*?run" {
  export const dispatch: unknown;
  export const leaves: unknown;
}
