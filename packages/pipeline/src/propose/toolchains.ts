import { realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import type { ToolchainsFor } from "./proposal.ts";

const known: readonly [RegExp, string][] = [
  [/\/\.cargo\//, "cargo"],
  [/\/\.rustup\//, "rustup"],
  [/\/\.pyenv\//, "pyenv"],
  [/\/\.nvm\//, "nvm"],
  [/\/go\/bin\/(?:go|gofmt)$/, "go"],
];

/** Directories that every sandbox has on its path. */
const constant = new Set(["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]);

/** Finds which programs of this host live where no step looks for them unless they are declared: below a home, in /opt. */
export function hostToolchains(path: string): ToolchainsFor {
  return (...programs) => {
    const names = new Set<string>();
    for (const program of programs) {
      const found = find(program, path);
      if (found === undefined || constant.has(dirname(found))) continue;
      const name = known.find(([pattern]) => pattern.test(found))?.[1];
      names.add(name ?? found.replace(/\/(?:bin\/)?[^/]+$/, ""));
      // cargo is a proxy that starts what rustup installed.
      if (name === "cargo") names.add("rustup");
    }
    return [...names];
  };
}

function find(program: string, path: string): string | undefined {
  for (const directory of path.split(delimiter)) {
    if (directory === "") continue;
    try {
      realpathSync(join(directory, program));
      return join(directory, program);
    } catch {
      // Not here.
    }
  }
  return undefined;
}
