/** Test results as JUnit XML, the form that continuous integration services read. */
import { failureText } from "./failure-text.ts";
import type { RanTest } from "./test.ts";

/** One suite a file. */
export function junitReport(ran: readonly RanTest[]): string {
  const files = new Map<string, RanTest[]>();
  for (const result of ran) files.set(result.file, [...(files.get(result.file) ?? []), result]);
  const lines = [...files].flatMap(([file, results]) => suite(file, results));
  return ['<?xml version="1.0" encoding="UTF-8"?>', `<testsuites ${counts(ran)}>`, ...lines, "</testsuites>", ""].join(
    "\n",
  );
}

function suite(file: string, results: readonly RanTest[]): string[] {
  return [`  <testsuite name="${escaped(file)}" ${counts(results)}>`, ...results.flatMap(testCase), "  </testsuite>"];
}

function testCase({ file, test, failure, output, milliseconds }: RanTest): string[] {
  const place = `file="${escaped(file)}" line="${test.line}"`;
  return [
    `    <testcase name="${escaped(test.name)}" classname="${escaped(file)}" ${place} time="${seconds(milliseconds)}">`,
    ...(failure === undefined
      ? []
      : [`      <failure message="${escaped(failure.message)}">${escaped(failureText(failure))}</failure>`]),
    ...(output.length === 0 ? [] : [`      <system-out>${escaped(output.join("\n"))}</system-out>`]),
    "    </testcase>",
  ];
}

function counts(results: readonly RanTest[]): string {
  const failures = results.filter(({ failure }) => failure !== undefined).length;
  const time = results.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
  return `tests="${results.length}" failures="${failures}" errors="0" time="${seconds(time)}"`;
}

const seconds = (milliseconds: number): string => (milliseconds / 1000).toFixed(3);

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\n": "&#10;",
};

/** Text for an attribute or element; characters that XML cannot have at all become U+FFFD. */
function escaped(text: string): string {
  const possible = [...text].map((character) => (isControl(character) ? "\ufffd" : character)).join("");
  return possible.replace(/[&<>"\n]/g, (character) => ENTITIES[character] as string);
}

function isControl(character: string): boolean {
  return character < " " && !"\t\n\r".includes(character);
}
