import { expect, test } from "vitest";
import { leafStatuses } from "../../src/arch/generated/leaf-statuses.ts";
import { guestLeafInfo, hostLeafInfo } from "../../src/arch/generated/leaves.ts";
import { statusCodes } from "../../src/arch/generated/status-codes.ts";
import { statusOf } from "../../src/arch/status.ts";
import { statusAdvice } from "../../src/arch/status-advice.ts";

test.each(statusCodes)("$name: what it tells and what to do", ({ code }) => {
  const { meaning, action } = statusAdvice(code, 0);
  expect(meaning).toMatch(/^[A-Z].*\.$/);
  expect(meaning).not.toContain("no such status");
  expect(action).toMatch(/^[A-Z].*\.$/);
});

test("a number that is no status", () => {
  expect(statusAdvice(0xc00001ff, 0).meaning).toContain("no such status");
});

test("the statuses of a leaf are statuses, and the leaf is one", () => {
  const leaves = new Set([...Object.values(hostLeafInfo), ...Object.values(guestLeafInfo)].map(({ name }) => name));
  for (const [leaf, statuses] of Object.entries(leafStatuses)) {
    expect(leaves).toContain(leaf);
    for (const name of statuses) expect(statusOf(name), name).toBeDefined();
  }
});
