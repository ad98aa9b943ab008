import { expect, test } from "vitest";
import { type ContainerFinding, lintContainerFile, lintContainerFiles, readRecipe } from "./index.ts";

const refusal = (code: string, line?: number) =>
  expect.objectContaining(line === undefined ? { code } : { code, line });
const positions = (findings: readonly ContainerFinding[], rule: string) =>
  findings.filter((each) => each.rule === rule).map(({ line, column }) => `${line}:${column}`);

test("F4: directives, continuation lines, comments between them, blank lines and both line ends are read", () => {
  const text =
    "# escape=`\r\n# syntax=x/y@z\r\n\r\n# words\r\nFROM a `\r\n  AS b\r\nRUN one `\r\n  # between\r\n\r\n  two\r\n";
  const { escape, syntax, instructions } = readRecipe(text);
  expect([escape, syntax?.text]).toEqual(["`", "x/y@z"]);
  expect(instructions.map(({ name, at, endLine }) => [name, at.line, endLine])).toEqual([
    ["FROM", 5, 6],
    ["RUN", 7, 10],
  ]);
  expect(instructions[1]?.rest.text).toBe("one   two");
  expect(instructions[1]?.rest.at(6)).toEqual({ line: 10, column: 3 });
});

test("F4: here-documents belong to their instruction, several at once, with tabs taken off", () => {
  const text = 'FROM a\nCOPY <<one <<-"two" /to/\nFROM x\none\n\tRUN y\n\ttwo\nRUN <<EOF\nset -e\nEOF\nUSER 1\n';
  const { instructions } = readRecipe(text);
  expect(instructions.map(({ name }) => name)).toEqual(["FROM", "COPY", "RUN", "USER"]);
  expect(instructions[1]?.heredocs.map(({ name, body }) => [name, body.text])).toEqual([
    ["one", "FROM x\n"],
    ["two", "RUN y\n"],
  ]);
  expect(instructions[2]?.endLine).toBe(9);
});

test("F4: options, JSON forms and ONBUILD are told from shell text", () => {
  const { instructions } = readRecipe(
    'FROM --platform=linux/amd64 a\nRUN --mount=type=cache,target=/c --network=none ["sh", "-c", "x"]\nRUN [ -f x ] && y\nonbuild copy --from=b . .\n',
  );
  expect(instructions[0]?.flags).toEqual([{ name: "platform", value: "linux/amd64", at: { line: 1, column: 6 } }]);
  expect(instructions[1]?.flags.map(({ name }) => name)).toEqual(["mount", "network"]);
  expect(instructions[1]?.list).toEqual(["sh", "-c", "x"]);
  expect(instructions[2]?.list).toBeUndefined();
  expect(instructions[3]).toMatchObject({ name: "COPY", onBuild: true, at: { line: 4, column: 1 } });
});

test.each([
  ["", 1],
  ["# only a comment\n", 1],
  ["FROM a\nFROBNICATE b\n", 2],
  ["RUN x\nFROM a\n", 1],
  ["FROM a\nRUN\n", 2],
  ["FROM a\nRUN <<EOF\nnever ended\n", 2],
  ["# escape=x\nFROM a\n", 1],
  ["# escape=`\n# escape=`\nFROM a\n", 2],
  ["FROM a\nONBUILD FROM b\n", 2],
  ["FROM a\nONBUILD ONBUILD RUN x\n", 2],
])("F5: what is no Dockerfile is refused by name: %j", (text, line) => {
  expect(() => readRecipe(text)).toThrow(refusal("CONTAINER_FILE_MALFORMED", line));
});

test("F5: a broken file is a finding with its code and line, and hides no other file", () => {
  const { findings, files } = lintContainerFiles([
    { path: "Dockerfile", text: "FROM a AS\n" },
    { path: "k.yaml", text: "apiVersion: v1\nkind: [\n" },
    { path: "big.Dockerfile", text: `FROM a\n#${"x".repeat(4 * 1024 * 1024)}` },
    { path: "strange.Dockerfile", text: "FROM a\nRUN echo \u202e\n" },
    { path: "deep.sh", text: "$(".repeat(100) },
    { path: "good.Dockerfile", text: "FROM debian\n" },
  ]);
  expect(files).toHaveLength(6);
  expect(
    findings
      .filter(({ rule }) => rule === "file-unread")
      .map(({ file, line, message }) => [file, line, message.split(":")[0]]),
  ).toEqual([
    ["Dockerfile", 1, "CONTAINER_FILE_MALFORMED"],
    ["k.yaml", 3, "CONTAINER_FILE_MALFORMED"],
    ["big.Dockerfile", 1, "CONTAINER_FILE_TOO_LARGE"],
    ["strange.Dockerfile", 2, "CONTAINER_FILE_CHARACTER_FORBIDDEN"],
    ["deep.sh", 1, "CONTAINER_FILE_TOO_COMPLEX"],
  ]);
  expect(findings.some(({ file, rule }) => file === "good.Dockerfile" && rule === "from-without-digest")).toBe(true);
  expect(() => readRecipe(`FROM a\n${"RUN x\n".repeat(6000)}`)).toThrow(refusal("CONTAINER_FILE_TOO_COMPLEX"));
  const aliases = `a: &a [1,2,3,4,5,6,7,8,9]\n${"bcdefgh"
    .split("")
    .map((name, i) => `${name}: &${name} [${`*${"abcdefg"[i]},`.repeat(9)}]\n`)
    .join("")}`;
  const bomb = lintContainerFiles([{ path: "compose.yaml", text: `services: {}\n${aliases}` }]).findings;
  expect(bomb[0]?.message).toMatch(/^CONTAINER_FILE_TOO_COMPLEX/);
  expect(() => lintContainerFile("README.md", "x")).toThrow(refusal("CONTAINER_FILE_UNKNOWN"));
});

test("F6: a finding stands where its command does, through continuation lines, here-documents and variables", () => {
  const recipe = `FROM a\nRUN true && \\\n  # why\n  apt-get upgrade && \\\n    git clone x\nRUN <<EOF\n\n  apt-get dist-upgrade\nEOF\n`;
  const findings = lintContainerFile("Dockerfile", recipe);
  expect(positions(findings, "os-upgrade")).toEqual(["4:3", "8:3"]);
  expect(positions(findings, "clone-without-commit")).toEqual(["5:5"]);
  const make = "TOOL ?= a/b:1\nall: x\n\t@echo $(TOOL) && \\\n\t  docker pull $(TOOL)\n\n\tgit clone y\n";
  const made = lintContainerFile("Makefile", make);
  expect(positions(made, "hidden-pull")).toEqual(["4:4"]);
  expect(made.find(({ rule }) => rule === "hidden-pull")?.message).toContain("a/b:1");
  expect(positions(made, "clone-without-commit")).toEqual(["6:2"]);
  const compose =
    "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM b\n        RUN apt-get upgrade\n";
  expect(positions(lintContainerFile("compose.yml", compose), "os-upgrade")).toEqual(["6:13"]);
});

test("F7: arguments, defaults and stages are followed as a builder does", () => {
  const pin = `@sha256:${"cd".repeat(32)}`;
  const rules = (text: string) => lintContainerFile("Dockerfile", text).map(({ rule }) => rule);
  expect(rules(`ARG D=${pin}\nFROM debian\${D}\n`)).not.toContain("from-without-digest");
  expect(rules(`ARG T\nFROM debian:\${T:-12${pin}}\n`)).not.toContain("from-without-digest");
  expect(rules(`ARG T=12\nFROM debian:\${T:+1}\n`)).toContain("from-without-digest");
  expect(rules(`FROM debian${pin} AS Base\nFROM base\nCOPY --from=0 /a /a\n`)).not.toContain("from-without-digest");
  expect(rules(`FROM debian${pin} AS a\nCOPY --from=later /a /a\nFROM debian${pin} AS later\n`)).toContain(
    "from-without-digest",
  );
  expect(rules(`FROM debian${pin}\nARG BASE=x\nFROM $BASE\n`)).toContain("image-unresolved");
  expect(rules(`FROM debian${pin} AS a\nUSER 7\nFROM a\n`)).not.toContain("runs-as-root");
});

test("F8: charts are judged by their values, and templates as text", () => {
  const chart = (values: string, template: string) =>
    lintContainerFiles([
      { path: "c/Chart.yaml", text: "name: c\n" },
      { path: "c/values.yaml", text: values },
      { path: "c/templates/d.yaml", text: template },
    ]).findings.map(({ file, line, rule, severity }) => `${file}:${line} ${severity} ${rule}`);
  const image = 'a:\n  image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"\n';
  expect(chart("image: { repository: x/y, tag: '1' }\n", image)).toEqual([
    "c/values.yaml:1 error image-without-digest",
    "c/templates/d.yaml:2 note image-without-digest",
  ]);
  const pinned = `image: { repository: x/y, tag: "1", digest: "sha256:${"ab".repeat(32)}" }\n`;
  const withDigest = 'a:\n  image: "{{ .Values.image.repository }}@{{ .Values.image.digest }}"\n';
  expect(chart(pinned, withDigest)).toEqual([]);
  expect(chart("{}\n", "a:\n  - image: nginx:1\n  - image: {{ .Values.other }}\n  hostNetwork: true\n")).toEqual([
    "c/templates/d.yaml:2 error image-without-digest",
    "c/templates/d.yaml:3 warning image-unresolved",
    "c/templates/d.yaml:4 warning host-namespace",
  ]);
});
