import { expect, it } from "vitest";
import { TDX_GPA_RANGE_NOT_BLOCKED } from "../../../src/arch/generated/status-codes.ts";
import { Guest } from "../../support/guest.ts";
import { status } from "../../support/host.ts";

const LARGE = 2 ** 21;
const LARGE_GPA = LARGE + 1;
const ACCEPTED = 0x1f_f000n;
const RCX = 1;

// Intel: tdh_mem_page_remove clears the counter in its copy (sept_cleanup_if_pending) before it checks that the page is blocked;
// tdh_mem_sept_rd reports the copy as it was read, since set_arch_septe_details_in_vmm_regs clears another one.
it("hides how many small pages of a large page are accepted from a refused TDH.MEM.PAGE.REMOVE, not from TDH.MEM.SEPT.RD", () => {
  const guest = new Guest();
  const { host, tdr } = guest;
  const hpa = BigInt(host.page(LARGE));
  host.must("TDH.MEM.PAGE.AUG", { rcx: LARGE_GPA, rdx: tdr, r8: hpa }, 1);
  host.machine.platform.setInterrupt(2, 1);
  guest.tdcall("TDG.MEM.PAGE.ACCEPT", { rcx: LARGE_GPA });
  host.machine.platform.setInterrupt(-1, 0);

  host.must("TDH.MEM.SEPT.RD", { rcx: LARGE_GPA, rdx: tdr }, 1);
  expect(host.register("rcx", 1) & (hpa | ACCEPTED)).toBe(hpa | 0x3000n);
  const refused = host.call("TDH.MEM.PAGE.REMOVE", { rcx: LARGE_GPA, rdx: tdr }, 1);
  expect(refused).toBe(status(TDX_GPA_RANGE_NOT_BLOCKED, RCX));
  expect(host.register("rcx", 1) & (hpa | ACCEPTED)).toBe(hpa);
});
