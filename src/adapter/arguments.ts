/** Arguments of a request, checked where they are read: a client gets told what is wrong with them. */
import { RequestError } from "./request-error.ts";

export class Arguments {
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.values = values;
  }

  has(name: string): boolean {
    return this.values[name] !== undefined && this.values[name] !== null;
  }

  required(name: string): string {
    const value = this.values[name];
    if (typeof value === "string" && value !== "") return value;
    throw new RequestError(`"${name}" has to be a text`);
  }

  text(name: string, absent: string): string {
    const value = this.values[name] ?? absent;
    if (typeof value === "string") return value;
    throw new RequestError(`"${name}" has to be a text`);
  }

  /** A whole number from -2^53 to 2^53. */
  number(name: string, absent?: number): number {
    const value = this.values[name] ?? absent;
    if (typeof value === "number" && Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
      return Math.trunc(value);
    }
    throw new RequestError(`"${name}" has to be a number`);
  }

  /** The number of a frame, if one is named. */
  frame(): number | undefined {
    const frame = this.number("frameId", -1);
    return frame < 0 ? undefined : frame;
  }

  /** The part of a list that is asked for; without a count, or with 0, all from the start on. */
  page<T>(all: readonly T[], start: string, count: string): T[] {
    const first = Math.max(0, this.number(start, 0));
    return all.slice(first, first + (Math.max(0, this.number(count, 0)) || all.length));
  }

  flag(name: string): boolean {
    const value = this.values[name] ?? false;
    if (typeof value === "boolean") return value;
    throw new RequestError(`"${name}" has to be true or false`);
  }

  texts(name: string): string[] {
    const value = this.values[name] ?? [];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value;
    throw new RequestError(`"${name}" has to be a list of texts`);
  }

  object(name: string): Arguments {
    const value = this.values[name] ?? {};
    if (isRecord(value)) return new Arguments(value);
    throw new RequestError(`"${name}" has to be an object`);
  }

  objects(name: string): Arguments[] {
    const value = this.values[name] ?? [];
    if (Array.isArray(value) && value.every(isRecord)) return value.map((item) => new Arguments(item));
    throw new RequestError(`"${name}" has to be a list of objects`);
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
