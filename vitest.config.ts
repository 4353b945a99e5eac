import { resolve } from "node:path";
import { defineConfig } from "vitest/config";
import { leafTransform } from "./scripts/leaf-transform.ts";

export default defineConfig({
  plugins: [{ ...leafTransform(), enforce: "pre" }],
  test: {
    projects: [
      {
        extends: true,
        resolve: { alias: { vscode: resolve(import.meta.dirname, "test/support/vscode.ts") } },
        test: { name: "unit", include: ["test/**/*.test.ts"], testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: "editor",
          include: ["test/**/*.e2e.ts"],
          globalSetup: ["test/e2e/support/global-setup.ts"],
          // One VS Code and one browser serve all files; two at a time would only fight for them.
          fileParallelism: false,
          expect: { poll: { timeout: 20_000 } },
          testTimeout: 90_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
