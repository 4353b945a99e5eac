/** Why a guest left to its host for an EPT violation: what the S-EPT says of the address, and what the host does about it. */
import { R8 } from "../arch/registers.ts";
import type { Outcome } from "./debuggee.ts";
import { eptViolationKind } from "./ept-violation.ts";
import type { FlowDebuggee } from "./flow-debuggee.ts";
import type { Domain } from "./inspect/domains.ts";
import { hex } from "./inspect/format.ts";
import type { Moment } from "./inspect/moment.ts";
import { type SeptNode, stateName, tableBelow, usedSeptEntries } from "./inspect/sept-scan.ts";

interface Advice {
  readonly meaning: string;
  readonly action: string;
}

/** How KVM does it: arch/x86/kvm/vmx/tdx.c, tdx_handle_ept_violation. */
const ACTIONS: Readonly<Record<string, string>> = {
  private:
    "The host maps a page (TDH.MEM.SEPT.ADD for missing tables, TDH.MEM.PAGE.AUG) and enters the VCPU again; the guest then accepts it.",
  pending:
    "There is nothing to map: the guest has to accept the page (TDG.MEM.PAGE.ACCEPT). KVM reports such a guest to user space.",
  shared: "The host maps the page in its own EPT, or emulates the access (MMIO), and enters the VCPU again.",
};

/** Undefined for other exits. */
export function explainExit(debuggee: FlowDebuggee, moment: Moment, outcome: Outcome): Advice | undefined {
  const { machine } = debuggee;
  const kind = outcome.isTdExit ? eptViolationKind(machine, outcome) : undefined;
  const action = kind && ACTIONS[kind];
  if (!action) return undefined;
  const gpa = Number(machine.platform.readGpr(outcome.lp, R8));
  const tdcs = machine.calls[outcome.lp]?.tdcs;
  const td = moment.domains.all.find((domain) => domain.tdcs === tdcs);
  const touched = `The guest touched ${kind === "shared" ? "shared" : "private"} GPA ${hex(gpa)}`;
  if (td === undefined || kind === "shared") return { meaning: `${touched}, which is not mapped.`, action };
  return { meaning: `${touched}: ${septText(moment, td, gpa)}.`, action };
}

/** Where the walk to a GPA ends. */
function septText(moment: Moment, td: Domain, gpa: number): string {
  let node: SeptNode | undefined;
  for (let table = td.sept; table; table = node?.isTable ? tableBelow(node) : undefined) {
    const { level } = table;
    const entries: readonly SeptNode[] = usedSeptEntries(moment.machine, table);
    const span = 2 ** (12 + 9 * level);
    node = entries.find((entry) => gpa >= entry.gpa && gpa < entry.gpa + span);
    if (node === undefined) return `its S-EPT entry of level ${level} is free`;
  }
  return node ? `its S-EPT entry of level ${node.level} is ${stateName(node.state)}` : `${td.name} has no S-EPT`;
}
