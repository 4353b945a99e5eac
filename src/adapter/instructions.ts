/**
 * The steps of the module as a client's instructions: each step of a leaf's source has an address, and its label is the
 * instruction. The addresses are above all physical ones and mean nothing else.
 */
import type { DebugProtocol } from "@vscode/debugprotocol";
import { hex } from "../debugger/inspect/format.ts";
import { LEAVES } from "../debugger/leaf-names.ts";
import { functionAt, type LeafSource, leafPath, stepAtOrAfter, stepLabel } from "../debugger/leaf-sources.ts";
import { RequestError } from "./request-error.ts";
import type { Sources } from "./sources.ts";

/** Past the widest physical address there can be, 52 bits. */
const FIRST = 2 ** 52;
const FILE_SPAN = 2 ** 20;
const BYTES = 16;
/** The most that one request gets. */
const MAX_COUNT = 10_000;

type Instruction = DebugProtocol.DisassembledInstruction;

export class Instructions {
  private readonly sources: Sources;
  /** Files in the order of their addresses: the leaves first, what they share as it comes up. */
  private readonly files: string[] = LEAVES.map(({ name }) => leafPath(name));

  constructor(sources: Sources) {
    this.sources = sources;
  }

  /** Address of a line of one of the module's sources. */
  reference(path: string, line: number): string {
    let index = this.files.indexOf(path);
    if (index < 0) index = this.files.push(path) - 1;
    return hex(FIRST + index * FILE_SPAN + line * BYTES);
  }

  /** The step at an address, or the next one in its file. Throws a RequestError where there is none. */
  async locate(reference: string, offset: number): Promise<{ readonly path: string; readonly line: number }> {
    const { path, line } = this.place(reference, offset);
    const source = await this.sources.leaf(path);
    const found = source && stepAtOrAfter(source, line);
    if (found === undefined) throw new RequestError(`there is no step of the module at ${reference}`);
    return { path, line: found };
  }

  /** Exactly `count` instructions from the one `skip` after an address; what lies outside of the file is invalid. */
  async disassemble(reference: string, offset: number, skip: number, count: number): Promise<Instruction[]> {
    const { path, line, file } = this.place(reference, offset);
    const source = await this.sources.leaf(path);
    const lines = source?.lines ?? [];
    const at = lines.findIndex((candidate) => candidate >= line);
    const first = (at < 0 ? lines.length : at) + skip;
    return Array.from({ length: Math.min(Math.max(count, 0), MAX_COUNT) }, (_, i): Instruction => {
      const step = lines[first + i];
      if (source === undefined || step === undefined) {
        const beside = first + i < 0 ? first + i : (lines.at(-1) ?? 0) + first + i - lines.length + 1;
        return { address: hex(file + beside * BYTES), instruction: "", presentationHint: "invalid" };
      }
      return this.instruction(source, file, step);
    });
  }

  private instruction(source: LeafSource, file: number, line: number): Instruction {
    const symbol = functionAt(source, line);
    return {
      address: hex(file + line * BYTES),
      instruction: stepLabel(source, line),
      ...(symbol !== undefined && { symbol }),
      location: this.sources.describeLeaf(source.path),
      line,
    };
  }

  private place(
    reference: string,
    offset: number,
  ): { readonly path: string; readonly line: number; readonly file: number } {
    const address = Number(reference) + offset;
    const index = Math.floor((address - FIRST) / FILE_SPAN);
    const path = this.files[index];
    if (!/^0x[0-9a-f]+$/i.test(reference) || path === undefined) {
      throw new RequestError(`${reference} is no address of a step of the module`);
    }
    const file = FIRST + index * FILE_SPAN;
    return { path, line: Math.floor((address - file) / BYTES), file };
  }
}
