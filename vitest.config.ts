import { defineConfig } from "vitest/config";
import { leafTransformVite } from "./scripts/leaf-transform.ts";

export default defineConfig({
  plugins: [leafTransformVite()],
  test: {
    include: ["test/**/*.test.ts"],
    // The two variants of a leaf are two modules; a shared cache of worker threads would not mix them, but forks keep
    // the typed-array heaps of large tests apart.
    pool: "forks",
    testTimeout: 20_000,
  },
});
