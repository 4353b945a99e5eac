import { describe, expect, it } from "vitest";
import { runInExtensionHost } from "./support/extension-host.ts";

for (const host of ["node", "browser"] as const) {
  const results = await runInExtensionHost(host);

  describe(`inside the extension host (${host})`, () => {
    it("ran tests", () => expect(results.length).toBeGreaterThan(0));
    for (const { name, error } of results) {
      it(name, () => {
        if (error) throw new Error(error);
      });
    }
  });
}
