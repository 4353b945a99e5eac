import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cpuidLookup } from "../../src/arch/generated/cpuid-tables.ts";
import {
  TDX_METADATA_FIELD_ID_INCORRECT,
  TDX_METADATA_FIELD_NOT_WRITABLE,
  TDX_METADATA_FIELD_VALUE_NOT_VALID,
  TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT,
  TDX_METADATA_WR_MASK_NOT_VALID,
} from "../../src/arch/generated/status-codes.ts";
import { RDX } from "../../src/arch/registers.ts";
import { type Party, readMask, writeMask } from "../../src/module/metadata/access.ts";
import { CONTEXT_TD, fieldClass, fieldCode, NO_FIELD } from "../../src/module/metadata/field-id.ts";
import { nextReadableElement } from "../../src/module/metadata/next.ts";
import { l2VmcsTable, type Table, tableLength, tdTable, vmcsTable, vpTable } from "../../src/module/metadata/tables.ts";
import { HOST_PAGE, Host, status } from "../support/host.ts";

const VERSION_1 = 0x1_0000;
/** A physical address that was never set is all ones. */
const NEVER_SET = 1n << 63n;

const contexts = [
  { read: "TDH.MNG.RD", write: "TDH.MNG.WR", of: "tdr", tables: [tdTable] },
  { read: "TDH.VP.RD", write: "TDH.VP.WR", of: "tdvpr", tables: [vmcsTable, vpTable] },
] as const;

/** Ids of all elements that the party can read in these tables, of a TD without L2 VMs. CPUID leaves are left out. */
function readableElements(tables: readonly Table[], party: Party): bigint[] {
  return tables.flatMap((table) =>
    table.fields.slice(0, tableLength(table, 0)).flatMap((field, i) => {
      if (readMask(field, party) === 0n || field.name === "CPUID_VALUES") return [];
      const step = field.incByTwo ? 2n : 1n;
      const first = table.ids[i] as bigint;
      return Array.from({ length: field.fields * field.elementsPerField }, (_, n) => first + BigInt(n) * step);
    }),
  );
}

const isCpuid = (id: bigint): boolean => ((id >> 52n) & 7n) === 1n && fieldClass(id) === 20;

describe.each([false, true])("of a TD (debug: %s)", (debug) => {
  const host = new Host();
  const { tdr, vcpus } = host.buildTd({ debug });
  const subject = { tdr, tdvpr: vcpus[0] as number };
  const party: Party = debug ? "host of a debug TD" : "host";
  const { store } = host.machine;
  const built = store.mark();
  const hash = store.hash();

  it.each(contexts)(
    "$read runs through each readable element once, in order, by the ids that it returns",
    (context) => {
      const rcx = subject[context.of];
      const first = host.call(context.read, { rax: VERSION_1, rcx, rdx: NO_FIELD });
      expect(first).toBe(status(TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT));
      const visited: bigint[] = [];
      for (let id = host.register("rdx"); id !== NO_FIELD; id = host.register("rdx")) {
        const rax = host.call(context.read, { rax: VERSION_1, rcx, rdx: id });
        if (rax !== 0n) {
          // A CPUID leaf that faults for the guest is in the order, but has no value and names no next field.
          expect(isCpuid(id)).toBe(true);
          host.machine.platform.writeGpr(0, RDX, nextReadableElement(CONTEXT_TD, id, 0, party));
        }
        visited.push(id);
      }
      const elements = visited.filter((id) => !isCpuid(id));
      expect(elements).toEqual(readableElements(context.tables, party));
      expect(visited.length - elements.length).toBe(context.of === "tdr" ? 2 * cpuidLookup.length : 0);
      store.undo(built);
      expect(store.hash()).toBe(hash);
    },
  );

  it.each(contexts)("$write changes what the mask and the table allow, and nothing else", (context) => {
    const rcx = subject[context.of];
    const anyField = fc.constantFrom(
      ...context.tables.flatMap((table) =>
        table.fields.slice(0, tableLength(table, 0)).map((field, i) => ({ field, id: table.ids[i] as bigint })),
      ),
    );
    const word = fc.bigInt({ min: 0n, max: NO_FIELD });
    fc.assert(
      fc.property(anyField, word, word, ({ field, id }, value, mask) => {
        const before = host.call(context.read, { rcx, rdx: id }) === 0n ? host.register("r8") : undefined;
        const mark = store.mark(); // after the read: it may associate the VCPU
        const unchanged = store.hash();
        const rax = host.call(context.write, { rcx, rdx: id, r8: value, r9: mask });
        const writable = writeMask(field, party) & mask;
        if (rax === 0n) {
          const old = before ?? 0n;
          expect(writable).not.toBe(0n);
          expect(host.register("r8")).toBe(old);
          host.must(context.read, { rcx, rdx: id });
          const isNeverSet = (old & NEVER_SET) !== 0n; // the first write of an address clears the bits around it
          if (!field.specialWrite && !isNeverSet) {
            expect(host.register("r8")).toBe(((old & ~writable) | (value & writable)) & readMask(field, party));
          }
        } else if (writable === 0n) {
          expect(rax).toBe(status(TDX_METADATA_FIELD_NOT_WRITABLE));
        } else {
          expect(host.register("r8")).toBe(0n);
        }
        expect(host.machine.calls[0]?.why === "").toBe(rax === 0n);
        store.undo(mark);
        expect(store.hash()).toBe(unchanged);
        store.undo(built);
      }),
      { numRuns: 300 },
    );
  });

  it("refuses ids that only a sequence may have, whatever the reserved bit", () => {
    for (const bit of [24n, 31n, 34n, 37n, 38n, 46n, 47n, 49n, 55n, 62n]) {
      const rax = host.call("TDH.MNG.RD", { rcx: tdr, rdx: 0x1110_0003_0000_0000n | (1n << bit) });
      expect(rax, `bit ${bit}`).toBe(status(TDX_METADATA_FIELD_ID_INCORRECT));
    }
    store.undo(built);
  });
});

describe("HP_LOCK_TIMEOUT", () => {
  const host = new Host();
  const { tdr } = host.buildTd();
  const field = tdTable.ids[tdTable.fields.findIndex(({ name }) => name === "HP_LOCK_TIMEOUT")] as bigint;

  it("is in microseconds, from 10 ms to 100 s", () => {
    expect(fieldCode(field)).toBe(0x11);
    const write = (value: number): bigint => host.call("TDH.MNG.WR", { rcx: tdr, rdx: field, r8: value, r9: NO_FIELD });
    const refused = status(TDX_METADATA_FIELD_VALUE_NOT_VALID);
    expect([9_999, 10_000, 1_500_000, 100_000_000, 100_000_001].map(write)).toEqual([refused, 0n, 0n, 0n, refused]);
    write(1_500_000);
    host.must("TDH.MNG.RD", { rcx: tdr, rdx: field });
    expect(host.register("r8")).toBe(1_500_000n);
    const masked = host.call("TDH.MNG.WR", { rcx: tdr, rdx: field, r8: 20_000, r9: 0xffff });
    expect(masked).toBe(status(TDX_METADATA_WR_MASK_NOT_VALID));
  });
});

describe("a TD with L2 VMs", () => {
  const host = new Host();
  const { platform } = host.machine;
  const tdr = host.page();
  host.must("TDH.MNG.CREATE", { rcx: tdr, rdx: 33 });
  for (const [lp = 0] of platform.config.packages) host.must("TDH.MNG.KEY.CONFIG", { rcx: tdr }, lp);
  for (let i = 0; i < 8; i++) host.must("TDH.MNG.ADDCX", { rcx: host.page(), rdx: tdr });
  const params = HOST_PAGE + 0x1000;
  for (const [at, word] of [
    [0, 1], // debug
    [8, 0xe7],
    [16, 0x2_0001], // one VCPU, two L2 VMs
    [24, 0x1e],
    [40, 40],
  ] as const) {
    platform.memory.write32(params + at, word);
  }
  host.must("TDH.MNG.INIT", { rcx: tdr, rdx: params });
  const tdvpr = host.page();
  host.must("TDH.VP.CREATE", { rcx: tdvpr, rdx: tdr });
  for (let i = 1; i < 12; i++) host.must("TDH.VP.ADDCX", { rcx: host.page(), rdx: tdvpr });
  host.must("TDH.VP.INIT", { rcx: tdvpr });

  /** Ids and values of all readable elements of the VCPU, in order. */
  function everything(): [id: bigint, value: bigint][] {
    const found: [bigint, bigint][] = [];
    host.call("TDH.VP.RD", { rax: VERSION_1, rcx: tdvpr, rdx: NO_FIELD });
    for (let id = host.register("rdx"); id !== NO_FIELD; id = host.register("rdx")) {
      host.must("TDH.VP.RD", { rax: VERSION_1, rcx: tdvpr, rdx: id });
      found.push([id, host.register("r8")]);
    }
    return found;
  }

  it("has the VMCS and the MSR bitmaps of each, and not those of a third", () => {
    const elements = everything();
    const inClass = (cls: number): [bigint, bigint][] => elements.filter(([id]) => fieldClass(id) === cls);
    const own = readableElements([l2VmcsTable], "host of a debug TD").length;
    for (const [vm, vmcs] of [36, 44, 52].entries()) {
      const exists = vm < 2;
      expect(inClass(vmcs), `VMCS of VM ${vm + 1}`).toHaveLength(exists ? own : 0);
      const bitmaps = inClass(vmcs + 1);
      expect(bitmaps).toHaveLength(exists ? 512 : 0);
      expect(bitmaps.every(([, value]) => value === NO_FIELD)).toBe(true);
    }
    const classes = [...new Set(elements.map(([id]) => fieldClass(id)))];
    expect(classes).toEqual([...classes].sort((a, b) => a - b));
  });

  it("keeps what is written to an L2 VM's controls apart from what the processor gets", () => {
    const cr0Mask = 0x0024_0003_0000_6000n | (36n << 56n);
    const write = (id: bigint, value: bigint): bigint =>
      host.call("TDH.VP.WR", { rcx: tdvpr, rdx: id, r8: value, r9: value });
    const read = (id: bigint): bigint => {
      host.must("TDH.VP.RD", { rcx: tdvpr, rdx: id });
      return host.register("r8");
    };
    const field = l2VmcsTable.fields.find(({ code }) => code === 0x6000);
    const bit = 1n << 18n; // AM: the TD may own it
    const writable = field === undefined ? 0n : writeMask(field, "host of a debug TD");
    expect(write(cr0Mask, bit)).toBe((writable & bit) === 0n ? status(TDX_METADATA_FIELD_NOT_WRITABLE) : 0n);
    expect(read(cr0Mask) & bit).toBe(bit);

    const bitmap = vpTable.ids[vpTable.fields.findIndex(({ name }) => name === "L2_MSR_BITMAPS_1")] as bigint;
    // TSC, MSR 0x10, is native for reads in the TD's own bitmaps: word 0 of them has its bit clear.
    host.must("TDH.VP.WR", { rcx: tdvpr, rdx: bitmap, r8: 0, r9: NO_FIELD });
    const own = tdTable.ids[tdTable.fields.findIndex(({ name }) => name === "MSR_BITMAPS")] as bigint;
    host.must("TDH.MNG.RD", { rcx: tdr, rdx: own });
    const ownWord = host.register("r8");
    expect(ownWord & (1n << 0x10n)).toBe(0n);
    expect(read(bitmap)).toBe(ownWord);
  });
});
