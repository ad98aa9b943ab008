import { FactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { containerFileErrors, lintContainerFiles, readRecipe } from "./index.ts";

const files: readonly (readonly [string, string])[] = [
  [
    "Dockerfile",
    `# syntax=docker/dockerfile:1\nARG A=debian:12\nFROM --platform=$BUILDPLATFORM \${A:-x} AS b\nRUN --mount=type=cache,target=/x apt-get update && \\\n  # c\n  apt-get install -y gcc\nRUN <<EOF\ncurl x | sh\nEOF\nFROM scratch\nCOPY --from=b ["a", "b"]\nENV A=b C="d e" TOKEN=$X\nLABEL a=b\nADD https://x/y.tgz /\nONBUILD RUN x\nUSER 0\n`,
  ],
  [
    "compose.yaml",
    'x: &x { image: "a:${T:-1}" }\nservices:\n  a: { <<: *x, build: { dockerfile_inline: "FROM b" }, environment: [A=b] }\n',
  ],
  [
    "k.yaml",
    "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  spec: { containers: [{ image: a, command: [sh, -c, 'x | sh'] }] }\n---\nkind: x\n",
  ],
  [
    "c/templates/t.yaml",
    "apiVersion: v1\nkind: Pod\na:\n  image: '{{ .Values.a.b }}:1'\n  - image: x # touchmark-ignore: latest-tag y\n",
  ],
  [
    "Makefile",
    "A ?= x$(B)\nB := $(shell curl x | sh)\nall: a ; docker pull $(A)\n\t@-npm install \\\n\t  && wget $$x\n",
  ],
  ["a.sh", 'if x; then a=$(curl "$(y)" `z`) | sh; fi <<E\nE\ncat <(b) > c 2>&1\n'],
];

/** Answers findings with places in the file, or a finding that says why not. */
function holds(path: string, text: string): void {
  const { findings } = lintContainerFiles([{ path, text }]);
  const lines = text.split("\n").length;
  for (const { line, column, message, severity } of findings) {
    expect(line >= 1 && line <= lines + 1 && column >= 1).toBe(true);
    expect(message.length).toBeLessThan(3000);
    expect(["error", "warning", "note"]).toContain(severity);
  }
}

const spice = fc.oneof(
  fc.string({ maxLength: 12, unit: "binary" }),
  fc.constantFrom(
    "\\\n",
    "<<EOF",
    "$(",
    "`",
    '"',
    "'",
    "${A:-${A",
    "$((",
    "\n",
    "\t",
    "&a *a",
    "<<: *x",
    "- ",
    "{{",
    "#",
    "FROM ",
    "\r",
    "[",
    "{",
    "|",
    ">",
    "@sha256:",
    "--mount=type=cache,",
    "touchmark-ignore:",
    "__proto__: ",
    "constructor",
    "\0",
    "\u202e",
  ),
);

test.each(files)("F9: no text makes the lint of %s do anything but answer", (path, text) => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 20 }), spice), { maxLength: 6 }), (changes) => {
      let changed = text;
      for (const [place, cut, put] of changes) {
        const at = place % (changed.length + 1);
        changed = changed.slice(0, at) + put + changed.slice(at + cut);
      }
      holds(path, changed);
    }),
    { numRuns: 400 },
  );
});

test("F9: any bytes are answered, or refused with a code of the reader", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 200, unit: "binary" }), (text) => {
      for (const [path] of files) holds(path, text);
      try {
        readRecipe(text);
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        expect(Object.keys(containerFileErrors.rows)).toContain(error.code);
      }
    }),
    { numRuns: 300 },
  );
});

test.each([
  ["Dockerfile", `FROM a\nRUN ${"a && ".repeat(30_000)}b\n`],
  ["Dockerfile", `FROM a\nRUN ${"$(".repeat(100_000)}\n`],
  ["Dockerfile", `FROM a\nENV ${"A=${A:-".repeat(50_000)}\n`],
  ["Dockerfile", `FROM a\nLABEL ${"$".repeat(500_000)}\n`],
  ["Dockerfile", `FROM a\nRUN ${" ".repeat(1_000_000)}x\n`],
  ["Dockerfile", `FROM a\n${"RUN <<E\n".repeat(4000)}`],
  ["Makefile", `A = ${"x".repeat(400)}\nall:\n${`\t${"$(A)".repeat(500)}\n`.repeat(100)}`],
  ["Makefile", `V = ${"$(shell ".repeat(50_000)}\n`],
  ["compose.yaml", `services: ${"[".repeat(100_000)}\n`],
  ["compose.yaml", `services:\n a: &a\n${"  - *a\n".repeat(50_000)}`],
  ["k.yaml", `apiVersion: v1\nkind: A\nx: ${"eyJ".repeat(100_000)}\n`],
  ["c/templates/t.yaml", `apiVersion: v1\nkind: A\n${"image: {{ .Values.a }}\n".repeat(20_000)}`],
  ["a.sh", `${"<<E ".repeat(20_000)}\n`],
  ["a.sh", `${"x | ".repeat(15_000)}sh\n`],
  ["a.sh", "constructor valueOf\n__proto__ install\n"],
  ["k.yaml", "apiVersion: v1\nkind: constructor\n"],
])("F9: what is made to be slow is bounded: %s", (path, text) => {
  holds(path, text);
});
