/** What is not known of a file that has syntax errors, or imports that are not there: what is said of it would be guessed. */
import type { SourceFile, Span } from "./diagnostics.ts";

export class Doubt {
  readonly #ranges: readonly Span[];
  readonly #names: ReadonlySet<string>;
  readonly #anyName: boolean;
  readonly #others: readonly Doubt[];

  /**
   * @param ranges the text that is not understood
   * @param missing imports that are not there, by the name that they would have here
   * @param others what is not known of the files whose names are also this one's
   */
  constructor(
    source: SourceFile,
    ranges: readonly Span[],
    missing: readonly (string | undefined)[] = [],
    others: readonly Doubt[] = [],
  ) {
    const texts = ranges.map(({ start, end }) => source.text.slice(start, end));
    this.#ranges = ranges;
    this.#names = new Set([
      ...missing.filter((name) => name !== undefined),
      ...texts.flatMap((text) => text.match(/[A-Za-z_]\w*/g) ?? []),
    ]);
    this.#anyName = missing.includes(undefined) || texts.some((text) => /\bimport\b/.test(text));
    this.#others = others.filter((other) => !other.isNone);
  }

  get isNone(): boolean {
    return this.#ranges.length === 0 && this.#names.size === 0 && !this.#anyName && this.#others.length === 0;
  }

  /** Whether something that is not known may declare a name. */
  concerns(name: string): boolean {
    return this.#anyName || this.mentions(name) || this.#others.some((other) => other.concerns(name));
  }

  /** Whether text of the file that is not understood may use a name, or change what it means there. */
  mentions(name: string): boolean {
    return this.#names.has(name);
  }

  /** Whether a piece of the file has something in it that is not understood. */
  isIn({ start, end }: Span): boolean {
    return this.#ranges.some((range) => range.start < end && start < range.end);
  }
}
