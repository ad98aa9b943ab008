import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  lintPipeline,
  parsePipelineFile,
  resolveEnvironment,
  resolveParameters,
  selectPipeline,
} from "@touchmark/formats/pipeline";
import { expect, test } from "vitest";
import { naiveParse as parse } from "../../packages/formats/src/pipeline/naive-reader.fixture.ts";

const document = (steps: string, more = "") => `touchmark: pipeline/v1
project: p
pipelines:
  default:
${more}    steps:
${steps}`;
const step = "      s: { command: [x] }\n";

function refused(text: string, code: string): void {
  expect(() => parsePipelineFile(text, "touchmark.yaml")).toThrow(expect.objectContaining({ code, nature: "invalid" }));
}

test("billion laughs: nine levels of nine aliases expand to 387 million values", () => {
  const laughs = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [one, other] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"]) {
    laughs.push(`${other}: &${other} [${Array.from({ length: 9 }, () => `*${one}`).join(", ")}]`);
  }
  // A reader without a bound of its own expands what it is told to; here only far enough to show the growth.
  const naive = parse(laughs.slice(0, 5).join("\n"), { maxAliasCount: -1 }) as { e: unknown[] };
  expect(JSON.stringify(naive.e).length).toBeGreaterThan(200_000);
  refused(`${document(step)}${laughs.join("\n")}\n`, "PIPELINE_TOO_COMPLEX");
});

test("an alias that holds itself never ends", () => {
  const naive = parse("a: &a { b: *a }") as { a: { b: unknown } };
  expect(() => JSON.stringify(naive)).toThrow();
  refused(`${document(step)}languages: &l [*l]\n`, "PIPELINE_TOO_COMPLEX");
});

test("huge files, deep nests and very many keys are refused before they cost anything", () => {
  refused(`${document(step)}# ${"x".repeat(200_000)}\n`, "PIPELINE_TOO_LARGE");
  const deep = "[".repeat(50_000);
  expect(() => JSON.parse(`${deep}${"]".repeat(50_000)}`)).not.toThrow();
  refused(`${document(step)}languages: ${deep}\n`, "PIPELINE_TOO_COMPLEX");
  refused(`${document(step)}languages: ${"[".repeat(40)}${"]".repeat(40)}\n`, "PIPELINE_TOO_COMPLEX");
  const many = (count: number) =>
    document(Array.from({ length: count }, (_, i) => `      k${i.toString(36)}:\n`).join(""));
  refused(many(25_000), "PIPELINE_TOO_LARGE");
  refused(many(9_000), "PIPELINE_VALUE_INVALID");
  const items = `languages: [${"a,".repeat(30_000)}]\n`;
  refused(document(step) + items, "PIPELINE_TOO_COMPLEX");
});

test.each([
  ["a country that becomes false", "yes"],
  ["a file mode that becomes 15", "017"],
  ["a hexadecimal number", "0x1f"],
  ["a power that becomes infinite", "1e999"],
  ["a time that becomes 45000", "12:30"],
  ["a day that becomes an object", "2026-11-21"],
  ["a number with separators", "1_000"],
  ["a binary number", "0b11"],
  ["nothing that is a number", ".nan"],
])("type confusion: %s (%s) means different things to different readers", (_, value) => {
  const old = parse(`a: ${value}`, { version: "1.1", logLevel: "silent" }) as { a: unknown };
  const core = parse(`a: ${value}`) as { a: unknown };
  expect(
    typeof old.a !== typeof core.a || old.a !== core.a || !Number.isSafeInteger(core.a) || String(core.a) !== value,
  ).toBe(true);
  refused(document(`      s: { command: [x], environment: { V: ${value} } }\n`), "PIPELINE_SCALAR_AMBIGUOUS");
  expect(() =>
    parsePipelineFile(document(`      s: { command: [x], environment: { V: "${value}" } }\n`), "f"),
  ).not.toThrow();
});

test("a version number loses its last digit", () => {
  expect(parse("v: 1.20")).toEqual({ v: 1.2 });
  refused(document("      s: { command: [x], environment: { V: 1.20 } }\n"), "PIPELINE_VALUE_INVALID");
});

test("a key that stands twice shows the reviewer one command and executes another", () => {
  const text = document("      s:\n        command: [make]\n        limits: { time: 1m }\n        command: [evil]\n");
  expect(JSON.stringify(parse(text, { uniqueKeys: false }))).toContain("evil");
  refused(text, "PIPELINE_KEY_DUPLICATE");
});

test("unknown keys, tags, directives, several documents and merges say what nobody reads", () => {
  refused(`${document(step)}on_failure: [curl, evil]\n`, "PIPELINE_KEY_UNKNOWN");
  refused(document("      s: { <<: { network: fetch }, command: [x] }\n"), "PIPELINE_KEY_UNKNOWN");
  refused(document("      s: { command: !!js/function [x] }\n"), "PIPELINE_YAML_MALFORMED");
  refused(document("      s: { command: [!!binary eA==] }\n"), "PIPELINE_YAML_MALFORMED");
  refused(`%YAML 1.1\n---\n${document(step)}`, "PIPELINE_YAML_MALFORMED");
  refused(`${document(step)}---\n${document(step)}`, "PIPELINE_YAML_MALFORMED");
  refused("", "PIPELINE_VALUE_INVALID");
});

test.each(["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"])(
  "the key %s is inherited by every object",
  (key) => {
    const naive: Record<string, unknown> = {};
    expect(key === "prototype" || naive[key] !== undefined).toBe(true);
    refused(document(`      ${key}: { command: [x] }\n`), "PIPELINE_NAME_INVALID");
    refused(document(`      s: { command: [x], environment: { ${key}: x } }\n`), "PIPELINE_NAME_INVALID");
  },
);

test("Trojan Source: a direction mark makes a comment look like a command, and escapes paint the terminal", () => {
  refused(document("      s: { command: [x] } # \u202e } [live] :dnammoc\n"), "PIPELINE_CHARACTER_FORBIDDEN");
  refused(document('      s: { command: ["\\x1b[2J"] }\n'), "PIPELINE_CHARACTER_FORBIDDEN");
  refused(document('      s: { command: ["a\\0b"] }\n'), "PIPELINE_CHARACTER_FORBIDDEN");
});

test("AT16 (VS Code): a title becomes part of a script and runs a command", () => {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-attack-"));
  try {
    const mark = join(directory, "executed");
    const title = `x"; touch ${mark}; echo "\${{ parameters.title }}`;
    // What template engines of other systems do: the value becomes text of the script.
    execFileSync("/bin/sh", ["-c", 'echo "TITLE"'.replace("TITLE", title.replaceAll("$", ""))], { stdio: "ignore" });
    expect(existsSync(mark)).toBe(true);
    rmSync(mark);

    const parameters = '    parameters: { title: { type: string, default: "" } }\n';
    refused(document('      s: { run: "echo ${{ parameters.title }}" }\n', parameters), "PIPELINE_EXPRESSION_INVALID");
    refused(
      document('      s: { command: [echo, "${{ parameters.title }}"] }\n', parameters),
      "PIPELINE_EXPRESSION_INVALID",
    );
    refused(
      document('      s: { command: [x], output: "/work/${{ parameters.title }}" }\n', parameters),
      "PIPELINE_EXPRESSION_INVALID",
    );

    const run =
      '      s: { run: "echo \\"$TOUCHMARK_PARAM_TITLE $LABEL\\"", environment: { LABEL: "${{ parameters.title }}" } }\n';
    const pipeline = selectPipeline(parsePipelineFile(document(run, parameters), "f"));
    const [only] = pipeline.steps;
    const environment = only ? resolveEnvironment(only, resolveParameters(pipeline, { title })) : {};
    const printed = execFileSync(only?.command[0] ?? "", only?.command.slice(1) ?? [], { env: environment }).toString();
    expect(existsSync(mark)).toBe(false);
    expect(printed).toBe(`${title} ${title}\n`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("steps in a circle wait for each other for ever", () => {
  refused(
    document("      a: { command: [x], inputs: { b: /work/b } }\n      b: { command: [x], inputs: { a: /work/a } }\n"),
    "PIPELINE_CYCLE",
  );
});

test.each([
  ["/proc/self", "PIPELINE_PLACE_RESERVED"],
  ["/usr/bin", "PIPELINE_PLACE_RESERVED"],
  ["/etc", "PIPELINE_PLACE_RESERVED"],
  ["/work/../etc", "PIPELINE_PATH_INVALID"],
  ["/work//x", "PIPELINE_PATH_INVALID"],
  ["work", "PIPELINE_PATH_INVALID"],
])("an input at %s would cover the system inside the sandbox, or escape", (place, code) => {
  refused(document(`      s: { command: [x], inputs: { source: "${place}" } }\n`), code);
});

test("an artifact leads out of the output", () => {
  for (const path of ["../../etc/passwd", "/etc/passwd", "a/../../b"]) {
    refused(`${document(step)}    artifacts: { a: { from: s, path: ${path}, kind: file } }\n`, "PIPELINE_PATH_INVALID");
  }
});

test("two steps write into one workspace, and the later one changes what was measured", () => {
  const writer =
    "      a: { command: [x] }\n      b: { command: [x], inputs: { a: { at: /work/a, access: read-write } } }\n";
  refused(document(writer), "PIPELINE_TWO_WRITERS");
});

test("a pattern that takes exponential time on a hostile value is no pattern", () => {
  expect("a".repeat(24)).toMatch(/^(a+)+$/);
  refused(document(step, '    parameters: { p: { type: string, pattern: "(a+)+b" } }\n'), "PIPELINE_VALUE_INVALID");
  refused(document(step, '    parameters: { p: { type: string, pattern: "(a*)*" } }\n'), "PIPELINE_VALUE_INVALID");
});

test("AT4 (Codecov): a credential in the file, and a script that is downloaded and executed, are named with their line", () => {
  const text = document(
    `      s:\n        run: |\n          curl -s "$UPLOADER" | bash\n        network: fetch\n        environment:\n          UPLOAD_TOKEN: 3b5f0cd1-aaaa\n`,
  );
  const errors = lintPipeline(parsePipelineFile(text, "f")).filter((finding) => finding.severity === "error");
  expect(errors.map((finding) => [finding.rule, finding.line])).toEqual([
    ["pipe-to-shell", 7],
    ["credential-variable", 11],
  ]);
});
