import { expect, test } from "vitest";
import { replayFolder, total } from "./vectors.ts";

const reports = replayFolder("contention");

test("every recorded call was made", () => {
  expect(reports).toHaveLength(225); // test/vectors/README.md, "Families"
  expect(total(reports, ({ seamcalls }) => seamcalls)).toBe(143_507);
  expect(total(reports, ({ guestActions }) => guestActions)).toBe(1_131);
});
