import { expect, test } from "vitest";
import { replayFolder, total } from "./vectors.ts";

const reports = replayFolder("contention");

test("every recorded call was made (test/vectors/README.md)", () => {
  expect(reports).toHaveLength(225);
  expect(total(reports, ({ seamcalls }) => seamcalls)).toBe(350_455);
});
