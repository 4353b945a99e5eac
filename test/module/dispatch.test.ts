import { describe, expect, it } from "vitest";
import { RAX, RCX } from "../../src/arch/registers.ts";
import { Machine } from "../../src/module/machine.ts";
import { parseTrace } from "../../src/module/step.ts";

/** RAX after a SEAMCALL with this RAX on a freshly powered platform. */
function answer(rax: bigint): bigint {
  const machine = new Machine();
  machine.platform.writeGpr(0, RAX, rax);
  machine.seamcall(0);
  return machine.platform.readGpr(0, RAX);
}

describe("the SEAMCALL dispatcher", () => {
  it("refuses reserved bits of RAX before anything else", () => {
    expect(answer(0x0100_0006n)).toBe(0xc000_0100_0000_0000n);
    expect(answer(0x1_0000_0006n)).toBe(0xc000_0100_0000_0000n);
  });

  it("refuses a version that the leaf does not have", () => {
    expect(answer(0x1_0006n)).toBe(0xc000_0100_0000_0000n);
  });

  it("lets nothing but initialisation through before the system is ready", () => {
    expect(answer(6n)).toBe(0xc000_0505_0000_0000n);
  });

  it("keeps every register but RAX", () => {
    const machine = new Machine();
    for (let register = 0; register < 16; register++) machine.platform.writeGpr(1, register, BigInt(register) << 33n);
    machine.platform.writeGpr(1, RAX, 6n);
    machine.seamcall(1);
    for (let register = RCX; register < 16; register++) {
      expect(machine.platform.readGpr(1, register)).toBe(BigInt(register) << 33n);
    }
  });

  it("can be stepped, with the place of each step", () => {
    const machine = new Machine();
    machine.platform.writeGpr(0, RAX, 6n);
    const entry = machine.beginSeamcall(0);
    const labels: string[] = [];
    for (let next = entry.next; next !== undefined; next = entry.step()) {
      const { label, frames } = parseTrace(next);
      labels.push(label);
      expect(frames.at(-1)?.file).toBe("src/module/dispatch.ts");
      expect(frames.at(-1)?.line).toBeGreaterThan(1);
    }
    expect(labels).toEqual([
      "check the leaf number and version in RAX",
      "check that the system's state allows the leaf",
    ]);
    expect(machine.platform.readGpr(0, RAX)).toBe(0xc000_0505_0000_0000n);
    expect(machine.quiescent).toBe(true);
  });
});
