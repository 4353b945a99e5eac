/**
 * What a leaf function of the TDX module is made of: a generator that yields the label of the step that it is about to
 * take, and delegates to other generators for steps that several leaves share.
 *
 * The build makes two variants of every file that contains such generators (scripts/leaf-transform.ts). In the *step*
 * variant a yielded string is a trace of positions, outermost first, one a line:
 *
 *     src/module/host/mem_page_add.ts:40
 *     src/module/sept/walk.ts:12:read the S-EPT entry of level 2
 *
 * In the *run* variant (import suffix `?run`) the yields are gone and the same functions are plain ones. So a leaf must
 * not rely on being suspended, and its files must not hold state of their own.
 */
export type Steps<T = void> = Generator<string, T, void>;

/** The position that a step trace names, taken apart. */
export interface StepPosition {
  /** Path of the source, relative to the project, with forward slashes. */
  readonly file: string;
  /** Line, from 1. */
  readonly line: number;
}

export interface StepTrace {
  /** What the step does. */
  readonly label: string;
  /** Outermost first: the leaf itself, then each shared step that it delegated to. */
  readonly frames: readonly StepPosition[];
}

/** Passes the steps of `inner` on, each with the place that delegated to it in front. Called by transformed code only. */
export function* at<T>(place: string, inner: Generator<string, T, void>): Generator<string, T, void> {
  for (;;) {
    const step = inner.next();
    if (step.done) return step.value;
    yield `${place}\n${step.value}`;
  }
}

/** Takes a yielded trace apart. Untransformed code yields bare labels, which have no frames. */
export function parseTrace(trace: string): StepTrace {
  const lines = trace.split("\n");
  const last = lines.pop() ?? "";
  const labelled = /^(.+?\.ts):(\d+):(.*)$/.exec(last);
  const frames = lines.map((place) => {
    const colon = place.lastIndexOf(":");
    return { file: place.slice(0, colon), line: Number(place.slice(colon + 1)) };
  });
  if (!labelled) return { label: last, frames };
  frames.push({ file: labelled[1]!, line: Number(labelled[2]) });
  return { label: labelled[3]!, frames };
}

/** The type of a function in the run variant: what the generator returns, without the steps. */
export type Run<F> = F extends (...args: infer A) => Generator<string, infer R, void> ? (...args: A) => R : F;
