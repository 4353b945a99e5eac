/**
 * What a status tells and what hosts usually do then. Sources: Intel TDX Module ABI specification (completion status codes),
 * and how Linux and KVM act on them (arch/x86/virt/vmx/tdx, arch/x86/kvm/vmx/tdx.c).
 */
import { decodeStatus } from "./status.ts";

interface Advice {
  /** The cause, in a sentence. */
  readonly meaning: string;
  /** What the caller usually does. */
  readonly action: string;
}

const DEFECT = "A defect of the caller: do not repeat the call; log the status and fix the order or the operands.";
const RETRY = "Repeat the call; Linux and KVM retry, with a bound, or exclude the contender by a lock of their own.";
const NOTHING = "Nothing: it counts as success.";
const DEAD_TD = "The TD is lost: stop its VCPUs and tear it down.";
const BRING_UP = "The platform or its firmware is not fit for TDX: leave TDX off and log the status.";

const advice: Readonly<Record<string, Advice>> = {
  TDX_SUCCESS: { meaning: "The call did what it is for.", action: "Go on; the outputs are valid." },
  TDX_NON_RECOVERABLE_VCPU: {
    meaning: "The VCPU met a condition from which it cannot go on.",
    action: "Do not enter this VCPU again; most hosts tear the TD down.",
  },
  TDX_NON_RECOVERABLE_TD: { meaning: "The TD met a condition from which it cannot go on.", action: DEAD_TD },
  TDX_NON_RECOVERABLE_TD_NON_ACCESSIBLE: {
    meaning: "The TD's memory or control structures can no longer be used.",
    action: DEAD_TD,
  },
  TDX_NON_RECOVERABLE_TD_WRONG_APIC_MODE: {
    meaning: "The host's local APIC is not in x2APIC mode.",
    action: `Switch the host to x2APIC before it uses TDX. ${DEAD_TD}`,
  },
  TDX_NON_RECOVERABLE_TD_CORRUPTED_MD: {
    meaning: "Memory integrity failed on the TD's control structures.",
    action: DEAD_TD,
  },
  TDX_INTERRUPTED_RESUMABLE: {
    meaning: "An interrupt was pending, so the call returned early; what it did is kept.",
    action: "Take the interrupt, then call again with the same operands (TDH.PHYMEM.CACHE.WB: with RCX = 1).",
  },
  TDX_INTERRUPTED_RESTARTABLE: {
    meaning: "An interrupt was pending, so the call returned early; it starts afresh.",
    action: "Take the interrupt, then call again with the same operands.",
  },
  TDX_INVALID_RESUMPTION: { meaning: "There is no interrupted call to resume.", action: DEFECT },
  TDX_CROSS_TD_FAULT: {
    meaning: "The call needs something of another TD, which does not allow it now.",
    action: "Bring the other TD into the state that the call needs, then call again.",
  },
  TDX_CROSS_TD_TRAP: {
    meaning: "The call was done, and met something of another TD that its host has to see to.",
    action: "See to the other TD, then go on.",
  },
  TDX_OPERAND_INVALID: {
    meaning:
      "An operand holds a value that the leaf does not take: reserved bits, alignment, range, or an unknown leaf or version (RAX).",
    action: DEFECT,
  },
  TDX_OPERAND_ADDR_RANGE_ERROR: {
    meaning:
      "A physical address lies outside the memory that it has to be in: not in an initialised TDMR, or with bits that it must not have.",
    action: DEFECT,
  },
  TDX_OPERAND_BUSY: {
    meaning:
      "Another LP is inside a leaf that holds the lock of this object; a host call that fails so asks for priority over guests.",
    action: RETRY,
  },
  TDX_OPERAND_BUSY_HOST_PRIORITY: {
    meaning: "The host has been refused this object before, so the guest has to let it go first.",
    action:
      "The guest repeats the TDCALL; the host repeats its own call soon, or the guest's time-out ends in a TD exit.",
  },
  TDX_HOST_PRIORITY_BUSY_TIMEOUT: {
    meaning: "The guest kept giving way to a host call that never came.",
    action: "Complete or give up the call that met TDX_OPERAND_BUSY, then enter the VCPU again.",
  },
  TDX_PREVIOUS_TLB_EPOCH_BUSY: {
    meaning: "VCPUs that entered in the epoch before the last are still in the guest.",
    action: "Send IPIs so that all VCPUs of the TD exit, then repeat TDH.MEM.TRACK.",
  },
  TDX_SYS_BUSY: {
    meaning: "Another LP holds the module's global lock.",
    action: "Repeat the call; bring-up calls go one after another.",
  },
  TDX_RND_NO_ENTROPY: {
    meaning: "RDRAND or RDSEED gave no number.",
    action: "Repeat the call; Linux tries RDRAND_RETRY_LOOPS times.",
  },
  TDX_PAGE_METADATA_INCORRECT: {
    meaning: "The PAMT says that the page has another type or size than the leaf needs.",
    action: "TDH.PHYMEM.PAGE.RDMD shows what the page is. Not free: it was not reclaimed; free: it was never added.",
  },
  TDX_PAGE_ALREADY_FREE: { meaning: "The page belongs to nobody.", action: NOTHING },
  TDX_PAGE_NOT_OWNED_BY_TD: { meaning: "The page belongs to another TD.", action: DEFECT },
  TDX_PAGE_NOT_FREE: { meaning: "The page already belongs to a TD.", action: DEFECT },
  TDX_TD_ASSOCIATED_PAGES_EXIST: {
    meaning: "The TD still has pages: its root page is the last one to be reclaimed.",
    action: "Reclaim all other pages of the TD first.",
  },
  TDX_SYS_NOT_READY: {
    meaning: "The module is not initialised yet.",
    action: "Finish bring-up: SYS.INIT, LP.INIT on each LP, SYS.CONFIG, KEY.CONFIG on each package.",
  },
  TDX_SYS_SHUTDOWN: { meaning: "The module was shut down.", action: "Load it again; only a few leaves answer now." },
  TDX_SYS_LP_INIT_NOT_DONE: {
    meaning: "This LP, or one of them, did not do TDH.SYS.LP.INIT.",
    action: "Call TDH.SYS.LP.INIT on every LP that is to use TDX.",
  },
  TDX_TD_FATAL: { meaning: "The TD is in a fatal state.", action: DEAD_TD },
  TDX_TD_NON_DEBUG: {
    meaning: "Only TDs with ATTRIBUTES.DEBUG may be read or written so.",
    action: "Use a debug TD, or do without.",
  },
  TDX_TDCS_NOT_ALLOCATED: { meaning: "The TD lacks TDCS pages.", action: "Add pages with TDH.MNG.ADDCX first." },
  TDX_LIFECYCLE_STATE_INCORRECT: {
    meaning: "The TD's life cycle (its KeyID) is not where the leaf needs it.",
    action: `${DEFECT} Teardown goes VP.FLUSH, VPFLUSHDONE, CACHE.WB, KEY.FREEID, PAGE.RECLAIM.`,
  },
  TDX_OP_STATE_INCORRECT: {
    meaning: "The TD's operation state does not allow the leaf: not initialised yet, or finalised already.",
    action: DEFECT,
  },
  TDX_NO_VCPUS: { meaning: "The TD has no VCPU.", action: "Create one before TDH.MR.FINALIZE." },
  TDX_VCPU_STATE_INCORRECT: { meaning: "The VCPU is not initialised, or disabled.", action: DEFECT },
  TDX_VCPU_ASSOCIATED: {
    meaning: "Another LP holds the VCPU's state.",
    action: "Call TDH.VP.FLUSH on that LP (by an IPI), then repeat; KVM does so in tdx_flush_vp.",
  },
  TDX_VCPU_NOT_ASSOCIATED: {
    meaning: "No LP, or not this one, holds the VCPU's state.",
    action: `For TDH.VP.FLUSH: ${NOTHING}`,
  },
  TDX_NO_VALID_VE_INFO: {
    meaning: "There is no #VE information to read.",
    action: "The guest's #VE handler runs without a #VE.",
  },
  TDX_MAX_VCPUS_EXCEEDED: { meaning: "The TD has all VCPUs that TD_PARAMS.MAX_VCPUS allows.", action: DEFECT },
  TDX_KEY_GENERATION_FAILED: {
    meaning: "PCONFIG did not get enough entropy for a key.",
    action: "Repeat TDH.MNG.KEY.CONFIG (or TDH.SYS.KEY.CONFIG).",
  },
  TDX_TD_KEYS_NOT_CONFIGURED: {
    meaning: "The TD's key is not configured on every package, or the TD is being torn down.",
    action: "Call TDH.MNG.KEY.CONFIG once on each package.",
  },
  TDX_KEY_STATE_INCORRECT: { meaning: "The KeyID is not in the state that the leaf needs.", action: DEFECT },
  TDX_KEY_CONFIGURED: { meaning: "This package already has the key.", action: NOTHING },
  TDX_WBCACHE_NOT_COMPLETE: {
    meaning: "Caches of a package were not written back after the KeyID was flushed.",
    action: "Call TDH.PHYMEM.CACHE.WB on each package, to its end, then TDH.MNG.KEY.FREEID again.",
  },
  TDX_HKID_NOT_FREE: { meaning: "The KeyID belongs to a TD.", action: "Choose another private KeyID." },
  TDX_NO_HKID_READY_TO_WBCACHE: { meaning: "No KeyID waits for a cache write-back.", action: NOTHING },
  TDX_WBCACHE_RESUME_ERROR: { meaning: "No cache write-back was interrupted on this package.", action: DEFECT },
  TDX_FLUSHVP_NOT_DONE: {
    meaning: "A VCPU of the TD is still associated with an LP.",
    action: "Call TDH.VP.FLUSH for each VCPU on its LP, then TDH.MNG.VPFLUSHDONE again.",
  },
  TDX_TDMR_ALREADY_INITIALIZED: { meaning: "The whole TDMR is initialised.", action: NOTHING },
  TDX_EPT_WALK_FAILED: {
    meaning: "The S-EPT has no entry of this level for the GPA: a table is missing, or a large page lies there.",
    action:
      "RCX and RDX give the entry where the walk ended. Add the missing table (TDH.MEM.SEPT.ADD) or demote the page.",
  },
  TDX_EPT_ENTRY_FREE: { meaning: "The S-EPT entry maps nothing.", action: DEFECT },
  TDX_EPT_ENTRY_NOT_FREE: {
    meaning: "The S-EPT entry already maps something.",
    action: "Another VCPU was faster: look again, then go on.",
  },
  TDX_EPT_ENTRY_STATE_INCORRECT: {
    meaning: "The S-EPT entry is in a state that does not allow the leaf; RCX and RDX tell which.",
    action: "Another VCPU was faster, or the order is wrong: look at the state, then decide.",
  },
  TDX_GPA_RANGE_NOT_BLOCKED: {
    meaning: "The range has to be blocked before it is removed, promoted, demoted or relocated.",
    action: "TDH.MEM.RANGE.BLOCK, TDH.MEM.TRACK, IPIs to all VCPUs, then this call.",
  },
  TDX_GPA_RANGE_ALREADY_BLOCKED: { meaning: "The range is blocked.", action: NOTHING },
  TDX_TLB_TRACKING_NOT_DONE: {
    meaning: "A VCPU that entered before the range was blocked may still hold its translation.",
    action: "TDH.MEM.TRACK, then IPIs so that each VCPU exits once, then this call again.",
  },
  TDX_EPT_INVALID_PROMOTE_CONDITIONS: {
    meaning: "The 512 pages below are not alike and adjacent, so that no large page can take their place.",
    action: "Keep the small pages.",
  },
  TDX_PAGE_ALREADY_ACCEPTED: {
    meaning: "The guest accepted the page before.",
    action: "The guest decides: a second accept may hide an attack.",
  },
  TDX_PAGE_SIZE_MISMATCH: {
    meaning: "The guest accepts at a larger size than the page is mapped.",
    action: "The guest accepts the smaller pages one by one.",
  },
  TDX_METADATA_FIELD_ID_INCORRECT: { meaning: "No field has this id in this context.", action: DEFECT },
  TDX_METADATA_FIELD_NOT_READABLE: { meaning: "The field is not readable by this caller for this TD.", action: DEFECT },
  TDX_METADATA_FIELD_NOT_WRITABLE: { meaning: "The field is not writable by this caller for this TD.", action: DEFECT },
  TDX_METADATA_FIELD_VALUE_NOT_VALID: { meaning: "The field does not take this value.", action: DEFECT },
  TDX_METADATA_WR_MASK_NOT_VALID: { meaning: "The mask has bits that may not be written.", action: DEFECT },
  TDX_METADATA_FIRST_FIELD_ID_IN_CONTEXT: {
    meaning: "The id asked for the first field; RDX has its id.",
    action: "Read on from that id.",
  },
};

/** By class, for codes that need no words of their own. */
const byClass: Readonly<Record<number, Advice>> = {
  5: { meaning: "The module's state does not allow the call, or bring-up was done in another order.", action: DEFECT },
  6: { meaning: "The TD's state does not allow the call.", action: DEFECT },
  7: { meaning: "The VCPU's state does not allow the call.", action: DEFECT },
  8: { meaning: "The key's state does not allow the call.", action: DEFECT },
  9: {
    meaning: "A CPUID value, an MSR or the SMRRs are not what the module needs, or differ between LPs.",
    action: BRING_UP,
  },
  10: {
    meaning: "TDMRs, PAMTs or CMRs do not fit each other.",
    action: "Correct the TDMR_INFO entries: areas, order, alignment.",
  },
  11: { meaning: "The S-EPT does not allow the call.", action: DEFECT },
  12: { meaning: "A metadata field or list is not as the call needs it.", action: DEFECT },
  13: { meaning: "Service TD binding failed.", action: DEFECT },
  14: { meaning: "Live migration failed at this step.", action: "Abort the migration session." },
  16: { meaning: "The report was not made on this platform, or was changed.", action: "Do not trust the report." },
  17: { meaning: "The VCPU exited on behalf of an L2 VM.", action: "Handle the exit, then enter the VCPU again." },
};

/** Cause and usual reaction; for a code that the module does not define, that it does not. `hi`, `lo`: halves of RAX. */
export function statusAdvice(hi: number, lo: number): Advice {
  const status = decodeStatus(hi, lo);
  if (status.name === "TDX_SUCCESS" && lo !== 0) {
    return {
      meaning: "TDH.VP.ENTER: the guest exited, for the VM exit reason in RAX[31:0].",
      action: "Handle the exit by its reason and qualification, then enter the VCPU again.",
    };
  }
  const found = (status.name && advice[status.name]) || byClass[status.class];
  if (status.name !== undefined && found) return found;
  return {
    meaning: "The TDX module 1.5 defines no such status.",
    action: "Check that the value is RAX of a SEAMCALL or TDCALL.",
  };
}
