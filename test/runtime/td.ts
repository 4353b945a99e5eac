/** The shortest flow that has a TD with one VCPU ready to run; tests put their own statements behind it. */
import { readFileSync } from "node:fs";
import { compileFlow } from "../../src/language/compile.ts";
import type { FlowProgram } from "../../src/language/flow-code.ts";

const TD = `
import "tdx/host"
import "tdx/guest"
let td = new_td({ attributes: ATTRIBUTES, pages: 2 })
let tdvpr = td.vcpus[0].tdvpr
`;

export function readShipped(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** A flow with a TD (`td`, `tdvpr`, two pages at GPA 0) and then `statements`. */
export async function tdFlow(statements: string, attributes = "TDX_TD_ATTR_SEPT_VE_DISABLE"): Promise<FlowProgram> {
  const source = TD.replace("ATTRIBUTES", attributes) + statements;
  const { program, diagnostics } = await compileFlow("main.tdx", {
    readSource: (path) => (path === "main.tdx" ? source : readShipped(path)),
    flowsFolder: "flows",
  });
  if (program === undefined) throw new Error(diagnostics.map(({ line, message }) => `${line} ${message}`).join("\n"));
  return program;
}
