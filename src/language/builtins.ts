/** The functions that every flow knows: their parameters and what they are for. The runtime has what they do. */
import { leafSignatures } from "../arch/leaf-operands.ts";

export interface Builtin {
  readonly name: string;
  /** Parameter names; "?" after those that may be left out. */
  readonly parameters: readonly string[];
  readonly what: string;
  /** Changes nothing, so that watch expressions may call it. */
  readonly pure: boolean;
  /** Only guests can do it, only the host can, or both (in their own address space). */
  readonly where: "host" | "guest" | "both";
}

function builtin(signature: string, what: string, where: Builtin["where"] = "both", pure = false): Builtin {
  const match = /^(\w+)\((.*)\)$/.exec(signature);
  if (match === null) throw new Error(`builtin ${signature}`);
  const parameters = (match[2] as string).split(",").map((parameter) => parameter.trim());
  return {
    name: match[1] as string,
    parameters: parameters.filter((parameter) => parameter !== ""),
    what,
    where,
    pure,
  };
}

/** Their order is their number in flow code. */
export const builtins: readonly Builtin[] = [
  builtin("hex(value)", "Text of an integer in hexadecimal", "both", true),
  builtin("text(value)", "Text of any value, as log prints it", "both", true),
  builtin(
    "type(value)",
    'Type of a value: "integer", "boolean", "string", "record", "list", "function", "status", "null"',
    "both",
    true,
  ),
  builtin("len(value)", "Length of a list or string, or number of a record's fields", "both", true),
  builtin("has(record, name)", "Whether a record has a field", "both", true),
  builtin("min(a, b)", "The smaller integer", "both", true),
  builtin("max(a, b)", "The larger integer", "both", true),
  builtin("status(value)", "An integer as a completion status", "both", true),
  builtin("integer(value)", "A status as the 64 bits of RAX", "both", true),
  builtin("keys(record)", "The names of a record's fields, as a list"),
  builtin("push(list, value)", "Appends a value to a list"),
  builtin("pop(list)", "Takes the last value off a list"),
  builtin("read(address, bytes?)", "Reads memory: 1 to 8 bytes (default 8) as an integer, little-endian"),
  builtin("read8(address)", "Reads 1 byte of memory"),
  builtin("read16(address)", "Reads 2 bytes of memory"),
  builtin("read32(address)", "Reads 4 bytes of memory"),
  builtin("read64(address)", "Reads 8 bytes of memory"),
  builtin(
    "write(address, value, bytes?)",
    "Writes memory: an integer (default 8 bytes), the bytes of a string, or a list of bytes",
  ),
  builtin("write8(address, value)", "Writes 1 byte of memory"),
  builtin("write16(address, value)", "Writes 2 bytes of memory"),
  builtin("write32(address, value)", "Writes 4 bytes of memory"),
  builtin("write64(address, value)", "Writes 8 bytes of memory"),
  builtin("fill(hpa, byte, bytes)", "Fills memory with a byte", "host"),
  builtin("alloc_page(node?)", "HPA of a free 4 KiB page, on any NUMA node or a given one", "host"),
  builtin(
    "alloc_pages(count, align?, node?, from?)",
    "HPA of the first of adjacent free pages; alignment in bytes; NUMA node; the lowest address to use",
    "host",
  ),
  builtin("free_page(hpa)", "Gives a page back", "host"),
  builtin("memory_ranges()", "The platform's memory, as a list of records with base, end, node", "host"),
  builtin("node_of(hpa)", "NUMA node of an address, or null where there is no memory", "host", true),
  builtin("cpuid(leaf, subleaf?)", "CPUID on this LP: record with eax, ebx, ecx, edx"),
  builtin("rdmsr(msr)", "Reads a model-specific register of this LP"),
  builtin("wrmsr(msr, value)", "Writes a model-specific register of this LP"),
  builtin("interrupt_off()", "No interrupt is pending or to come", "host"),
  builtin("interrupt(after)", "An interrupt becomes pending after this many more polls by the module", "host"),
  builtin(
    "inject(what, value)",
    'Makes the next "pconfig" fail with a code, or the next draws of "rdseed" or "rdrand" fail',
    "host",
  ),
  builtin("current_lp()", "Number of the LP that this runs on", "both", true),
  builtin("lps()", "Numbers of all LPs, as a list", "host"),
  builtin("packages()", "For each package the list of its LPs", "host"),
  builtin("package_of(lp)", "Number of the package of an LP", "host", true),
  builtin("private_keyids()", "Record with first, count: the TDX private KeyIDs", "host"),
  builtin("with_keyid(hpa, hkid)", "A physical address with KeyID bits", "host", true),
  builtin("fetch(gpa)", "Fetches an instruction", "guest"),
  builtin("hlt()", "Executes HLT", "guest"),
  builtin("io_in(port, bytes)", "Executes IN", "guest"),
  builtin("io_out(port, value, bytes)", "Executes OUT", "guest"),
  builtin(
    "vm_exit(reason, qualification?, interruption_info?)",
    "Any other VM exit, by its reason: 1 is an external interrupt",
    "guest",
  ),
  builtin("mutex(name?)", "A lock that one task at a time can hold: with m { … }", "host"),
  builtin("rwlock(name?)", "A lock with many readers or one writer: with l.read { … }, with l.write { … }", "host"),
  builtin("movdir64b(to, from)", "Copies a whole 64-byte line, past the caches: it clears poison", "host"),
  builtin("clflush(hpa, bytes?)", "Writes back and drops the cache lines of a range", "host"),
  builtin("wbinvd()", "Writes back and drops the caches of this LP's package", "host"),
  builtin(
    "invept(type, eptp?)",
    "INVEPT on this LP: 1 drops what it remembers of one EPT, 2 (all contexts) whatever it remembers of any guest",
    "host",
  ),
  builtin("hazards()", "How often something went wrong below the module without a status", "host"),
  builtin("last_hazard()", "Record with kind, hpa, hkid, own_hkid of the latest such mistake, or null", "host"),
  builtin("warn(text)", "Prints a warning and goes on, as WARN() of Linux does; a debugger can stop at it", "host"),
  builtin("bug(text)", "Ends the flow, as BUG() of Linux does: what cannot be has happened", "host"),
  builtin("gpa_parts(gpa)", "Record of the S-EPT indexes l0 to l4 of a guest physical address", "host"),
];

export const builtinNumbers: ReadonlyMap<string, number> = new Map(
  builtins.map((entry, number) => [entry.name, number]),
);

/** The parameter names, without the mark of those that may be left out. */
export function parameterNames({ parameters }: Builtin): string[] {
  return parameters.map((parameter) => parameter.replace("?", ""));
}

/** How many arguments have to be given. */
export function fewestArguments({ parameters }: Builtin): number {
  return parameters.filter((parameter) => !parameter.endsWith("?")).length;
}

/** Whether a name calls the module with raw registers, the leaf number in RAX. */
export function isRawCall(name: string): boolean {
  return name === "seamcall" || name === "tdcall";
}

/** Whether a dotted name calls the module, with operands that have names. */
export function isModuleCall(name: string): boolean {
  return isRawCall(name) || leafSignatures.has(name);
}
