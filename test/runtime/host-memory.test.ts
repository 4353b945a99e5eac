import { describe, expect, it } from "vitest";
import { run } from "./support.ts";

describe("what the host does to memory", () => {
  it("reads back what it wrote, under any shared KeyID", async () => {
    const output = await run(`
      write64(0x1000, 0x1122)
      log "{hex(read64(with_keyid(0x1000, 1)))} {hazards()} {last_hazard()}"
    `);
    expect(output).toEqual(["0x1122 0 null"]);
  });

  it("cannot use a private KeyID", async () => {
    await expect(run("read64(with_keyid(0x1000, 33))")).rejects.toThrow(/1:1 .*private KeyID 33.*shared KeyIDs only/);
  });

  it("copies lines with MOVDIR64B, aligned only", async () => {
    const output = await run(`
      fill(0x1000, 0xab, 64)
      movdir64b(0x2040, 0x1000)
      clflush(0x2040)
      wbinvd()
      log "{hex(read64(0x2078))}"
    `);
    expect(output).toEqual(["0xabababababababab"]);
    await expect(run("movdir64b(0x2041, 0x1000)")).rejects.toThrow(/not aligned to 64 bytes/);
  });
});
