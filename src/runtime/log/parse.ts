/** Turns the lines of a log into operations, and says of a line that is none where it is wrong. */
import {
  ADDRESS,
  BYTES,
  COUNT,
  HEX,
  HEX32,
  integer,
  isCount,
  isObject,
  isText,
  type Json,
  type Kind,
  LogFormatError,
  listOf,
  one,
  optional,
  parseJson,
  TEXT,
  wrongField,
} from "./fields.ts";
import type { LogOp } from "./format.ts";

const MAX = Number.MAX_SAFE_INTEGER;

const LP = integer(0, MAX);
/** -1: all. */
const LP_OR_ALL = integer(-1, MAX);
const LENGTH = integer(0, 2 ** 52);
const REGISTERS: Kind = { what: 'an object of registers, as {"rax":"0x0"}', test: isObject };
const MASK: Kind = optional(
  listOf(
    'a list of registers, as ["r8"], or of byte ranges, as [[16,4]]: offset and length',
    (entry) =>
      isText(entry) || (Array.isArray(entry) && entry.length === 2 && entry.every((n) => isCount(n) && n >= 0)),
  ),
);
const HOLD: Kind = {
  what: 'an object with lock and n, as {"lock":"KOT","n":1}',
  test: (value) => isObject(value) && isCount(value.n) && value.n > 0 && isText(value.lock),
};

const ACTION: Readonly<Record<string, Kind>> = {
  ...{ in: optional(REGISTERS), bytes: optional(COUNT), kind: optional(one("r", "w", "x")), len: optional(LENGTH) },
  ...{ hex: optional(BYTES), gpa: optional(HEX), gla: optional(HEX), reason: optional(HEX), qual: optional(HEX) },
  ...{ intr: optional(HEX), intrerr: optional(HEX), ilen: optional(HEX), iinfo: optional(HEX) },
  ...{ idtvec: optional(HEX), idterr: optional(HEX) },
};
const OUTCOME: Readonly<Record<string, Kind>> = {
  ...{ out: optional(REGISTERS), enter: optional(REGISTERS), resume: optional(REGISTERS), exit: optional(REGISTERS) },
  ...{ rip: optional(COUNT), inject: optional(TEXT), mask: MASK },
};

/** Fields of each operation. Others are ignored. */
const OPERATIONS: Readonly<Record<LogOp["op"], readonly (readonly [name: string, kind: Kind])[]>> = {
  write: Object.entries({ hpa: ADDRESS, hex: BYTES }),
  fill: Object.entries({ hpa: ADDRESS, byte: integer(0, 255), len: LENGTH }),
  read: Object.entries({ hpa: ADDRESS, len: LENGTH, hex: BYTES, mask: MASK }),
  seamcall: Object.entries({ lp: LP, fn: TEXT, in: REGISTERS, repeat: optional(integer(1, MAX)), ...OUTCOME }),
  intr: Object.entries({ after: integer(-1, MAX), pending: integer(0, MAX) }),
  inject: Object.entries({ what: one("pconfig", "rdseed", "rdrand", "verify"), value: integer(0, MAX) }),
  msr: Object.entries({ lp: LP_OR_ALL, msr: HEX32, value: HEX }),
  cpuid: Object.entries({ lp: LP_OR_ALL, leaf: HEX32, subleaf: HEX32, eax: HEX32, ebx: HEX32, ecx: HEX32, edx: HEX32 }),
  reload: [],
  guest: Object.entries({ lp: LP, action: TEXT, fn: optional(TEXT), ...ACTION, ...OUTCOME }),
  begin: Object.entries({ lp: LP, fn: TEXT, action: optional(TEXT), hold: HOLD, ...ACTION }),
  finish: Object.entries({ lp: LP, ...OUTCOME }),
  tsc: Object.entries({ add: HEX }),
};

/** Kinds of result of which an operation has one. */
const HOST_RESULTS = ["out", "enter"];
const RESULTS: Partial<Readonly<Record<LogOp["op"], readonly string[]>>> = {
  seamcall: HOST_RESULTS,
  guest: ["ok", "native", "resume", "exit"],
  finish: [...HOST_RESULTS, "ok", "native", "resume", "exit"],
};
/** Guest actions that do not enter the module, and so have no result. */
const SILENT_ACTIONS: readonly unknown[] = ["longmode", "advance"];

/** Any line but the first. @throws LogFormatError */
export function parseOp(text: string, line: number): LogOp {
  const json = parseJson(text, line);
  const op = Object.hasOwn(OPERATIONS, String(json.op)) ? (json.op as LogOp["op"]) : undefined;
  if (op === undefined) {
    const names = Object.keys(OPERATIONS).join(", ");
    throw new LogFormatError(line, `unknown operation ${JSON.stringify(json.op)}; there are ${names}`);
  }
  for (const [name, kind] of OPERATIONS[op]) {
    if (!kind.test(json[name])) throw new LogFormatError(line, wrongField(`"${name}" of ${op}`, json[name], kind));
  }
  checkResult(json, op, line);
  return json as unknown as LogOp;
}

function checkResult(json: Json, op: LogOp["op"], line: number): void {
  const kinds = SILENT_ACTIONS.includes(json.action) ? undefined : RESULTS[op];
  if (kinds === undefined) return;
  const found = kinds.filter((kind) => json[kind] !== undefined);
  if (found.length === 1) return;
  const what = found.length === 0 ? "has no result" : `has more than one result (${found.join(", ")})`;
  throw new LogFormatError(line, `this ${op} ${what}; it needs one of ${kinds.join(", ")}`);
}
