/** What the adapter can do, as `initialize` declares it. docs/dap.md says what each of the protocol's capabilities means here. */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { EXCEPTION_FILTERS } from "../debugger/exceptions.ts";

export const CAPABILITIES: DebugProtocol.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsDataBreakpoints: true,
  supportsDataBreakpointBytes: true,
  supportsEvaluateForHovers: true,
  supportsCompletionsRequest: true,
  completionTriggerCharacters: ["."],
  supportsStepBack: true,
  supportsSteppingGranularity: true,
  supportsRestartRequest: true,
  supportsExceptionInfoRequest: true,
  supportsExceptionFilterOptions: true,
  supportsDelayedStackTraceLoading: true,
  supportsLoadedSourcesRequest: true,
  supportsBreakpointLocationsRequest: true,
  supportsReadMemoryRequest: true,
  supportsTerminateRequest: true,
  supportTerminateDebuggee: true,
  supportsClipboardContext: true,
  exceptionBreakpointFilters: EXCEPTION_FILTERS.map(({ filter, label, description, default: isDefault }) => ({
    filter,
    label,
    description,
    default: isDefault,
    supportsCondition: true,
    conditionDescription: "Pattern for the name of the status (TDX_PAGE_*), or an expression of the flow language",
  })),
};
