import type { FileFacts } from "../../catalogue/cataloger.ts";

const rules: Readonly<Record<string, string>> = {
  "package-lock.json": "npm-package-lock",
  "npm-shrinkwrap.json": "npm-package-lock",
  "pnpm-lock.yaml": "pnpm-lock",
  "yarn.lock": "yarn-lock",
  "bun.lock": "bun-lock",
};

/**
 * The rule of a project's lockfile, undefined for other files. What lies in node_modules was published with a package,
 * and locks nothing that is there.
 */
export function lockfileRule({ path, name }: Pick<FileFacts, "path" | "name">): string | undefined {
  if (!Object.hasOwn(rules, name) || isInstalled(path)) return undefined;
  return rules[name];
}

/** True for what lies in a directory of installed packages. */
export function isInstalled(path: string): boolean {
  return path.startsWith("node_modules/") || path.includes("/node_modules/");
}
