import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { lintPipeline, orderSteps, parsePipelineFile, selectPipeline } from "@touchmark/formats/pipeline";
import { afterEach, expect, test } from "vitest";
import { proposePipeline } from "./propose.ts";
import { hostToolchains } from "./toolchains.ts";

let made: string[] = [];
afterEach(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
  made = [];
});

function propose(files: Record<string, string>) {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-propose-"));
  made.push(directory);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  const proposal = proposePipeline(directory, { toolchainsFor: () => [] });
  const file = parsePipelineFile(proposal.yaml, "touchmark.yaml");
  const pipeline = selectPipeline(file);
  return {
    ...proposal,
    file,
    pipeline,
    lint: lintPipeline(file).map((finding) => `${finding.severity} ${finding.rule}`),
    steps: orderSteps(pipeline.steps).map((step) => `${step.name}${step.network === "fetch" ? " (network)" : ""}`),
    artifacts: pipeline.artifacts.map((artifact) => `${artifact.name} ${artifact.path} ${artifact.kind}`),
  };
}

const manifest = {
  name: "@shop/web",
  version: "1.0.0",
  scripts: { build: "tsc", test: "node --test" },
  dependencies: { a: "1" },
};

test("I1: npm: packages are fetched into node_modules, everything else runs without network", () => {
  const found = propose({ "package.json": JSON.stringify(manifest), "package-lock.json": "{}", "tsconfig.json": "{}" });
  expect(found.steps).toEqual(["fetch (network)", "test", "build"]);
  expect(found.artifacts).toEqual(["package package.tgz npm-package"]);
  expect(found.file.project).toBe("shop-web");
  expect(found.pipeline.steps[0]).toMatchObject({
    command: ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
    output: "/work/source/node_modules",
  });
  expect(found.lint).toEqual([]);
  expect(found.findings).toEqual([]);
});

test.each([
  ["npm workspaces", { workspaces: ["packages/*"] }, { "package-lock.json": "{}" }, "npm ci --ignore-scripts"],
  ["pnpm", {}, { "pnpm-lock.yaml": "" }, "pnpm install --frozen-lockfile --ignore-scripts"],
  ["yarn 1", {}, { "yarn.lock": "# yarn lockfile v1\n" }, "yarn install --frozen-lockfile --ignore-scripts"],
  ["yarn 4", {}, { "yarn.lock": "__metadata:\n  version: 8\n" }, "yarn install --immutable --mode=skip-build"],
] as const)("I1: %s: several node_modules travel as one archive", (_, more, lock, command) => {
  const found = propose({ "package.json": JSON.stringify({ ...manifest, ...more }), ...lock });
  expect(found.pipeline.steps[0]?.script).toContain(command);
  expect(found.pipeline.steps[0]?.script).toContain("node_modules.tar");
  expect(found.pipeline.steps[1]?.script).toContain("tar -xf /work/modules/node_modules.tar");
  expect(found.lint).toEqual([]);
});

test("I2: what is missing for a build that others can repeat is said", () => {
  expect(propose({ "package.json": JSON.stringify(manifest) }).findings.map((f) => f.severity)).toEqual(["error"]);
  expect(propose({ "package.json": "{" }).findings.map((f) => f.message)).toContain("it is not JSON");
  expect(propose({ "package.json": JSON.stringify({ scripts: { build: "x" } }) }).artifacts).toEqual([
    "dist . directory",
  ]);
  expect(propose({ "go.mod": "module m\nrequire x.example/y v1.0.0\n" }).findings).toHaveLength(1);
  expect(propose({ "Cargo.toml": '[package]\nname = "c"\n' }).findings).toHaveLength(1);
  expect(
    propose({ "package.json": JSON.stringify({ ...manifest, dependencies: {} }), ".gitmodules": "" }).findings,
  ).toHaveLength(1);
});

test("I1: Go: programs of the root and of cmd, the module cache in the output of a fetch step", () => {
  const found = propose({
    "go.mod": "module example.org/tools/hello/v2\n\ngo 1.22\n\nrequire (\n\tx.example/y v1.0.0\n)\n",
    "go.sum": "",
    "main.go": "// A program.\npackage main\n",
    "cmd/extra/main.go": "package main\n",
    "cmd/library/x.go": "package library\n",
  });
  expect(found.steps).toEqual(["fetch (network)", "test", "build"]);
  expect(found.artifacts).toEqual(["hello hello executable", "extra extra executable"]);
  expect(found.lint).toEqual([]);
});

test("I1: Rust: programs of packages and workspace members; a library is packed as crate", () => {
  const found = propose({
    "Cargo.toml": '[workspace]\nmembers = [\n  "crates/*", # all\n]\n',
    "crates/one/Cargo.toml": '[package]\nname = "one"\nversion = "0.1.0"\n',
    "crates/one/src/main.rs": "",
    "crates/two/Cargo.toml":
      '[package]\nname = "two"\n\n[[bin]]\nname = "second"\npath = "x.rs"\n\n[[bin]]\nname = "third"\n',
    "Cargo.lock": 'source = "registry"\n',
  });
  expect(found.artifacts).toEqual(["one one executable", "second second executable", "third third executable"]);
  expect(found.lint).toEqual([]);
  const library = propose({
    "Cargo.toml": '[package]\nname = "lib"\nversion = "0.1.0"\n',
    "src/lib.rs": "",
    "Cargo.lock": "",
  });
  expect(library.artifacts).toEqual(["lib lib.crate rust-crate"]);
  expect(library.steps).toEqual(["test", "build"]);
});

test("I1: Python, Maven and make", () => {
  const python = propose({
    "pyproject.toml":
      '[build-system]\nrequires = ["hatchling"]\n\n[project]\nname = "tool"\ndependencies = ["six>=1", "x; python_version < \\"3\\""]\n',
    "tests/test_x.py": "",
  });
  expect(python.steps).toEqual(["fetch (network)", "test", "build"]);
  expect(python.lint.filter((finding) => finding.startsWith("error"))).toEqual([]);
  const locked = propose({
    "pyproject.toml": '[project]\nname = "tool"\n',
    "requirements.txt": "six==1.17.0 --hash=sha256:00\n",
  });
  expect(locked.findings).toEqual([]);
  const maven = propose({
    "pom.xml":
      "<project><parent><artifactId>up</artifactId></parent><artifactId>shop</artifactId><packaging>war</packaging></project>",
  });
  expect(maven.artifacts).toEqual(["shop shop.war java-archive"]);
  const make = propose({ Makefile: "all: x\ninstall:\n\tcp x $(DESTDIR)/x\ncheck:\n\t./x\n" });
  expect(make.steps).toEqual(["test", "build"]);
  expect(make.lint).toEqual([]);
});

test("I3: several ecosystems together keep their steps apart", () => {
  const found = propose({
    "package.json": JSON.stringify(manifest),
    "package-lock.json": "{}",
    "go.mod": "module example.org/package\n",
    "main.go": "package main\n",
    Makefile: "all:\n\tx\n",
  });
  expect(found.steps).toEqual([
    "fetch-javascript (network)",
    "test-javascript",
    "build-javascript",
    "test-go",
    "build-go",
  ]);
  expect(found.artifacts).toEqual(["package package.tgz npm-package", "package-go package executable"]);
  expect(found.findings.map((finding) => finding.file)).toEqual(["Makefile"]);
});

test("I4: a directory that says nothing still gets a valid pipeline, whatever it is called", () => {
  const found = propose({ "notes.txt": "" });
  expect(found.artifacts).toEqual(["sources . directory"]);
  expect(found.findings).toHaveLength(1);
});

test("I5: hostile manifests put nothing into the commands", () => {
  const evil = 'x"; touch /tmp/x; echo "';
  const found = propose({
    "package.json": JSON.stringify({ name: evil, version: evil, scripts: { build: evil, test: evil } }),
    "Cargo.toml": `[package]\nname = '${evil}'\n[[bin]]\nname = '${evil}'\n`,
    "pyproject.toml": `[project]\nname = '${evil}'\ndependencies = ["-r /etc/passwd", "$(touch x)", "ok"]\n`,
    "pom.xml": `<project><artifactId>${evil}</artifactId></project>`,
    "go.mod": "module m\n",
    "cmd/$(touch x)/main.go": "package main\n",
  });
  const commands = found.pipeline.steps.flatMap((step) => step.command).join("\n");
  expect(commands).not.toContain("touch");
  expect(commands).not.toContain("passwd");
});

test("I6: toolchains that no sandbox has on its path are declared, others are not", () => {
  const home = mkdtempSync(join(tmpdir(), "touchmark-tools-"));
  made.push(home);
  writeFileSync(join(home, "go"), "");
  expect(hostToolchains(home)("go", "nothing")).toEqual([home]);
  expect(hostToolchains("/usr/bin:/bin")("sh", "nothing")).toEqual([]);
});
