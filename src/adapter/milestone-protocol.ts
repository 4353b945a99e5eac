/** The custom requests `tdx/milestones` and `tdx/goToMilestone`: the calls, exits and faults of what was run. */
import type { MilestoneKind } from "../debugger/milestone-columns.ts";

export interface MilestonesArguments {
  /** Of these kinds only. */
  readonly kinds?: readonly MilestoneKind[];
  /** What the leaf, the status or the fault has in its name, or a pattern: `TDH.MEM.*`. */
  readonly text?: string;
  /** Calls that did not succeed, and faults. */
  readonly failed?: boolean;
  /** Number of the first among those that fit; absent: so that the present step is in the middle. */
  readonly start?: number;
  /** How many at most; default 100. */
  readonly count?: number;
}

export interface MilestoneInfo {
  /** For `tdx/goToMilestone`. */
  readonly id: number;
  readonly kind: MilestoneKind;
  readonly step: number;
  /** The leaf, or the fault. */
  readonly name: string;
  /** The status as text; empty for a fault. */
  readonly status: string;
  readonly failed: boolean;
  readonly task: number;
  readonly lp: number;
  /** Where the flow stands, line from 1 or as the client counts. */
  readonly path?: string;
  readonly line?: number;
}

export interface MilestonesResponse {
  readonly milestones: readonly MilestoneInfo[];
  /** Number of the first of these among those that fit, and how many fit. */
  readonly start: number;
  readonly total: number;
  /** Up to this step all are known. Ask again for what comes behind it, unless this is all. */
  readonly step: number;
  readonly isComplete: boolean;
}
