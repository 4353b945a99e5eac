/** Edits: inputs that change a value. What is written has to be of the kind that it replaces. */
import { isInteger, Status } from "../language/values.ts";
import { hostWrite } from "../platform/host-access.ts";
import { PlainRecord } from "../runtime/heap.ts";
import { LeafResult } from "../runtime/leaf-result.ts";
import { aType, typeName } from "../runtime/values.ts";
import type { Input } from "./branches.ts";
import type { Debuggee } from "./debuggee.ts";
import { EditError, type EditPlace } from "./edit-place.ts";
import { FlowDebuggee } from "./flow-debuggee.ts";

/** A new value at a place. `shown`: the value as text. */
export function editOf(place: EditPlace, value: unknown, shown: string): Input {
  return {
    text: `${place.name} = ${shown}`,
    apply: (debuggee) => {
      const flow = flowOf(debuggee);
      place.write(flow, fitting(place.name, place.read(flow), value));
    },
  };
}

export interface MemoryPart {
  readonly hpa: number;
  readonly bytes: Uint8Array;
}

/** Bytes of memory, as they lie there: nobody's access, so no KeyID, cache line or translation has a part in it. */
export function memoryEdit(parts: readonly MemoryPart[], count: number): Input {
  return {
    text: memoryText(parts[0]?.hpa ?? 0, count),
    apply: ({ machine }) => {
      for (const { hpa, bytes } of parts) machine.platform.memory.writeBytes(hpa, bytes);
    },
  };
}

/** Bytes as software outside SEAM writes them, from LP 0, to an address with its KeyID. */
export function hostEdit(address: number, bytes: Uint8Array): Input {
  const copy = bytes.slice();
  return {
    text: `host:${memoryText(address, copy.length)}`,
    apply: ({ machine }) => hostWrite(machine.platform, 0, address, copy),
  };
}

function memoryText(address: number, count: number): string {
  return `0x${address.toString(16)}: ${count} ${count === 1 ? "byte" : "bytes"}`;
}

function flowOf(debuggee: Debuggee): FlowDebuggee {
  if (debuggee instanceof FlowDebuggee) return debuggee;
  throw new EditError("there is no flow to edit");
}

/** The value as it replaces another one. */
function fitting(name: string, old: unknown, value: unknown): unknown {
  if (value instanceof PlainRecord) throw new EditError("a record cannot be made here: change its fields");
  if (old === undefined || old === null) return value;
  if (old instanceof Status && isInteger(value)) return Status.of(value);
  if (old instanceof LeafResult && (value instanceof Status || isInteger(value))) {
    return old.with("status", value instanceof Status ? value.integer : value);
  }
  if (isInteger(old) && value instanceof Status) return value.integer;
  const isSame = typeName(old) === typeName(value);
  // A handle can give way to none; what is counted with cannot.
  if (isSame || (value === null && typeof old === "object")) return value;
  throw new EditError(`"${name}" is ${aType(old)}; ${aType(value)} does not fit`);
}
