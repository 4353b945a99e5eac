/**
 * The one custom request that feeds the trees of a front end, beside the Debug Adapter Protocol's own.
 *
 * `tdx/inspect` with {@link InspectArguments} answers {@link InspectResponse}. A front end asks after each `stopped` and
 * `invalidated` event, for the nodes that it shows; it never polls. Every answer carries the step at which it holds, so
 * that a view never shows a mix of two moments.
 */
export const INSPECT_REQUEST = "tdx/inspect";

/** The trees: what the platform is, the trust domains, Secure EPT by level, and physical pages by TDMR and size. */
export const INSPECT_VIEWS = ["platform", "domains", "sept", "pamt"] as const;
export type InspectViewName = (typeof INSPECT_VIEWS)[number];

export interface InspectArguments {
  readonly view: InspectViewName;
  /** The node whose children are wanted; absent for the roots. */
  readonly node?: string;
}

export interface InspectNode {
  /** The same thing has the same id at every step, so that a view keeps what is expanded. Unique in its view. */
  readonly id: string;
  readonly label: string;
  readonly description?: string;
  readonly tooltip?: string;
  /** Whether this node, or one below it, differs from the last stop. */
  readonly changed?: boolean;
  readonly collapsible?: boolean;
  /** For `setDataBreakpoints` and `tdx/whoChanged`, where the node stands for something that is stored. */
  readonly dataId?: string;
  /** For `readMemory`, where the node stands for bytes in memory. */
  readonly memoryReference?: string;
}

export interface InspectResponse {
  readonly nodes: readonly InspectNode[];
  /** Number of the step at which these nodes hold. */
  readonly step: number;
}
