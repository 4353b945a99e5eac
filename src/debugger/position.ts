/** Positions in time. */
export interface Position {
  /** Units run. */
  readonly step: number;
  /** 0: between units. n: inside the next unit, after n fine steps. */
  readonly sub: number;
}

export const START: Position = { step: 0, sub: 0 };

export function isBefore(a: Position, b: Position): boolean {
  return a.step < b.step || (a.step === b.step && a.sub < b.sub);
}

export function isSame(a: Position, b: Position): boolean {
  return a.step === b.step && a.sub === b.sub;
}
