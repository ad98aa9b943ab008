import { expect, test } from "vitest";
import { lintPipeline } from "./lint.ts";
import { lintRules } from "./lint-rules.ts";
import { parsePipelineFile } from "./parse.ts";

const limits = "limits: { time: 5m }";
const file = (step: string, rest = "artifacts: { a: { from: s, path: a, kind: file } }", parameters = "{}") =>
  parsePipelineFile(
    `touchmark: pipeline/v1
project: p
pipelines:
  default:
    parameters: ${parameters}
    steps:
      s: { ${step} }
    ${rest}
`,
    "f",
  );
const found = (step: string, rest?: string, parameters?: string) => lintPipeline(file(step, rest, parameters));
const source = "inputs: { source: /work/source }";
const run = (script: string) => `run: ${JSON.stringify(script)}, ${source}, ${limits}`;
const fetching = (script: string) => `${run(script)}, network: fetch`;

const cases: (readonly [string, string, string, (string | undefined)?, string?])[] = [
  ["credential-in-file", "error", `command: [x, ghp_${"a".repeat(36)}], ${limits}`],
  [
    "credential-in-file",
    "error",
    `command: [x], ${limits}, environment: { A: "https://user:hunter22@git.example.org" }`,
  ],
  [
    "credential-in-file",
    "error",
    `command: [x], ${limits}`,
    undefined,
    `{ t: { type: string, default: AKIAABCDEFGHIJKLMNOP } }`,
  ],
  ["credential-variable", "error", `command: [x], ${limits}, environment: { API_TOKEN: abc }`],
  ["endpoint-in-file", "warning", `command: [x], ${limits}, environment: { DB: "postgres://db.internal/x" }`],
  ["endpoint-in-file", "warning", run("build --cache https://cache.internal/x")],
  ["dangerous-variable", "warning", `command: [x], ${limits}, environment: { LD_PRELOAD: /x.so }`],
  ["pipe-to-shell", "error", fetching("curl -sSf $URL | sh")],
  ["pipe-to-shell", "error", fetching('sh -c "$(curl -fsSL $URL)"')],
  ["unpinned-reference", "warning", fetching("npx create-thing")],
  ["unpinned-reference", "warning", fetching("docker pull node:latest")],
  ["unpinned-reference", "warning", fetching("git clone $REPO x")],
  ["unpinned-reference", "warning", fetching("curl -O $URL")],
  ["unlocked-install", "warning", fetching("npm install")],
  ["unlocked-install", "warning", fetching("yarn install")],
  ["unlocked-install", "warning", fetching("pip install -r requirements.txt")],
  ["unlocked-install", "warning", fetching("go get ./...")],
  ["unlocked-install", "warning", fetching("cargo build")],
  ["unlocked-install", "warning", fetching("apt-get -y install gcc")],
  ["install-scripts", "warning", fetching("npm ci")],
  ["network-in-build", "warning", fetching("go build ./...")],
  ["cache-open-network", "note", `${fetching("x")}, cache: true`],
  ["long-script", "warning", run("x\n".repeat(31))],
  ["long-script", "warning", run("if a; then b; fi\n".repeat(4))],
  ["no-limits", "note", "command: [x]"],
  ["insecure-process", "error", `command: [x], ${limits}, insecure-process: true`],
  ["unpinned-image", "warning", `command: [x], ${limits}, image: "registry.example/worker:1"`],
  ["insecure-image", "error", `command: [x], ${limits}, image: "registry.example/w:1", insecure-image: true`],
  ["no-artifact", "note", `command: [x], ${limits}`, ""],
  ["template-drift", "warning", `command: [x], ${limits}`, "template: node-package"],
  ["template-unknown", "error", `command: [x], ${limits}`, "template: cobol-program"],
  ["unused-output", "warning", `run: "x > $TOUCHMARK_OUTPUT/a", ${limits}`, ""],
  ["unused-input", "note", `command: [x], directory: /work/output, ${source}, ${limits}`],
];

const rows = cases.map(([rule, severity, step, rest, parameters]) => ({ rule, severity, step, rest, parameters }));

test.each(rows)("Y8: $rule is found ($severity): $step", ({ rule, severity, step, rest, parameters }) => {
  const all = found(step, rest, parameters);
  expect(all.map((f) => `${f.severity} ${f.rule}`)).toContain(`${severity} ${rule}`);
  for (const finding of all) {
    expect(finding.line).toBeGreaterThan(3);
    expect(finding.fix).not.toBe("");
  }
});

test("Y8: every rule has a case", () => {
  expect([...new Set(cases.map(([rule]) => rule))].sort()).toEqual(Object.keys(lintRules).sort());
});

test.each([
  fetching("npm ci --ignore-scripts"),
  fetching("pip download --require-hashes -r requirements.txt"),
  fetching('curl -O "$URL"\nsha256sum -c sums'),
  fetching("cargo fetch --locked"),
  run("npx --no-install tsc"),
  run("# see https://docs.internal/x\nmake"),
  `command: [node, build.js], ${source}, ${limits}, environment: { API_TOKEN: "", SITE: "https://shop.example.org" }`,
])("Y8: good practice is left alone: %s", (step) => {
  expect(found(step)).toEqual([]);
});
