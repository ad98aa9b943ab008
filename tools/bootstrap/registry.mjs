// Brings one locked package by the host's npm, which knows the user's registry, proxy and certificates.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { matchesIntegrity } from "./locked.mjs";
import { lastLines, SetupError, say, seconds } from "./progress.mjs";

/** The npm of the host, as program and first arguments. */
export function hostNpm() {
  const script = process.env.npm_execpath;
  if (script?.endsWith("npm-cli.js") && existsSync(script)) return [process.execPath, script];
  return ["npm"];
}

/** The environment for npm calls of our own: what an outer `npm run` added about this repository is taken out. */
export function npmEnvironment() {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) {
    if (/^npm_(package_|lifecycle_)|^npm_config_(local_prefix|workspace|workspaces|omit|include|global)$/i.test(name)) {
      delete environment[name];
    }
  }
  delete environment.NODE_ENV;
  return environment;
}

/**
 * Settings that our npm would not find by itself, since it is installed elsewhere than the host's:
 * the host's global configuration file, and what its built-in one says.
 */
export function hostSettings() {
  const keys = ["globalconfig", "registry", "cafile", "proxy", "https-proxy", "noproxy", "strict-ssl"];
  const [program, ...first] = hostNpm();
  const answer = spawnSync(program, [...first, "config", "get", ...keys], { encoding: "utf8", env: npmEnvironment() });
  const settings = {};
  if (answer.status !== 0) return settings;
  for (const line of answer.stdout.split("\n")) {
    const [, key, value] = /^([a-z-]+)\s*=\s*(.*)$/.exec(line.trim()) ?? [];
    if (key === undefined || value === "" || value === "null" || value === "undefined") continue;
    settings[`npm_config_${key.replace(/-/g, "_")}`] = value.replace(/^"(.*)"$/, "$1");
  }
  return settings;
}

/**
 * Brings a package into `directory` (its files, without the `package/` of the archive) and returns that path.
 * The directory appears complete or not at all; two callers at once are safe.
 * @param {{name: string, version: string, integrity: string}} wanted
 * @param {string} proof a file that must be there afterwards
 */
export function bringPackage(wanted, directory, scratch, proof) {
  if (existsSync(join(directory, proof))) return directory;
  const since = Date.now();
  const label = `${wanted.name} ${wanted.version}`;
  mkdirSync(scratch, { recursive: true });
  const work = mkdtempSync(join(scratch, `stage-${process.pid}-`));
  try {
    const archive = download(wanted, work, label);
    if (!matchesIntegrity(readFileSync(archive), wanted.integrity)) {
      throw new SetupError(
        `${label}: the registry served bytes that package-lock.json does not name; nothing was unpacked`,
        ["check the registry that npm is configured for (npm config get registry), then try again"],
      );
    }
    const unpacked = join(work, "unpacked");
    mkdirSync(unpacked);
    const flags = ["-xzf", archive, "-C", unpacked, "--strip-components=1", "--no-same-owner"];
    const tar = spawnSync("tar", flags, { encoding: "utf8" });
    if (tar.status !== 0) {
      throw new SetupError(`cannot unpack ${label}: ${tar.error?.message ?? lastLines(tar.stderr)}`, [
        "install tar and gzip, and look for free space",
      ]);
    }
    if (!existsSync(join(unpacked, proof))) throw new SetupError(`${label} does not hold ${proof}`);
    putInPlace(unpacked, directory, proof);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  say(`${label}: downloaded, digest as locked (${seconds(since)})`);
  return directory;
}

function download({ name, version }, work, label) {
  const [program, ...first] = hostNpm();
  const words = ["pack", `${name}@${version}`, "--pack-destination", work, "--ignore-scripts", "--loglevel=error"];
  const npm = spawnSync(program, [...first, ...words], {
    cwd: work,
    encoding: "utf8",
    env: { ...npmEnvironment(), npm_config_update_notifier: "false" },
  });
  const archive = readdirSync(work).find((file) => file.endsWith(".tgz"));
  if (npm.status === 0 && archive !== undefined) return join(work, archive);
  if (npm.error !== undefined) {
    throw new SetupError(`cannot start npm, which brings ${label} from your registry: ${npm.error.message}`, [
      "install npm 8 or newer (Debian: apt-get install npm)",
    ]);
  }
  throw new SetupError(`npm could not bring ${label}:\n${lastLines(`${npm.stdout}${npm.stderr}`)}`, [
    `try it yourself: npm pack ${name}@${version}`,
    "npm must be 8 or newer; registry, proxy and certificates come from your npm configuration",
  ]);
}

/** Renames a finished directory into place; when another process was first, its result stands. */
function putInPlace(from, to, proof) {
  try {
    renameSync(from, to);
  } catch (error) {
    if (existsSync(join(to, proof))) return;
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
    rmSync(to, { recursive: true, force: true });
    renameSync(from, to);
  }
}
