/**
 * What leaves that are left out check of their operands once they have accepted their TD: as in module 1.5.01, where it would go
 * on to work if these pass. No TD here has a migration stream or a page in a state of live migration, so some never pass.
 */
import { OP_STATE_RUNNABLE, opStateNames } from "../arch/generated/op-states.ts";
import { PT_NDA } from "../arch/generated/pamt-types.ts";
import {
  TDX_MIN_MIGS_NOT_CREATED,
  TDX_OP_STATE_INCORRECT,
  TDX_OPERAND_INVALID,
  TDX_TD_NOT_MIGRATABLE,
} from "../arch/generated/status-codes.ts";
import { R8, R9, R10, RCX, RDX } from "../arch/registers.ts";
import { ATTRIBUTE_MIGRATABLE } from "./attributes.ts";
import { type Call, fail } from "./call.ts";
import { checkAlignedSharedHpa } from "./hpa.ts";
import { TDCS_ATTRIBUTES, TDCS_OP_STATE } from "./layout.ts";
import { EXCLUSIVE, SHARED } from "./lock-words.ts";
import { lockPage, PG_4K } from "./pamt.ts";
import { checkSeptStateAllowsLeaf, type LockedTd, lockEntryOfTd } from "./sept.ts";
import type { Steps } from "./step.ts";
import { checkStateAndLockTdcs, lockTdr } from "./td.ts";

const PAGE_LEVEL = 0;
const HASH_ALIGNMENT = 64;

/** A TD has one place for a service TD, which may be of one type, a migration TD, and have these attributes. */
const SERVTD_SLOTS = 1;
const SERVTD_TYPE_MIGTD = 0n;
const SERVTD_ATTRIBUTES_FIXED0 = 0x7ff_0000_0001n;

type Check = (call: Call, td: LockedTd) => Steps;

/** R8 slot · R9 type · R10 attributes. */
function* checkBinding(call: Call): Steps {
  yield "check the slot, the type and the attributes of the service TD";
  if (call.big(R8) >= SERVTD_SLOTS) fail(TDX_OPERAND_INVALID, R8);
  if (call.big(R9) !== SERVTD_TYPE_MIGTD) fail(TDX_OPERAND_INVALID, R9);
  if ((call.big(R10) & ~SERVTD_ATTRIBUTES_FIXED0) !== 0n) fail(TDX_OPERAND_INVALID, R10);
}

/** RDX TDR of the service TD. */
function* servtdBind(call: Call): Steps {
  yield "lock the TDR of the service TD";
  const tdr = yield* lockTdr(call, RDX, SHARED);
  const tdcs = yield* checkStateAndLockTdcs(call, tdr, SHARED);
  yield "check that the service TD can run";
  const state = call.store.read(tdcs + TDCS_OP_STATE);
  if (state !== OP_STATE_RUNNABLE) fail(TDX_OP_STATE_INCORRECT, 0, `the service TD is ${opStateNames[state] ?? state}`);
  yield* checkBinding(call);
}

/** RDX HPA of the service TD's hash. */
function* servtdPrebind(call: Call): Steps {
  yield "check the address of the hash";
  checkAlignedSharedHpa(call, call.num(RDX), HASH_ALIGNMENT, RDX);
  yield* checkBinding(call);
}

function* exportStateImmutable(call: Call, { tdcs }: LockedTd): Steps {
  yield "check that the TD may migrate, and that it has migration streams";
  if ((call.store.read(tdcs + TDCS_ATTRIBUTES) & ATTRIBUTE_MIGRATABLE) === 0) fail(TDX_TD_NOT_MIGRATABLE);
  fail(TDX_MIN_MIGS_NOT_CREATED);
}

/** RCX GPA of a page of 4 KiB. */
function* exportUnblockw(call: Call, td: LockedTd): Steps {
  const { entry } = yield* lockEntryOfTd(call, td, PAGE_LEVEL, PAGE_LEVEL, SHARED);
  yield "check that the entry is blocked for writing";
  checkSeptStateAllowsLeaf(call, entry, RCX);
}

function* importStateImmutable(): Steps {
  yield "check that the TD has migration streams";
  fail(TDX_MIN_MIGS_NOT_CREATED);
}

/** RCX the page that the stream gets. */
function* migStreamCreate(call: Call): Steps {
  yield "lock the new page (exclusive) and check that it is free";
  yield* lockPage(call, call.num(RCX), PG_4K, EXCLUSIVE, PT_NDA, RCX);
}

/** By leaf number. */
export const operandChecks: Readonly<Record<number, Check>> = {
  48: servtdBind,
  49: servtdPrebind,
  72: exportStateImmutable,
  75: exportUnblockw,
  85: importStateImmutable,
  96: migStreamCreate,
};
