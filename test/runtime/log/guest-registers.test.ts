import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { RCX } from "../../../src/arch/registers.ts";
import { Replayer } from "../../../src/runtime/log/replayer.ts";
import { LogScanner } from "../../../src/runtime/log/scan.ts";

const GUEST_EXITS = join(import.meta.dirname, "../../vectors/dev/guest-exits.0.jsonl.gz");

test("an MSR access without an exit leaves the guest the registers of its last entry", () => {
  const log = gunzipSync(readFileSync(GUEST_EXITS));
  const native = log.subarray(0, log.indexOf("\n", log.indexOf('"native":true')));
  const scanner = new LogScanner(native);
  scanner.next();
  const replayer = new Replayer(scanner);
  let before = 0n;
  let last = "";
  while (scanner.next()) {
    before = replayer.machine.platform.readGpr(0, RCX);
    last = scanner.text();
    replayer.run();
  }
  expect(last).toContain('"rcx":"0x10"');
  expect(replayer.mismatches).toEqual([]);
  expect(before).not.toBe(0x10n);
  expect(replayer.machine.platform.readGpr(0, RCX)).toBe(before);
});
