/** A flow with a loop, a function and calls of the module, for tests of breakpoints. */
import { Client } from "./support.ts";

export const PROGRAM = "/flows/test.tdx";
export const TEXT = `// line 1
fn add(a, b) {

  let sum = a + b
  return sum
}
let n = 0
for i in 0 .. 10 {
  n = add(n, i)
}
let r = TDH.SYS.INIT()
let again = TDH.SYS.INIT()
let rd = TDH.SYS.RD(field: 5)
log "{n} {r.status}"
`;

export async function launched(options: Parameters<Client["launch"]>[1] = {}): Promise<Client> {
  const client = new Client({ [PROGRAM]: TEXT });
  await client.launch(PROGRAM, options);
  await client.event("stopped");
  return client;
}

export async function setLines(client: Client, ...breakpoints: object[]) {
  return (await client.request("setBreakpoints", { source: { path: PROGRAM }, breakpoints })).breakpoints;
}
