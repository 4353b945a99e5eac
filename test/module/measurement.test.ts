import { createHash } from "node:crypto";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { CONTEXT_TD } from "../../src/module/metadata/field-id.ts";
import { sha384Blocks, sha384Digest, sha384Input, sha384Start, useLibrary } from "../../src/module/sha384.ts";
import { Store } from "../../src/state/store.ts";
import { HOST_PAGE, Host } from "../support/host.ts";

const MRTD = 0x1310_0003_0000_0000n | (BigInt(CONTEXT_TD) << 52n);
const MRTD_ELEMENTS = 6;

afterEach(() => useLibrary(false));

describe.each([
  ["WebAssembly", false],
  ["the library", true],
])("SHA-384 by %s", (_, library) => {
  it("is that of other implementations, however the blocks come, and is undone", () => {
    useLibrary(library);
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 128, maxLength: 128 }), { maxLength: 9 }),
        fc.integer({ min: 1, max: 4 }),
        (blocks, atOnce) => {
          const store = new Store();
          const cell = store.allocate(1);
          sha384Start(store, cell);
          const start = store.mark();
          const hash = createHash("sha384");
          for (let i = 0; i < blocks.length; i += atOnce) {
            const part = blocks.slice(i, i + atOnce);
            const input = sha384Input();
            const bytes = new Uint8Array(input.buffer, input.byteOffset, input.byteLength);
            for (const [j, block] of part.entries()) bytes.set(block, j * 128);
            sha384Blocks(store, cell, part.length);
            for (const block of part) hash.update(block);
          }
          expect(Buffer.from(sha384Digest(store, cell)).toString("hex")).toBe(hash.digest("hex"));
          store.undo(start);
          expect(Buffer.from(sha384Digest(store, cell)).toString("hex")).toBe(createHash("sha384").digest("hex"));
        },
      ),
      { numRuns: 30 },
    );
  });
});

/** Headers as the module hashes them: the operation's name, and the GPA at byte 16. */
function header(operation: string, gpa: number): Buffer {
  const bytes = Buffer.alloc(128);
  bytes.write(operation, "ascii");
  bytes.writeBigUInt64LE(BigInt(gpa), 16);
  return bytes;
}

function mrtd(host: Host, tdr: number): string {
  let hex = "";
  for (let i = 0; i < MRTD_ELEMENTS; i++) {
    host.must("TDH.MNG.RD", { rcx: tdr, rdx: MRTD + BigInt(i) });
    const element = Buffer.alloc(8);
    element.writeBigUInt64LE(host.register("r8"));
    hex += element.toString("hex");
  }
  return hex;
}

describe("MRTD", () => {
  it("is the hash of how the TD was built, zero before the build ends, and follows undo", () => {
    const host = new Host();
    const { store, platform } = host.machine;
    const { tdr } = host.buildTd();
    host.addTables(tdr, 0);
    const contents = new Uint8Array(4096).map((_, i) => (i * 7) & 0xff);
    platform.memory.writeBytes(HOST_PAGE, contents);

    const expected = createHash("sha384");
    const beforePages = store.mark();
    for (const gpa of [0x1000, 0x3000]) {
      host.must("TDH.MEM.PAGE.ADD", { rcx: gpa, rdx: tdr, r8: host.page(), r9: HOST_PAGE });
      expected.update(header("MEM.PAGE.ADD", gpa));
    }
    for (const gpa of [0x3000, 0x3f00, 0x1100]) {
      host.must("TDH.MR.EXTEND", { rcx: gpa, rdx: tdr });
      expected.update(header("MR.EXTEND", gpa)).update(contents.subarray(gpa % 4096, (gpa % 4096) + 256));
    }
    expect(mrtd(host, tdr)).toBe("0".repeat(96));
    const beforeEnd = store.mark();
    host.must("TDH.MR.FINALIZE", { rcx: tdr });
    const built = mrtd(host, tdr);
    expect(built).toBe(expected.digest("hex"));

    store.undo(beforeEnd);
    expect(mrtd(host, tdr)).toBe("0".repeat(96));
    host.must("TDH.MR.FINALIZE", { rcx: tdr });
    expect(mrtd(host, tdr)).toBe(built);

    store.undo(beforePages);
    host.must("TDH.MR.FINALIZE", { rcx: tdr });
    expect(mrtd(host, tdr)).toBe(createHash("sha384").digest("hex"));
  });
});
