/** The custom requests for the futures of a session: `tdx/branches` and `tdx/switchBranch`. */

/** One future, as `tdx/branches` lists it. */
export interface BranchInfo {
  /** From 1, in the order in which they began. */
  readonly id: number;
  /** The branch that it left, or 0, and the step and the place inside it where it did. */
  readonly parent: number;
  readonly step: number;
  readonly place: number;
  /** Its own edits and choices, in order. */
  readonly edits: readonly { readonly step: number; readonly text: string }[];
  /** Steps that were seen of it. */
  readonly length: number;
  /** The step at which it was left. */
  readonly left: number;
  readonly current: boolean;
}

export interface BranchesResponse {
  readonly branches: readonly BranchInfo[];
}
