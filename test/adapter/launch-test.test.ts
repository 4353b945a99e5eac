/** A test block is debugged by its name. */
import { expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/tests.tdx";
const FLOW = `log "set up"
test "first" { log "first" }
test "second" {
  log "second"
}
`;

it("runs the file's statements, then the block that is named", async () => {
  const client = new Client({ [PROGRAM]: FLOW });
  await client.request("initialize", { adapterID: "tdxflow" });
  await client.request("launch", { program: PROGRAM, test: "second" });
  await client.request("setBreakpoints", { source: { path: PROGRAM }, breakpoints: [{ line: 2 }, { line: 4 }] });
  await client.request("configurationDone");
  await client.event("stopped");
  const { stackFrames } = await client.request("stackTrace", { threadId: 1 });
  expect(stackFrames[0].line).toBe(4);
  await client.request("continue", { threadId: 1 });
  await client.event("terminated");
  const printed = client.events.flatMap(({ event, body }) =>
    event === "output" && body.category === "stdout" ? [body.output] : [],
  );
  expect(printed).toEqual(["set up\n", "second\n"]);
});

it("says so if there is no such test", async () => {
  const client = new Client({ [PROGRAM]: FLOW });
  await client.request("initialize", { adapterID: "tdxflow" });
  const answer = await client.ask("launch", { program: PROGRAM, test: "third" });
  expect(answer.success).toBe(false);
  expect(answer.message).toContain('there is no test "third"');
});
