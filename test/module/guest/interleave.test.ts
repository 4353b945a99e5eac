/**
 * A guest in a TDCALL on LP 0 and a host on LP 1 at the same time: one of them stops at each of its steps, the other runs as a
 * whole, the first goes on. What comes out must be what one of the two orders gives, or one of them was busy and changed nothing.
 */
import { describe, expect, it } from "vitest";
import { checkInvariants } from "../../../src/module/invariants.ts";
import { TDCS_REFCOUNT, TDCS_RTMR, TDCS_TD_EPOCH } from "../../../src/module/layout.ts";
import { survey } from "../../../src/module/survey.ts";
import { FREE, Guest, MAPPED, PENDING } from "../../support/guest.ts";
import type { Operands } from "../../support/host.ts";

const PAGE = 4096;
const BUSY = 0x8000_0200n;

const guest = new Guest({ vcpus: 2 });
const { host, machine, tdr } = guest;
const { store } = machine;
for (const { gpa, hpa, isTable } of survey(machine).tds[0]?.mappings ?? []) {
  if (!isTable && gpa >= PENDING) machine.platform.memory.write32(hpa, 0x5eed); // so that zeroing it shows
}
const start = store.mark();

type NamedCall = readonly [leaf: string, operands: Operands];

const guestCalls: Readonly<Record<string, NamedCall>> = {
  accept: ["TDG.MEM.PAGE.ACCEPT", { rcx: PENDING }],
  "accept a mapped page": ["TDG.MEM.PAGE.ACCEPT", { rcx: MAPPED }],
  "accept a free page": ["TDG.MEM.PAGE.ACCEPT", { rcx: FREE }],
  "read attributes": ["TDG.MEM.PAGE.ATTR.RD", { rcx: PENDING }],
  "write attributes": ["TDG.MEM.PAGE.ATTR.WR", { rcx: PENDING }],
  "extend an RTMR": ["TDG.MR.RTMR.EXTEND", { rcx: MAPPED, rdx: 0 }],
  report: ["TDG.MR.REPORT", { rcx: MAPPED + PAGE, rdx: MAPPED }],
  "call the host": ["TDG.VP.VMCALL", { rcx: 0 }],
  "read the TD": ["TDG.VM.RD", { rdx: 0x9010_0003_0000_0000n }],
};

const hostCalls: Readonly<Record<string, NamedCall>> = {
  block: ["TDH.MEM.RANGE.BLOCK", { rcx: PENDING, rdx: tdr }],
  "block the page that is read": ["TDH.MEM.RANGE.BLOCK", { rcx: MAPPED, rdx: tdr }],
  "block the table": ["TDH.MEM.RANGE.BLOCK", { rcx: 1, rdx: tdr }],
  track: ["TDH.MEM.TRACK", { rcx: tdr }],
  augment: ["TDH.MEM.PAGE.AUG", { rcx: FREE, rdx: tdr, r8: host.page() }],
  remove: ["TDH.MEM.PAGE.REMOVE", { rcx: PENDING, rdx: tdr }],
  "read the entry": ["TDH.MEM.SEPT.RD", { rcx: PENDING, rdx: tdr }],
  "enter the other VCPU": ["TDH.VP.ENTER", { rcx: guest.vcpus[1] as number }],
  "flush the VCPU": ["TDH.VP.FLUSH", { rcx: guest.tdvpr }],
  "reclaim the TDR": ["TDH.PHYMEM.PAGE.RECLAIM", { rcx: tdr }],
};

interface Outcome {
  /** Of guest and host: how the call ended, and RAX. */
  readonly guest: string;
  readonly host: string;
  readonly state: string;
}

const guestResult = (): string => `${machine.guestResult(0).kind} ${guest.rax().toString(16)}`;
const hostResult = (): string => (machine.inGuest(1) ? "entered" : host.register("rax", 1).toString(16));
const isBusy = (result: string): boolean =>
  BigInt(`0x${result.replace(/.* /, "").replace("entered", "0")}`) >> 32n === BUSY;

function runGuest([leaf, operands]: NamedCall): void {
  guest.tdcall(leaf, operands);
}

function runHost([leaf, operands]: NamedCall): void {
  host.call(leaf, operands, 1);
}

function state(): string {
  const { pages, tds } = survey(machine);
  const td = tds[0];
  const tdcs = td?.tdcs ?? 0;
  return JSON.stringify({
    pages: pages.map(({ hpa, type, owner, bepoch }) => [hpa, type, owner, bepoch]),
    mappings: td?.mappings.map(({ gpa, state, hpa }) => [gpa, state, hpa, machine.platform.memory.read32(hpa)]),
    rtmr: [...store.view(tdcs + TDCS_RTMR, 12)],
    epoch: [store.read(tdcs + TDCS_TD_EPOCH), ...store.view(tdcs + TDCS_REFCOUNT, 2)],
    running: [machine.inGuest(0), machine.inGuest(1)],
  });
}

const sound = new Set<string>();

function outcome(work: () => void): Outcome {
  machine.forgetEntries();
  store.undo(start);
  work();
  const after = state();
  if (!sound.has(after)) expect(checkInvariants(machine)).toEqual([]);
  sound.add(after);
  return { guest: guestResult(), host: hostResult(), state: after };
}

/** Runs `first` up to its step number `stop`, then `second`, then the rest. Returns false if there is no such step. */
function stopped(begin: () => ReturnType<Guest["begin"]>, stop: number, second: () => void): boolean {
  const entry = begin();
  for (let i = 0; i < stop && entry.next !== undefined; i++) entry.step();
  const reached = entry.next !== undefined;
  second();
  while (entry.next !== undefined) entry.step();
  return reached;
}

describe.each(Object.keys(guestCalls))("a guest that would %s", (guestName) => {
  const g = guestCalls[guestName] as NamedCall;

  it.each(Object.keys(hostCalls))("and a host that would %s", (hostName) => {
    const h = hostCalls[hostName] as NamedCall;
    const initial = outcome(() => {}).state;
    const alone = { guest: outcome(() => runGuest(g)), host: outcome(() => runHost(h)) };
    const orders = [
      outcome(() => {
        runGuest(g);
        runHost(h);
      }),
      outcome(() => {
        runHost(h);
        runGuest(g);
      }),
    ];
    const explained = (result: Outcome): boolean =>
      orders.some((order) => JSON.stringify(order) === JSON.stringify(result)) ||
      (isBusy(result.guest) && isBusy(result.host) && result.state === initial) ||
      (isBusy(result.guest) && result.host === alone.host.host && result.state === alone.host.state) ||
      (isBusy(result.host) && result.guest === alone.guest.guest && result.state === alone.guest.state);

    const unexplained: string[] = [];
    for (const guestFirst of [true, false]) {
      for (let stop = 1, reached = true; reached; stop++) {
        const result = outcome(() => {
          reached = guestFirst
            ? stopped(
                () => guest.begin(...g),
                stop,
                () => runHost(h),
              )
            : stopped(
                () => host.begin(...h, 1),
                stop,
                () => runGuest(g),
              );
        });
        if (reached && !explained(result)) {
          unexplained.push(`${guestFirst ? "guest" : "host"} stopped at ${stop}: ${result.guest}, ${result.host}`);
        }
      }
    }
    expect(unexplained).toEqual([]);
  });
});
