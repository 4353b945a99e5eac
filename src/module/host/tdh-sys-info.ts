import { cpuidConfigurable } from "../../arch/generated/cpuid-tables.ts";
import { TDX_OPERAND_INVALID, TDX_SYS_LP_INIT_NOT_DONE } from "../../arch/generated/status-codes.ts";
import { R8, R9, RCX, RDX } from "../../arch/registers.ts";
import { ATTRIBUTES_FIXED0 } from "../attributes.ts";
import { VENDOR_ID } from "../build.ts";
import { type Call, fail } from "../call.ts";
import { checkAlignedSharedHpa } from "../hpa.ts";
import { LP_IS_INIT } from "../local-data.ts";
import { PAGE_4K, PAMT_ENTRY_BYTES } from "../pamt.ts";
import { cpuidCell, cpuidIndex } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { MAX_RESERVED_AREAS, MAX_TDMRS } from "../sys.ts";
import { MIN_NUM_TDCS_PAGES } from "../td.ts";
import { MIN_TDVPS_PAGES } from "../vcpu.ts";
import { supportedXfam, XFAM_FIXED1 } from "../xfam.ts";

/** Bytes of TDSYSINFO_STRUCT, and where its array of configurable CPUID leaves begins. */
const TDSYSINFO_BYTES = 1024;
const CPUID_CONFIG_OFFSET = 132;
const CPUID_CONFIG_BYTES = 24;
const MAX_CMRS = 32;
const CMR_INFO_BYTES = 16;

/**
 * TDH.SYS.INFO: describes the module and the platform's convertible memory, in the structures of module 1.0.
 *
 * RCX buffer for TDSYSINFO_STRUCT, 1 KiB aligned · RDX its size · R8 buffer for the CMR list, 512 bytes aligned · R9 entries that
 * it has room for. Returns RDX bytes and R9 entries written.
 */
export function* tdhSysInfo(call: Call): Steps {
  const { memory, platform } = call;
  call.setNum(RDX, 0);
  call.setNum(R9, 0);

  yield "check that this LP was prepared";
  if (call.store.read(call.lpCell + LP_IS_INIT) === 0) fail(TDX_SYS_LP_INIT_NOT_DONE);
  yield "check the buffer for TDSYSINFO_STRUCT, and clear it";
  const info = checkAlignedSharedHpa(call, call.num(RCX), TDSYSINFO_BYTES, RCX);
  if (call.num(RDX) < TDSYSINFO_BYTES) fail(TDX_OPERAND_INVALID, RDX);
  for (let offset = 0; offset < TDSYSINFO_BYTES; offset += 4) memory.write32(info + offset, 0);
  yield "check the buffer for the CMR list";
  const cmrs = checkAlignedSharedHpa(call, call.num(R8), MAX_CMRS * CMR_INFO_BYTES, R8);
  if (call.num(R9) < MAX_CMRS) fail(TDX_OPERAND_INVALID, R9);

  yield "write TDSYSINFO_STRUCT";
  writeInfo(call, info);
  yield "write the CMR list";
  for (let i = 0; i < MAX_CMRS; i++) {
    memory.writeBig(cmrs + i * CMR_INFO_BYTES, BigInt(platform.config.cmrs[i]?.base ?? 0));
    memory.writeBig(cmrs + i * CMR_INFO_BYTES + 8, BigInt(platform.config.cmrs[i]?.size ?? 0));
  }
  call.setNum(RDX, TDSYSINFO_BYTES);
  call.setNum(R9, MAX_CMRS);
}

function writeInfo(call: Call, info: number): void {
  const { memory, store } = call;
  const { version, buildDate, buildNum } = call.platform.config.module;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const words = new Uint8Array(TDSYSINFO_BYTES);
  const view = new DataView(words.buffer);
  view.setUint32(4, VENDOR_ID, true);
  view.setUint32(8, buildDate, true);
  view.setUint16(12, buildNum, true);
  view.setUint16(14, minor, true);
  view.setUint16(16, major, true);
  view.setUint8(18, 1); // hosts should use TDH.SYS.RD
  view.setUint16(32, MAX_TDMRS, true);
  view.setUint16(34, MAX_RESERVED_AREAS, true);
  view.setUint16(36, PAMT_ENTRY_BYTES, true);
  view.setUint16(48, MIN_NUM_TDCS_PAGES * PAGE_4K, true);
  view.setUint16(52, MIN_TDVPS_PAGES * PAGE_4K, true);
  view.setUint32(64, ATTRIBUTES_FIXED0[0], true);
  view.setUint32(68, ATTRIBUTES_FIXED0[1], true);
  view.setUint32(80, supportedXfam(call), true);
  view.setUint32(88, XFAM_FIXED1, true);
  view.setUint32(128, cpuidConfigurable.length, true);
  for (const [i, { leaf, subleaf, masks }] of cpuidConfigurable.entries()) {
    const at = CPUID_CONFIG_OFFSET + i * CPUID_CONFIG_BYTES;
    view.setUint32(at, leaf, true);
    view.setUint32(at + 4, subleaf ?? 0xffff_ffff, true);
    const sampled = cpuidIndex(leaf, subleaf);
    for (let register = 0; register < 4; register++) {
      // What the host sets directly, and what it may allow of what the processor has.
      const native = store.read(cpuidCell(call, sampled, register));
      const bits = (masks.config_direct?.[register] ?? 0) | ((masks.allow_direct?.[register] ?? 0) & native);
      view.setUint32(at + 8 + register * 4, bits, true);
    }
  }
  memory.writeBytes(info, words);
}
