/** Explains what happened without a status: what it was, where, and what a host usually does about it. */
import { invariants } from "../module/invariants.ts";
import { TDVPS_EXIT_REASON, TDVPS_GPA } from "../module/layout.ts";
import { hazardNames } from "../platform/hazards.ts";
import { LP_GUEST_TDVPR } from "../platform/lp.ts";
import type { SilentEvent } from "./exceptions.ts";
import { hex } from "./inspect/format.ts";
import type { Moment } from "./inspect/moment.ts";

export interface EventDescription {
  readonly text: string;
  /** What else is known, a line each. */
  readonly details: readonly string[];
}

/** What follows from each hazard, and how hosts avoid it. */
const HAZARD_ADVICE: Readonly<Record<string, string>> = {
  "machine-check":
    "The processor raises #MC and marks the TD fatal, or the host panics. Private memory is read with its own KeyID only, and after nothing else has written it.",
  "private-overwritten":
    "The lines that were written lost their integrity: their owner gets #MC when it reads them. A host does not touch pages that it has given to TDX until it has them back.",
  "dirty-line":
    "The late write-back destroys what the page holds by then. Before a page or a KeyID changes hands its lines are written back: TDH.PHYMEM.PAGE.WBINVD or TDH.PHYMEM.CACHE.WB.",
  "stale-tlb":
    "A real processor may reach the old page through it. Between TDH.MEM.RANGE.BLOCK and the change comes TDH.MEM.TRACK, and each LP in the TD leaves it once.",
};

const WARN_ADVICE = "The host's code goes on as after WARN(): look at what led here before it makes things worse.";

/** @param moment the place where the session stopped for it */
export function describeEvent(event: SilentEvent, moment: Moment): EventDescription {
  if (event.filter === "guest-ve") return describeVe(moment);
  if (event.warning !== undefined) return { text: `WARNING: ${event.warning}`, details: [WARN_ADVICE] };
  const [violation] = event.violations ?? [];
  if (violation) {
    const rule = invariants.find(({ name }) => name === violation.invariant)?.rule ?? "";
    return {
      text: `${violation.invariant}: ${violation.text}`,
      details: [`The rule: ${rule}`, ...(event.violations ?? []).slice(1).map(({ text }) => `Also: ${text}`)],
    };
  }
  return describeHazard(event.filter, moment);
}

function describeHazard(filter: string, moment: Moment): EventDescription {
  const { latest } = moment.machine.platform.hazards;
  const advice = HAZARD_ADVICE[filter] ?? "";
  if (latest === undefined) return { text: advice, details: [] };
  const { kind, hpa, hkid, ownHkid } = latest;
  const keys = hkid === ownHkid ? `KeyID ${hkid}` : `accessed with KeyID ${hkid}, memory of KeyID ${ownHkid}`;
  return { text: `${hazardNames[kind]} at ${moment.hpa(hpa)}`, details: [keys, advice] };
}

function describeVe(moment: Moment): EventDescription {
  const { store, platform } = moment.machine;
  const lp = platform.veLp;
  const text = `#VE for the guest on LP ${lp}`;
  const tdvpr = store.readNumber(platform.lpCell(lp) + LP_GUEST_TDVPR);
  if (tdvpr === 0) return { text, details: [] };
  const cell = platform.memory.cell(tdvpr);
  const reason = store.read(cell + TDVPS_EXIT_REASON);
  return {
    text: `${text}, exit reason ${reason}`,
    details: [
      `VCPU ${moment.hpa(tdvpr)}, GPA ${hex(store.readNumber(cell + TDVPS_GPA))}`,
      "The guest's handler asks TDG.VP.VEINFO.GET what it is about; until it has, another #VE is a #DF.",
    ],
  };
}
