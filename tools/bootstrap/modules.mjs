// Installs node_modules apart from the tree, then puts it in place in one step: a kill half way leaves the old one.

import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { completeLockfile } from "./foreign.mjs";
import { missingModules } from "./locked.mjs";
import { lastLines, SetupError, say, seconds } from "./progress.mjs";
import { hostSettings, npmEnvironment } from "./registry.mjs";

/** Makes node_modules what the lockfile says, when it is not. */
export function ensureModules(root, tools, node, npm) {
  const reason = missingModules(root);
  if (reason === undefined) return;
  say(`installing npm packages (${reason})`);
  mkdirSync(tools, { recursive: true });
  const stage = installApart(root, tools, node, npm);
  try {
    const old = join(stage, "old");
    for (let attempt = 0; ; attempt++) {
      try {
        renameSync(join(root, "node_modules"), old);
      } catch (error) {
        if (error.code !== "ENOENT") throw error;
      }
      try {
        renameSync(join(stage, "node_modules"), join(root, "node_modules"));
        break;
      } catch (error) {
        // Another set-up put its own in place between the two renames.
        if (missingModules(root) === undefined) break;
        if (attempt > 3) throw error;
        rmSync(old, { recursive: true, force: true });
      }
    }
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/**
 * Installs into an empty directory the content of a node_modules, for a step that keeps only its output.
 * The links to the workspaces (`../../packages/NAME`) are right again once it is mounted at SOURCE/node_modules.
 */
export function installInto(root, output, node, npm) {
  if (readdirSync(output).length > 0)
    throw new SetupError(`expected an empty output directory, found files in ${output}`);
  const stage = installApart(root, output, node, npm);
  for (const name of readdirSync(join(stage, "node_modules"))) {
    renameSync(join(stage, "node_modules", name), join(output, name));
  }
  rmSync(stage, { recursive: true, force: true });
  const missing = missingModules(root, output);
  if (missing !== undefined) throw new SetupError(`the installed packages are not complete: ${missing}`);
}

/** Runs `npm ci` in a directory that holds only manifests, and returns it. */
function installApart(root, parent, node, npm) {
  const since = Date.now();
  const stage = mkdtempSync(join(parent, `stage-${process.pid}-`));
  for (const file of manifests(root)) {
    mkdirSync(dirname(join(stage, file)), { recursive: true });
    copyFileSync(join(root, file), join(stage, file));
  }
  completeLockfile(join(stage, "package-lock.json"));
  const words = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev", "--include=optional"];
  const npmCi = spawnSync(node, [npm, ...words, "--loglevel=error", "--prefix", stage], {
    cwd: stage,
    encoding: "utf8",
    maxBuffer: 64 << 20,
    env: { ...npmEnvironment(), ...hostSettings(), npm_config_update_notifier: "false" },
  });
  const missing = npmCi.status === 0 ? missingModules(root, join(stage, "node_modules")) : undefined;
  if (npmCi.status !== 0 || missing !== undefined) {
    rmSync(stage, { recursive: true, force: true });
    const report = npmCi.error?.message ?? lastLines(`${npmCi.stdout}${npmCi.stderr}`);
    throw new SetupError(
      missing === undefined ? `npm ci failed:\n${report}` : `npm ci left something out: ${missing}`,
      [
        "look at the lines above; registry, proxy and certificates come from your npm configuration",
        "then run the same command again",
      ],
    );
  }
  say(`npm packages: installed with their locked digests, no install script run (${seconds(since)})`);
  return stage;
}

/** The files that npm needs to install: no sources. */
function manifests(root) {
  const files = ["package.json", "package-lock.json", ".npmrc"];
  for (const name of readdirSync(join(root, "packages")).sort()) files.push(join("packages", name, "package.json"));
  return files.filter((file) => existsSync(join(root, file)));
}
