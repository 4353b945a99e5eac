/** An error of the flow itself, not of this program: it ends the task, with its place. */
export class FlowError extends Error {
  /** What to do about it; empty if there is nothing to say. */
  readonly hint: string;

  constructor(message: string, hint = "") {
    super(message);
    this.hint = hint;
  }
}

/** What became of a task that failed, as it is kept in the store. */
export interface FlowFailure {
  readonly message: string;
  readonly hint: string;
  /** Path of the source, and line and column from 1. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Function names and places of the calls that led there, innermost first. */
  readonly stack: readonly string[];
}
