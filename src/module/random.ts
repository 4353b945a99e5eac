/** Random values from the processor's entropy source, which may fail at each draw. */
import type { Call } from "./call.ts";

/** Draws that are tried for a 256-bit value, four of which must succeed. */
const TRIES_256 = 6;

/** Writes 256 random bits to the 8 words from `cell` on; false, and zeros there, if too many draws failed. */
export function writeRandom256(call: Call, cell: number): boolean {
  const drawn: bigint[] = [];
  for (let tries = 0; tries < TRIES_256 && drawn.length < 4; tries++) {
    const word = call.platform.random("rdseed");
    if (word !== undefined) drawn.push(word);
  }
  for (let i = 0; i < 4; i++) call.store.writeBig(cell + i * 2, drawn.length === 4 ? (drawn[i] as bigint) : 0n);
  return drawn.length === 4;
}
