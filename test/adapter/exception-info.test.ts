/** What a stop for an error tells: the check, what it found, who wrote that last, what hosts do. */
import { describe, expect, it } from "vitest";
import { Client, ROOT } from "./support.ts";

const PROGRAM = `${ROOT}/scenarios/test-of-errors.tdx`;
const TD = `import "tdx/host"
let td = new_td({ attributes: TDX_TD_ATTR_SEPT_VE_DISABLE, pages: 2 })
let tdr = td.tdr
let v = td.vcpus[0].tdvpr
`;
const BUSY = `let stop = false
guest v { while !stop { yield }  vm_exit(EXIT_REASON_EXTERNAL_INTERRUPT) }
TDH.VP.FLUSH(tdvpr: v)
spawn runner on lp 2 { TDH.VP.ENTER(tdvpr: v) }
yield
TDH.VP.FLUSH(tdvpr: v)
`;

async function explained(text: string, filters = ["flow-error", "expect"]): Promise<string> {
  const client = new Client({ [PROGRAM]: text });
  await client.launch(PROGRAM, { filters });
  await client.event("stopped");
  const before = await client.move("continue");
  expect(before.reason).toBe("exception");
  const { description } = await client.request("exceptionInfo", { threadId: 1 });
  // Explaining runs things again: nothing of it is seen.
  expect(await client.place()).toBe(before.place);
  const again = await client.request("exceptionInfo", { threadId: 1 });
  expect(again.description).toBe(description);
  return description;
}

const CASES: readonly (readonly [what: string, text: string, ...says: (string | RegExp)[]])[] = [
  [
    "a page that is not blocked",
    `${TD}TDH.MEM.PAGE.REMOVE(gpa: 0, level: 0, tdr: tdr)`,
    "TDH.MEM.PAGE.REMOVE returned TDX_GPA_RANGE_NOT_BLOCKED(RCX)",
    /It ended at: check that the page is blocked .* \(src\/module\/host\/tdh-mem-page-remove\.ts:\d+\)/,
    "It found: the S-EPT entry of level 0 is SEPT_MAPPED",
    /Last changed: S-EPT entry of td0, level 0, GPA 0x0, at step \d+ by TDH\.MEM\.PAGE\.ADD at host\.tdx:\d+/,
    "What hosts do: TDH.MEM.RANGE.BLOCK, TDH.MEM.TRACK",
  ],
  [
    "TLB tracking that was not done",
    `${TD}TDH.MEM.RANGE.BLOCK(gpa: 0, level: 0, tdr: tdr)\nTDH.MEM.PAGE.REMOVE(gpa: 0, level: 0, tdr: tdr)`,
    "TDX_TLB_TRACKING_NOT_DONE",
    "it was blocked in epoch 1; the TD is in epoch 1",
    /Last changed: PAMT entry of 0x\w+ · private page of td0 at GPA 0x0, at step \d+ by TDH\.MEM\.RANGE\.BLOCK/,
    /Last changed: TDCS\.TD_EPOCH of td0/,
  ],
  [
    "a state that an earlier call has changed",
    `${TD}let p = alloc_page()\nTDH.MEM.PAGE.ADD(gpa: 0x3000, level: 0, tdr: tdr, hpa: p, source: p)`,
    "It found: the TD is RUNNABLE",
    /Last changed: TDCS\.OP_STATE of td0, at step \d+ by TDH\.MR\.FINALIZE at host\.tdx:\d+/,
  ],
  [
    "a missing table",
    `${TD}let p = alloc_page()\nTDH.MEM.PAGE.AUG(gpa: 1G, level: 0, tdr: tdr, hpa: p)`,
    "the S-EPT entry of level 2 is SEPT_FREE",
    /Last changed: S-EPT entry of td0, level 2, GPA 0x40000000, at step \d+ by TDH\.MEM\.SEPT\.ADD/,
  ],
  [
    "a KeyID in use",
    `${TD}let p = alloc_page()\nTDH.MNG.CREATE(tdr: p, hkid: td.hkid)`,
    "It found: KeyID 33 is ASSIGNED",
    /Last changed: key ownership of KeyID 33, at step \d+ by TDH\.MNG\.CREATE/,
    "What hosts do: Choose another private KeyID.",
  ],
  [
    "a page that the call itself has locked",
    `${TD}TDH.MEM.PAGE.AUG(gpa: 0x3000, level: 0, tdr: tdr, hpa: tdr)`,
    "TDX_OPERAND_BUSY(R8)",
    /this very call holds it \(PAMT entry of 0x\w+ · TDR of td0\)/,
    "repeating the call cannot help",
  ],
  [
    "a lock that an entered VCPU holds",
    TD + BUSY,
    "TDX_OPERAND_BUSY(RCX)",
    /Last changed: PAMT entry of 0x\w+ · TDVPR of td0, vcpu 0, at step \d+ by TDH\.VP\.ENTER/,
    "What hosts do: Repeat the call",
  ],
  [
    "an operand that is wrong by itself",
    `${TD}TDH.MEM.PAGE.AUG(gpa: 0x3008, level: 0, tdr: tdr, hpa: 0x1234)`,
    "It found: GPA 0x3008 with level 0: it must be aligned",
  ],
  [
    "a bring-up in the wrong order",
    "TDH.SYS.INIT()\nTDH.SYS.CONFIG(tdmr_infos: 0x200_0000, count: 1, hkid: 32)",
    "It found: 0 of 4 LPs did TDH.SYS.LP.INIT",
    "Last changed: STATE of the TDX module, at step 0 by TDH.SYS.INIT at test-of-errors.tdx:1",
  ],
  [
    "a failed expect, by the variables that it compares",
    "let a = { x: 4 }\nlet b = 5\nb = 6\nexpect a.x == b",
    "expected a.x == b; the left side is 4, the right side 6",
    "Last changed: b, at step 2 by test-of-errors.tdx:3",
  ],
];

describe("an error is explained", () => {
  it.each(CASES.map(([what, text, ...says]) => ({ what, text, says })))("$what", async ({ text, says }) => {
    const description = await explained(text);
    for (const part of says) {
      const found = typeof part === "string" ? description.includes(part) : part.test(description);
      expect(found, `${part} in\n${description}`).toBe(true);
    }
    if (/INVALID/.test(description)) expect(description).not.toContain("Last changed");
  });

  it("an exit for a page that waits for its guest", async () => {
    const flow = `${TD}let p = alloc_page()
guest v { write64(0x3000, 5) }
TDH.MEM.PAGE.AUG(gpa: 0x3000, level: 0, tdr: tdr, hpa: p)
TDH.VP.ENTER(tdvpr: v)
`;
    const description = await explained(flow, ["ept-violation-pending"]);
    expect(description).toContain("The guest touched private GPA 0x3000: its S-EPT entry of level 0 is SEPT_PENDING.");
    expect(description).toContain("the guest has to accept the page (TDG.MEM.PAGE.ACCEPT)");
  });
});

it("the call with which a flow failed is there however its end was reached, and whatever was asked about it", async () => {
  const client = new Client({ [PROGRAM]: `${TD}TDH.MEM.PAGE.REMOVE(gpa: 0, level: 0, tdr: tdr)\n` });
  await client.launch(PROGRAM, { launch: { stopAtEnd: true }, filters: ["flow-error"] });
  await client.event("stopped");
  const status = async (): Promise<string | undefined> => {
    return (await client.scope("TDH.MEM.PAGE.REMOVE"))["status (rax)"]?.value;
  };
  await client.move("continue");
  expect(await status()).toContain("TDX_GPA_RANGE_NOT_BLOCKED");
  await client.request("exceptionInfo", { threadId: 1 });
  expect(await status()).toContain("TDX_GPA_RANGE_NOT_BLOCKED");
  await client.move("tdx/reverseIn");
  await client.move("next");
  expect(await status()).toContain("TDX_GPA_RANGE_NOT_BLOCKED");
  await client.move("tdx/goToStep", { step: 0 });
  await client.move("tdx/goToStep", { step: 100_000 });
  expect(await status()).toContain("TDX_GPA_RANGE_NOT_BLOCKED");
});
