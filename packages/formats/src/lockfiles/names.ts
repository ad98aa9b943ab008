import { lockfileErrors } from "./errors.ts";
import type { Ecosystem } from "./locked.ts";
import { shown } from "./shape.ts";

// What the registry of an ecosystem takes as a name, or has taken: npm keeps old names with capitals and `!~*'()`.
const npmPart = "[A-Za-z0-9~*!'()-][A-Za-z0-9._~*!'()-]*";
const names: Readonly<Record<Ecosystem, RegExp>> = {
  npm: new RegExp(`^(?:@[A-Za-z0-9_~-][A-Za-z0-9._~-]*/)?${npmPart}$`),
  pypi: /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/,
  golang: /^(?!.*(?:^|\/)[.-])(?!.*\.(?:\/|$))[A-Za-z0-9._~-]+(?:\/[A-Za-z0-9._~+-]+)*$/,
  // Cargo itself takes letters of any script; what is shown or written to disk is another's care.
  cargo: /^[\p{L}_][\p{L}\p{N}_-]*$/u,
  maven: /^[A-Za-z0-9_-][A-Za-z0-9._-]*:[A-Za-z0-9_-][A-Za-z0-9._-]*$/,
  deb: /^[a-z0-9][a-z0-9+.-]*$/,
  git: /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/,
  generic: /^[\p{L}\p{N}_-][\p{L}\p{N}._+~@-]*$/u,
};

const semver = /^(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;
const versions: Readonly<Record<Ecosystem, RegExp>> = {
  npm: semver,
  pypi: /^[0-9A-Za-z](?:[0-9A-Za-z.!+_-]*[0-9A-Za-z])?$/,
  golang: /^v[0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/,
  cargo: semver,
  maven: /^[0-9A-Za-z_][0-9A-Za-z._+~-]*$/,
  deb: /^[0-9A-Za-z][0-9A-Za-z.+~:-]*$/,
  git: /^[0-9a-f]{40}(?:[0-9a-f]{24})?$/,
  generic: /^[0-9A-Za-z][0-9A-Za-z.+~_:-]*$/,
};
const longestName = 255;
const reserved = new Set(["node_modules", "favicon.ico", "__proto__"]);

/** A name that a registry of the ecosystem could have. @throws LOCKFILE_NAME */
export function checkName(ecosystem: Ecosystem, name: string, where: string): string {
  if (name.length > longestName || reserved.has(name) || name.includes("..") || !names[ecosystem].test(name)) {
    throw lockfileErrors.make(
      "LOCKFILE_NAME",
      `${where.slice(0, 200)}: expected a name that a registry allows (${ecosystem}), found ${shown(name)}`,
    );
  }
  return name;
}

/** A version that a registry of the ecosystem could have. @throws LOCKFILE_NAME */
export function checkVersion(ecosystem: Ecosystem, version: string, where: string): string {
  if (version.length > longestName || version.includes("..") || !versions[ecosystem].test(version)) {
    throw lockfileErrors.make(
      "LOCKFILE_NAME",
      `${where.slice(0, 200)}: expected a version that a registry allows (${ecosystem}), found ${shown(version)}`,
    );
  }
  return version;
}
