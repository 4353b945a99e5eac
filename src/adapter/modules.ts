/** What the protocol calls modules: the TDX module, the sources of the flow, and those of the leaves that it calls. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { hex } from "../debugger/inspect/format.ts";
import type { Session } from "../debugger/session.ts";
import { baseName } from "../language/paths.ts";

/** Id of the TDX module, to which all frames of leaves belong. */
export const TDX_MODULE = "tdx-module";

/** @param isShipped whether a flow's file came with this program */
export function modulesOf(session: Session, isShipped: (path: string) => boolean): DebugProtocol.Module[] {
  const { module, seamrr } = session.debuggee.machine.platform.config;
  return [
    {
      id: TDX_MODULE,
      name: "TDX module",
      version: module.version,
      isUserCode: false,
      symbolStatus: "emulated, every step has its source",
      addressRange: `${hex(seamrr.base)}-${hex(seamrr.base + seamrr.size)}`,
    },
    ...session.program.sources.map(({ path }) => ({
      id: path,
      name: baseName(path),
      path,
      isUserCode: !isShipped(path),
      symbolStatus: "source",
    })),
  ];
}
