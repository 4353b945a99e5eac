/**
 * Which MSR accesses of a guest reach the CPU, and what becomes of the others (Intel TDX Module 1.5 ABI specification,
 * MSR virtualization). An MSR in no row is not known to the module: its accesses never reach the CPU.
 */

/** What makes an access native: the TD's configuration has the feature. "special" depends on the MSR. */
export type MsrFeature = "perfmon" | "cet" | "pt" | "uli" | "lbr" | "umwait" | "xfd" | "pks" | "tsx" | "special";

/**
 * An access that does not reach the CPU: #GP(0); #VE; #GP(0) if the virtual CPUID says that the MSR is absent and else #VE;
 * or a way of its own.
 */
export type MsrExit = "gp" | "ve" | "gp or ve" | "own";

export interface MsrAccess {
  /** "always", "never", or the feature that the TD must have. */
  readonly native: "always" | "never" | MsrFeature;
  readonly otherwise: MsrExit;
}

export interface MsrRule {
  readonly first: number;
  readonly last: number;
  readonly name: string;
  readonly read: MsrAccess;
  readonly write: MsrAccess;
}

type Row = readonly [first: number, last: number, name: string, read: string, write: string];

const rows: readonly Row[] = [
  [0x10, 0x10, "IA32_TIME_STAMP_COUNTER", "native", "ve"],
  [0x48, 0x48, "IA32_SPEC_CTRL", "native", "native"],
  [0x49, 0x49, "IA32_PRED_CMD", "native", "native"],
  [0x87, 0x87, "IA32_MKTME_PARTITIONING", "gp or ve", "gp or ve"],
  [0x8c, 0x8f, "IA32_SGXLEPUBKEYHASHx", "gp", "gp"],
  [0x98, 0x98, "MSR_WBINVDP", "gp", "gp"],
  [0x99, 0x99, "MSR_WBNOINVDP", "gp", "gp"],
  [0x9a, 0x9a, "MSR_INTR_PENDING", "gp", "gp"],
  [0x9b, 0x9b, "IA32_SMM_MONITOR_CTL", "gp", "gp"],
  [0x9e, 0x9e, "IA32_SMBASE", "gp", "gp"],
  [0xbc, 0xbc, "IA32_MISC_PACKAGE_CTLS", "native", "ve"],
  [0xbd, 0xbd, "IA32_XAPIC_DISABLE_STATUS", "own", "native"],
  [0xc1, 0xc8, "IA32_PMCx", "perfmon, else gp", "perfmon, else gp"],
  [0xe1, 0xe1, "IA32_UMWAIT_CONTROL", "umwait, else gp", "umwait, else gp"],
  [0x10a, 0x10a, "IA32_ARCH_CAPABILITIES", "own", "native"],
  [0x10b, 0x10b, "IA32_FLUSH_CMD", "native", "native"],
  [0x122, 0x122, "IA32_TSX_CTRL", "tsx, else gp", "tsx, else gp"],
  [0x174, 0x174, "IA32_SYSENTER_CS", "native", "native"],
  [0x175, 0x175, "IA32_SYSENTER_ESP", "native", "native"],
  [0x176, 0x176, "IA32_SYSENTER_EIP", "native", "native"],
  [0x186, 0x18d, "IA32_PERFEVTSELx", "perfmon, else gp", "perfmon, else gp"],
  [0x195, 0x195, "IA32_OVERCLOCKING_STATUS", "gp", "gp"],
  [0x1a0, 0x1a0, "IA32_MISC_ENABLE", "perfmon, else own", "ve"],
  [0x1a6, 0x1a7, "MSR_OFFCORE_RSPx", "perfmon, else gp", "perfmon, else gp"],
  [0x1c4, 0x1c4, "IA32_XFD", "xfd, else gp", "xfd, else gp"],
  [0x1c5, 0x1c5, "IA32_XFD_ERR", "xfd, else gp", "xfd, else gp"],
  [0x1d9, 0x1d9, "IA32_DEBUGCTL", "own", "own"],
  [0x1f8, 0x1f8, "IA32_PLATFORM_DCA_CAP", "gp or ve", "gp or ve"],
  [0x1f9, 0x1f9, "IA32_CPU_DCA_CAP", "gp or ve", "gp or ve"],
  [0x1fa, 0x1fa, "IA32_DCA_0_CAP", "gp or ve", "gp or ve"],
  [0x276, 0x276, "MSR_SLAM_ENABLE", "gp", "gp"],
  [0x277, 0x277, "IA32_PAT", "native", "native"],
  [0x309, 0x310, "IA32_FIXED_CTRx", "perfmon, else gp", "perfmon, else gp"],
  [0x329, 0x329, "IA32_PERF_METRICS", "special, else gp", "special, else gp"],
  [0x345, 0x345, "IA32_PERF_CAPABILITIES", "special, else own", "perfmon, else gp"],
  [0x38d, 0x38d, "IA32_FIXED_CTR_CTRL", "perfmon, else gp", "perfmon, else gp"],
  [0x38e, 0x38e, "IA32_PERF_GLOBAL_STATUS", "perfmon, else gp", "perfmon, else gp"],
  [0x38f, 0x38f, "IA32_PERF_GLOBAL_CTRL", "perfmon, else gp", "perfmon, else gp"],
  [0x390, 0x390, "IA32_PERF_GLOBAL_STATUS_RESET", "perfmon, else gp", "perfmon, else gp"],
  [0x391, 0x391, "IA32_PERF_GLOBAL_STATUS_SET", "perfmon, else gp", "perfmon, else gp"],
  [0x392, 0x392, "IA32_PERF_GLOBAL_INUSE", "perfmon, else gp", "perfmon, else gp"],
  [0x3f1, 0x3f1, "IA32_PEBS_ENABLE", "perfmon, else gp", "perfmon, else gp"],
  [0x3f2, 0x3f2, "MSR_PEBS_MATRIX_VECT", "perfmon, else gp", "perfmon, else gp"],
  [0x3f6, 0x3f6, "MSR_PEBS_LD_LATENCY", "perfmon, else gp", "perfmon, else gp"],
  [0x3f7, 0x3f7, "MSR_PEBS_FRONTEND", "perfmon, else gp", "perfmon, else gp"],
  [0x480, 0x480, "IA32_VMX_BASIC", "own", "gp"],
  [0x481, 0x481, "IA32_VMX_PINBASED_CTLS", "ve", "gp"],
  [0x482, 0x482, "IA32_VMX_PROCBASED_CTLS", "ve", "gp"],
  [0x483, 0x483, "IA32_VMX_EXIT_CTLS", "ve", "gp"],
  [0x484, 0x484, "IA32_VMX_ENTRY_CTLS", "ve", "gp"],
  [0x485, 0x485, "IA32_VMX_MISC", "own", "gp"],
  [0x486, 0x486, "IA32_VMX_CR0_FIXED0", "own", "gp"],
  [0x487, 0x487, "IA32_VMX_CR0_FIXED1", "own", "gp"],
  [0x488, 0x488, "IA32_VMX_CR4_FIXED0", "own", "gp"],
  [0x489, 0x489, "IA32_VMX_CR4_FIXED1", "own", "gp"],
  [0x48a, 0x48a, "IA32_VMX_VMCS_ENUM", "ve", "gp"],
  [0x48b, 0x48b, "IA32_VMX_PROCBASED_CTLS2", "own", "gp"],
  [0x48c, 0x48c, "IA32_VMX_EPT_VPID_CAP", "own", "gp"],
  [0x48d, 0x48d, "IA32_VMX_TRUE_PINBASED_CTLS", "own", "gp"],
  [0x48e, 0x48e, "IA32_VMX_TRUE_PROCBASED_CTLS", "own", "gp"],
  [0x48f, 0x48f, "IA32_VMX_TRUE_EXIT_CTLS", "own", "gp"],
  [0x490, 0x490, "IA32_VMX_TRUE_ENTRY_CTLS", "own", "gp"],
  [0x491, 0x491, "IA32_VMX_VMFUNC", "own", "gp"],
  [0x492, 0x492, "IA32_VMX_PROCBASED_CTLS3", "own", "gp"],
  [0x4c1, 0x4c8, "IA32_A_PMCx", "perfmon, else gp", "perfmon, else gp"],
  [0x500, 0x500, "IA32_SGX_SVN_STATUS", "gp", "gp"],
  [0x560, 0x560, "IA32_RTIT_OUTPUT_BASE", "pt, else gp", "pt, else gp"],
  [0x561, 0x561, "IA32_RTIT_OUTPUT_MASK_PTRS", "pt, else gp", "pt, else gp"],
  [0x570, 0x570, "IA32_RTIT_CTL", "pt, else gp", "pt, else gp"],
  [0x571, 0x571, "IA32_RTIT_STATUS", "pt, else gp", "pt, else gp"],
  [0x572, 0x572, "IA32_RTIT_CR3_MATCH", "pt, else gp", "pt, else gp"],
  [0x580, 0x580, "IA32_RTIT_ADDR0_A", "pt, else gp", "pt, else gp"],
  [0x581, 0x581, "IA32_RTIT_ADDR0_B", "pt, else gp", "pt, else gp"],
  [0x582, 0x582, "IA32_RTIT_ADDR1_A", "pt, else gp", "pt, else gp"],
  [0x583, 0x583, "IA32_RTIT_ADDR1_B", "pt, else gp", "pt, else gp"],
  [0x584, 0x584, "IA32_RTIT_ADDR2_A", "pt, else gp", "pt, else gp"],
  [0x585, 0x585, "IA32_RTIT_ADDR2_B", "pt, else gp", "pt, else gp"],
  [0x586, 0x586, "IA32_RTIT_ADDR3_A", "pt, else gp", "pt, else gp"],
  [0x587, 0x587, "IA32_RTIT_ADDR3_B", "pt, else gp", "pt, else gp"],
  [0x600, 0x600, "IA32_DS_AREA", "native", "native"],
  [0x6a0, 0x6a0, "IA32_U_CET", "cet, else gp", "cet, else gp"],
  [0x6a2, 0x6a2, "IA32_S_CET", "cet, else gp", "cet, else gp"],
  [0x6a4, 0x6a4, "IA32_PL0_SSP", "cet, else gp", "cet, else gp"],
  [0x6a5, 0x6a5, "IA32_PL1_SSP", "cet, else gp", "cet, else gp"],
  [0x6a6, 0x6a6, "IA32_PL2_SSP", "cet, else gp", "cet, else gp"],
  [0x6a7, 0x6a7, "IA32_PL3_SSP", "cet, else gp", "cet, else gp"],
  [0x6a8, 0x6a8, "IA32_INTERRUPT_SSP_TABLE_ADDR", "cet, else gp", "cet, else gp"],
  [0x6e0, 0x6e0, "IA32_TSC_DEADLINE", "gp or ve", "gp or ve"],
  [0x6e1, 0x6e1, "IA32_PKRS", "pks, else gp", "pks, else gp"],
  [0x800, 0x801, "xAPIC, reserved", "gp", "gp"],
  [0x804, 0x807, "xAPIC, reserved", "gp", "gp"],
  [0x808, 0x808, "IA32_X2APIC_TPR", "native", "native"],
  [0x809, 0x809, "xAPIC, reserved", "native", "native"],
  [0x80a, 0x80a, "IA32_X2APIC_PPR", "native", "native"],
  [0x80b, 0x80b, "IA32_X2APIC_EOI", "native", "native"],
  [0x80c, 0x80c, "xAPIC, reserved", "native", "native"],
  [0x80e, 0x80e, "xAPIC, reserved", "native", "native"],
  [0x810, 0x817, "IA32_X2APIC_ISRx", "native", "native"],
  [0x818, 0x81f, "IA32_X2APIC_TMRx", "native", "native"],
  [0x820, 0x827, "IA32_X2APIC_IRRx", "native", "native"],
  [0x829, 0x82e, "xAPIC, reserved", "gp", "gp"],
  [0x831, 0x831, "xAPIC, reserved", "gp", "gp"],
  [0x83f, 0x83f, "IA32_X2APIC_SELF_IPI", "native", "native"],
  [0x840, 0x87f, "xAPIC, reserved", "gp", "gp"],
  [0x880, 0x8bf, "xAPIC, reserved", "gp", "gp"],
  [0x8c0, 0x8ff, "xAPIC, reserved", "gp", "gp"],
  [0x981, 0x981, "IA32_TME_CAPABILITY", "gp or ve", "gp or ve"],
  [0x982, 0x982, "IA32_TME_ACTIVATE", "gp or ve", "gp or ve"],
  [0x983, 0x983, "IA32_TME_EXCLUDE_MASK", "gp or ve", "gp or ve"],
  [0x984, 0x984, "IA32_TME_EXCLUDE_BASE", "gp or ve", "gp or ve"],
  [0x985, 0x985, "IA32_UINTR_RR", "uli, else gp", "uli, else gp"],
  [0x986, 0x986, "IA32_UINTR_HANDLER", "uli, else gp", "uli, else gp"],
  [0x987, 0x987, "IA32_UINTR_STACKADJUST", "uli, else gp", "uli, else gp"],
  [0x988, 0x988, "IA32_UINTR_MISC", "uli, else gp", "uli, else gp"],
  [0x989, 0x989, "IA32_UINTR_PD", "uli, else gp", "uli, else gp"],
  [0x98a, 0x98a, "IA32_UINTR_TT", "uli, else gp", "uli, else gp"],
  [0xc80, 0xc80, "IA32_DEBUG_INTERFACE", "native", "ve"],
  [0xd90, 0xd90, "IA32_BNDCFGS", "gp", "gp"],
  [0xd93, 0xd93, "IA32_PASID", "gp", "gp"],
  [0xda0, 0xda0, "IA32_XSS", "native", "own"],
  [0x1200, 0x12ff, "IA32_LBR_INFO", "lbr, else gp", "lbr, else gp"],
  [0x14ce, 0x14ce, "IA32_LBR_CTL", "lbr, else gp", "lbr, else gp"],
  [0x14cf, 0x14cf, "IA32_LBR_DEPTH", "lbr, else gp", "lbr, else gp"],
  [0x1500, 0x15ff, "IA32_LBR_x_FROM_IP", "lbr, else gp", "lbr, else gp"],
  [0x1600, 0x16ff, "IA32_LBR_x_TO_IP", "lbr, else gp", "lbr, else gp"],
  [0x1b01, 0x1b01, "IA32_UARCH_MISC_CTL", "native", "native"],
  [0xc0000080, 0xc0000080, "IA32_EFER", "native", "own"],
  [0xc0000081, 0xc0000081, "IA32_STAR", "native", "native"],
  [0xc0000082, 0xc0000082, "IA32_LSTAR", "native", "native"],
  [0xc0000084, 0xc0000084, "IA32_FMASK", "native", "native"],
  [0xc0000100, 0xc0000100, "IA32_FSBASE", "native", "native"],
  [0xc0000101, 0xc0000101, "IA32_GSBASE", "native", "native"],
  [0xc0000102, 0xc0000102, "IA32_KERNEL_GS_BASE", "native", "native"],
  [0xc0000103, 0xc0000103, "IA32_TSC_AUX", "native", "native"],
];

function access(rule: string): MsrAccess {
  if (rule === "native") return { native: "always", otherwise: "gp" };
  const [feature, otherwise] = rule.split(", else ");
  if (otherwise === undefined) return { native: "never", otherwise: feature as MsrExit };
  return { native: feature as MsrFeature, otherwise: otherwise as MsrExit };
}

export const msrRules: readonly MsrRule[] = rows.map(([first, last, name, read, write]) => ({
  first,
  last,
  name,
  read: access(read),
  write: access(write),
}));

/** The rule for an MSR, or undefined if the module does not know it. */
export function msrRule(msr: number): MsrRule | undefined {
  return msrRules.find((rule) => rule.first <= msr && msr <= rule.last);
}
