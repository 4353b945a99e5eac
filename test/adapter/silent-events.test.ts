/** What happens below a status: each has an exception filter that stops behind the move that did it, in both directions. */
import { describe, expect, it } from "vitest";
import { Client } from "./support.ts";

const PROGRAM = "/flows/test.tdx";

const OVERWRITE = `import "tdx/host"
let td = new_td({ attributes: 0, pages: 1 })
log "built"
write64(td.tdr, 7)
log "written"
`;

const LOST = `import "tdx/host"
import "tdx/guest"
let td = new_td({ attributes: 0, pages: 1 })
guest td.vcpus[0].tdvpr {
    log "{hex(read64(0))}"
}
write64(td.pages[0], 7)
TDH.VP.ENTER(tdvpr: td.vcpus[0].tdvpr)
log "end"
`;

const STALE = `import "tdx/host"
import "tdx/guest"
let td = new_td({ attributes: 0, pages: 1 })
let late = 0x5000
guest td.vcpus[0].tdvpr {
    write64(late, 1)
    expect read64(late) == 1
} on_exception (vector, info) {
    TDG.VP.VEINFO.GET()
    TDG.MEM.PAGE.ACCEPT(gpa: late, level: 0)
}
aug_page(td, late)
TDH.VP.ENTER(tdvpr: td.vcpus[0].tdvpr)
log "end"
`;

const DEADLOCK = `let a = mutex("a")
let b = mutex("b")
spawn other on lp 1 {
    with b { yield
      with a { log "both" } }
}
with a { yield
  with b { log "both" } }
`;

async function launched(text: string, filters: readonly string[], launch: object = {}): Promise<Client> {
  const client = new Client({ [PROGRAM]: text });
  await client.launch(PROGRAM, { filters, launch: { stopAtEnd: true, ...launch } });
  await client.event("stopped");
  return client;
}

async function info(client: Client): Promise<{ exceptionId: string; description: string }> {
  return client.request("exceptionInfo", { threadId: 1 });
}

describe("what happens without a status", () => {
  it("private memory overwritten stops behind the write, and again on the way back", async () => {
    const client = await launched(OVERWRITE, ["private-overwritten"]);
    const stop = await client.move("continue");
    expect(stop).toMatchObject({ reason: "exception", place: "test.tdx:5" });
    const { exceptionId, description } = await info(client);
    expect(exceptionId).toBe("private-overwritten");
    expect(description).toMatch(/0x[0-9a-f]+ · TDR of td0/);
    expect(description).toMatch(/KeyID 0/);
    expect((await client.move("continue")).reason).toBe("end");
    await client.move("tdx/goToStep", { step: 0 });
    await client.move("tdx/goToStep", { step: 100_000 });
    expect(await client.move("reverseContinue")).toMatchObject({ reason: "exception", place: "test.tdx:5" });
  });

  it("a machine check stops where a guest reads what was lost", async () => {
    const client = await launched(LOST, ["machine-check"]);
    const stop = await client.move("continue");
    expect(stop.reason).toBe("exception");
    expect((await info(client)).description).toMatch(/machine check at 0x/);
  });

  it("a condition decides", async () => {
    const client = new Client({ [PROGRAM]: OVERWRITE });
    await client.launch(PROGRAM, {
      filters: [],
      filterOptions: [{ filterId: "private-overwritten", condition: "lp == 3" }],
      launch: { stopAtEnd: true },
    });
    await client.event("stopped");
    expect((await client.move("continue")).reason).toBe("end");
  });

  it("#VE stops in the guest's access", async () => {
    const client = await launched(STALE, ["guest-ve"]);
    const stop = await client.move("continue");
    expect(stop.reason).toBe("exception");
    expect((await info(client)).description).toMatch(/#VE for the guest on LP 0, exit reason 48/);
    expect((await client.move("continue")).reason).toBe("end");
  });

  it("a deadlock says who waits for whom", async () => {
    const client = await launched(DEADLOCK, ["deadlock"]);
    const stop = await client.move("continue");
    expect(stop).toMatchObject({ reason: "exception", description: "Stopped: deadlock" });
    expect(stop.text).toMatch(/main .*; other /);
  });

  it("a broken invariant stops with its rule, and so does the way back", async () => {
    const broken = OVERWRITE.replace("write64(td.tdr, 7)", "write64(td.tdr + 0x10, 0xffff)\nfill(td.tdr, 0xff, 4096)");
    for (const [filters, launch] of [
      [["invariant"], {}],
      [[], { checkInvariants: true }],
    ] as const) {
      const client = await launched(broken, filters, launch);
      const stop = await client.move("continue");
      expect(stop.reason).toBe("exception");
      expect((await info(client)).description).toMatch(/The rule: /);
      const { place } = stop;
      await client.move("next");
      await client.move("tdx/goToStep", { step: 0 });
      await client.move("tdx/goToStep", { step: 100_000 });
      const back: string[] = [];
      for (let again = await client.move("reverseContinue"); again.reason === "exception"; ) {
        back.push(again.place);
        again = await client.move("reverseContinue");
      }
      expect(back.at(-1)).toBe(place);
    }
  });
});
