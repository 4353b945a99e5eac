/**
 * Exception filters: what happens to a flow or in the module that one may want to stop at, wherever it happens.
 */
import { TDX_OPERAND_BUSY, TDX_OPERAND_BUSY_HOST_PRIORITY, TDX_SUCCESS } from "../arch/generated/status-codes.ts";
import { decodeStatus } from "../arch/status.ts";
import type { Debuggee, Failure, Outcome } from "./debuggee.ts";
import { globToRegExp } from "./glob.ts";

export interface ExceptionFilter {
  readonly filter: string;
  readonly label: string;
  readonly description: string;
  readonly default: boolean;
}

export const EXCEPTION_FILTERS: readonly ExceptionFilter[] = [
  {
    filter: "flow-error",
    label: "Uncaught flow errors",
    description: "The flow cannot go on: a failed call that nothing looks at, a wrong operand, fail(…)",
    default: true,
  },
  { filter: "expect", label: "Failed expect", description: "An expectation of the flow does not hold", default: true },
  {
    filter: "seamcall-error",
    label: "SEAMCALL and TDCALL errors",
    description: "A leaf function returns a status with the error bit or the non-recoverable bit",
    default: false,
  },
  {
    filter: "busy",
    label: "TDX_OPERAND_BUSY",
    description: "A leaf function could not get a lock that another LP holds",
    default: false,
  },
  {
    filter: "ept-violation-private",
    label: "EPT violation, private",
    description: "A guest leaves because it touched private memory that is not mapped",
    default: false,
  },
  {
    filter: "ept-violation-shared",
    label: "EPT violation, shared",
    description: "A guest leaves because it touched shared memory that is not mapped",
    default: false,
  },
  {
    filter: "ept-violation-pending",
    label: "EPT violation, pending",
    description: "A guest leaves because it touched a page that it has not accepted",
    default: false,
  },
];

/** What was stopped at, for people. */
export interface ExceptionHit {
  readonly filter: string;
  readonly outcome?: Outcome;
  readonly failure?: Failure;
}

interface ActiveFilter {
  readonly condition: string;
  /** Set if the condition is a pattern for the name of the status, like TDX_PAGE_*. */
  readonly names: RegExp | undefined;
}

const EXIT_EPT_VIOLATION = 48;
const NAME_PATTERN = /^[A-Z][A-Z0-9_*]*$/;

export class ExceptionFilters {
  private active: ReadonlyMap<string, ActiveFilter> = new Map();

  set(filters: readonly { readonly filter: string; readonly condition?: string }[]): void {
    this.active = new Map(
      filters.map(({ filter, condition = "" }) => {
        const text = condition.trim();
        return [filter, { condition: text, names: NAME_PATTERN.test(text) ? globToRegExp(text) : undefined }];
      }),
    );
  }

  /** Whether any filter is about what leaf functions return. */
  get watchesOutcomes(): boolean {
    return [...this.active.keys()].some((filter) => filter !== "flow-error" && filter !== "expect");
  }

  /** The filter that a flow's failure meets. */
  failed(failure: Failure): ExceptionHit | undefined {
    const filter = failure.kind === "expect" ? "expect" : "flow-error";
    return this.active.has(filter) ? { filter, failure } : undefined;
  }

  /** The filter that the end of a call meets. `classify`: what an EPT violation was. */
  matches(
    outcome: Outcome,
    debuggee: Debuggee,
    classify: (outcome: Outcome) => string | undefined,
  ): ExceptionHit | undefined {
    // Almost every call succeeds; a TD exit for an EPT violation is a success with its exit reason in the low half.
    if (outcome.hi >>> 30 === 0 && !(outcome.isTdExit && (outcome.lo & 0xffff) === EXIT_EPT_VIOLATION))
      return undefined;
    for (const filter of filtersOf(outcome, classify)) {
      const active = this.active.get(filter);
      if (active !== undefined && holds(active, outcome, debuggee)) return { filter, outcome };
    }
    return undefined;
  }
}

function filtersOf(outcome: Outcome, classify: (outcome: Outcome) => string | undefined): string[] {
  const { hi, lo } = outcome;
  if (outcome.isTdExit && hi === TDX_SUCCESS && (lo & 0xffff) === EXIT_EPT_VIOLATION) {
    const kind = classify(outcome);
    return kind === undefined ? [] : [`ept-violation-${kind}`];
  }
  if (hi >>> 30 === 0) return [];
  const busy = hi === TDX_OPERAND_BUSY || hi === TDX_OPERAND_BUSY_HOST_PRIORITY;
  return busy ? ["busy", "seamcall-error"] : ["seamcall-error"];
}

function holds({ condition, names }: ActiveFilter, { hi, lo }: Outcome, debuggee: Debuggee): boolean {
  if (condition === "") return true;
  if (names !== undefined) return names.test(decodeStatus(hi, lo).name ?? "");
  const result = debuggee.evaluate(condition);
  // A condition that cannot be evaluated stops: a person then sees it, rather than wait for a stop that never comes.
  return "error" in result || result.value === true;
}
