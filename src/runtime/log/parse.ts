/** Turns the lines of a log into operations, and says of a line that is none where it is wrong. */
import { parseU64 } from "../../arch/u64.ts";
import { defaultPlatform, type PlatformConfig } from "../../platform/config.ts";
import type { LogHeader, LogOp } from "./format.ts";

/** A line that is not what the format says. */
export class LogFormatError extends Error {
  /** From 1. */
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.name = "LogFormatError";
    this.line = line;
  }
}

function parseJson(text: string, line: number): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new LogFormatError(line, error instanceof Error ? error.message : "not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new LogFormatError(line, "a line of the log is a JSON object");
  }
  return value as Record<string, unknown>;
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isHex = (value: unknown): value is string => typeof value === "string" && parseU64(value);
const isCount = (value: unknown): value is number => Number.isSafeInteger(value);
const isBytes = (value: unknown): value is string =>
  typeof value === "string" && value.length % 2 === 0 && /^[0-9a-f]*$/.test(value);
const isText = (value: unknown): value is string => typeof value === "string";

/** What a header may say of the platform; what it leaves out is as in the default one. */
function platformOf(json: Json): PlatformConfig {
  const wrong = (what: string): never => {
    throw new LogFormatError(1, `the header's platform.${what} is not what the format says`);
  };
  const count = (value: unknown, what: string, otherwise: number): number =>
    value === undefined ? otherwise : isCount(value) && value >= 0 ? value : wrong(what);
  const section = (name: string): Json => {
    const value = json[name] ?? {};
    return isObject(value) ? value : wrong(name);
  };
  const list = (name: string): readonly unknown[] | undefined => {
    const value = json[name];
    return value === undefined || Array.isArray(value) ? value : wrong(name);
  };
  const keyids = section("keyids");
  const packages = list("packages")?.map((lps) =>
    Array.isArray(lps) ? lps.map((lp) => count(lp, "packages", 0)) : wrong("packages"),
  );
  if (packages?.flat().length === 0) wrong("packages");
  const { version, buildDate, buildNum, features } = section("module");
  const total = count(keyids.total, "keyids.total", defaultPlatform.keyids.total);
  if (!Number.isInteger(Math.log2(total))) wrong("keyids.total");
  const known = defaultPlatform.module;
  return {
    ...defaultPlatform,
    maxpa: count(json.maxpa, "maxpa", defaultPlatform.maxpa),
    packages: packages ?? defaultPlatform.packages,
    keyids: { total, privateStart: count(keyids.privateStart, "keyids.privateStart", total / 2) },
    cmrs:
      list("cmrs")?.map((cmr) =>
        isObject(cmr) && isHex(cmr.base) && isHex(cmr.size)
          ? { base: Number(cmr.base), size: Number(cmr.size) }
          : wrong("cmrs"),
      ) ?? defaultPlatform.cmrs,
    module: {
      version: isText(version) ? version : known.version,
      buildDate: count(buildDate, "module.buildDate", known.buildDate),
      buildNum: count(buildNum, "module.buildNum", known.buildNum),
      ...(features === undefined ? {} : { features: count(features, "module.features", 0) }),
    },
    cacheBlocks: count(json.cacheBlocks, "cacheBlocks", defaultPlatform.cacheBlocks),
    entropySeed: count(section("entropy").seed, "entropy.seed", defaultPlatform.entropySeed),
    integrity: integrityOf(json),
  };
}

/** `integrity`, which the writer says, or the firmware's word for it (SYSINFO_TABLE), `tdxWithoutIntegrity`. */
function integrityOf({ integrity, tdxWithoutIntegrity }: Json): boolean {
  if (typeof integrity === "boolean") return integrity;
  return typeof tdxWithoutIntegrity === "boolean" ? !tdxWithoutIntegrity : defaultPlatform.integrity;
}

/** The first line of a log. @throws LogFormatError */
export function parseHeader(text: string): LogHeader {
  const json = parseJson(text, 1);
  if (json.tdxlog !== 1) throw new LogFormatError(1, 'no SEAMCALL log: its first line has "tdxlog":1');
  const { name, family, desc, platform = {} } = json;
  if (!isObject(platform)) throw new LogFormatError(1, "the header's platform is no object");
  return {
    name: isText(name) ? name : "",
    family: isText(family) ? family : "",
    description: isText(desc) ? desc : "",
    platform: platformOf(platform),
  };
}

/** What a field may hold. */
interface Kind {
  readonly what: string;
  readonly test: (value: unknown) => boolean;
}

const one = (...texts: readonly string[]): Kind => ({
  what: `one of ${texts.join(", ")}`,
  test: (value) => texts.includes(value as string),
});
const optional = ({ what, test }: Kind): Kind => ({ what, test: (value) => value === undefined || test(value) });

const HEX: Kind = { what: "a hexadecimal text of up to 64 bits", test: isHex };
const ADDRESS: Kind = { what: "a physical address in hexadecimal", test: (v) => isHex(v) && Number(v) < 2 ** 52 };
const COUNT: Kind = { what: "an integer", test: isCount };
const BYTES: Kind = { what: "bytes in lower-case hexadecimal", test: isBytes };
const TEXT: Kind = { what: "a text", test: isText };
const REGISTERS: Kind = { what: "an object of registers", test: isObject };
const MASK: Kind = optional({ what: "a list", test: Array.isArray });
const HOLD: Kind = {
  what: "an object with lock and n",
  test: (value) => isObject(value) && isCount(value.n) && isText(value.lock),
};

const ACTION: Readonly<Record<string, Kind>> = {
  ...{ in: optional(REGISTERS), bytes: optional(COUNT), kind: optional(one("r", "w", "x")), len: optional(COUNT) },
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
  fill: Object.entries({ hpa: ADDRESS, byte: COUNT, len: COUNT }),
  read: Object.entries({ hpa: ADDRESS, len: COUNT, hex: BYTES, mask: MASK }),
  seamcall: Object.entries({ lp: COUNT, fn: TEXT, in: REGISTERS, repeat: optional(COUNT), ...OUTCOME }),
  intr: Object.entries({ after: COUNT, pending: COUNT }),
  inject: Object.entries({ what: one("pconfig", "rdseed", "rdrand", "verify"), value: COUNT }),
  msr: Object.entries({ lp: COUNT, msr: HEX, value: HEX }),
  cpuid: Object.entries({ lp: COUNT, leaf: HEX, subleaf: HEX, eax: HEX, ebx: HEX, ecx: HEX, edx: HEX }),
  reload: [],
  guest: Object.entries({ lp: COUNT, action: TEXT, fn: optional(TEXT), ...ACTION, ...OUTCOME }),
  begin: Object.entries({ lp: COUNT, fn: TEXT, action: optional(TEXT), hold: HOLD, ...ACTION }),
  finish: Object.entries({ lp: COUNT, ...OUTCOME }),
  tsc: Object.entries({ add: HEX }),
};

/** Any other line. @throws LogFormatError */
export function parseOp(text: string, line: number): LogOp {
  const json = parseJson(text, line);
  const fields = Object.hasOwn(OPERATIONS, String(json.op)) ? OPERATIONS[json.op as LogOp["op"]] : undefined;
  if (fields === undefined) throw new LogFormatError(line, `unknown operation ${JSON.stringify(json.op)}`);
  for (const [name, { what, test }] of fields) {
    if (test(json[name])) continue;
    const got = json[name] === undefined ? "is missing" : `is ${JSON.stringify(json[name])}`;
    throw new LogFormatError(line, `"${name}" of ${json.op} ${got}, and not ${what}`);
  }
  return json as unknown as LogOp;
}
