/** The first line of a log: what the platform was made of. */
import { defaultPlatform, type MemoryRange, type PlatformConfig } from "../../platform/config.ts";
import * as fields from "./fields.ts";
import { isHex, isObject, isText, type Json, type Kind, LogFormatError, parseJson, wrongField } from "./fields.ts";
import type { LogHeader } from "./format.ts";

/** LPs are numbered below it. */
const LPS_END = 4096;
/** Bits of a KeyID that IA32_TME_ACTIVATE has room for. */
const MAX_KEYID_BITS = 15;
/** Entries of the firmware's table of convertible memory. */
const MAX_CMRS = 32;

const isLp = (value: unknown): boolean => fields.integer(0, LPS_END - 1).test(value);
const isRange = (value: unknown): boolean => isObject(value) && isHex(value.base) && isHex(value.size);

const WIDTH = fields.integer(32, 52);
const SIZE = fields.integer(0, Number.MAX_SAFE_INTEGER);
const PACKAGES: Kind = {
  what: "a list that has for each package the list of its LPs, each LP once, as [[0,1],[2,3]]",
  test: (value) =>
    fields.listOf("", (lps) => Array.isArray(lps) && lps.length > 0 && lps.every(isLp)).test(value) &&
    (value as readonly number[][]).length > 0 &&
    new Set((value as readonly number[][]).flat()).size === (value as readonly number[][]).flat().length,
};
const KEYIDS: Kind = {
  what: `a power of two, 2 to ${2 ** MAX_KEYID_BITS}`,
  test: (value) => fields.integer(2, 2 ** MAX_KEYID_BITS).test(value) && Number.isInteger(Math.log2(value as number)),
};
const RANGE: Kind = { what: 'a memory range, as {"base":"0x100000","size":"0x1000"}', test: isRange };
const CMRS: Kind = {
  what: `a list of up to ${MAX_CMRS} memory ranges, as [{"base":"0x100000","size":"0x1000"}]`,
  test: (value) => fields.listOf("", isRange).test(value) && (value as readonly unknown[]).length <= MAX_CMRS,
};

const rangeOf = ({ base, size }: Json): MemoryRange => ({ base: Number(base), size: Number(size) });

/** What a header may say of the platform; what it leaves out is as in the default one. */
function platformOf(json: Json): PlatformConfig {
  /** A field of the platform or of one of its sections, `otherwise` if the header leaves it out. */
  const take = <T>(name: string, kind: Kind, otherwise: T, within: Json = json, section = ""): T => {
    const value = within[name];
    if (value === undefined) return otherwise;
    if (kind.test(value)) return value as T;
    throw new LogFormatError(1, wrongField(`the header's platform.${section}${name}`, value, kind));
  };
  const nothing: Json = {};
  const keyids = take("keyids", fields.OBJECT, nothing);
  const module = take("module", fields.OBJECT, nothing);
  const entropy = take("entropy", fields.OBJECT, nothing);
  const total = take("total", KEYIDS, defaultPlatform.keyids.total, keyids, "keyids.");
  const known = defaultPlatform.module;
  const features = take<number | undefined>("features", SIZE, undefined, module, "module.");
  const packages = take("packages", PACKAGES, defaultPlatform.packages);
  const { length } = packages.flat();
  take("lps", { what: `${length}, the number of LPs in packages`, test: (lps) => lps === length }, length);
  const seamrr = take<Json | undefined>("seamrr", RANGE, undefined);
  return {
    ...defaultPlatform,
    maxpa: take("maxpa", WIDTH, defaultPlatform.maxpa),
    packages,
    keyids: {
      total,
      privateStart: take("privateStart", fields.integer(1, total - 1), total / 2, keyids, "keyids."),
    },
    cmrs: take<readonly Json[] | undefined>("cmrs", CMRS, undefined)?.map(rangeOf) ?? defaultPlatform.cmrs,
    seamrr: seamrr === undefined ? defaultPlatform.seamrr : rangeOf(seamrr),
    module: {
      version: take("version", fields.TEXT, known.version, module, "module."),
      buildDate: take("buildDate", SIZE, known.buildDate, module, "module."),
      buildNum: take("buildNum", SIZE, known.buildNum, module, "module."),
      ...(features === undefined ? {} : { features }),
    },
    cacheBlocks: take("cacheBlocks", SIZE, defaultPlatform.cacheBlocks),
    entropySeed: take("seed", SIZE, defaultPlatform.entropySeed, entropy, "entropy."),
    // Or the firmware's word for it (SYSINFO_TABLE).
    integrity: take(
      "integrity",
      fields.YES_OR_NO,
      !take("tdxWithoutIntegrity", fields.YES_OR_NO, !defaultPlatform.integrity),
    ),
  };
}

/** @throws LogFormatError */
export function parseHeader(text: string): LogHeader {
  const json = parseJson(text, 1);
  if (json.tdxlog !== 1) throw new LogFormatError(1, 'no SEAMCALL log: its first line has "tdxlog":1');
  const { name, family, desc, platform = {} } = json;
  if (!isObject(platform)) throw new LogFormatError(1, wrongField("the header's platform", platform, fields.OBJECT));
  return {
    name: isText(name) ? name : "",
    family: isText(family) ? family : "",
    description: isText(desc) ? desc : "",
    platform: platformOf(platform),
  };
}
