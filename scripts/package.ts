import { packageExtension } from "./lib/package.ts";

console.log(await packageExtension());
