/** A test runner of a few lines for inside the extension host, where there is no other. */
export interface HostTest {
  readonly name: string;
  body(): Promise<void>;
}

/** How a test ended, as it travels to the test process: as JSON behind {@link REPORT_MARK}, through the console. */
export interface HostResult {
  readonly name: string;
  readonly milliseconds: number;
  readonly error?: string;
}

export const REPORT_MARK = "[test] ";
const TIMEOUT_MS = 30_000;

export async function runHostTests(tests: readonly HostTest[]): Promise<void> {
  for (const { name, body } of tests) {
    const started = Date.now();
    let error: string | undefined;
    try {
      await withTimeout(body(), TIMEOUT_MS, "the test did not end");
    } catch (thrown) {
      error = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    }
    const result: HostResult = { name, milliseconds: Date.now() - started, error };
    console.log(REPORT_MARK + JSON.stringify(result));
  }
}

/** @throws Error with `what` if `promise` is not settled in time */
export function withTimeout<T>(promise: Promise<T>, milliseconds: number, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} within ${milliseconds} ms`)), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Runs in browsers too, where there is no `node:assert`. @throws Error with `what` and the value, unless it holds */
export function check(holds: unknown, what: string, value?: unknown): asserts holds {
  if (!holds) throw new Error(value === undefined ? what : `${what}: ${JSON.stringify(value)}`);
}

/** @throws Error that shows both, unless they are equal as JSON */
export function equal(actual: unknown, expected: unknown, what: string): void {
  const [got, wanted] = [actual, expected].map((value) => JSON.stringify(value, null, 1));
  if (got !== wanted) throw new Error(`${what}: expected\n${wanted}\ngot\n${got}`);
}
