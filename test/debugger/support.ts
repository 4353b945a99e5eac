/** Sessions without a protocol, on flows given as text. */
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Session } from "../../src/debugger/session.ts";

export const ROOT = resolve(import.meta.dirname, "../..");

export interface TestSession {
  readonly session: Session;
  readonly output: string[];
  readonly messages: string[];
}

export async function openSession(text: string, historyBudget = 2 ** 28): Promise<TestSession> {
  const output: string[] = [];
  const messages: string[] = [];
  const { session, diagnostics } = await Session.open({
    path: "/flow/test.tdx",
    readSource: (path) => {
      if (path === "/flow/test.tdx") return text;
      try {
        return readFileSync(path, "utf8");
      } catch {
        return undefined;
      }
    },
    flowsFolder: `${ROOT}/flows`,
    historyBudget,
    host: {
      breathe: () => new Promise((done) => setImmediate(done)),
      now: () => performance.now(),
      message: (line) => messages.push(line),
      output: (line) => output.push(line),
    },
  });
  if (session === undefined) throw new Error(diagnostics.map((d) => `${d.line}:${d.column} ${d.message}`).join("\n"));
  return { session, output, messages };
}

/** Where it stands, and what everything is: two sessions with the same text are in the same state. */
export function stateOf({ session }: TestSession): string {
  const { step, sub } = session.position;
  return `${step}.${sub} ${session.debuggee.store.hash()}`;
}

/** All shipped scenarios. */
export const SCENARIOS = readdirSync(`${ROOT}/scenarios`)
  .filter((name) => name.endsWith(".tdx"))
  .map((name) => ({ name, text: readFileSync(`${ROOT}/scenarios/${name}`, "utf8") }));

/** One TD from its first SEAMCALL to the last page reclaimed. */
export const LIFECYCLE = readFileSync(`${ROOT}/scenarios/td-lifecycle.tdx`, "utf8");

/** Functions, loops, calls that succeed and fail, in a few steps. */
export const SMALL = `
fn twice(x) {
  let y = x + x
  return y
}
fn start() {
  let r = TDH.SYS.INIT()
  return r.status
}
let a = 1
let b = twice(a) + twice(twice(2))
let s = start()
let again = start()
log "{s} {again}"
for i in 0 .. 3 {
  a += twice(i)
}
on lp 1 { TDH.SYS.LP.INIT() }
let c = [start(), start()]
log "{a} {c[1]}"
`;
