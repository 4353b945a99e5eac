import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Memory } from "../../src/platform/memory.ts";
import { Store } from "../../src/state/store.ts";

const GiB = 2 ** 30;

function fresh(): { store: Store; memory: Memory } {
  const store = new Store();
  store.allocate(2 ** 44); // cell 0 is never a page's
  return { store, memory: new Memory(store) };
}

const place = fc
  .record({ gib: fc.constantFrom(0, 1, 4, 63, 2 ** 20), page: fc.nat(3), byte: fc.nat(4095) })
  .map(({ gib, page, byte }) => gib * GiB + page * 4096 + byte);

describe("memory", () => {
  it("reads back what was written, byte by byte, over page borders and at any alignment", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(place, fc.uint8Array({ maxLength: 5000 })), { maxLength: 6 }), (writes) => {
        const { memory } = fresh();
        const model = new Map<number, number>();
        for (const [hpa, bytes] of writes) {
          memory.writeBytes(hpa, bytes);
          for (const [i, byte] of bytes.entries()) model.set(hpa + i, byte);
        }
        for (const [hpa, bytes] of writes) {
          const read = memory.readBytes(hpa, bytes.length);
          expect([...read]).toEqual([...bytes.keys()].map((i) => model.get(hpa + i)));
        }
      }),
    );
  });

  it("takes no block for a page of zeros", () => {
    const { memory } = fresh();
    memory.writeBytes(5 * GiB, new Uint8Array(4096));
    memory.fill(6 * GiB, 0, 2 ** 21);
    memory.write32(7 * GiB, 0);
    expect([...memory.residentPages()]).toEqual([]);
    memory.write32(7 * GiB + 8, 1);
    expect([...memory.residentPages()]).toEqual([7 * GiB]);
  });

  it("copies, fills and zeroes pages, and undo takes it back", () => {
    const { store, memory } = fresh();
    memory.fill(4096, 0xab, 4096);
    const before = store.hash();
    store.mark();
    memory.copyPage(4096, 3 * GiB);
    memory.zeroPage(4096);
    memory.fill(8192, 0x11, 100);
    expect(memory.readBytes(3 * GiB, 4096)).toEqual(new Uint8Array(4096).fill(0xab));
    expect(memory.read32(4096)).toBe(0);
    expect(memory.readBytes(8192 + 98, 4)).toEqual(Uint8Array.of(0x11, 0x11, 0, 0));
    store.undo(1);
    expect(store.hash()).toBe(before);
    expect(memory.read32(3 * GiB)).toBe(0);
  });

  it("says which address a cell of it has", () => {
    const { store, memory } = fresh();
    expect(memory.hpaOf(memory.cell(9 * GiB + 0x124))).toBe(9 * GiB + 0x124);
    expect(memory.hpaOf(3)).toBeUndefined();
    expect(store.tagOf(3)).toBe(2 ** 44);
  });
});
