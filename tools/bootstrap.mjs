// Sets this repository up and runs its commands. Needs nothing but Node 18 or newer and npm.
//
//   node tools/bootstrap.mjs [setup]      Node 24, npm packages, bubblewrap and strace
//   node tools/bootstrap.mjs COMMAND …    set up what the command needs, then run it:
//                                         demo, test, check, docs, bench, build, pack
//   node tools/bootstrap.mjs fetch        install node_modules into TOUCHMARK_OUTPUT
//   node tools/bootstrap.mjs lock         after `npm install`: give foreign native parts their entries
//
// What is downloaded comes through the host's npm from the user's registry, and counts only when it has the digest
// that package-lock.json names. No install script is run.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { completeLockfile } from "./bootstrap/foreign.mjs";
import { missingModules } from "./bootstrap/locked.mjs";
import { ensureModules, installInto } from "./bootstrap/modules.mjs";
import { SetupError, say } from "./bootstrap/progress.mjs";
import { ensurePrograms } from "./bootstrap/system.mjs";
import { ensureNode, ensureNpm, findNode } from "./bootstrap/toolchain.mjs";
import { taking } from "./bootstrap/turn.mjs";

const root = realpathSync(join(dirname(fileURLToPath(import.meta.url)), ".."));
const tools = join(root, ".tools");
const building = ["bwrap", "strace", "git"];

/** What each command needs of the system, and what it runs. */
const commands = {
  setup: { needs: building, insists: true, run: setUpIsDone },
  demo: { needs: building, insists: true, run: demo },
  test: {
    needs: [...building, "openssl"],
    run: (node, words) => start(node, node, ["node_modules/vitest/vitest.mjs", "run", ...words]),
  },
  check: { run: (node, words) => start(node, node, ["tools/check.ts", ...words]) },
  docs: { run: (node, words) => start(node, node, ["tools/docs.ts", ...words]) },
  bench: { needs: building, run: (node, words) => start(node, node, ["bench/all.ts", ...words]) },
  build: { run: (node, words) => start(node, node, ["tools/build.ts", ...words]) },
  pack: { run: (node, words) => build(node) || start(node, node, ["tools/pack.ts", ...words]) },
};

function main([name = "setup", ...words]) {
  if (name === "fetch") return fetchModules();
  if (name === "lock") return completeLock();
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    say(`expected one of ${[...Object.keys(commands), "fetch", "lock"].join(", ")}; found ${name}`);
    return 2;
  }
  const node = setUp();
  const missing = ensurePrograms(command.needs ?? []);
  for (const line of missing) say(line);
  if (missing.length > 0 && command.insists) return 1;
  if (missing.length > 0) say("going on without: what needs these programs is skipped");
  return command.run(node, words);
}

/** Node and npm packages, brought when they are not there. Returns the Node to use. */
function setUp() {
  const here = findNode(root, tools);
  if (here !== undefined && missingModules(root) === undefined) return here;
  return taking(tools, () => {
    const node = ensureNode(root, tools);
    if (missingModules(root) !== undefined) ensureModules(root, tools, node, ensureNpm(root, tools));
    return node;
  });
}

/** The fetch step of our own pipeline: node_modules for the steps that follow, which have no network. */
function fetchModules() {
  const output = process.env.TOUCHMARK_OUTPUT;
  if (!output) throw new SetupError("expected TOUCHMARK_OUTPUT to name the directory to install into; it is not set");
  mkdirSync(output, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "touchmark-fetch-"));
  try {
    const node = ensureNode(root, scratch);
    installInto(root, output, node, ensureNpm(root, scratch));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return 0;
}

function setUpIsDone() {
  say("all is set up; try: npm run demo");
  return 0;
}

function completeLock() {
  const added = completeLockfile(join(root, "package-lock.json"));
  say(`package-lock.json: ${added} entries added for native parts of other systems`);
  return 0;
}

function demo(node, words) {
  return build(node) || start(node, join("bin", "touchmark"), ["demo", ...words]);
}

/** Makes the bundle unless it is fresh. */
function build(node) {
  return start(node, node, ["tools/build.ts", "--if-needed"]);
}

/** Runs a program in the repository with our Node first on PATH, and returns its exit code. */
function start(node, program, words) {
  const environment = { ...process.env, PATH: [dirname(node), process.env.PATH].join(delimiter) };
  const result = spawnSync(program, words, { cwd: root, stdio: "inherit", env: environment });
  if (result.error !== undefined) throw result.error;
  return result.status ?? 1;
}

try {
  process.exitCode = main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  say(error.message);
  for (const line of error.todo) say(`  what to do: ${line}`);
  process.exitCode = 1;
}
