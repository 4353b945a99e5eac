/** Lock words in words (module/lock-words.ts has the rules). */

/** A shared/exclusive lock; `hasPriority`: with the host-priority flag in bit 1. */
export function lockText(word: number, hasPriority: boolean): string {
  const flag = hasPriority && word & 2 ? ", a host waits" : "";
  if (word & 1) return `exclusive${flag}`;
  const readers = hasPriority ? word >>> 2 : word >>> 1;
  return readers === 0 ? `free${flag}` : `shared by ${readers}${flag}`;
}

export function mutexText(word: number): string {
  return word === 0 ? "free" : "taken";
}
