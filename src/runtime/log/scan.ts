/**
 * Reads the lines of a log that make almost all of it, plain SEAMCALLs, straight from its bytes: parsing them as JSON would
 * cost more than running them. Whatever is not exactly as the recorder writes it is left to JSON.parse (format.ts).
 */
import type { RegisterFile } from "./outcome.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const CLOSE = 0x7d;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** What some editors put before UTF-8. */
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

const ascii = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));

const SEAMCALL = ascii('{"op":"seamcall","lp":');
const LABEL = ascii('"t":"');
const LEAF = ascii('"fn":"');
const IN = ascii('"in":{');
const OUT = ascii('"out":{');
const HEX = ascii('":"0x');

/** Value of a lower-case hexadecimal digit by its code; 255 for anything else. */
const digits = new Uint8Array(256).fill(255);
for (let i = 0; i < 16; i++) digits["0123456789abcdef".charCodeAt(i)] = i;

/** A SEAMCALL as it was scanned. */
export interface ScannedCall {
  lp: number;
  /** Where the leaf's name is in the bytes. */
  leafStart: number;
  leafEnd: number;
}

const latin1 = new TextDecoder("latin1");

const UNKNOWN = -2;

export class LogScanner {
  /** Line that `next` went to, from 1. */
  line = 0;
  readonly call: ScannedCall = { lp: 0, leafStart: 0, leafEnd: 0 };
  readonly bytes: Uint8Array;
  private start: number;
  /** Where the line's break is, or the end of the log; UNKNOWN until somebody needs it: who reads a line comes by there. */
  private lineBreak: number;
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.start = BYTE_ORDER_MARK.every((byte, i) => bytes[i] === byte) ? BYTE_ORDER_MARK.length : 0;
    this.lineBreak = this.start - 1;
  }

  /** Goes to the next line; false at the end of the log. */
  next(): boolean {
    this.start = this.endOfLine() + 1;
    if (this.start >= this.bytes.length) return false;
    this.lineBreak = UNKNOWN;
    this.line++;
    return true;
  }

  /** The line's text. */
  text(): string {
    const { bytes, start } = this;
    const end = this.endOfLine();
    return latin1.decode(bytes.subarray(start, end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end));
  }

  /**
   * If the line is a SEAMCALL with nothing but `in` and `out`: reads it into `call`, `input` (all 16 registers) and `expected`
   * (what the registers must hold after it). Else returns false.
   */
  seamcall(input: RegisterFile, expected: RegisterFile): boolean {
    const { call } = this;
    this.at = this.start;
    if (!this.skip(SEAMCALL)) return false;
    const lp = this.lpNumber();
    if (lp < 0) return false;
    if (this.skip(LABEL) && !(this.skipText() && this.skipByte(COMMA))) return false;
    if (!this.skip(LEAF)) return false;
    call.lp = lp;
    call.leafStart = this.at;
    if (!this.skipText()) return false;
    call.leafEnd = this.at - 1;
    if (!(this.skipByte(COMMA) && this.skip(IN))) return false;
    input.fill(0);
    if (!(this.registers(input) && this.skipByte(COMMA) && this.skip(OUT))) return false;
    expected.set(input);
    return this.registers(expected) && this.skipByte(CLOSE) && this.isAtEnd();
  }

  private endOfLine(): number {
    if (this.lineBreak === UNKNOWN) {
      const newline = this.bytes.indexOf(NEWLINE, this.start);
      this.lineBreak = newline < 0 ? this.bytes.length : newline;
    }
    return this.lineBreak;
  }

  /** Whether nothing of the line is left. */
  private isAtEnd(): boolean {
    const { bytes } = this;
    const at = bytes[this.at] === CARRIAGE_RETURN ? this.at + 1 : this.at;
    if (at < bytes.length && bytes[at] !== NEWLINE) return false;
    this.lineBreak = at;
    return true;
  }

  /** Reads a number of up to three digits and the comma after it; -1 if there is none. */
  private lpNumber(): number {
    const { bytes } = this;
    let { at } = this;
    const first = at;
    let lp = 0;
    for (let digit = (bytes[at] as number) - 48; digit >= 0 && digit <= 9; digit = (bytes[at] as number) - 48) {
      lp = lp * 10 + digit;
      at++;
    }
    const digits = at - first;
    if (digits === 0 || digits > 3 || bytes[at] !== COMMA) return -1;
    if (digits > 1 && bytes[first] === 48) return -1; // no JSON
    this.at = at + 1;
    return lp;
  }

  private skipByte(byte: number): boolean {
    if (this.bytes[this.at] !== byte) return false;
    this.at++;
    return true;
  }

  private skip(text: Uint8Array): boolean {
    const { bytes, at } = this;
    for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
    this.at = at + text.length;
    return true;
  }

  /** Goes past the closing quote of a text without escapes. */
  private skipText(): boolean {
    const { bytes } = this;
    let { at } = this;
    for (; bytes[at] !== QUOTE; at++) {
      if (at >= bytes.length || bytes[at] === BACKSLASH || bytes[at] === NEWLINE) return false;
    }
    this.at = at + 1;
    return true;
  }

  /** Reads `"rax":"0x…", … }` into the file. */
  private registers(file: RegisterFile): boolean {
    const { bytes } = this;
    if (this.skipByte(CLOSE)) return true;
    for (;;) {
      const number = this.registerNumber();
      if (number < 0 || !this.skip(HEX)) return false;
      let { at } = this;
      const first = at;
      let lo = 0;
      let hi = 0;
      for (
        let digit = digits[bytes[at] as number] as number;
        digit < 16;
        digit = digits[bytes[at] as number] as number
      ) {
        hi = (hi << 4) | (lo >>> 28);
        lo = (lo << 4) | digit;
        at++;
      }
      if (at === first || at - first > 16 || bytes[at] !== QUOTE) return false;
      file[2 * number] = lo;
      file[2 * number + 1] = hi;
      const after = bytes[at + 1];
      this.at = at + 2;
      if (after === CLOSE) return true;
      if (after !== COMMA) return false;
    }
  }

  /** Reads `"rax`, up to the closing quote; -1 if it is no register. */
  private registerNumber(): number {
    const { bytes, at } = this;
    if (bytes[at] !== QUOTE || bytes[at + 1] !== 0x72) return -1;
    const first = bytes[at + 2] as number;
    const second = bytes[at + 3] as number;
    if (second === QUOTE) {
      this.at = at + 3;
      return first === 0x38 ? 8 : first === 0x39 ? 9 : -1;
    }
    this.at = at + 4;
    if (first === 0x31) return second >= 48 && second <= 53 ? second - 38 : -1;
    const isX = second === 0x78;
    const isI = second === 0x69;
    const isP = second === 0x70;
    if (first === 0x61) return isX ? 0 : -1;
    if (first === 0x63) return isX ? 1 : -1;
    if (first === 0x64) return isX ? 2 : isI ? 7 : -1;
    if (first === 0x62) return isX ? 3 : isP ? 5 : -1;
    if (first === 0x73) return isP ? 4 : isI ? 6 : -1;
    return -1;
  }
}

interface ByteEntry<T> {
  readonly key: Uint8Array;
  readonly value: T;
}

/** Objects by a text that is found in bytes, without making the text each time. */
export class ByteKeys<T> {
  private readonly buckets: ByteEntry<T>[][] = Array.from({ length: 256 }, () => []);
  private readonly create: (key: string) => T;
  /** What was asked for last: a log names the same leaf many times in a row. */
  private last: ByteEntry<T> | undefined;

  constructor(create: (key: string) => T) {
    this.create = create;
  }

  get(bytes: Uint8Array, start: number, end: number): T {
    if (this.last !== undefined && isAt(this.last.key, bytes, start, end)) return this.last.value;
    let hash = end - start;
    for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (bytes[i] as number)) | 0;
    const bucket = this.buckets[(hash ^ (hash >>> 8)) & 255] as ByteEntry<T>[];
    let entry = bucket.find(({ key }) => isAt(key, bytes, start, end));
    if (entry === undefined) {
      const key = bytes.slice(start, end);
      entry = { key, value: this.create(latin1.decode(key)) };
      bucket.push(entry);
    }
    this.last = entry;
    return entry.value;
  }
}

function isAt(key: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (key.length !== end - start) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[start + i]) return false;
  return true;
}
