/**
 * A session on a flow that was edited, brought to where the session on the old one stands. Both runs go side by side: up to the
 * first statement that does something else, they are the same run.
 */
import type { Breath } from "./breath.ts";
import { EditError } from "./edit-place.ts";
import { isBefore, type Position } from "./position.ts";
import type { Session } from "./session.ts";
import { statementCodes } from "./statement-code.ts";
import type { Timeline } from "./timeline.ts";

export interface Resumed {
  /** It stands at the same step and place. */
  readonly isSame: boolean;
  /** Why not. */
  readonly why: string;
}

const SAME: Resumed = { isSame: true, why: "" };

export async function resume(old: Session, next: Session, breath: Breath): Promise<Resumed> {
  const to = old.position;
  next.expectOutputUntil(to.step);
  const result = await follow(old, next, to, breath);
  if (!result.isSame) next.expectOutputUntil(next.position.step);
  return result;
}

async function follow(old: Session, next: Session, to: Position, breath: Breath): Promise<Resumed> {
  if (JSON.stringify(old.program.platform) !== JSON.stringify(next.program.platform)) {
    return { isSame: false, why: "the platform is another one" };
  }
  const oldCodes = statementCodes(old.program);
  const newCodes = statementCodes(next.program);
  const scout = old.makeScout();
  const { timeline } = next;
  const { inputs } = old.timeline.branches.current;
  let input = 0;
  for (let step = 0; ; step++) {
    const isInput = inputs[input]?.at.step === step && inputs[input]?.at.sub === 0;
    if (!isInput && !isAlike(scout, timeline, oldCodes, newCodes)) return { isSame: false, why: whatIsNext(next) };
    if (step === to.step && to.sub === 0) return SAME;
    for (; inputs[input]?.at.step === step && isBefore((inputs[input] as { at: Position }).at, to); input++) {
      const { at, input: wanted } = inputs[input] as (typeof inputs)[number];
      const problem = putAt(next, at, () => next.put(wanted));
      if (problem !== "") return { isSame: false, why: `the edit "${wanted.text}" cannot be made: ${problem}` };
    }
    if (step === to.step) {
      while (timeline.position.step === step && timeline.position.sub < to.sub && timeline.fineForward());
      return SAME;
    }
    if (timeline.position.step === step) timeline.forward();
    scout.forward();
    if (timeline.hasEnded !== scout.hasEnded) return { isSame: false, why: "the flow ends here" };
    if (breath.isDue() && (await breath.take())) return { isSame: false, why: "it was paused" };
  }
}

/** Repeats an input inside the present unit. Returns why it cannot be made, or nothing. */
function putAt({ timeline }: Session, { step, sub }: Position, put: () => void): string {
  while (timeline.position.step === step && timeline.position.sub < sub && timeline.fineForward());
  if (timeline.position.step !== step) return "the statement has fewer places";
  try {
    put();
    return "";
  } catch (error) {
    if (error instanceof EditError) return error.message;
    throw error;
  }
}

/** Whether both runs do the same next, as far as the code of the statement tells. */
function isAlike(
  { debuggee: a }: Timeline,
  { debuggee: b }: Timeline,
  oldCodes: readonly string[],
  newCodes: readonly string[],
): boolean {
  if (a.place !== b.place || a.task !== b.task || a.depth !== b.depth) return false;
  return a.statement < 0 || oldCodes[a.statement] === newCodes[b.statement];
}

function whatIsNext({ debuggee, program }: Session): string {
  const statement = program.statements[debuggee.statement];
  if (statement === undefined) return "what comes next is another statement";
  const { source, line, start } = statement;
  const text = source.text.slice(start).split("\n")[0]?.trim() ?? "";
  return `line ${line} (${text}) is another statement than before`;
}
