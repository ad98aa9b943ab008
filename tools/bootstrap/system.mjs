// Programs of the system: brought by apt when we may, else the exact command to type.

import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { lastLines, say, seconds } from "./progress.mjs";

/** Program and the package that holds it, on Debian and most others. */
const packageOf = { bwrap: "bubblewrap", strace: "strace", git: "git", openssl: "openssl" };

/** True when a program stands on PATH. */
export function hasProgram(name) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    try {
      accessSync(join(directory || ".", name), constants.X_OK);
      return true;
    } catch {
      // Next directory.
    }
  }
  return false;
}

/**
 * Brings the named programs. Returns the lines to show when something is still missing; none when all is there.
 * @param {(keyof typeof packageOf)[]} programs
 */
export function ensurePrograms(programs) {
  if (process.platform !== "linux") return [];
  const missing = programs.filter((name) => !hasProgram(name));
  if (missing.length === 0) return [];
  const packages = missing.map((name) => packageOf[name]);
  const names = packages.join(" ");
  if (!hasProgram("apt-get")) {
    const other = { dnf: "dnf install", apk: "apk add", pacman: "pacman -S", zypper: "zypper install" };
    const tool = Object.keys(other).find(hasProgram);
    return [
      `missing: ${missing.join(", ")}`,
      tool === undefined ? `install: ${names}` : `type: sudo ${other[tool]} ${names}`,
    ];
  }
  if (process.getuid?.() !== 0) {
    return [`missing: ${missing.join(", ")}`, `type: sudo apt-get update && sudo apt-get install --yes ${names}`];
  }
  const since = Date.now();
  const install = () => apt(["install", "--yes", "--no-install-recommends", ...packages]);
  let result = install();
  // A fresh machine has no package lists, an old one has stale ones: fetch them and try once more.
  if (result.status !== 0) {
    apt(["update"]);
    result = install();
  }
  const still = missing.filter((name) => !hasProgram(name));
  if (result.status === 0 && still.length === 0) {
    say(`${names}: installed by apt (${seconds(since)})`);
    return [];
  }
  return [
    `apt-get could not install ${names}:\n${lastLines(`${result.stdout ?? ""}${result.stderr ?? ""}`)}`,
    `type: apt-get update && apt-get install --yes ${names}`,
  ];
}

function apt(words) {
  const lock = ["-o", "DPkg::Lock::Timeout=120", "-q"];
  return spawnSync("apt-get", [...lock, ...words], {
    encoding: "utf8",
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
  });
}
