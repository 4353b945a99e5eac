/** A TD that can run, with an S-EPT entry of each kind, and one successful call of each leaf that deals with entries. */
import { HOST_PAGE, Host, type Operands } from "./host.ts";

export const GPA = {
  mapped: 0x1000,
  /** Blocked and tracked. */
  tracked: 0x2000,
  pending: 0x3000,
  free: 0x4000,
  /** 2 MiB page, blocked and tracked. */
  large: 0x40_0000,
  /** Table with 512 pages that could be one, blocked and tracked. */
  full: 0x60_0000,
  /** Table with free entries only, blocked and tracked. */
  empty: 0x80_0000,
  /** No table. */
  hole: 0xa0_0000,
} as const;

const LEVEL_2M = 1;
const PAGE = 4096;
const PAGE_2M = 512 * PAGE;

export interface Call {
  readonly leaf: string;
  readonly operands: Operands;
}

export interface Zoo {
  readonly host: Host;
  readonly tdr: number;
  readonly tdvpr: number;
  /** A call of each leaf that succeeds in this state. */
  readonly calls: Readonly<Record<string, Call>>;
}

export function buildZoo(host = new Host()): Zoo {
  const { tdr, vcpus } = host.buildTd();
  host.addTables(tdr, 0);
  for (const gpa of [GPA.mapped, GPA.tracked]) {
    host.must("TDH.MEM.PAGE.ADD", { rcx: gpa, rdx: tdr, r8: host.page(), r9: HOST_PAGE });
  }
  for (const gpa of [GPA.full, GPA.empty]) host.addTables(tdr, gpa, LEVEL_2M);
  host.must("TDH.MR.FINALIZE", { rcx: tdr });
  host.must("TDH.MEM.PAGE.AUG", { rcx: GPA.pending, rdx: tdr, r8: host.page() });
  host.must("TDH.MEM.PAGE.AUG", { rcx: GPA.large + LEVEL_2M, rdx: tdr, r8: host.page(PAGE_2M) });
  const range = host.page(PAGE_2M);
  for (let at = 0; at < PAGE_2M; at += PAGE) {
    host.must("TDH.MEM.PAGE.AUG", { rcx: GPA.full + at, rdx: tdr, r8: range + at });
  }
  for (const entry of [GPA.tracked, GPA.large + LEVEL_2M, GPA.full + LEVEL_2M, GPA.empty + LEVEL_2M]) {
    host.must("TDH.MEM.RANGE.BLOCK", { rcx: entry, rdx: tdr });
  }
  host.must("TDH.MEM.TRACK", { rcx: tdr });
  return { host, tdr, tdvpr: vcpus[0] as number, calls: callsOf(host, tdr) };
}

function callsOf(host: Host, tdr: number): Record<string, Call> {
  const page = host.page();
  const on = (leaf: string, rcx: number, more: Operands = {}): Call => ({ leaf, operands: { rcx, rdx: tdr, ...more } });
  return {
    aug: on("TDH.MEM.PAGE.AUG", GPA.free, { r8: page }),
    remove: on("TDH.MEM.PAGE.REMOVE", GPA.tracked),
    relocate: on("TDH.MEM.PAGE.RELOCATE", GPA.tracked, { r8: page }),
    block: on("TDH.MEM.RANGE.BLOCK", GPA.mapped),
    blockTable: on("TDH.MEM.RANGE.BLOCK", LEVEL_2M),
    unblock: on("TDH.MEM.RANGE.UNBLOCK", GPA.tracked),
    demote: on("TDH.MEM.PAGE.DEMOTE", GPA.large + LEVEL_2M, { r8: page }),
    promote: on("TDH.MEM.PAGE.PROMOTE", GPA.full + LEVEL_2M),
    addTable: on("TDH.MEM.SEPT.ADD", GPA.hole + LEVEL_2M, { r8: page }),
    removeTable: on("TDH.MEM.SEPT.REMOVE", GPA.empty + LEVEL_2M),
    read: on("TDH.MEM.SEPT.RD", GPA.mapped),
    track: { leaf: "TDH.MEM.TRACK", operands: { rcx: tdr } },
  };
}
