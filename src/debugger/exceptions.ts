/**
 * Exception filters: what happens to a flow or in the module that one may want to stop at, wherever it happens.
 */
import {
  statusCodes,
  TDX_OPERAND_BUSY,
  TDX_OPERAND_BUSY_HOST_PRIORITY,
  TDX_SUCCESS,
} from "../arch/generated/status-codes.ts";
import { exitReasons } from "../arch/linux-constants.ts";
import { decodeStatus, isFailure, STATUS_CLASSES } from "../arch/status.ts";
import type { Violation } from "../module/invariants.ts";
import { type Condition, conditionError, holds } from "./condition.ts";
import type { Debuggee, Failure, Outcome } from "./debuggee.ts";
import { globToRegExp } from "./glob.ts";
import type { Position } from "./position.ts";

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
    filter: "host-bug",
    label: "Host BUG",
    description: "The host's own check found what cannot be: bug(…)",
    default: true,
  },
  {
    filter: "host-warn",
    label: "Host WARN",
    description: "The host's own check warns and goes on: warn(…)",
    default: false,
  },
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
  {
    filter: "ept-misconfiguration",
    label: "EPT misconfiguration",
    description: "A guest leaves because an entry of the host's own EPT makes no sense",
    default: false,
  },
  {
    filter: "guest-ve",
    label: "#VE in a guest",
    description: "The module injects a virtualization exception, which the host does not see",
    default: false,
  },
  {
    filter: "machine-check",
    label: "Machine check (#MC)",
    description: "Private memory is read that was lost, or with another key than it was written with",
    default: true,
  },
  {
    filter: "private-overwritten",
    label: "Private memory overwritten",
    description: "Software writes a TD's or the module's memory with a shared KeyID: whoever reads it next gets #MC",
    default: false,
  },
  {
    filter: "dirty-line",
    label: "Cache line dirty under another KeyID",
    description: "A page is used while lines of it wait in a cache under an older KeyID: their write-back destroys it",
    default: false,
  },
  {
    filter: "stale-tlb",
    label: "Stale TLB entry used",
    description: "A guest uses a translation that its Secure EPT does not give any more",
    default: false,
  },
  {
    filter: "deadlock",
    label: "Deadlock",
    description: "Every task waits for another one",
    default: true,
  },
  {
    filter: "invariant",
    label: "Invariant broken (slow)",
    description: "What the module's state has to fulfil between two calls does not hold: checked behind each call",
    default: false,
  },
];

/** What happened without a status that tells of it. */
export interface SilentEvent {
  /** The filter that it meets. */
  readonly filter: string;
  /** Invariants that do not hold any more. */
  readonly violations?: readonly Violation[];
  /** What the host's own check said. */
  readonly warning?: string;
}

/** What was stopped at, for people. */
export interface ExceptionHit {
  readonly filter: string;
  readonly outcome?: Outcome;
  readonly failure?: Failure;
  /** What no status tells of. */
  readonly event?: SilentEvent;
}

interface ActiveFilter {
  readonly condition: Condition;
  /** Set if the condition is for the class of the status, like class: resource busy. */
  readonly className: RegExp | undefined;
  /** Set if the condition is a pattern for the name of the status, like TDX_PAGE_*. */
  readonly names: RegExp | undefined;
}

const FAILURE_FILTERS = { error: "flow-error", bug: "host-bug", expect: "expect", deadlock: "deadlock" } as const;
const ALWAYS: Condition = { text: "", triggers: [], passed: [] };

/** Filters that are about what a leaf function returned. */
const OUTCOME_FILTERS = /^(seamcall-error|busy|ept-.*)$/;
const NAME_PATTERN = /^[A-Z][A-Z0-9_*]*$/;
const CLASS_PATTERN = /^class\s*:\s*(.+)$/i;

/** What is wrong with the form of a filter's condition; undefined if nothing is. A pattern has to fit some status. */
export function filterConditionError(text: string): string | undefined {
  const [, className] = CLASS_PATTERN.exec(text) ?? [];
  if (className !== undefined) {
    const isKnown = STATUS_CLASSES.some((name) => globToRegExp(className).test(name));
    return isKnown ? undefined : `No class of statuses is called ${className}: there are ${STATUS_CLASSES.join(", ")}.`;
  }
  if (!NAME_PATTERN.test(text)) return conditionError(text);
  const isKnown = statusCodes.some(({ name }) => globToRegExp(text).test(name));
  return isKnown ? undefined : `No status is called ${text}.`;
}

export class ExceptionFilters {
  /** Whether invariants are checked whatever filters are set. */
  checksInvariants = false;
  /** Whether any filter is about what leaf functions return. */
  watchesOutcomes = false;
  private active: ReadonlyMap<string, ActiveFilter> = new Map();

  set(filters: readonly { readonly filter: string; readonly condition?: Condition }[]): void {
    this.watchesOutcomes = filters.some(({ filter }) => OUTCOME_FILTERS.test(filter));
    this.active = new Map(
      filters.map(({ filter, condition = ALWAYS }) => {
        const { text } = condition;
        const className = CLASS_PATTERN.exec(text)?.[1];
        const names = NAME_PATTERN.test(text) ? globToRegExp(text) : undefined;
        return [filter, { condition, names, className: className === undefined ? undefined : globToRegExp(className) }];
      }),
    );
  }

  has(filter: string): boolean {
    return this.active.has(filter);
  }

  /** The filter that a flow's failure meets. */
  failed(failure: Failure, debuggee: Debuggee, now: Position): ExceptionHit | undefined {
    const filter = FAILURE_FILTERS[failure.kind];
    const active = this.active.get(filter);
    if (active === undefined) return undefined;
    const { names, className, condition } = active;
    // The message of a call that nobody looked at has its status.
    const [status = ""] = /\bTDX_\w+/.exec(failure.message) ?? [];
    const { outcome } = debuggee;
    const classOf = outcome ? decodeStatus(outcome.hi, outcome.lo).className : "";
    const isMet = names?.test(status) ?? className?.test(classOf) ?? holds(condition, debuggee, now);
    return isMet ? { filter, failure } : undefined;
  }

  /** The first of these events whose filter stops at it. */
  happened(events: readonly SilentEvent[], debuggee: Debuggee, now: Position): ExceptionHit | undefined {
    const event = events.find(({ filter }) => holds(this.active.get(filter)?.condition ?? ALWAYS, debuggee, now));
    return event && { filter: event.filter, event };
  }

  /** The filter that the end of a call meets. `classify`: what an EPT violation was. */
  matches(
    outcome: Outcome,
    debuggee: Debuggee,
    classify: (outcome: Outcome) => string | undefined,
    now: Position,
  ): ExceptionHit | undefined {
    // Almost every call succeeds; a TD exit for an EPT violation is a success with its exit reason in the low half.
    if (!isFailure(outcome.hi) && !(outcome.isTdExit && isEptExit(outcome.lo))) return undefined;
    for (const filter of filtersOf(outcome, classify)) {
      const active = this.active.get(filter);
      if (active !== undefined && fits(active, outcome, debuggee, now)) return { filter, outcome };
    }
    return undefined;
  }
}

function isEptExit(lo: number): boolean {
  const reason = lo & 0xffff;
  return reason === exitReasons.EXIT_REASON_EPT_VIOLATION || reason === exitReasons.EXIT_REASON_EPT_MISCONFIG;
}

function filtersOf(outcome: Outcome, classify: (outcome: Outcome) => string | undefined): string[] {
  const { hi, lo } = outcome;
  if (outcome.isTdExit && hi === TDX_SUCCESS && isEptExit(lo)) {
    if ((lo & 0xffff) === exitReasons.EXIT_REASON_EPT_MISCONFIG) return ["ept-misconfiguration"];
    const kind = classify(outcome);
    return kind === undefined ? [] : [`ept-violation-${kind}`];
  }
  if (!isFailure(hi)) return [];
  const busy = hi === TDX_OPERAND_BUSY || hi === TDX_OPERAND_BUSY_HOST_PRIORITY;
  return busy ? ["busy", "seamcall-error"] : ["seamcall-error"];
}

function fits(active: ActiveFilter, { hi, lo }: Outcome, debuggee: Debuggee, now: Position): boolean {
  const { condition, names, className } = active;
  if (names !== undefined) return names.test(decodeStatus(hi, lo).name ?? "");
  if (className !== undefined) return className.test(decodeStatus(hi, lo).className);
  return holds(condition, debuggee, now);
}
