import { describe, expect, it } from "vitest";
import { STOP_LEAF } from "../../src/runtime/hooks.ts";
import type { RuntimeOptions } from "../../src/runtime/runtime.ts";
import { start } from "./support.ts";
import { tdFlow } from "./td.ts";

async function runTd(statements: string, attributes?: string, options: RuntimeOptions = {}): Promise<string[]> {
  const { runtime, output } = start(await tdFlow(statements, attributes), options);
  runtime.run(1_000_000);
  const { failure } = runtime;
  if (failure !== undefined)
    throw new Error(
      `${failure.file}:${failure.line} ${failure.message}${failure.hint === "" ? "" : ` (${failure.hint})`}`,
    );
  return output;
}

describe("guest code", () => {
  it("runs on top of TDH.VP.ENTER, faults, exits and goes on", async () => {
    const output = await runTd(`
guest tdvpr {
    let x = read64(0x1000)
    log "guest {hex(x)}"
    accept(0x20_0000, 8K)
    write64(0x20_0ff8, x + 1)
    log "guest {hex(read64(0x20_0ff8))} {read8(0x20_1000)}"
    write(0x20_1000, "hi") log "guest {read16(0x20_1000)}"
}
run_vcpu(td, tdvpr)
destroy_td(td)
log "done"
`);
    expect(output).toEqual(["guest 0x9090909090909090", "guest 0x9090909090909091 0", "guest 0x6968", "done"]);
  });

  it("handles #VE: a pending page is accepted and the access done again", async () => {
    const output = await runTd(
      `
guest tdvpr {
    write64(0x4000, 7)
    log "guest wrote {read64(0x4000)}"
    let c = cpuid(0x1f, 5)
    log "cpuid gave {c}"
} on_exception (vector, info) {
    let ve = TDG.VP.VEINFO.GET()
    log "exception {vector}, exit reason {ve.exit_reason}"
    if ve.exit_reason == EXIT_REASON_EPT_VIOLATION { accept(ve.gpa & ~0xfff, 4K) return null }
    return "nothing"
}
aug_page(td, 0x4000)
run_vcpu(td, tdvpr)
`,
      "0",
    );
    expect(output).toEqual([
      "exception 20, exit reason 48",
      "guest wrote 7",
      "exception 20, exit reason 10",
      "cpuid gave nothing",
    ]);
  });

  it("does a TDCALL again whose buffer was a pending page", async () => {
    const output = await runTd(
      `
guest tdvpr {
    let r = TDG.MR.REPORT(report: 0x5000, report_data: 0)
    log "report {r.status}, made {read64(0x5000) != 0}"
} on_exception (vector, info) {
    let ve = TDG.VP.VEINFO.GET()
    log "exception {vector}, exit reason {ve.exit_reason}"
    accept(ve.gpa & ~0xfff, 4K)
}
aug_page(td, 0x5000)
run_vcpu(td, tdvpr)
`,
      "0",
    );
    expect(output).toEqual(["exception 20, exit reason 48", "report TDX_SUCCESS, made true"]);
  });

  it("answers TDVMCALLs with what the host puts into registers", async () => {
    const output = await runTd(`
guest tdvpr {
    let r = vmcall_rdmsr(0x10)
    log "guest got {r.r11}"
    let s = vmcall_cpuid(1, 0)
    log "and {s.r12} {s.result}"
}
let exit = TDH.VP.ENTER(tdvpr: tdvpr)
log "host: {exit.r11} {exit.r12}"
exit = TDH.VP.ENTER(tdvpr: tdvpr, r10: 0, r11: 99)
exit = TDH.VP.ENTER(tdvpr: tdvpr, r10: 0, r12: 5)
expect exit.r11 == TDVMCALL_HLT
expect TDH.VP.ENTER(tdvpr: tdvpr).r11 == TDVMCALL_HLT
`);
    expect(output).toEqual(["host: 31 16", "guest got 99", "and 5 0"]);
  });

  it("says what is missing or out of place", async () => {
    await expect(runTd("TDH.VP.ENTER(tdvpr: tdvpr)")).rejects.toThrow("has no code to run");
    await expect(runTd("TDG.VP.INFO()")).rejects.toThrow("TDG.VP.INFO is for guests");
    await expect(runTd("guest tdvpr { TDH.SYS.INIT() }\nrun_vcpu(td, tdvpr)")).rejects.toThrow(
      "TDH.SYS.INIT is for the host",
    );
    await expect(runTd("guest tdvpr { alloc_page() }\nrun_vcpu(td, tdvpr)")).rejects.toThrow(
      "alloc_page() is for the host",
    );
    await expect(runTd("guest tdvpr { read64(0xffc) }\nrun_vcpu(td, tdvpr)")).rejects.toThrow("crosses a page");
    const wrong: [string, string][] = [
      ["on lp 1 { }", "on lp is for the host, not for guests"],
      ["write(0x1000, [])", "an access has a byte at least"],
      ["io_in(0x1_0000, 1)", '"port" must be from 0 to 0xffff'],
      ["io_out(0x70, 1, 3)", "an I/O instruction has 1, 2 or 4 bytes, not 3"],
      ["rdmsr(1 << 32)", '"msr" must be from 0 to 0xffffffff'],
      ["vm_exit(1 << 32)", '"reason" must be from 0 to 0xffffffff'],
      ["tdcall(rax: 1000)", "TDG.?1000 failed"],
      ["tdcall(rax: 6, rcx: 5)", "TDG.MEM.PAGE.ACCEPT failed"],
    ];
    for (const [instruction, error] of wrong)
      await expect(runTd(`guest tdvpr { ${instruction} }\nrun_vcpu(td, tdvpr)`)).rejects.toThrow(error);
    await expect(runTd("seamcall(rax: 1000)")).rejects.toThrow("TDH.?1000 failed");
    await expect(runTd("guest tdvpr { cpuid(0x1f, 5) }\nrun_vcpu(td, tdvpr)")).rejects.toThrow("exception 20 (#VE)");
  });

  it("shows guest frames on top of the host's", async () => {
    const { runtime } = start(
      await tdFlow(
        "guest tdvpr {\n  let a = 1\n  accept(0x8000, 4K)\n}\nfn enter() { return TDH.VP.ENTER(tdvpr: tdvpr) }\nenter()\n",
      ),
      {
        hooks: { leafEntry: (event) => event.name === "TDG.MEM.PAGE.ACCEPT" },
      },
    );
    runtime.run(1_000_000);
    expect(runtime.pendingLeaf?.name).toBe("TDG.MEM.PAGE.ACCEPT");
    expect(runtime.frames().map((frame) => [frame.fn.name, frame.guest, frame.line])).toEqual([
      ["accept", true, 15],
      ["guest", true, 8],
      ["enter", false, 10],
      ["main.tdx", false, 11],
    ]);
    expect(runtime.frames()[1]?.variables()).toMatchObject([{ name: "a", value: 1 }]);
    expect(runtime.evaluate("a + 1", runtime.frames()[1]!)).toEqual({ value: 2 });
  });

  it("can be stopped before each instruction, and gone through in the module", async () => {
    const program = await tdFlow(
      "guest tdvpr { write64(0x1000, 5) accept(0x7000, 4K) log read64(0x7000) + read64(0x1000) }\nrun_vcpu(td, tdvpr)\n",
    );
    const whole = start(program);
    whole.runtime.run(1_000_000);
    const stepped = start(program, { hooks: { guestEntry: () => true, leafEntry: (event) => event.guest } });
    const seen: string[] = [];
    while (stepped.runtime.status === "running") {
      if (stepped.runtime.run(1_000_000) !== STOP_LEAF) continue;
      const { pendingInstruction, pendingLeaf } = stepped.runtime;
      seen.push(
        pendingLeaf?.name ??
          `${pendingInstruction?.name} ${pendingInstruction?.operands.map(({ value }) => value).join(" ")}`,
      );
      expect(stepped.runtime.enterLeaf()).toBe(true);
      while (stepped.runtime.stepLeaf());
    }
    expect(stepped.runtime.failure).toBeUndefined();
    expect(seen).toEqual([
      "write64 4096 5",
      "TDG.MEM.PAGE.ACCEPT",
      "TDG.MEM.PAGE.ACCEPT",
      "read64 28672",
      "read64 4096",
    ]);
    expect(stepped.output).toEqual(["5"]);
    expect(stepped.store.hash()).toBe(whole.store.hash());
  });
});
