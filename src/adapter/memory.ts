/** Memory as the host sees it, by physical address; and which of what a client has read has changed since. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Session } from "../debugger/session.ts";
import { RequestError } from "./request-error.ts";

/** The most that is read at once. */
const MAX_BYTES = 1 << 20;
/** Ranges that are watched for changes, the latest. */
const MAX_WATCHED = 64;
const PAGE = 4096;

interface Watched {
  readonly reference: string;
  readonly offset: number;
  readonly count: number;
  readonly hpa: number;
}

export class MemoryReader {
  private watched: Watched[] = [];

  read(session: Session, reference: string, offset: number, count: number): DebugProtocol.ReadMemoryResponse["body"] {
    const base = Number(reference);
    if (!/^0x[0-9a-f]+$/i.test(reference) || !Number.isSafeInteger(base)) {
      throw new RequestError(`"${reference}" is no physical address`);
    }
    if (count < 0) throw new RequestError('"count" cannot be negative');
    const { platform } = session.debuggee.machine;
    const hpa = base + offset;
    const end = 2 ** platform.addressBits;
    const address = `0x${Math.max(hpa, 0).toString(16)}`;
    if (hpa < 0 || hpa >= end) return { address, unreadableBytes: count };
    const readable = Math.min(count, MAX_BYTES, end - hpa);
    this.watched = [...this.watched, { reference, offset, count: readable, hpa }].slice(-MAX_WATCHED);
    const data = base64(platform.memory.readBytes(hpa, readable));
    return { address, data, ...(readable < count && { unreadableBytes: count - readable }) };
  }

  /** Bodies of the events that tell which of the memory that was read has changed since the last stop. */
  changed(session: Session): DebugProtocol.MemoryEvent["body"][] {
    const { changes } = session.inspector;
    if (this.watched.length === 0 || changes.cells.length === 0) return [];
    const { memory } = session.debuggee.machine.platform;
    const pages = new Set<number>();
    for (const cell of changes.cells) {
      const hpa = memory.hpaOf(cell);
      if (hpa !== undefined) pages.add(Math.floor(hpa / PAGE));
    }
    const isChanged = ({ hpa, count }: Watched): boolean => {
      for (let page = Math.floor(hpa / PAGE); page * PAGE < hpa + count; page++) if (pages.has(page)) return true;
      return false;
    };
    return this.watched
      .filter(isChanged)
      .map(({ reference, offset, count }) => ({ memoryReference: reference, offset, count }));
  }
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
