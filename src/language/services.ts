/** The Langium services of the language: its parser, built once. Core services only, so that this runs in browsers too. */
import {
  createDefaultCoreModule,
  createDefaultSharedCoreModule,
  EmptyFileSystem,
  inject,
  type LangiumCoreServices,
} from "langium";
import { TdxFlowGeneratedModule, TdxFlowGeneratedSharedModule } from "./generated/module.ts";

let services: LangiumCoreServices | undefined;

export function languageServices(): LangiumCoreServices {
  if (services === undefined) {
    const shared = inject(createDefaultSharedCoreModule(EmptyFileSystem), TdxFlowGeneratedSharedModule);
    services = inject(createDefaultCoreModule({ shared }), TdxFlowGeneratedModule);
    shared.ServiceRegistry.register(services);
  }
  return services;
}
