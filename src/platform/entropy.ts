/** RDRAND and RDSEED of the platform: splitmix64 over one counter, so that a run repeats (test/vectors/README.md, "Simulated platform"). */

const GOLDEN = 0x9e3779b97f4a7c15n;
const MASK = 0xffff_ffff_ffff_ffffn;

function splitmix64(x: bigint): bigint {
  let z = (x + GOLDEN) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** The n-th 64-bit draw (from 0) of a platform with this seed. */
export function draw(seed: number, n: number): bigint {
  return splitmix64((splitmix64(BigInt(seed)) + BigInt(n) * GOLDEN) & MASK);
}
