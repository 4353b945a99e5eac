import { buildBundles } from "./lib/build.ts";

await buildBundles();
