/** What a data breakpoint on something that a client names would watch. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { cellsDataId, isPart, memoryDataId, outlastsRun } from "../debugger/data-ids.ts";
import type { Item } from "../debugger/inspect/item.ts";
import type { Session } from "../debugger/session.ts";

export type DataInfo = DebugProtocol.DataBreakpointInfoResponse["body"];

/** What a client wants to watch. */
export interface DataWanted {
  readonly reference: number;
  readonly name: string;
  readonly frameId: number | undefined;
  /** 0: as many as it has. */
  readonly bytes: number;
  /** The name is a physical address. */
  readonly isAddress: boolean;
}

/** The most that one data breakpoint watches: each word of it is looked for in each step's journal. */
const MAX_WATCHED_BYTES = 1 << 20;

/** A decimal number, or a hexadecimal one with 0x, as the protocol writes addresses. */
function addressOf(text: string): number | undefined {
  const value = /^\s*(0x[0-9a-f]+|\d+)\s*$/i.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** @param item what has the name where the client looks, if anything has */
export function dataInfo(session: Session, wanted: DataWanted, item: Item | undefined): DataInfo {
  const { machine } = session.debuggee;
  const isNumber = wanted.isAddress || /^0x[0-9a-f]+$/i.test(wanted.name);
  if (isNumber && (item === undefined || wanted.isAddress)) {
    const hpa = addressOf(wanted.name);
    const bytes = wanted.bytes || 8;
    const end = 2 ** machine.platform.addressBits;
    if (hpa === undefined || bytes < 1 || bytes > MAX_WATCHED_BYTES || hpa + bytes > end) {
      return { dataId: null, description: `${wanted.name} is no physical address` };
    }
    return watchable(memoryDataId(hpa, bytes), `${bytes} bytes at ${session.inspector.moment.hpa(hpa)}`);
  }
  if (item === undefined)
    return { dataId: null, description: `"${wanted.name}" is no variable, field or element here` };
  if (item.dataId !== undefined) return watchable(item.dataId, wanted.name);
  if (!item.cells?.length) {
    return { dataId: null, description: `${wanted.name} is not stored anywhere of its own` };
  }
  return watchable(cellsDataId(machine, item.cells), item.label);
}

function watchable(dataId: string, description: string): DataInfo {
  const accessTypes: DataInfo["accessTypes"] = isPart(dataId) ? ["write"] : ["read", "write", "readWrite"];
  return { dataId, description, accessTypes, canPersist: outlastsRun(dataId) };
}
