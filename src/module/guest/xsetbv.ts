import { RAX, RCX, RDX } from "../../arch/registers.ts";
import type { Call } from "../call.ts";
import { TDVPS_XCR0, TDVPS_XFAM } from "../layout.ts";
import { PLATFORM_XCR0_SUPPORTED } from "../platform-config.ts";
import type { Steps } from "../step.ts";
import { injectGp } from "./events.ts";

const X87 = 1;
const SSE = 1 << 1;
const AVX = 1 << 2;
const AVX512 = 0xe0;
const AMX = 0x6_0000;

/** True if XCR0 may have this value: supported, allowed by XFAM, and a combination that the processor takes (SDM volume 1, 13.3). */
export function isXcr0Allowed(supported: number, xfam: number, lo: number, hi: number): boolean {
  if (hi !== 0 || (lo & ~(supported & xfam)) !== 0) return false;
  if ((lo & X87) === 0) return false;
  if ((lo & AVX) !== 0 && (lo & SSE) === 0) return false;
  const avx512 = lo & AVX512;
  if (avx512 !== 0 && (avx512 !== AVX512 || (lo & AVX) === 0)) return false;
  const amx = lo & AMX;
  return amx === 0 || amx === AMX;
}

/** XSETBV: ECX must be 0 (XCR0), EDX:EAX the new value; else #GP(0). */
export function* xsetbvExit(call: Call): Steps {
  const { store, tdvpr } = call;
  yield "check the value for XCR0 and set it";
  const supported = store.read(call.sys + PLATFORM_XCR0_SUPPORTED);
  const value = call.lo(RAX);
  if (call.lo(RCX) !== 0 || !isXcr0Allowed(supported, store.read(tdvpr + TDVPS_XFAM), value, call.lo(RDX))) {
    injectGp(call);
    return;
  }
  store.write(tdvpr + TDVPS_XCR0, value);
  store.write(tdvpr + TDVPS_XCR0 + 1, 0);
}
