/** Requests that go to the calls, exits and faults of what was run: by a list, or by the line of the flow. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { isFailure, statusText } from "../arch/status.ts";
import type { Milestone } from "../debugger/milestone-columns.ts";
import type { Matches } from "../debugger/milestone-filter.ts";
import type { Session } from "../debugger/session.ts";
import { firstIndex } from "../language/bisect.ts";
import { leafName } from "../runtime/leaf-call.ts";
import { Arguments } from "./arguments.ts";
import { breathe } from "./breathe.ts";
import type { Debugging } from "./debugging.ts";
import { threadOf } from "./looking.ts";
import type { MilestoneInfo, MilestonesResponse } from "./milestone-protocol.ts";
import { RequestError } from "./request-error.ts";
import type { Handler } from "./requests.ts";
import { normalPath } from "./sources.ts";

/** Milliseconds of looking for milestones at once, and in answer to one request. */
const SLICE = 20;
const PATIENCE = 400;
const MAX_COUNT = 1000;
/** Targets that a client is offered for a line. */
const MAX_TARGETS = 30;

export function milestoneHandlers(debugging: Debugging): Record<string, Handler> {
  return {
    "tdx/milestones": async (args) => {
      const request = new Arguments(args);
      const filter = {
        kinds: request.texts("kinds"),
        text: request.text("text", ""),
        failed: request.flag("failed"),
      };
      const count = Math.min(MAX_COUNT, request.number("count", 100));
      const session = debugging.needStopped();
      const known = await look(session);
      const ids = session.milestones.matching(filter);
      const start = request.has("start") ? request.number("start") : aroundNow(session, ids, count);
      const milestones = pageOf(ids, start, count).map((id) => infoOf(debugging, session, id));
      return { body: { milestones, start, total: ids.length, ...known } satisfies MilestonesResponse };
    },
    "tdx/goToMilestone": (args) => ({ after: debugging.announced(goTo(debugging, new Arguments(args).number("id"))) }),
    gotoTargets: async (args) => {
      const request = new Arguments(args);
      const session = debugging.needStopped();
      const path = normalPath(request.object("source").text("path", ""));
      return { body: { targets: await targetsAt(debugging, session, path, request.number("line")) } };
    },
    goto: (args) => ({ after: goTo(debugging, new Arguments(args).number("targetId") - 1) }),
  };
}

async function look(session: Session): Promise<{ readonly step: number; readonly isComplete: boolean }> {
  session.timeline.branches.arrived(session.position);
  const end = Date.now() + PATIENCE;
  for (;;) {
    const due = Date.now() + SLICE;
    const known = session.milestones.look(() => Date.now() >= due);
    if (known.isComplete || Date.now() >= end) return known;
    await breathe();
  }
}

function pageOf(ids: Matches, start: number, count: number): number[] {
  const first = Math.max(0, start);
  const length = Math.max(0, Math.min(count, ids.length - first));
  return Array.from({ length }, (_, index) => ids.at(first + index));
}

/** The first of a page with the present step in its middle. */
function aroundNow(session: Session, ids: Matches, count: number): number {
  const now = session.milestones.firstAt(session.position.step);
  const first = firstIndex(ids.length, (index) => ids.at(index) >= now);
  return Math.max(0, Math.min(first - (count >>> 1), ids.length - count));
}

function infoOf(debugging: Debugging, session: Session, id: number): MilestoneInfo {
  const milestone = session.milestones.get(id);
  const { kind, step, callee, hi, lo, task, lp, what } = milestone;
  const statement = session.program.statements[milestone.statement];
  return {
    id,
    kind,
    step,
    name: kind === "fault" ? what : leafName(callee),
    status: kind === "fault" ? "" : statusText(hi, lo),
    failed: hasFailed(milestone),
    task: threadOf(task),
    lp,
    ...(statement && { path: statement.source.path, line: debugging.client.line(statement.line) }),
  };
}

function hasFailed({ kind, hi }: Milestone): boolean {
  return kind === "fault" || isFailure(hi);
}

function goTo(debugging: Debugging, id: number): () => void {
  const session = debugging.needStopped();
  if (id < 0 || id >= session.milestones.length) throw new RequestError(`there is no milestone ${id}`);
  const { step, passed } = session.milestones.get(id);
  return debugging.go(() => session.control.goToCall(step, passed));
}

/** The times at which a line of the flow called the module, those nearest to now. */
async function targetsAt(
  debugging: Debugging,
  session: Session,
  path: string,
  line: number,
): Promise<DebugProtocol.GotoTarget[]> {
  await look(session);
  const { milestones, program } = session;
  const own = debugging.client.ownLine(line);
  const here = new Set(
    program.statements.filter((each) => each.source.path === path && each.line === own).map(({ id }) => id),
  );
  if (here.size === 0) return [];
  const ids = milestones.inStatements(here);
  const start = aroundNow(session, ids, MAX_TARGETS);
  return pageOf(ids, start, MAX_TARGETS).map((id) => {
    const { step, name, status } = infoOf(debugging, session, id);
    return { id: id + 1, label: `step ${step}: ${name}${status && ` · ${status}`}`, line };
  });
}
