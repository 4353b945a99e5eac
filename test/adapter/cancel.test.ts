/** What takes long can be called off, and a client that vanishes leaves nothing that runs. */
import { expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const LOOP = "let n = 0\nwhile n < 100_000_000 { n += 1 }\n";
const FAILS = "let a = 1\nexpect a == 2\n";

async function running(): Promise<{ client: Client; seq: number }> {
  const client = new Client({ [PROGRAM]: LOOP });
  await client.launch(PROGRAM);
  await client.event("stopped");
  const { request_seq: seq } = await client.ask("continue", { threadId: 1 });
  return { client, seq };
}

it("cancelling the request that set the session going stops it; another one does nothing", async () => {
  const { client, seq } = await running();
  await client.request("cancel", { requestId: seq - 1 });
  await client.request("cancel", { requestId: 4711 });
  await client.request("cancel", {});
  await new Promise((done) => setTimeout(done, 20));
  expect(client.events.filter(({ event }) => event === "stopped")).toHaveLength(1);
  await client.request("cancel", { requestId: seq });
  expect(await client.stop()).toMatchObject({ reason: "pause" });
});

it("going back for long is told as progress, which can be cancelled", async () => {
  const client = new Client({ [PROGRAM]: LOOP });
  await client.request("initialize", { adapterID: "x", supportsProgressReporting: true });
  await client.request("launch", { program: PROGRAM, stopOnEntry: true, historyBudgetMB: 1 });
  await client.request("configurationDone");
  await client.event("stopped");
  await client.request("tdx/goToStep", { step: 1e9 });
  const start = await client.event("progressStart");
  expect(start.body).toMatchObject({ title: "Going to step 1000000000", cancellable: true });
  await client.request("cancel", { progressId: "another" });
  await client.request("cancel", { progressId: start.body.progressId });
  expect((await client.event("progressEnd")).body.progressId).toBe(start.body.progressId);
  expect(await client.stop()).toMatchObject({ reason: "pause" });
});

it("errors are red for a client that shows colours, and plain for others", async () => {
  const texts = await Promise.all(
    [true, false].map(async (supportsANSIStyling) => {
      const client = new Client({ [PROGRAM]: FAILS });
      await client.request("initialize", { adapterID: "x", supportsANSIStyling });
      await client.request("launch", { program: PROGRAM });
      await client.request("configurationDone");
      await client.event("terminated");
      return client.output("stderr");
    }),
  );
  const [red = "", plain = ""] = texts;
  expect(plain).toMatch(/^\/flows\/test\.tdx:2:1: expected a == 2/);
  expect(red).toBe(`\u001b[31m${plain.slice(0, -1)}\u001b[0m\n`);
});
