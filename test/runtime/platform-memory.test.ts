import { describe, expect, it } from "vitest";
import { run, session } from "./support.ts";

const TWO_NODES = "platform { memory 0 .. 2G memory 4G .. 5G node 0 memory 5G .. 6G node 1 }\n";

describe("pages", () => {
  it("come from any node, or from the one that is asked for", async () => {
    const output = await run(`${TWO_NODES}
let a = alloc_page()
let b = alloc_page(node: 1)
let c = alloc_pages(512, 2M, 1)
let d = alloc_page(1)
log [node_of(a), node_of(b), node_of(c), node_of(d), node_of(3G)]
expect c % 2M == 0 && d == c + 2M
free_page(a)
free_page(b)
expect alloc_page(node: 1) == b && alloc_page() == a
log memory_ranges()
`);
    expect(output).toEqual([
      "[0, 1, 1, 1, null]",
      "[{base: 0, end: 2147483648, node: 0}, {base: 4294967296, end: 5368709120, node: 0}, {base: 5368709120, end: 6442450944, node: 1}]".replaceAll(
        /\d{5,}/g,
        (text) => `0x${Number(text).toString(16)}`,
      ),
    ]);
  });

  it("that were given back are used again, last first, each from the node that is asked for", async () => {
    expect(
      await run(`${TWO_NODES}
let a = [alloc_page(0), alloc_page(1), alloc_page(0), alloc_page(1), alloc_page(0)]
for page in a { free_page(page) }
expect alloc_page(1) == a[3]
expect alloc_page() == a[4]
expect alloc_page(0) == a[2]
free_page(a[3])
expect alloc_page(0) == a[0]
expect alloc_page() == a[3] && alloc_page() == a[1]
expect alloc_page(0) > a[4] && alloc_page(1) > a[3]
`),
    ).toEqual([]);
  });

  it("can be given back in any number", async () => {
    const { runtime, store } = await session(`let pages = []
for i in 0 .. 20000 { push(pages, alloc_page()) }
let again = pages[0]
for page in pages { free_page(page) }
for i in 0 .. 20000 { again = alloc_page() }
expect again == pages[0]`);
    const before = store.hash();
    runtime.run(80_000);
    expect(store.hash()).not.toBe(before);
    runtime.run(80_000);
    expect([runtime.status, runtime.failure]).toEqual(["done", undefined]);
    store.undo(runtime.start);
    expect(store.hash()).toBe(before);
  });

  it("end, on one node or on all, and a node of nothing has none", async () => {
    await expect(run(`${TWO_NODES}alloc_pages(0x4_0000, node: 1)\nalloc_page(node: 1)`)).rejects.toThrow(
      "3:1 node 1 has no page left (any node: leave the node out)",
    );
    await expect(run(`${TWO_NODES}alloc_pages(1M)`)).rejects.toThrow(/memory has no 1048576 adjacent pages left/);
    await expect(run(`${TWO_NODES}alloc_page(node: 2)`)).rejects.toThrow(
      "node 2 has no memory (memory is on nodes 0, 1)",
    );
  });

  it("are where there is memory: elsewhere nothing can be read or written", async () => {
    await expect(run(`${TWO_NODES}write64(3G, 1)`)).rejects.toThrow(
      "2:1 there is no memory at 0xc0000000 (memory is 0x0 .. 0x80000000, 0x100000000 .. 0x140000000, 0x140000000 .. 0x180000000)",
    );
    await expect(run(`${TWO_NODES}log read64(2G - 4)`)).rejects.toThrow("no memory");
    expect(await run(`${TWO_NODES}write64(5G - 4, 7) log read64(5G - 4)`)).toEqual(["7"]);
  });
});

describe("a module without a feature", () => {
  it("does not tell of it, and refuses what depends on it", async () => {
    const build = (flags: number, l2: number) => `
import "tdx/host"
tdx_enable()
let td = { tdr: alloc_page(), hkid: 40 }
TDH.MNG.CREATE(tdr: td.tdr, hkid: td.hkid)
for package in packages() { on lp package[0] { TDH.MNG.KEY.CONFIG(tdr: td.tdr) } }
for i in 0 .. 8 { TDH.MNG.ADDCX(tdcx: alloc_page(), tdr: td.tdr) }
let params = alloc_page()
write_td_params(params, { attributes: 0, xfam: 0xe7, max_vcpus: 1 })
write64(params + 32, ${flags})
write8(params + 18, ${l2})
log TDH.MNG.INIT(tdr: td.tdr, td_params: params).name
log TDH.SYS.RD(field: SYS_FIELD.TDX_FEATURES0).value & TDX_FEATURES0_NO_RBP_MOD
log TDH.SYS.RD(field: SYS_FIELD.CONFIG_FLAGS_FIXED0).value
`;
    expect(await run(build(4, 0))).toEqual(["TDX_SUCCESS", "0x40000", "7"]);
    expect(await run(`platform { without NO_RBP_MOD }${build(4, 0)}`)).toEqual(["TDX_OPERAND_INVALID", "0", "3"]);
    expect(await run(`platform { without TD_PARTITIONING }${build(0, 1)}`)).toEqual([
      "TDX_OPERAND_INVALID",
      "0x40000",
      "7",
    ]);
  });
});

describe("INVEPT by the host", () => {
  const STALE = (flush: string) => `
import "tdx/host"
let td = new_td({ attributes: 0, pages: 2 })
let tdvpr = td.vcpus[0].tdvpr
guest tdvpr { log read64(0) vm_exit(1) log read64(0) }
TDH.VP.ENTER(tdvpr: tdvpr)
TDH.MEM.RANGE.BLOCK(gpa: 0, level: 0, tdr: td.tdr)
${flush}
TDH.VP.ENTER(tdvpr: tdvpr)
log hazards()
`;
  it("of all contexts drops what the LP remembers of guests; of one EPT, nothing of a TD", async () => {
    const stale = async (flush: string) => (await run(STALE(flush))).at(-1);
    expect(await stale("")).toBe("1");
    expect(await stale("invept(2)")).toBe("0");
    expect(await stale("on lp 1 { invept(2) }")).toBe("1");
    expect(await stale("invept(1, eptp: 4G)")).toBe("1");
  });

  it("knows two types", async () => {
    await expect(run("invept(0)")).rejects.toThrow("INVEPT has no type 0 (1 is one EPT's context, 2 all contexts)");
    await expect(run("invept(1)")).rejects.toThrow("needs its EPTP");
  });
});
