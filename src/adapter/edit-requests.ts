/** Requests that change what the session stands at: a value, an expression's, memory; and the futures that this starts. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { EditError } from "../debugger/edit-place.ts";
import { editMemory } from "../debugger/editing.ts";
import { readView } from "../debugger/memory-views.ts";
import { isBefore } from "../debugger/position.ts";
import type { Session } from "../debugger/session.ts";
import { Arguments } from "./arguments.ts";
import type { BranchesResponse, BranchInfo } from "./branch-protocol.ts";
import type { Debugging } from "./debugging.ts";
import { isHex } from "./format.ts";
import { referenceOf } from "./memory.ts";
import { RequestError } from "./request-error.ts";
import type { Answer, Handler } from "./requests.ts";

export function editHandlers(debugging: Debugging): Record<string, Handler> {
  const { looking } = debugging;
  return {
    setVariable: (args) => {
      const request = new Arguments(args);
      const session = debugging.needStopped();
      const reference = request.number("variablesReference");
      const { body, text, isFork } = looking.setVariable(
        session,
        reference,
        request.required("name"),
        request.required("value"),
        isHex(request),
      );
      return { body, after: () => debugging.edited(text, isFork) };
    },
    setExpression: (args) => {
      const request = new Arguments(args);
      const session = debugging.needStopped();
      const { body, text, isFork } = looking.setExpression(
        session,
        request.required("expression"),
        request.required("value"),
        request.frame(),
        isHex(request),
      );
      return { body, after: () => debugging.edited(text, isFork) };
    },
    writeMemory: (args) => writeMemory(debugging, new Arguments(args)),
    "tdx/branches": () => ({ body: { branches: branchesOf(debugging.needStopped()) } satisfies BranchesResponse }),
    "tdx/switchBranch": (args) => {
      const start = debugging.switchBranch(new Arguments(args).number("branch"));
      return { after: debugging.announced(start) };
    },
  };
}

function writeMemory(debugging: Debugging, request: Arguments): Answer {
  const session = debugging.needStopped();
  const reference = referenceOf(request.required("memoryReference"));
  const address = reference.address + request.number("offset", 0);
  const bytes = bytesOf(request.text("data", ""));
  // What lies past the end of memory, or of what a TD has mapped, is left out only where the client allows that.
  const there = (): number => readView(session.inspector.moment, { ...reference, address }, bytes.length).data.length;
  const written = request.flag("allowPartial") ? bytes.subarray(0, there()) : bytes;
  const body: DebugProtocol.WriteMemoryResponse["body"] = { offset: 0, bytesWritten: written.length };
  if (written.length === 0) return { body };
  try {
    const { text, isFork } = editMemory(session, { view: reference.view, address }, written);
    return { body, after: () => debugging.edited(text, isFork) };
  } catch (error) {
    if (error instanceof EditError) throw new RequestError(error.message, true);
    throw error;
  }
}

function branchesOf(session: Session): BranchInfo[] {
  const { branches, position } = session.timeline;
  branches.arrived(position);
  return branches.list().map(({ id, parent, from, inputs, reach, left }) => ({
    id,
    parent,
    step: from.step,
    place: from.sub,
    edits: inputs
      .filter(({ at }) => parent === 0 || !isBefore(at, from))
      .map(({ at, input }) => ({ step: at.step, text: input.text })),
    length: reach.step,
    left: left.step,
    current: id === branches.current.id,
  }));
}

function bytesOf(data: string): Uint8Array {
  try {
    return Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
  } catch {
    throw new RequestError('"data" has to be base64');
  }
}
