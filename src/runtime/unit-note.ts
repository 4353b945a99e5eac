/**
 * What the mark between two units says about them, for whoever looks for a place in a long history: the statement with which
 * the next unit begins, and whether a call in the one before was no plain success. 0: the mark says nothing.
 */

const NOTABLE = 2 ** 23;
const STATEMENTS = 2 ** 23 - 1;

export function unitNote(statement: number, isNotable: boolean): number {
  if (statement >= STATEMENTS) return 0;
  return statement + 1 + (isNotable ? NOTABLE : 0);
}

/** Number of the statement in the program; -1: not known. */
export function statementOfNote(note: number): number {
  return (note & STATEMENTS) - 1;
}

/** Whether a call in the unit before had another status, or was a TDH.VP.ENTER that returned; also if that is not known. */
export function mayBeNotable(note: number): boolean {
  return note === 0 || note >= NOTABLE;
}
