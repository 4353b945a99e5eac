import { expect, test } from "vitest";
import { tables } from "../../src/cli/replay-table.ts";
import { replayFolder, total } from "./vectors.ts";

const reports = replayFolder("dev");

test("every recorded call was made (test/vectors/README.md)", () => {
  console.log(tables(reports).join("\n"));
  expect(reports).toHaveLength(269);
  expect(total(reports, ({ seamcalls }) => seamcalls)).toBe(379_290);
  expect(total(reports, ({ guestActions }) => guestActions)).toBe(11_232);
});
