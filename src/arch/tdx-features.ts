/**
 * TDX_FEATURES0: what a module can do, a bit for each feature (TDX Module 1.5 ABI specification, "TDX_FEATURES0"). A host reads it
 * by TDH.SYS.RD before it relies on one. Module 1.5.01 has all that stand here.
 */
export interface TdxFeature {
  readonly bit: number;
  readonly what: string;
}

export const tdxFeatures0 = {
  TD_MIGRATION: { bit: 0, what: "live migration of TDs" },
  TD_PRESERVING: { bit: 1, what: "update of the module while TDs live" },
  SERVICE_TD: { bit: 2, what: "service TDs" },
  TDG_VP_RDWR: { bit: 3, what: "TDG.VP.RD and TDG.VP.WR" },
  RELAXED_MEM_MNG_CONCURRENCY: { bit: 4, what: "memory management leaves that share the S-EPT" },
  CPUID_VIRT_GUEST_CTRL: { bit: 5, what: "guest control of CPUID virtualization" },
  TD_PARTITIONING: { bit: 7, what: "L2 VMs inside a TD" },
  LOCAL_ATTESTATION: { bit: 8, what: "TDG.MR.VERIFYREPORT" },
  TD_ENTRY_ENHANCEMENTS: { bit: 9, what: "checks that TDH.VP.ENTER makes before an entry" },
  HOST_PRIORITY_LOCKS: { bit: 10, what: "locks on which a waiting host goes before guests" },
  CONFIG_IA32_ARCH_CAP: { bit: 11, what: "configuration of IA32_ARCH_CAPABILITIES" },
  PENDING_EPT_VIOLATION_V2: { bit: 16, what: "a guest may choose what an access to a pending page does" },
  FMS_CONFIG: { bit: 17, what: "configuration of family, model and stepping" },
  NO_RBP_MOD: { bit: 18, what: "RBP is kept over TDH.VP.ENTER and TDG.VP.VMCALL" },
  L2_TLB_INVD_OPT: { bit: 19, what: "invalidation of L2 translations by the guest" },
} as const satisfies Readonly<Record<string, TdxFeature>>;

/** As in the specification. */
export type TdxFeatureName = keyof typeof tdxFeatures0;

export function isTdxFeature(name: string): name is TdxFeatureName {
  return Object.hasOwn(tdxFeatures0, name);
}

/** The bits of all of them. */
export const TDX_FEATURES0: number = Object.values(tdxFeatures0).reduce((bits, { bit }) => bits | (1 << bit), 0);

/** The version of the module that is emulated. */
export const MODULE_VERSION = "1.5.01";
