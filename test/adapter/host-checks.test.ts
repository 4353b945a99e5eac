/** What the host's own checks find: WARN and BUG. */
import { expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/test.tdx";
const TEXT = `fn check(n) {
  if n > 1 { warn("n is {n}") }
  return n
}
for i in 0 .. 4 { let x = check(i) }
let big = 7
if big > 5 { bug("big is {big}") }
log "not reached"
`;

async function launched(options: Parameters<Client["launch"]>[1]): Promise<Client> {
  const client = new Client({ [PROGRAM]: TEXT });
  await client.launch(PROGRAM, { ...options, launch: { stopAtEnd: true } });
  await client.event("stopped");
  return client;
}

it("a warning prints and goes on, and its filter stops behind it in both directions", async () => {
  const client = await launched({ filters: ["host-warn", "host-bug"] });
  const there: string[] = [];
  for (
    let stop = await client.move("continue");
    stop.description?.includes("WARN");
    stop = await client.move("continue")
  ) {
    expect(stop).toMatchObject({ reason: "exception", place: "test.tdx:3" });
    there.push(String(stop.text));
  }
  expect(there).toEqual(["WARNING: n is 2", "WARNING: n is 3"]);
  expect(client.output("stdout")).toBe("WARNING: n is 2\nWARNING: n is 3\n");
  expect((await client.move("reverseContinue")).text).toBe("WARNING: n is 3");
  expect((await client.request("exceptionInfo", { threadId: 1 })).description).toContain("look at what led here");
  expect((await client.move("reverseContinue")).text).toBe("WARNING: n is 2");
});

it("a filter's condition decides", async () => {
  const client = await launched({ filters: [], filterOptions: [{ filterId: "host-warn", condition: "n == 3" }] });
  expect(await client.move("continue")).toMatchObject({ text: "WARNING: n is 3" });
});

it("a bug ends the flow, with its own filter", async () => {
  const client = await launched({ filters: ["host-bug"] });
  const stop = await client.move("continue");
  expect(stop).toMatchObject({ reason: "exception", description: "Stopped: host BUG", text: "BUG: big is 7" });
  expect(client.output("stderr")).toContain("test.tdx:7:14: BUG: big is 7");
  expect(client.output("stdout")).not.toContain("not reached");
});
