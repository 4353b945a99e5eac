/** Basic VM exit reasons (Intel SDM, volume 3, appendix C) that the module tells apart. */
export const EXCEPTION_OR_NMI = 0;
export const EXTERNAL_INTERRUPT = 1;
export const TRIPLE_FAULT = 2;
export const INIT = 3;
export const OTHER_SMI = 6;
export const NMI_WINDOW = 8;
export const TASK_SWITCH = 9;
export const CPUID = 10;
export const GETSEC = 11;
export const HLT = 12;
export const INVD = 13;
export const RDPMC = 15;
export const RSM = 17;
export const VMCALL = 18;
export const VMCLEAR = 19;
export const VMLAUNCH = 20;
export const VMPTRLD = 21;
export const VMPTRST = 22;
export const VMREAD = 23;
export const VMRESUME = 24;
export const VMWRITE = 25;
export const VMXOFF = 26;
export const VMXON = 27;
export const CR_ACCESS = 28;
export const IO_INSTRUCTION = 30;
export const MSR_READ = 31;
export const MSR_WRITE = 32;
export const ENTRY_FAILURE_GUEST_STATE = 33;
export const MWAIT = 36;
export const MONITOR = 39;
export const ENTRY_FAILURE_MACHINE_CHECK = 41;
/** An SMI from a C-state that the SMM monitor is told of. */
export const C_STATE_SMI = 42;
export const EPT_VIOLATION = 48;
export const EPT_MISCONFIGURATION = 49;
export const INVEPT = 50;
export const INVVPID = 53;
export const WBINVD = 54;
export const XSETBV = 55;
export const APIC_WRITE = 56;
export const VMFUNC = 59;
export const ENCLS = 60;
export const PML_FULL = 62;
export const PCONFIG = 65;
export const ENCLV = 70;
export const ENQCMD_PASID_TRANSLATION_FAILURE = 72;
export const ENQCMDS_PASID_TRANSLATION_FAILURE = 73;
export const BUS_LOCK = 74;
export const NOTIFY_WINDOW = 75;
export const SEAMCALL = 76;
export const TDCALL = 77;

/** Instructions that a guest must emulate itself, with the host's help. */
export const VIRTUALIZATION_EXCEPTION: ReadonlySet<number> = new Set([
  IO_INSTRUCTION,
  HLT,
  INVD,
  VMCALL,
  WBINVD,
  MWAIT,
  MONITOR,
  PCONFIG,
  APIC_WRITE,
]);

/** Instructions that do not exist in a TD. */
export const UNDEFINED_OPCODE: ReadonlySet<number> = new Set([
  GETSEC,
  RSM,
  VMCLEAR,
  VMLAUNCH,
  VMPTRLD,
  VMPTRST,
  VMREAD,
  VMRESUME,
  VMWRITE,
  VMXOFF,
  VMXON,
  INVEPT,
  INVVPID,
  VMFUNC,
  ENCLS,
  ENCLV,
  ENQCMDS_PASID_TRANSLATION_FAILURE,
  SEAMCALL,
]);
