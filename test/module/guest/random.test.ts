import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { guestLeafInfo } from "../../../src/arch/generated/leaves.ts";
import type { GuestAction } from "../../../src/module/guest/actions.ts";
import { checkInvariants } from "../../../src/module/invariants.ts";
import { survey } from "../../../src/module/survey.ts";
import { FREE, Guest, MAPPED, PENDING, SHARED_GPA } from "../../support/guest.ts";

const PAGE = 4096;

/** Operands of which many mean something: GPAs, small numbers, field ids, anything. */
const operand = fc.oneof(
  fc.constantFrom(MAPPED, MAPPED + PAGE, PENDING, PENDING + PAGE, FREE, SHARED_GPA).map(BigInt),
  fc.bigInt(0n, 8n),
  fc.constantFrom(0xffff_ffff_ffff_ffffn, 0x9010_0003_0000_0010n, 0x1d9n, 0xc000_0080n, 0x8000_0000n),
  fc.bigInt(0n, 0xffff_ffff_ffff_ffffn),
);
const registers = fc.array(operand, { minLength: 16, maxLength: 16 });
const leaf = fc.constantFrom(...Object.keys(guestLeafInfo).map(BigInt));
const u32 = fc.nat(0xffff_ffff);

const vmexit: fc.Arbitrary<GuestAction> = fc.record(
  {
    action: fc.constant("vmexit" as const),
    reason: fc.oneof(
      fc.nat(80),
      fc.nat(80).map((reason) => reason + 2 ** 26),
      u32,
    ),
    qualification: operand,
    interruption: fc.constantFrom(0, 0x8000_0202, 0x8000_0312, 0x8000_0b0e, 0x8000_0020),
    gpa: operand,
    gla: operand,
    instructionLength: fc.nat(15),
    idtVectoring: fc.constantFrom(0, 0, 0x8000_0314, 0x8000_0b08, 0x8000_0202),
  },
  { requiredKeys: ["action", "reason"] },
);
const access: fc.Arbitrary<GuestAction> = fc.record({
  action: fc.constant("access" as const),
  gpa: fc.constantFrom(MAPPED, PENDING, PENDING + PAGE, FREE, SHARED_GPA, 2 ** 50, 2 ** 52),
  kind: fc.constantFrom("r" as const, "w" as const, "x" as const),
  data: fc.constant(new Uint8Array([1, 2, 3])),
});
const guestAction = fc.oneof(
  { weight: 4, arbitrary: fc.constant<GuestAction>({ action: "tdcall" }) },
  { weight: 2, arbitrary: access },
  { weight: 2, arbitrary: vmexit },
  { weight: 1, arbitrary: fc.constantFrom<GuestAction>({ action: "cpuid" }, { action: "rdmsr" }, { action: "wrmsr" }) },
  { weight: 1, arbitrary: fc.constant<GuestAction>({ action: "advance", bytes: 3 }) },
);
const hostCall = fc.record({
  leaf: fc.constantFrom("TDH.MEM.RANGE.BLOCK", "TDH.MEM.TRACK", "TDH.MEM.RANGE.UNBLOCK", "TDH.MEM.PAGE.REMOVE"),
  gpa: fc.constantFrom(MAPPED, PENDING, FREE),
});
const turn = fc.record({ lp: fc.nat(1), registers, leaf, action: guestAction, host: fc.option(hostCall, { freq: 4 }) });

describe.each([true, false])("a random guest, debuggable: %s", (debug) => {
  const guest = new Guest({ debug, vcpus: 2 });
  const { host, machine, tdr } = guest;
  guest.enter({}, 1, guest.vcpus[1]);
  guest.do({ action: "longmode" }, 1);
  const { store, platform } = machine;
  const start = store.mark();
  const startHash = store.hash();

  it("breaks no invariant whatever it does, and is undone turn by turn", () => {
    fc.assert(
      fc.property(fc.array(turn, { minLength: 5, maxLength: 40 }), (turns) => {
        store.undo(start); // where an earlier failure left off
        const hashes: string[] = [];
        const marks: number[] = [];
        let before = survey(machine);
        for (const { lp, registers: values, leaf: number, action, host: call } of turns) {
          hashes.push(store.hash());
          marks.push(store.mark());
          if (call) {
            const rcx = call.leaf === "TDH.MEM.TRACK" ? tdr : call.gpa;
            host.call(call.leaf, { rcx, rdx: tdr }, 2);
          } else if (machine.inGuest(lp)) {
            values.forEach((value, register) => {
              platform.writeGpr(lp, register, value);
            });
            if (action.action === "tdcall") platform.writeGpr(lp, 0, number);
            const result = machine.guest(lp, action);
            expect(result.kind === "exit").toBe(!machine.inGuest(lp));
          } else {
            host.call("TDH.VP.ENTER", { rcx: guest.vcpus[lp] as number }, lp);
          }
          expect(checkInvariants(machine, before)).toEqual([]);
          before = survey(machine);
        }
        for (let i = marks.length - 1; i >= 0; i--) {
          store.undo(marks[i] as number);
          expect(store.hash()).toBe(hashes[i]);
        }
        store.undo(start);
        expect(store.hash()).toBe(startHash);
      }),
      { numRuns: 40 },
    );
  });
});
