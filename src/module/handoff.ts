/**
 * Hand-off data: what a module that is shut down leaves for the one that is loaded after it, so that TDs survive the update
 * (TD-preserving update). Here it is of version 0, the only one that module 1.5.01 knows.
 */
import { HANDOFF_BYTES } from "./build.ts";
import type { Call } from "./call.ts";
import {
  HANDOFF_DATA,
  HANDOFF_SIZE,
  HANDOFF_TABLE_WORDS,
  HANDOFF_VALID,
  HANDOFF_VERSION,
  SYS_HANDOFF,
  SYS_HKID,
  SYS_NUM_TDMRS,
  SYS_PKG_CONFIG_BITMAP,
  SYS_TDMRS,
} from "./sys.ts";

/** Words outside the tables that are handed off too, in the order of the data. */
const SINGLE_WORDS = [SYS_NUM_TDMRS, SYS_HKID, SYS_PKG_CONFIG_BITMAP];

export function writeHandoff(call: Call, version: number): void {
  const { store, sys } = call;
  const data = sys + SYS_HANDOFF + HANDOFF_DATA;
  for (let i = 0; i < HANDOFF_TABLE_WORDS; i++) store.write(data + i, store.read(sys + SYS_TDMRS + i));
  for (const [i, word] of SINGLE_WORDS.entries()) store.write(data + HANDOFF_TABLE_WORDS + i, store.read(sys + word));
  store.write(sys + SYS_HANDOFF + HANDOFF_VALID, 1);
  store.write(sys + SYS_HANDOFF + HANDOFF_VERSION, version);
  store.write(sys + SYS_HANDOFF + HANDOFF_SIZE, HANDOFF_BYTES);
}

export function takeHandoff(call: Call): void {
  const { store, sys } = call;
  const data = sys + SYS_HANDOFF + HANDOFF_DATA;
  for (let i = 0; i < HANDOFF_TABLE_WORDS; i++) store.write(sys + SYS_TDMRS + i, store.read(data + i));
  for (const [i, word] of SINGLE_WORDS.entries()) store.write(sys + word, store.read(data + HANDOFF_TABLE_WORDS + i));
  store.write(sys + SYS_HANDOFF + HANDOFF_VALID, 0);
  store.write(sys + SYS_HANDOFF + HANDOFF_SIZE, 0);
}
