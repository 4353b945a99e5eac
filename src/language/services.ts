/** The parsers of the language, built once from its grammar. Langium's core services only, so that this runs in browsers too. */
import {
  createDefaultCoreModule,
  createDefaultSharedCoreModule,
  EmptyFileSystem,
  inject,
  type LangiumCoreServices,
} from "langium";
import { reflection } from "./generated/ast.ts";
import { TdxFlowGrammar } from "./generated/grammar.ts";
import { TdxFlowGeneratedModule, TdxFlowGeneratedSharedModule } from "./generated/module.ts";
import { WholeParser } from "./parser/whole.ts";

let whole: WholeParser | undefined;
let services: LangiumCoreServices | undefined;

export function wholeParser(): WholeParser {
  whole ??= new WholeParser(TdxFlowGrammar(), reflection);
  return whole;
}

/** Langium's parser did not come back from a source: it would not take another one. */
export function discardLanguageServices(): void {
  services = undefined;
}

/** For sources with mistakes. Starts as slowly as the other parser reads a thousand lines. */
export function languageServices(): LangiumCoreServices {
  if (services === undefined) {
    const shared = inject(createDefaultSharedCoreModule(EmptyFileSystem), TdxFlowGeneratedSharedModule);
    services = inject(createDefaultCoreModule({ shared }), TdxFlowGeneratedModule);
    shared.ServiceRegistry.register(services);
  }
  return services;
}
