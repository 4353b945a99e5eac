import { describe, expect, it } from "vitest";
import { runInExtensionHost } from "./support/extension-host.ts";

const results = await runInExtensionHost();

describe("inside the extension host", () => {
  it("ran tests", () => expect(results.length).toBeGreaterThan(0));
  for (const { name, error } of results) {
    it(name, () => {
      if (error) throw new Error(error);
    });
  }
});
