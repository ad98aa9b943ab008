import { expect, test } from "vitest";
import { PipelineFileError } from "./errors.ts";
import { imageReferenceText, parseImageReference } from "./image-reference.ts";
import { parsePipelineFile } from "./parse.ts";

const digest = `sha256:${"ab".repeat(32)}`;
const good = `touchmark: pipeline/v1
project: shop
pipelines:
  default:
    parameters: { version: { type: string, default: "1" } }
    image: registry.example/worker@${digest}
    steps:
      build:
        command: [make]
        inputs: { source: /work/source }
      check:
        command: [make, check]
        image: host
      other:
        command: [x]
        image: factory:tools/base:latest
        insecure-image: true
    artifacts:
      app:
        description: The shop.
        image:
          base: registry.example/base@${digest}
          layers:
            - { from: build, path: dist, to: /app, owner: "1001:1001" }
            - { from: build, path: arm, to: /app/bin, platform: linux/arm64 }
          platforms: [linux/amd64, linux/arm64]
          user: "1001"
          entrypoint: [/app/run]
          environment: { VERSION: "\${{ parameters.version }}" }
          ports: [8080, "53/udp"]
          labels: { team: shop }
          licences: Apache-2.0
          compression: zstd
          allow: [caches]
    publish:
      - { artifact: app, to: registry.example/shop/app, tags: ["\${{ parameters.version }}", stable] }
      - { artifact: app, to: "factory:shop/app" }
`;

test("Y11: images of steps, image artifacts and what is published become definitions", () => {
  const pipeline = parsePipelineFile(good, "f").pipelines.get("default");
  expect(pipeline?.steps.map((step) => [step.name, step.image, step.insecureImage])).toEqual([
    ["build", `registry.example/worker@${digest}`, false],
    ["check", undefined, false],
    ["other", "factory:tools/base:latest", true],
  ]);
  expect(pipeline?.artifacts).toEqual([]);
  expect(pipeline?.images[0]).toMatchObject({
    name: "app",
    description: "The shop.",
    base: `registry.example/base@${digest}`,
    layers: [
      { from: "build", path: "dist", to: "/app", owner: { user: 1001, group: 1001 } },
      { from: "build", path: "arm", to: "/app/bin", owner: { user: 0, group: 0 }, platform: "linux/arm64" },
    ],
    platforms: ["linux/amd64", "linux/arm64"],
    ports: ["8080/tcp", "53/udp"],
    compression: "zstd",
    allow: ["caches"],
  });
  expect(pipeline?.publish).toMatchObject([
    { artifact: "app", to: "registry.example/shop/app", tags: [`\${{ parameters.version }}`, "stable"] },
    { artifact: "app", to: "factory:shop/app", tags: [] },
  ]);
});

test.each([
  [`base: registry.example/base@${digest}`, "base: registry.example/base:1", "PIPELINE_REFERENCE_INVALID", "by digest"],
  ["image: factory:tools/base:latest", "image: factory:tools/base", "PIPELINE_REFERENCE_INVALID", "by digest or tag"],
  ["image: factory:tools/base:latest", "image: factory:Tools/base:1", "PIPELINE_REFERENCE_INVALID", "factory:NAME"],
  ["image: factory:tools/base:latest", "image: ''", "PIPELINE_REFERENCE_INVALID", "factory:NAME"],
  ['to: "factory:shop/app"', 'to: "factory:shop/app:1"', "PIPELINE_REFERENCE_INVALID", "repository alone"],
  ["- { artifact: app, to: reg", "- { artifact: apq, to: reg", "PIPELINE_ARTIFACT_UNKNOWN", "expected one of app"],
  ["from: build, path: dist", "from: biuld, path: dist", "PIPELINE_STEP_UNKNOWN", "expected one of build"],
  ["path: dist", "path: ../dist", "PIPELINE_PATH_INVALID", "inside the output"],
  ["to: /app, owner", "to: app, owner", "PIPELINE_PATH_INVALID", "absolute"],
  ['user: "1001"', 'user: "1001"\n          directory: app', "PIPELINE_PATH_INVALID", "absolute"],
  ["platform: linux/arm64", "platform: linux/riscv64", "PIPELINE_VALUE_INVALID", "linux/amd64"],
  ["stable]", '"${{ parameters.nope }}"]', "PIPELINE_EXPRESSION_INVALID", "declared one"],
  ["allow: [caches]", "allow: [everything]", "PIPELINE_VALUE_INVALID", "root-user"],
  ["image: host", "toolchains: [cargo]", "PIPELINE_VALUE_INVALID", "beside image"],
  ["image: host", "image: host\n        insecure-image: true", "PIPELINE_VALUE_INVALID", "host's files"],
  ["        description: The shop.\n", "        from: build\n", "PIPELINE_VALUE_INVALID", "image alone; found both"],
])("Y11: %j as %j is refused as %s", (from, to, code, part) => {
  expect(good).toContain(from);
  const text = good.replace(from, to);
  let caught: unknown;
  try {
    parsePipelineFile(text, "f");
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(PipelineFileError);
  expect(caught).toMatchObject({ code });
  expect(String(caught)).toContain(part);
});

test("Y11: a reference says whose registry it means, and comes back as it was written", () => {
  expect(parseImageReference(`factory:a/b:1@${digest}`)).toEqual({ repository: "a/b", tag: "1", digest });
  expect(parseImageReference("127.0.0.1:5000/a:1")).toEqual({ registry: "127.0.0.1:5000", repository: "a", tag: "1" });
  for (const text of [`factory:a/b:1@${digest}`, "127.0.0.1:5000/a:1", `registry.example/a@${digest}`]) {
    expect(imageReferenceText(parseImageReference(text))).toBe(text);
  }
});
