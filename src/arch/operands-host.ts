/**
 * Operands of the host leaf functions (SEAMCALL). Source: Intel TDX Module ABI specification 1.5, chapter "Host-Side (SEAMCALL)
 * Interface Functions". A line: direction, register, bits if not all 64, name|alias, "?" if it may be left out (it is 0 then),
 * meaning. `@`: the bits stay where they are. `[hkid]`: the KeyID bits of a physical address.
 */
const septInputs = `
  in rcx[51:12]@ gpa Guest physical address of the range that the entry maps
  in rcx[2:0] level? Level of the S-EPT entry: 0 maps 4 KiB, 1 2 MiB, 2 1 GiB
  in rdx tdr HPA of the TD's root page`;
const septOutputs = `
  out rcx sept_entry S-EPT entry where the walk ended, if it failed
  out rdx[2:0] sept_level Level of that entry
  out rdx[15:8] sept_state State of that entry`;
const pageType = `
  out rcx page_type Type of the page in the PAMT
  out rdx owner HPA of the TDR of the TD that owns the page
  out r8 size Size of the page: 0 4 KiB, 1 2 MiB, 2 1 GiB`;
const readValue = `
  out rdx next_field Id of the next field (version 1)
  out r8 value Contents of the field`;
const writeInputs = `
  in r8 value Value to write
  in r9 mask? Bits to write; others keep their value`;
const migration = `
  in r8 buffers HPA and size of the migration buffer list
  in r9 page_list? HPA and size of the page list
  in r10 stream? Index of the migration stream, with flags`;

export const hostOperandTable = `
TDH.VP.ENTER - Enters a VCPU: runs the guest until its next exit to the host
  in rcx[51:12]@ tdvpr HPA of the VCPU's root page
  in rcx[0] resume_l1? Enter L1 although an L2 VM was running
  in rcx[1] host_recoverability_hint? Report states that the host can recover from
  in rbx rbx?
  in rdx rdx?
  in rbp rbp?
  in rsi rsi?
  in rdi rdi?
  in r8 r8?
  in r9 r9?
  in r10 r10?
  in r11 r11?
  in r12 r12?
  in r13 r13?
  in r14 r14?
  in r15 r15?
  out rax[31:0] exit_reason VM exit reason (VMCS field EXIT_REASON); 77 is a TDCALL by the guest
  out rcx exit_qualification Exit qualification; after TDG.VP.VMCALL the mask of the registers that were passed
  out rdx extended_exit_qualification What an accept or attribute call was doing
  out r8 gpa Guest physical address, for EPT violations
  out r9[31:0] interruption_info VM-exit interruption information

TDH.MNG.ADDCX - Adds a page to the TD's control structure (TDCS)
  in rcx tdcx|page HPA of the new page
  in rdx tdr HPA of the TD's root page

TDH.MEM.PAGE.ADD - Adds a 4 KiB page with contents to a TD that is not finalised yet${septInputs}
  in r8 hpa|page HPA of the page that becomes private
  in r9 source HPA of the page that is copied
${septOutputs.trim()}

TDH.MEM.SEPT.ADD - Adds a page to the Secure EPT${septInputs}
  in r8 page|hpa HPA of the new S-EPT page
${septOutputs.trim()}

TDH.VP.ADDCX - Adds a page to a VCPU's control structure (TDVPS)
  in rcx tdcx|page HPA of the new page
  in rdx tdvpr HPA of the VCPU's root page

TDH.MEM.PAGE.RELOCATE - Moves a blocked 4 KiB page to another physical page${septInputs}
  in r8 hpa|page HPA of the new page
  out rcx old_hpa HPA of the page that was used before; after a failure the S-EPT entry
  out rdx[2:0] sept_level Level of the entry where the walk ended, if it failed
  out rdx[15:8] sept_state State of that entry

TDH.MEM.PAGE.AUG - Adds a page, pending until the guest accepts it, to a TD that runs${septInputs}
  in r8 hpa|page HPA of the page that becomes private
${septOutputs.trim()}

TDH.MEM.RANGE.BLOCK - Blocks an S-EPT entry: no new translations of its range${septInputs}
${septOutputs.trim()}

TDH.MNG.KEY.CONFIG - Configures the TD's key on the package of this LP
  in rcx tdr HPA of the TD's root page

TDH.MNG.CREATE - Creates a TD: makes its root page and binds a KeyID to it
  in rcx tdr HPA of the page that becomes the TD's root page
  in rdx hkid Private KeyID for the TD's memory

TDH.VP.CREATE - Creates a VCPU: makes its root page
  in rcx tdvpr HPA of the page that becomes the VCPU's root page
  in rdx tdr HPA of the TD's root page

TDH.MNG.RD - Reads a TD-scope metadata field
  in rcx tdr HPA of the TD's root page
  in rdx field Id of the field${readValue}

TDH.MEM.RD - Reads 8 bytes of a debuggable TD's private memory
  in rcx gpa Guest physical address
  in rdx tdr HPA of the TD's root page
  out rcx sept_entry S-EPT entry where the walk ended, if it failed
  out rdx sept_level_state Its level and state
  out r8 value Contents of memory

TDH.MNG.WR - Writes a TD-scope metadata field
  in rcx tdr HPA of the TD's root page
  in rdx field Id of the field${writeInputs}
  out r8 value Contents of the field before

TDH.MEM.WR - Writes 8 bytes of a debuggable TD's private memory
  in rcx gpa Guest physical address
  in rdx tdr HPA of the TD's root page
  in r8 value Value to write
  out rcx sept_entry S-EPT entry where the walk ended, if it failed
  out rdx sept_level_state Its level and state
  out r8 value Contents of memory before

TDH.MEM.PAGE.DEMOTE - Splits a large private page into 512 smaller ones${septInputs}
  in r8 page|hpa HPA of the new S-EPT page
${septOutputs.trim()}

TDH.MR.EXTEND - Extends the TD's measurement (MRTD) by 256 bytes of a page
  in rcx gpa Guest physical address of the chunk
  in rdx tdr HPA of the TD's root page
${septOutputs.trim()}

TDH.MR.FINALIZE - Completes the TD's measurement: the TD can run
  in rcx tdr HPA of the TD's root page

TDH.VP.FLUSH - Flushes a VCPU's state from this LP: ends their association
  in rcx tdvpr HPA of the VCPU's root page

TDH.MNG.VPFLUSHDONE - Checks that all VCPUs were flushed and blocks the TD's KeyID
  in rcx tdr HPA of the TD's root page

TDH.MNG.KEY.FREEID - Frees the TD's KeyID after all caches were written back
  in rcx tdr HPA of the TD's root page

TDH.MNG.INIT - Initialises the TD from its TD_PARAMS
  in rcx tdr HPA of the TD's root page
  in rdx td_params|params HPA of the TD_PARAMS structure
  out rcx extended_error Field of TD_PARAMS at fault

TDH.VP.INIT - Initialises a VCPU
  in rcx tdvpr HPA of the VCPU's root page
  in rdx initial_rcx? Value of the guest's RCX at its first instruction
  in r8 x2apic_id? Virtual x2APIC id (version 1)

TDH.MEM.PAGE.PROMOTE - Merges 512 small pages into a large one${septInputs}
  out rcx sept_page HPA of the S-EPT page that was freed; after a failure the S-EPT entry
  out rdx[2:0] sept_level Level of the entry where the walk ended, if it failed
  out rdx[15:8] sept_state State of that entry

TDH.PHYMEM.PAGE.RDMD - Reads a page's metadata from the PAMT
  in rcx hpa|page HPA of the page${pageType}
  out r9 bepoch Epoch in which the page was blocked

TDH.MEM.SEPT.RD - Reads a Secure EPT entry${septInputs}
  out rcx sept_entry The entry
  out rdx[2:0] sept_level Level of the entry
  out rdx[15:8] sept_state State of the entry

TDH.VP.RD - Reads a VCPU-scope metadata field
  in rcx tdvpr HPA of the VCPU's root page
  in rdx field Id of the field${readValue}

TDH.MNG.KEY.RECLAIMID - Does nothing; kept for old hosts
  in rcx tdr HPA of the TD's root page

TDH.PHYMEM.PAGE.RECLAIM - Takes a page back from a TD that was torn down
  in rcx hpa|page HPA of the page${pageType}

TDH.MEM.PAGE.REMOVE - Removes a blocked and tracked page from a TD${septInputs}
  out rcx hpa HPA of the page that was removed; after a failure the S-EPT entry
  out rdx[2:0] sept_level Level of the entry where the walk ended, if it failed
  out rdx[15:8] sept_state State of that entry

TDH.MEM.SEPT.REMOVE - Removes an empty, blocked and tracked Secure EPT page${septInputs}
  out rcx hpa HPA of the page that was removed; after a failure the S-EPT entry
  out rdx[2:0] sept_level Level of the entry where the walk ended, if it failed
  out rdx[15:8] sept_state State of that entry

TDH.SYS.KEY.CONFIG - Configures the global private key on the package of this LP

TDH.SYS.INFO - Writes TDSYSINFO_STRUCT and the CMR list to memory
  in rcx info HPA of the buffer for TDSYSINFO_STRUCT
  in rdx info_bytes Size of that buffer
  in r8 cmrs HPA of the buffer for CMR_INFO entries
  in r9 cmr_entries How many entries fit into it
  out rdx info_bytes Bytes that were written
  out r9 cmr_entries Entries that were written

TDH.SYS.INIT - Initialises the TDX module, once
  in rcx attributes? Must be 0

TDH.SYS.RD - Reads a system-scope metadata field
  in rdx field Id of the field
  out rdx next_field Id of the next field
  out r8 value Contents of the field

TDH.SYS.LP.INIT - Initialises the TDX module on this LP

TDH.SYS.TDMR.INIT - Initialises a part of a TDMR's PAMT
  in rcx tdmr Base address of the TDMR
  out rdx next Where initialisation goes on; the TDMR's end when it is done

TDH.SYS.RDALL - Writes all system-scope metadata fields to memory
  in rdx buffer HPA of the buffer
  in r8 field? Field to begin with; all ones for the first
  out r8 next_field Field to go on with; all ones when done

TDH.MEM.TRACK - Starts a new TLB epoch of the TD
  in rcx tdr HPA of the TD's root page

TDH.MEM.RANGE.UNBLOCK - Unblocks an S-EPT entry that was blocked and tracked${septInputs}
${septOutputs.trim()}

TDH.PHYMEM.CACHE.WB - Writes back the caches of this LP's package, for all KeyIDs that wait for it
  in rcx resume? 0 to start, 1 to go on after an interruption

TDH.PHYMEM.PAGE.WBINVD - Writes back and invalidates the cache lines of a page
  in rcx hpa|page HPA of the page, with KeyID bits
  in rcx[hkid] hkid? KeyID under which the lines were written

TDH.VP.WR - Writes a VCPU-scope metadata field
  in rcx tdvpr HPA of the VCPU's root page
  in rdx field Id of the field${writeInputs}
  out r8 value Contents of the field before

TDH.SYS.LP.SHUTDOWN - Shuts this LP down for TDX

TDH.SYS.CONFIG - Configures the TDX module: TDMRs and the global KeyID
  in rcx tdmr_infos HPA of the array of HPAs of TDMR_INFO structures
  in rdx count Number of entries of that array
  in r8 hkid Global private KeyID, for the PAMT and the root pages of TDs

TDH.SERVTD.BIND - Binds a service TD to a TD
  in rcx target_tdr HPA of the root page of the TD that is served
  in rdx servtd_tdr HPA of the service TD's root page
  in r8 slot? Slot of the binding table
  in r9 type? Type of the service TD
  in r10 attributes? Attributes of the binding
  out rcx binding_handle Handle of the binding
  out r10 uuid_0 TD UUID, bits 63:0
  out r11 uuid_1 bits 127:64
  out r12 uuid_2 bits 191:128
  out r13 uuid_3 bits 255:192

TDH.SERVTD.PREBIND - Reserves a binding for a service TD by its measurement
  in rcx target_tdr HPA of the root page of the TD that is served
  in rdx info_hash HPA of the hash of the service TD's TEE_INFO
  in r8 slot? Slot of the binding table
  in r9 type? Type of the service TD
  in r10 attributes? Attributes of the binding

TDH.SYS.SHUTDOWN - Shuts the TDX module down and prepares hand-off data for an update
  in rcx handoff_version? Version of the hand-off data

TDH.SYS.UPDATE - Takes over the hand-off data of the module before an update

TDH.EXPORT.ABORT - Aborts the export of a TD
  in rcx tdr HPA of the TD's root page
  in r8 abort_token? HPA of the abort token
  in r10 stream? Index of the migration stream

TDH.EXPORT.BLOCKW - Blocks pages of a TD for writing
  in rcx gpa_list HPA and size of the GPA list
  in rdx tdr HPA of the TD's root page

TDH.EXPORT.RESTORE - Restores pages after an aborted export
  in rcx gpa_list HPA and size of the GPA list
  in rdx tdr HPA of the TD's root page

TDH.EXPORT.MEM - Exports pages of a TD
  in rcx gpa_list HPA and size of the GPA list
  in rdx tdr HPA of the TD's root page${migration}

TDH.EXPORT.PAUSE - Pauses a TD for its export
  in rcx tdr HPA of the TD's root page

TDH.EXPORT.TRACK - Ends an epoch of the export
  in rcx tdr HPA of the TD's root page${migration}

TDH.EXPORT.STATE.IMMUTABLE - Exports the TD's immutable state
  in rcx tdr HPA of the TD's root page${migration}

TDH.EXPORT.STATE.TD - Exports the TD's mutable state
  in rcx tdr HPA of the TD's root page${migration}

TDH.EXPORT.STATE.VP - Exports a VCPU's state
  in rcx tdvpr HPA of the VCPU's root page${migration}

TDH.EXPORT.UNBLOCKW - Unblocks a page for writing
  in rcx gpa Guest physical address and level
  in rdx tdr HPA of the TD's root page

TDH.IMPORT.ABORT - Aborts the import of a TD
  in rcx tdr HPA of the TD's root page${migration}

TDH.IMPORT.END - Ends the import: the TD can run
  in rcx tdr HPA of the TD's root page

TDH.IMPORT.COMMIT - Commits the import: the source can not run the TD any more
  in rcx tdr HPA of the TD's root page

TDH.IMPORT.MEM - Imports pages of a TD
  in rcx gpa_list HPA and size of the GPA list
  in rdx tdr HPA of the TD's root page${migration}

TDH.IMPORT.TRACK - Checks an epoch of the import
  in rcx tdr HPA of the TD's root page${migration}

TDH.IMPORT.STATE.IMMUTABLE - Imports the TD's immutable state
  in rcx tdr HPA of the TD's root page${migration}

TDH.IMPORT.STATE.TD - Imports the TD's mutable state
  in rcx tdr HPA of the TD's root page${migration}

TDH.IMPORT.STATE.VP - Imports a VCPU's state
  in rcx tdvpr HPA of the VCPU's root page${migration}

TDH.MIG.STREAM.CREATE - Creates a migration stream
  in rcx migsc HPA of the page that becomes the stream's context
  in rdx tdr HPA of the TD's root page
`;
