/** Every host leaf that the module implements, by its number (RAX[15:0]). A leaf that is not here answers as an unsupported one. */
import type { Leaf } from "./call.ts";
import { tdhMemPageAug } from "./host/tdh-mem-page-aug.ts";

export const hostLeaves: Readonly<Record<number, Leaf>> = {
  6: tdhMemPageAug,
};
