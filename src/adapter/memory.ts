/** Memory by reference (debugger/memory-views.ts); and which of what a client has read has changed since. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { PAGE_SIZE } from "../arch/page.ts";
import { hex } from "../debugger/inspect/format.ts";
import { type MemoryReference, memoryReference, readView, viewEnd } from "../debugger/memory-views.ts";
import type { Session } from "../debugger/session.ts";
import { RequestError } from "./request-error.ts";

/** The most that is read at once. */
const MAX_BYTES = 1 << 20;
/** Ranges that are watched for changes, the latest. */
const MAX_WATCHED = 64;
const SHOWN_BYTES = 16;

interface Watched {
  readonly reference: string;
  readonly offset: number;
  readonly count: number;
  /** Numbers of the pages that were read. */
  readonly pages: readonly number[];
}

export class MemoryReader {
  private watched: Watched[] = [];

  read(session: Session, reference: string, offset: number, count: number): DebugProtocol.ReadMemoryResponse["body"] {
    const base = referenceOf(reference);
    if (count < 0) throw new RequestError('"count" cannot be negative');
    const { moment } = session.inspector;
    const from = base.address + offset;
    const address = hex(Math.max(from, 0));
    if (from < 0 || from >= viewEnd(moment.machine, base.view)) return { address, unreadableBytes: count };
    const part = readView(moment, { ...base, address: from }, Math.min(count, MAX_BYTES));
    const readable = part.data.length;
    const pages = part.pages.map((hpa) => hpa / PAGE_SIZE);
    this.watched = [...this.watched, { reference, offset, count, pages }].slice(-MAX_WATCHED);
    return { address, data: base64(part.data), ...(readable < count && { unreadableBytes: count - readable }) };
  }

  /** The first bytes at a reference, for people; with the reference, by which a client opens all of them. */
  show(session: Session, text: string): { readonly result: string; readonly memoryReference: string } {
    const reference = referenceOf(text);
    const { data, pages, end } = readView(session.inspector.moment, reference, SHOWN_BYTES);
    if (data.length === 0) throw new RequestError(end);
    const bytes = [...data].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const hpa = (pages[0] as number) + (reference.address % PAGE_SIZE);
    return { result: `${bytes} · ${session.inspector.moment.hpa(hpa)}`, memoryReference: text.trim() };
  }

  /** Bodies of the events that tell which of the memory that was read has changed since the last stop. */
  changed(session: Session): DebugProtocol.MemoryEvent["body"][] {
    const { changes } = session.inspector;
    if (this.watched.length === 0 || changes.cells.length === 0) return [];
    const { memory } = session.debuggee.machine.platform;
    const pages = new Set<number>();
    for (const cell of changes.cells) {
      const hpa = memory.hpaOf(cell);
      if (hpa !== undefined) pages.add(Math.floor(hpa / PAGE_SIZE));
    }
    return this.watched
      .filter((watched) => watched.pages.some((page) => pages.has(page)))
      .map(({ reference, offset, count }) => ({ memoryReference: reference, offset, count }));
  }
}

/** What a memory reference of a client names. */
export function referenceOf(text: string): MemoryReference {
  const reference = memoryReference(text);
  if (reference) return reference;
  throw new RequestError(`"${text}" is no address: write raw:0x…, host:0x… or td0:0x…`);
}

function base64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text);
}
