import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ResolvedInput } from "../execute-step.ts";
import type { PlannedStep } from "../plan.ts";
import { lockfilesOfStep } from "./lockfiles-of-step.ts";
import { packageLock } from "./registry.fixture.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-lockfiles-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** Paths of the lockfiles of a step whose source holds these files. */
function found(files: Readonly<Record<string, string>>, lockfiles?: readonly string[]): string[] {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, ".."), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  const definition = { materials: lockfiles === undefined ? {} : { lockfiles }, directory: "/work/source" };
  const step = { name: "fetch", definition } as unknown as PlannedStep;
  const source = { from: "source", at: "/work/source", tree: `sha256:${"0".repeat(64)}` } as unknown as ResolvedInput;
  return lockfilesOfStep(step, [source], () => directory).map((each) => each.path);
}

const code = (work: () => unknown): string => {
  try {
    work();
    return "no error";
  } catch (error) {
    return (error as { code: string }).code;
  }
};

const npm = (version: string): string => packageLock([["pad", version, Buffer.from(version)]]);
const yarn = (version: string): string =>
  `# yarn lockfile v1\n\n\npad@^1.0.0:\n  version "${version}"\n  resolved "https://one.example/pad-${version}.tgz#${"a".repeat(40)}"\n  integrity sha512-${Buffer.alloc(64).toString("base64")}\n`;

test("R21: lockfiles of one ecosystem that contradict each other are refused; one that the step names counts", () => {
  const files = { "package-lock.json": npm("1.0.0"), "yarn.lock": yarn("1.1.0") };
  expect(code(() => found(files))).toBe("MATERIALS_LOCKFILES_CONFLICT");
  expect(code(() => found(files, ["package-lock.json", "yarn.lock"]))).toBe("MATERIALS_LOCKFILES_CONFLICT");
  expect(found(files, ["yarn.lock"])).toEqual(["yarn.lock"]);
});

test("R21: sums of a Go workspace that know another version are no conflict", () => {
  const sum = (version: string): string =>
    ["", "/go.mod"]
      .map((what) => `example.org/pad ${version}${what} h1:${Buffer.alloc(32).toString("base64")}\n`)
      .join("");
  const mod = "module example.org/demo\n\ngo 1.24\n\nrequire example.org/pad v1.0.0\n";
  expect(found({ "go.mod": mod, "go.sum": sum("v1.0.0"), "go.work.sum": sum("v1.1.0") })).toEqual([
    "go.sum",
    "go.work.sum",
  ]);
});

test("R21: requirements without hashes beside a lockfile of Python are a wish; alone, or with any hash, they must be whole", () => {
  const uv = `version = 1\nrevision = 3\nrequires-python = ">=3.12"\n`;
  expect(found({ "uv.lock": uv, "requirements.txt": "pad>=1\n-r more.txt\n", "more.txt": "left\n" })).toEqual([
    "uv.lock",
  ]);
  expect(code(() => found({ "requirements.txt": "pad>=1\n" }, ["requirements.txt"]))).toBe("LOCKFILE_DIGEST_MISSING");
  const hash = `--hash=sha256:${"0".repeat(64)}`;
  expect(code(() => found({ "requirements.txt": "-r more.txt\npad>=1\n", "more.txt": `left==1.0 ${hash}\n` }))).toBe(
    "LOCKFILE_DIGEST_MISSING",
  );
});
