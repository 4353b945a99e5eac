import fc from "fast-check";
import { expect, test } from "vitest";
import { formatU64, parsed, parseU64, toBig } from "../../src/arch/u64.ts";

const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

test("halves and text name the same number", () => {
  fc.assert(
    fc.property(word, (value) => {
      const text = `0x${value.toString(16)}`;
      expect(parseU64(text)).toBe(true);
      expect(toBig(parsed.lo, parsed.hi)).toBe(value);
      expect(formatU64(parsed.lo, parsed.hi)).toBe(text);
    }),
  );
});

test("takes leading zeros and upper case", () => {
  expect(parseU64("0x00000000DEADbeef")).toBe(true);
  expect([parsed.lo, parsed.hi]).toEqual([0xdeadbeef, 0]);
});

test.each(["", "0x", "12", "0x1g", "0x11111111222222223", "x12", "0x-1", " 0x1"])("%j is no number", (text) => {
  expect(parseU64(text)).toBe(false);
});
