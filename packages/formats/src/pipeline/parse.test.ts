import fc from "fast-check";
import { expect, test } from "vitest";
import { PipelineFileError } from "./errors.ts";
import { parsePipelineFile } from "./parse.ts";

const good = `touchmark: pipeline/v1
project: shop
languages: [typescript]
pipelines:
  default:
    description: Builds the shop.
    parameters:
      version: { type: string, default: "1", pattern: "[0-9.]+" }
      debug: { type: boolean, default: false }
      level: { type: integer, default: 3, enum: [1, 2, 3] }
    steps:
      fetch:
        command: [npm, ci]
        inputs: { source: { at: /work/source, access: copy-on-write } }
        output: /work/source/node_modules
        network: fetch
        limits: { cpu: 1.5, memory: 2GiB, pids: 512, time: 10m, output: 1GB, log: 1MiB }
      build:
        run: |
          npm run build
        inputs:
          source: { at: /work/source, access: copy-on-write }
          fetch: /work/source/node_modules
        environment: { VERSION: "v\${{ parameters.version }}" }
        toolchains: [cargo, ~/tools, /srv/tools]
        cache: false
        insecure-process: true
    artifacts:
      package: { from: build, path: shop.tgz, kind: npm-package }
`;

test("Y1: the documented shape becomes definitions with all defaults filled in", () => {
  const file = parsePipelineFile(good, "touchmark.yaml");
  const pipeline = file.pipelines.get("default");
  expect(file).toMatchObject({
    project: "shop",
    languages: ["typescript"],
    hosting: [],
    tools: [],
    source: { submodules: false, lfs: false },
  });
  expect(file.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  const [fetch, build] = pipeline?.steps ?? [];
  expect(fetch).toMatchObject({
    command: ["npm", "ci"],
    directory: "/work/source",
    network: "fetch",
    cache: false,
    limits: { cpus: 1.5, memoryBytes: 2 ** 31, pids: 512, seconds: 600, outputBytes: 1e9, logBytes: 2 ** 20 },
    position: { line: 12, column: 7 },
  });
  expect(build).toMatchObject({
    command: ["/bin/sh", "-eu", "-c", "npm run build\n"],
    script: "npm run build\n",
    output: "/work/output",
    inputs: [
      { from: "source", at: "/work/source", access: "copy-on-write" },
      { from: "fetch", at: "/work/source/node_modules", access: "read-only" },
    ],
    insecureProcess: true,
    statedLimits: [],
  });
  expect(pipeline?.parameters.map((p) => [p.name, p.default])).toEqual([
    ["version", "1"],
    ["debug", "false"],
    ["level", "3"],
  ]);
});

const replaced = (from: string, to: string): string => {
  expect(good).toContain(from);
  return good.replace(from, to);
};

function problem(text: string): PipelineFileError {
  try {
    parsePipelineFile(text, "touchmark.yaml");
  } catch (error) {
    if (error instanceof PipelineFileError) return error;
    throw error;
  }
  throw new Error("expected a refusal");
}

test.each([
  ["network: fetch", "netwrok: fetch", "PIPELINE_KEY_UNKNOWN", 16, 9, 'did you mean "network"?'],
  ["access: copy-on-write", "acess: copy-on-write", "PIPELINE_KEY_UNKNOWN", 14, 47, 'did you mean "access"?'],
  ["network: fetch", "network: fetsh", "PIPELINE_VALUE_INVALID", 16, 18, 'did you mean "fetch"?'],
  ["time: 10m", "time: 10", "PIPELINE_VALUE_INVALID", 17, 60, "a duration such as"],
  ["time: 10m", "time: 10 minutes", "PIPELINE_VALUE_INVALID", 17, 60, 'such as "60s"'],
  ["memory: 2GiB", "memory: 2G", "PIPELINE_VALUE_INVALID", 17, 37, '"512MiB"'],
  ["pids: 512", "pids: 1.5", "PIPELINE_VALUE_INVALID", 17, 49, "whole number"],
  ["[npm, ci]", "npm ci", "PIPELINE_VALUE_INVALID", 13, 18, "expected a list"],
  ["[npm, ci]", "[npm, 80]", "PIPELINE_VALUE_INVALID", 13, 24, 'put it in quotes: "80"'],
  ["[npm, ci]", '[""]', "PIPELINE_VALUE_INVALID", 13, 18, "name of a program"],
  ["from: build", "from: biuld", "PIPELINE_STEP_UNKNOWN", 29, 24, 'did you mean "build"?'],
  ["fetch: /work", "fecth: /work", "PIPELINE_STEP_UNKNOWN", 23, 11, 'did you mean "fetch"?'],
  ["pipeline/v1", "pipeline/v2", "PIPELINE_VERSION_UNKNOWN", 1, 12, '"pipeline/v1"'],
  ["project: shop", "project: a/b", "PIPELINE_NAME_INVALID", 2, 10, "project name"],
  ["project: shop\n", "", "PIPELINE_VALUE_INVALID", 1, 1, "the key is missing"],
  ["      fetch:\n", "      source:\n", "PIPELINE_NAME_INVALID", 12, 7, "source revision"],
  ["      fetch:\n", "      Build:\n", "PIPELINE_NAME_INVALID", 18, 7, "more than case"],
  ["version: {", "Version: {", "PIPELINE_NAME_INVALID", 8, 7, "lower-case"],
  ["VERSION:", "TOUCHMARK_X:", "PIPELINE_NAME_INVALID", 24, 24, "factory itself"],
  ["VERSION:", "A B:", "PIPELINE_NAME_INVALID", 24, 24, "variable name"],
  ["parameters.version", "parameters.versoin", "PIPELINE_EXPRESSION_INVALID", 24, 33, 'did you mean "version"?'],
  ["parameters.version", "env.HOME", "PIPELINE_EXPRESSION_INVALID", 24, 33, "parameters.NAME"],
  [
    "npm run build",
    "echo ${{ parameters.version }}",
    "PIPELINE_EXPRESSION_INVALID",
    19,
    14,
    "never as part of its text",
  ],
  ["shop.tgz", "../shop.tgz", "PIPELINE_PATH_INVALID", 29, 37, "inside the output"],
  ["shop.tgz", "/etc/passwd", "PIPELINE_PATH_INVALID", 29, 37, "relative"],
  ["shop.tgz", '"*.tgz"', "PIPELINE_PATH_INVALID", 29, 37, "exact path"],
  ["shop.tgz", ".", "PIPELINE_VALUE_INVALID", 29, 37, "whole output"],
  ["fetch: /work/source/node_modules", "fetch: work/x", "PIPELINE_PATH_INVALID", 23, 18, "absolute"],
  ["fetch: /work/source/node_modules", "fetch: /work/../etc", "PIPELINE_PATH_INVALID", 23, 18, "without `.`"],
  ["fetch: /work/source/node_modules", "fetch: /etc/x", "PIPELINE_PLACE_RESERVED", 23, 18, "/etc"],
  ["fetch: /work/source/node_modules", "fetch: /", "PIPELINE_PATH_INVALID", 23, 18, "below /"],
  [
    "fetch: /work/source/node_modules",
    "fetch: /work/source",
    "PIPELINE_MOUNT_CONFLICT",
    23,
    18,
    "where source is mounted",
  ],
  [
    "fetch: /work/source/node_modules",
    "fetch: /work/output/x",
    "PIPELINE_MOUNT_CONFLICT",
    23,
    18,
    "outside the output",
  ],
  ["fetch: /work/source/node_modules", "fetch: /work/output", "PIPELINE_TWO_WRITERS", 23, 18, "which is the output"],
  [
    "access: copy-on-write }\n          fetch",
    "access: read-write }\n          fetch",
    "PIPELINE_TWO_WRITERS",
    22,
    47,
    "only writer",
  ],
  ["access: copy-on-write } }", "access: read-only } }", "PIPELINE_OUTPUT_INSIDE_INPUT", 15, 17, "mounted read-only"],
  [
    "network: fetch\n",
    "network: fetch\n        directory: /elsewhere\n",
    "PIPELINE_PATH_INVALID",
    17,
    20,
    "inside an input or the output",
  ],
  ["command: [npm, ci]", "description: x", "PIPELINE_VALUE_INVALID", 12, 7, "either command or run, found neither"],
  ["default: 3", "default: 4", "PIPELINE_VALUE_INVALID", 10, 40, "one of 1, 2, 3"],
  ["[0-9.]+", "([0-9]+)+", "PIPELINE_VALUE_INVALID", 8, 55, "repetition"],
  ["[0-9.]+", "[", "PIPELINE_VALUE_INVALID", 8, 55, "regular expression"],
  ["~/tools", "~/../tools", "PIPELINE_PATH_INVALID", 25, 29, "without `.`"],
])("Y2: %j as %j is refused as %s in line %i", (from, to, code, line, column, part) => {
  const error = problem(replaced(from, to));
  expect(error).toMatchObject({ code, line, column, nature: "invalid" });
  expect(error.message).toContain(part);
  expect(error.message).toContain(`touchmark.yaml:${line}:${column}: `);
});

test("Y2: every problem of a file is reported, in its order", () => {
  const text = replaced("network: fetch", "netwrok: fetch")
    .replace("kind: npm-package", "kind: npm")
    .replace("pids: 512", "pids: x");
  expect(problem(text).problems.map((p) => p.line)).toEqual([16, 17, 29]);
});

test("Y3: steps in a circle are refused by name", () => {
  const error = problem(
    replaced("inputs: { source: { at: /work/source, access: copy-on-write } }", "inputs: { build: /work/source }"),
  );
  expect(error).toMatchObject({ code: "PIPELINE_CYCLE", line: 14 });
  expect(error.message).toContain("fetch needs build needs fetch");
});

test("Y4: no input makes the reader do anything but answer or refuse", () => {
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(60), fc.string({ maxLength: 30 }), (at, cut, put) => {
      try {
        parsePipelineFile(good.slice(0, at) + put + good.slice(at + cut), "f");
      } catch (error) {
        expect(error).toBeInstanceOf(PipelineFileError);
      }
    }),
    { numRuns: 300 },
  );
});
