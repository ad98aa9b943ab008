import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { tarball } from "../pack/tarball.ts";
import { repositoryRoot } from "../repository.ts";

// The set-up is plain JavaScript without types, for any Node that a host may have.
const load = (name: string) =>
  import(join(repositoryRoot, "tools/bootstrap", `${name}.mjs`)) as Promise<Record<string, never>>;
const { bringPackage } = (await load("registry")) as unknown as { bringPackage: (...args: unknown[]) => string };
const { missingModules } = (await load("locked")) as unknown as {
  missingModules: (root: string) => string | undefined;
};
const { addForeignParts } = (await load("foreign")) as unknown as { addForeignParts: (packages: object) => object };
const { redact } = (await load("progress")) as unknown as { redact: (text: string) => string };

let directory = "";
const npmBefore = process.env["npm_execpath"];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-bootstrap-"));
});
afterEach(() => {
  if (npmBefore === undefined) delete process.env["npm_execpath"];
  else process.env["npm_execpath"] = npmBefore;
  rmSync(directory, { recursive: true });
});

/** An npm that serves one archive; returns the locked package that names it. */
function servePackage(): { name: string; version: string; integrity: string } {
  const bytes = tarball([{ path: "bin/node", content: Buffer.from("real"), executable: true }]);
  writeFileSync(join(directory, "served.tgz"), bytes);
  const npm = join(directory, "npm-cli.js");
  const served = JSON.stringify(join(directory, "served.tgz"));
  writeFileSync(
    npm,
    `const to = process.argv[process.argv.indexOf("--pack-destination") + 1];
     require("node:fs").copyFileSync(${served}, to + "/a-1.0.0.tgz");`,
  );
  process.env["npm_execpath"] = npm;
  return { name: "a", version: "1.0.0", integrity: `sha512-${createHash("sha512").update(bytes).digest("base64")}` };
}

test("B1: a package with the locked digest is unpacked", () => {
  const target = join(directory, "a-1.0.0");
  bringPackage(servePackage(), target, directory, "bin/node");
  expect(readFileSync(join(target, "bin/node"), "utf8")).toBe("real");
});

test("B1: other bytes under the same version are refused, and nothing stays behind", () => {
  const wanted = servePackage();
  writeFileSync(
    join(directory, "served.tgz"),
    tarball([{ path: "bin/node", content: Buffer.from("evil"), executable: true }]),
  );
  const target = join(directory, "a-1.0.0");
  expect(() => bringPackage(wanted, target, directory, "bin/node")).toThrow(/does not name; nothing was unpacked/);
  expect(readdirSync(directory).sort()).toEqual(["npm-cli.js", "served.tgz"]);
});

test("B5: a directory that is there and whole is not brought again", () => {
  const target = join(directory, "a-1.0.0");
  mkdirSync(join(target, "bin"), { recursive: true });
  writeFileSync(join(target, "bin/node"), "earlier");
  bringPackage(servePackage(), target, directory, "bin/node");
  expect(readFileSync(join(target, "bin/node"), "utf8")).toBe("earlier");
});

test("B5: a half one that was left behind is replaced", () => {
  const target = join(directory, "a-1.0.0");
  mkdirSync(join(target, "rest"), { recursive: true });
  bringPackage(servePackage(), target, directory, "bin/node");
  expect(readdirSync(target)).toEqual(["bin"]);
});

/** A repository of one dependency with a native part for this system and one for another. */
function repository(): { lock: { packages: Record<string, object> }; write: () => void } {
  const integrity = "sha512-x";
  const lock = {
    lockfileVersion: 3,
    packages: {
      "": { dependencies: { a: "1.0.0" } },
      "node_modules/a": {
        version: "1.0.0",
        integrity,
        optionalDependencies: { "a-here": "1.0.0", "a-there": "1.0.0" },
      },
      "node_modules/a-here": { version: "1.0.0", integrity, optional: true, os: [process.platform] },
      "node_modules/a-there": { version: "1.0.0", integrity, optional: true, os: [`!${process.platform}`] },
    } as Record<string, object>,
  };
  for (const name of ["a", "a-here"]) {
    mkdirSync(join(directory, "node_modules", name), { recursive: true });
    writeFileSync(join(directory, "node_modules", name, "package.json"), "{}");
  }
  const installed = {
    "node_modules/a": lock.packages["node_modules/a"],
    "node_modules/a-here": lock.packages["node_modules/a-here"],
  };
  writeFileSync(join(directory, "node_modules/.package-lock.json"), JSON.stringify({ packages: installed }));
  const write = () => writeFileSync(join(directory, "package-lock.json"), JSON.stringify(lock));
  write();
  return { lock, write };
}

test("B2: an installation with every package for this system is complete", () => {
  repository();
  expect(missingModules(directory)).toBeUndefined();
});

test("B2: a native part that is not there, another version and a lost directory show", () => {
  const { lock, write } = repository();
  rmSync(join(directory, "node_modules/a-here"), { recursive: true });
  expect(missingModules(directory)).toMatch(/a-here is damaged/);
  lock.packages["node_modules/a"] = { version: "1.0.1", integrity: "sha512-y" };
  write();
  expect(missingModules(directory)).toMatch(/a is another version/);
  writeFileSync(join(directory, "node_modules/.package-lock.json"), JSON.stringify({ packages: {} }));
  expect(missingModules(directory)).toMatch(/a is not installed/);
  rmSync(join(directory, "node_modules/.package-lock.json"));
  expect(missingModules(directory)).toMatch(/no complete/);
});

test("B3: only native parts without an entry get one, and it fits no system", () => {
  const packages = {
    "node_modules/a": { version: "1.0.0", dev: true, optionalDependencies: { known: "1.0.0", foreign: "2.0.0" } },
    "node_modules/known": { version: "1.0.0", integrity: "sha512-x" },
    "node_modules/b": { version: "1.0.0", optionalDependencies: { known: "3.0.0" } },
  };
  expect(addForeignParts({ ...packages })).toEqual({
    ...packages,
    "node_modules/foreign": { version: "2.0.0", cpu: ["none"], dev: true, optional: true, os: ["none"] },
    "node_modules/b/node_modules/known": { version: "3.0.0", cpu: ["none"], optional: true, os: ["none"] },
  });
});

test("B4: credentials in addresses and settings are not shown", () => {
  const shown = redact(
    "get https://me:secret@example.com/a //example.com/:_authToken=secret _auth = secret proxy http://secret@h:1",
  );
  expect(shown).not.toContain("secret");
  expect(shown).toContain("example.com");
});

const turn = join(repositoryRoot, "tools/bootstrap/turn.mjs");

function takeTurn(work: string): string {
  return `import { taking } from ${JSON.stringify(turn)}; taking(${JSON.stringify(directory)}, () => { ${work} });`;
}

test("B5: a second set-up waits for the first", async () => {
  const wait = "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400)";
  const first = spawn(process.execPath, [
    "--input-type=module",
    "-e",
    takeTurn(`console.log("in"); ${wait}; console.log("out");`),
  ]);
  const lines: string[] = [];
  first.stdout.on("data", (chunk: Buffer) => lines.push(...chunk.toString().trim().split("\n")));
  await new Promise((resolve) => first.stdout.once("data", resolve));
  const closed = new Promise((resolve) => first.once("close", resolve));
  const second = spawnSync(process.execPath, ["--input-type=module", "-e", takeTurn(`console.log(Date.now());`)], {
    encoding: "utf8",
  });
  await closed;
  expect(lines).toEqual(["in", "out"]);
  expect(second.stderr).toContain("another set-up is at work");
  expect(existsSync(join(directory, "setup.lock"))).toBe(false);
});

test("B5: a set-up that was killed holds nobody up, and what it left is cleared", () => {
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(join(directory, "setup.lock"), String(dead));
  mkdirSync(join(directory, `stage-${dead}-abc`, "node_modules"), { recursive: true });
  const done = spawnSync(process.execPath, ["--input-type=module", "-e", takeTurn(`console.log("in");`)], {
    encoding: "utf8",
  });
  expect(done.stdout).toBe("in\n");
  expect(readdirSync(directory)).toEqual([]);
});
