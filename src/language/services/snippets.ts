// biome-ignore-all lint/suspicious/noTemplateCurlyInString: places to fill in are written so
/** Statements that are written often, with places to fill in as LSP snippets have them. */
export interface Snippet {
  readonly name: string;
  readonly what: string;
  readonly lines: readonly string[];
}

export const snippets: readonly Snippet[] = [
  {
    name: "platform",
    what: "The machine that the flow runs on",
    lines: [
      "platform {",
      "    packages ${1:2}  lps ${2:4}",
      "    keyids ${3:64}  private ${4:32}",
      "    cmr ${5:1M .. 1920M}  cmr ${6:4G .. 9G}",
      "}",
    ],
  },
  { name: "fn", what: "A function", lines: ["fn ${1:name}(${2}) {", "    $0", "}"] },
  { name: "test", what: "A test block", lines: ['test "${1:what holds}" {', "    $0", "}"] },
  {
    name: "expect status",
    what: "Calls a leaf that has to fail",
    lines: ["expect fails ${1:TDH.SYS.INIT()} == ${2:TDX_SYS_INIT_NOT_PENDING}"],
  },
  {
    name: "retry while busy",
    what: "Calls a leaf again while another LP holds a lock that it needs",
    lines: [
      "let ${1:r} = ${2:TDH.MEM.TRACK(tdr: ${3:tdr})}",
      "while $1.status == TDX_OPERAND_BUSY { $1 = ${4:TDH.MEM.TRACK(tdr: $3)} }",
      "expect $1.ok",
    ],
  },
  {
    name: "td",
    what: "A TD from its creation to its end, built by the shipped library",
    lines: [
      'import "tdx/host"',
      "",
      "let ${1:td} = new_td({ attributes: ${2:0}, pages: ${3:1} })",
      "$0",
      "destroy_td($1)",
    ],
  },
  {
    name: "enter guest",
    what: "A guest, and the entry that runs it until it exits",
    lines: ["guest ${1:tdvpr} {", "    ${2:hlt()}", "}", "let exit = TDH.VP.ENTER(tdvpr: $1)", "log exit.exit_reason"],
  },
  {
    name: "guest with handler",
    what: "A guest that accepts pages when it meets them (#VE)",
    lines: [
      "guest ${1:tdvpr} {",
      "    ${2:write64(0x5000, 1)}",
      "} on_exception (vector, info) {",
      "    let ve = TDG.VP.VEINFO.GET()",
      "    expect vector == VECTOR_VE",
      "    TDG.MEM.PAGE.ACCEPT(gpa: ve.gpa & ~0xfff, level: 0)",
      "}",
    ],
  },
  {
    name: "block, track, remove",
    what: "Takes a page away from a TD",
    lines: [
      "TDH.MEM.RANGE.BLOCK(gpa: ${1:gpa}, level: 0, tdr: ${2:tdr})",
      "TDH.MEM.TRACK(tdr: $2)",
      "TDH.MEM.PAGE.REMOVE(gpa: $1, level: 0, tdr: $2)",
    ],
  },
  { name: "on every lp", what: "Runs a block on each LP", lines: ["for lp in lps() {", "    on lp lp { $0 }", "}"] },
  {
    name: "spawn",
    what: "A task on an LP, and waiting for its end",
    lines: ["spawn ${1:worker} on lp ${2:1} {", "    $0", "}", "join $1"],
  },
];

/** A snippet as text, with what stands in its places at first. */
export function withoutPlaces(lines: readonly string[]): string {
  const firsts = new Map<string, string>();
  let text = lines.join("\n");
  // A place may lie in another one: the inner ones go first.
  for (let before = ""; before !== text; ) {
    before = text;
    text = text.replace(/\$\{(\d+)(?::([^${}]*))?\}/g, (_, place: string, first = "") => {
      firsts.set(place, first);
      return first;
    });
    text = text.replace(/\$(\d+)/g, (whole, place: string) => (place === "0" ? "" : (firsts.get(place) ?? whole)));
  }
  return text;
}
