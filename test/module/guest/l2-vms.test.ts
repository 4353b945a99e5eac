/** What a TD does about its L2 VMs short of running them. */
import { describe, expect, it } from "vitest";
import {
  TDX_L2_SEPT_WALK_FAILED,
  TDX_METADATA_FIELD_VALUE_NOT_VALID,
  TDX_SUCCESS,
} from "../../../src/arch/generated/status-codes.ts";
import { Guest, MAPPED } from "../../support/guest.ts";
import { status } from "../../support/host.ts";

const ALL = 0xffff_ffff_ffff_ffffn;
/** Attributes of VM 2: readable, valid. */
const READ_BY_VM2 = 0x8001n << 32n;
const ALL_OF_VM2 = 0x7fffn << 32n;
const ROOT_LEVEL = 3;

/** Field ids: PDPTE 0 of the VMCS of L2 VM 1. */
const PDPTE = 0x2424_0003_0000_280an;

describe("a TD with L2 VMs", () => {
  it("is told VM and level where a VM's S-EPT ends: VM in the upper half (api_error_with_l2_details)", () => {
    const guest = new Guest({ l2Vms: 2 });
    const rax = guest.status("TDG.MEM.PAGE.ATTR.WR", { rcx: MAPPED, rdx: READ_BY_VM2, r8: ALL_OF_VM2 });
    expect(rax).toBe(status(TDX_L2_SEPT_WALK_FAILED, (2 << 16) | ROOT_LEVEL));
  });

  it.each([0, 1, 2, 3])("may give PDPTE %i of a VM private GPAs only (md_vp_handle_field_attribute_on_wr)", (index) => {
    const guest = new Guest({ l2Vms: 1 });
    const write = (gpa: bigint): bigint =>
      guest.status("TDG.VP.WR", { rdx: PDPTE + BigInt(index * 2), r8: gpa, r9: ALL });
    expect(write(1n << 47n)).toBe(status(TDX_METADATA_FIELD_VALUE_NOT_VALID));
    expect(write(0x7fff_ffff_f001n)).toBe(status(TDX_SUCCESS));
    expect(guest.status("TDG.VP.RD", { rdx: PDPTE + BigInt(index * 2) })).toBe(0n);
    expect(guest.host.register("r8")).toBe(0x7fff_ffff_f001n);
  });
});
