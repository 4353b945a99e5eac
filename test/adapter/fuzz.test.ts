/** Whatever a client sends, each request gets one answer and the session lives on. */
import { PassThrough } from "node:stream";
import fc from "fast-check";
import { expect, it } from "vitest";
import { TdxDebugSession } from "../../src/adapter/session.ts";
import { Client, hostOf } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `fn f(x) { return x + 1 }
let n = 0
for i in 0 .. 5 { n = f(n) }
let r = TDH.SYS.INIT()
log "{n}"
`;

const COMMANDS = (
  "continue next stepIn stepOut stepBack reverseContinue tdx/reverseIn tdx/reverseOut tdx/goToStep pause setBreakpoints " +
  "setFunctionBreakpoints setExceptionBreakpoints breakpointLocations threads stackTrace scopes variables evaluate completions exceptionInfo " +
  "readMemory dataBreakpointInfo setDataBreakpoints source loadedSources tdx/inspect restart configurationDone launch attach initialize unknown toString __proto__"
).split(" ");

const value = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    1,
    -1,
    2,
    1e9,
    1.5,
    Number.MAX_VALUE,
    "",
    "n",
    "f(",
    "0x100000000",
    PROGRAM,
    null,
    true,
    [],
    {},
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const ARGUMENTS = (
  "threadId frameId variablesReference expression breakpoints source path line column condition hitCondition logMessage name filters " +
  "dataId bytes filterOptions filterId granularity step memoryReference offset count view node start levels startFrame program endLine"
).split(" ");
const record = fc.dictionary(
  fc.constantFrom(...ARGUMENTS),
  fc.oneof(value, fc.array(fc.dictionary(fc.constantFrom(...ARGUMENTS), value))),
);
const message = fc.record({
  command: fc.constantFrom(...COMMANDS),
  args: fc.option(fc.oneof(record, value), { nil: undefined }),
});

it("answers every request, right or wrong, and goes on", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(message, { minLength: 50, maxLength: 200 }), async (messages) => {
      const client = new Client({ [PROGRAM]: TEXT });
      await client.launch(PROGRAM, { launch: { stopAtEnd: true } });
      await client.stop();
      const answers = await Promise.all(messages.map(({ command, args }) => client.ask(command, args as object)));
      for (const [i, answer] of answers.entries()) {
        expect(answer.command).toBe(messages[i]?.command);
        // An answer that shows where this program went wrong is a defect of ours.
        expect(answer.body?.error?.id, JSON.stringify([messages[i], answer])).not.toBe(2);
      }
      expect(client.output("stderr")).not.toContain("internal error");
      await client.request("pause").catch(() => undefined);
      await new Promise((done) => setTimeout(done, 5));
      expect((await client.request("threads")).threads.length).toBeLessThanOrEqual(1);
    }),
    { numRuns: 30 },
  );
}, 60_000);

it("drops what is no message and reads on", async () => {
  const input = new PassThrough();
  const output = new PassThrough();
  let text = "";
  output.on("data", (data) => {
    text += data;
  });
  new TdxDebugSession(hostOf({})).start(input, output);
  const send = (body: string): void => void input.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(fc.string(), fc.json(), fc.constantFrom("null", "[]", "1", '{"type":"request"}')),
      async (body) => {
        send(body);
      },
    ),
    { numRuns: 500 },
  );
  input.write("nonsense\r\n\r\nX-Header: 1\r\n\r\n");
  send('{"type":"request","seq":4711,"command":"initialize","arguments":{}}');
  await expect.poll(() => text).toContain('"request_seq":4711,"command":"initialize","success":true');
});
