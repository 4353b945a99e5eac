/**
 * One story in other editors' words: launch, breakpoints of each kind, steps both ways, variables. Over the raw protocol always; with
 * Neovim's nvim-dap where `nvim` is installed and NVIM_DAP names the plugin's folder (0.7.2 takes the plugin's version 0.6.0).
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CommandLineUnderTest, commandLine } from "./support.ts";
import { WireClient } from "./wire-client.ts";

interface Step {
  readonly do: string;
  readonly stops?: string;
  readonly is?: string;
  readonly line?: number;
  readonly condition?: string;
  readonly name?: string;
  readonly address?: string;
  readonly bytes?: number;
  readonly filter?: string;
}

const STORY = join(import.meta.dirname, "editor-story.json");
const story = JSON.parse(readFileSync(STORY, "utf8")) as { readonly flow: string[]; readonly steps: Step[] };
const EXPECTED = [
  "launch: entry 5",
  ...story.steps.flatMap((step) => (step.stops || step.is ? [`${step.do}: ${step.stops ?? step.is}`] : [])),
];

const PLUGIN = process.env.NVIM_DAP ?? "";
const hasNvim = spawnSync("nvim", ["--version"]).status === 0;
const missing = !hasNvim ? "no nvim on the path" : !existsSync(PLUGIN) ? "NVIM_DAP names no folder of nvim-dap" : "";

let cli: CommandLineUnderTest;
let flow: string;
beforeAll(async () => {
  cli = await commandLine();
  flow = cli.file("story.tdx", `${story.flow.join("\n")}\n`);
}, 60_000);
afterAll(() => cli.remove());

const MOVES: Readonly<Record<string, string>> = {
  continue: "continue",
  "step over": "next",
  "step into": "stepIn",
  "step out": "stepOut",
  "step back": "stepBack",
  "reverse continue": "reverseContinue",
};

test("over the raw protocol", async () => {
  const child = spawn(process.execPath, [cli.path, "dap"], { stdio: ["pipe", "pipe", "inherit"] });
  const client = new WireClient(child.stdout, child.stdin);
  const stop = async (): Promise<string> => {
    const { reason } = (await client.next("stopped")).body as { reason: string };
    return `${reason} ${(await frame()).line}`;
  };
  const frame = async (): Promise<{ id: number; line: number }> => {
    const { stackFrames } = await client.ask("stackTrace", { threadId: 1 });
    return (stackFrames as { id: number; line: number }[])[0] as { id: number; line: number };
  };
  const act = async (step: Step): Promise<unknown> => {
    const move = MOVES[step.do];
    if (move !== undefined) {
      await client.ask(move, { threadId: 1 });
      return stop();
    }
    switch (step.do) {
      case "line breakpoint":
        return client.ask("setBreakpoints", {
          source: { path: flow },
          breakpoints: [{ line: step.line, condition: step.condition }],
        });
      case "function breakpoint":
        return client.ask("setFunctionBreakpoints", { breakpoints: [{ name: step.name }] });
      case "data breakpoint": {
        const { dataId } = await client.ask("dataBreakpointInfo", {
          name: step.address,
          asAddress: true,
          bytes: step.bytes,
        });
        return client.ask("setDataBreakpoints", { breakpoints: [{ dataId, accessType: "write" }] });
      }
      case "exception breakpoint":
        return client.ask("setExceptionBreakpoints", { filters: [step.filter] });
      default: {
        const { scopes } = await client.ask("scopes", { frameId: (await frame()).id });
        const [{ variablesReference }] = scopes as [{ variablesReference: number }];
        const { variables } = await client.ask("variables", { variablesReference });
        return (variables as { name: string; value: string }[]).find(({ name }) => name === step.name)?.value;
      }
    }
  };
  await client.ask("initialize", { adapterID: "tdxflow" });
  await client.ask("launch", { program: flow, stopOnEntry: true });
  await client.next("initialized");
  await client.ask("setExceptionBreakpoints", { filters: [] });
  await client.ask("configurationDone");
  const said = [`launch: ${await stop()}`];
  for (const step of story.steps) {
    const result = await act(step);
    if (step.stops || step.is) said.push(`${step.do}: ${result}`);
  }
  expect(said).toEqual(EXPECTED);
  await client.ask("disconnect");
});

test("with Neovim's nvim-dap", ({ skip }) => {
  if (missing !== "") {
    console.log(`nvim-dap: skipped, ${missing}; the same story ran over the raw protocol`);
    skip(missing);
  }
  const out = cli.file("said", "");
  const lua = join(import.meta.dirname, "nvim-dap.lua");
  const args = ["--clean", "--headless", "--cmd", `set runtimepath^=${PLUGIN}`, "-c", `luafile ${lua}`];
  const env = { ...process.env, STORY, FLOW: flow, NODE: process.execPath, TDXFLOW: cli.path, OUT: out };
  const ended = spawnSync("nvim", args, { env, timeout: 120_000, encoding: "utf8" });
  expect(ended.status, ended.stderr).toBe(0);
  expect(readFileSync(out, "utf8").trimEnd().split("\n")).toEqual(EXPECTED);
}, 130_000);
