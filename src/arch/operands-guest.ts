/**
 * Operands of the guest leaf functions (TDCALL). Source: Intel TDX Module ABI specification 1.5, chapter "Guest-Side (TDCALL)
 * Interface Functions". The format is that of operands-host.ts.
 */
export const guestOperandTable = `
TDG.VP.VMCALL - Asks the host for a service: exits to it with the registers that the mask names
  in rcx mask? Bit n: register n is passed; left out: R10 to R15 and every register that is given
  in r10 r10|type? 0: a service of the Guest-Hypervisor Communication Interface
  in r11 r11|function? Number of the service
  in r12 r12?
  in r13 r13?
  in r14 r14?
  in r15 r15?
  in rbx rbx?
  in rdx rdx?
  in rbp rbp?
  in rsi rsi?
  in rdi rdi?
  in r8 r8?
  in r9 r9?
  out r10 result What the host answered

TDG.VP.INFO - Tells about the TD and the VCPU
  out rcx[5:0] gpaw Width of guest physical addresses
  out rdx attributes The TD's ATTRIBUTES
  out r8[31:0] num_vcpus Number of VCPUs
  out r8[63:32] max_vcpus Most VCPUs that the TD can have
  out r9[31:0] vcpu_index Index of this VCPU

TDG.MR.RTMR.EXTEND - Extends a run-time measurement register
  in rcx buffer GPA of the 48 bytes to extend with
  in rdx index Number of the register

TDG.VP.VEINFO.GET - Takes the information about the last virtualization exception
  out rcx exit_reason VM exit reason
  out rdx exit_qualification Exit qualification
  out r8 gla Guest linear address
  out r9 gpa Guest physical address
  out r10[31:0] instruction_length Length of the instruction
  out r10[63:32] instruction_info VM-exit instruction information

TDG.MR.REPORT - Makes a TDREPORT
  in rcx report GPA of the 1024-byte report
  in rdx report_data GPA of 64 bytes to include
  in r8 subtype? Must be 0

TDG.VP.CPUIDVE.SET - Controls whether CPUID raises #VE
  in rcx flags Bit 0: at CPL 0; bit 1: at CPL above 0

TDG.MEM.PAGE.ACCEPT - Accepts a pending private page
  in rcx[51:12]@ gpa Guest physical address
  in rcx[2:0] level? 0: 4 KiB, 1: 2 MiB

TDG.VM.RD - Reads a TD-scope metadata field
  in rdx field Id of the field
  out rdx next_field Id of the next field (version 1)
  out r8 value Contents of the field

TDG.VM.WR - Writes a TD-scope metadata field
  in rdx field Id of the field
  in r8 value Value to write
  in r9 mask? Bits to write
  out r8 value Contents of the field before

TDG.VP.RD - Reads a VCPU-scope metadata field
  in rdx field Id of the field
  out rdx next_field Id of the next field
  out r8 value Contents of the field

TDG.VP.WR - Writes a VCPU-scope metadata field
  in rdx field Id of the field
  in r8 value Value to write
  in r9 mask? Bits to write
  out r8 value Contents of the field before

TDG.SYS.RD - Reads a system-scope metadata field
  in rdx field Id of the field
  out rdx next_field Id of the next field
  out r8 value Contents of the field

TDG.SYS.RDALL - Writes all system-scope metadata fields to memory
  in rdx buffer GPA of the buffer
  in r8 field? Field to begin with; all ones for the first
  out r8 next_field Field to go on with; all ones when done

TDG.SERVTD.RD - Reads a metadata field of a TD that this service TD is bound to
  in rcx binding_handle Handle of the binding
  in rdx field Id of the field
  in r10 uuid_0? TD UUID, bits 63:0
  in r11 uuid_1?
  in r12 uuid_2?
  in r13 uuid_3?
  out r8 value Contents of the field

TDG.SERVTD.WR - Writes a metadata field of a TD that this service TD is bound to
  in rcx binding_handle Handle of the binding
  in rdx field Id of the field
  in r8 value Value to write
  in r9 mask? Bits to write
  in r10 uuid_0? TD UUID, bits 63:0
  in r11 uuid_1?
  in r12 uuid_2?
  in r13 uuid_3?
  out r8 value Contents of the field before

TDG.MR.VERIFYREPORT - Verifies that a report was made on this platform
  in rcx report GPA of the REPORTMACSTRUCT

TDG.MEM.PAGE.ATTR.RD - Reads the attributes of a private page
  in rcx[51:12]@ gpa Guest physical address
  in rcx[2:0] level? Ignored on input
  out rcx gpa_level Address and level of the mapping
  out rdx attributes Attributes for each VM

TDG.MEM.PAGE.ATTR.WR - Writes the attributes of a private page
  in rcx[51:12]@ gpa Guest physical address
  in rcx[2:0] level? Level of the mapping
  in rdx attributes Attributes for each VM
  in r8 flags? Which to change
  out rcx gpa_level Address and level of the mapping
  out rdx attributes Attributes for each VM

TDG.VP.ENTER - Enters an L2 VM
  in rcx flags Which VM, and flags
  in rdx state GPA of the L2 VM's registers

TDG.VP.INVEPT - Invalidates translations of L2 VMs
  in rcx vms Bit mask of the VMs

TDG.VP.INVVPID - Invalidates translations of a linear address of an L2 VM
  in rcx flags Which VM, and the type
  in rdx gla Linear address
`;
