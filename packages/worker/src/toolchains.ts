import { existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { workerErrors } from "./errors.ts";
import { homes, ownHome } from "./host-user.ts";
import { checkToolchain } from "./job-check.ts";
import type { MountRow } from "./result.ts";

/** What a set of toolchains adds to a step. */
export interface ToolchainView {
  readonly rows: readonly MountRow[];
  /** Directories for the front of `PATH`. */
  readonly path: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

interface Toolchain {
  readonly directories: readonly string[];
  readonly path: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * Named toolchains of this host. Only programs and libraries are shown: `cargo` is its `bin`, not the directory
 * that also holds a registry token.
 */
const known: Readonly<Record<string, (home: string) => Toolchain>> = {
  cargo: (home) => at([process.env.CARGO_HOME ?? join(home, ".cargo")].map((one) => join(one, "bin"))),
  rustup: (home) => {
    const root = process.env.RUSTUP_HOME ?? join(home, ".rustup");
    return { directories: [root], path: [], environment: { RUSTUP_HOME: root } };
  },
  pyenv: (home) => {
    const root = process.env.PYENV_ROOT ?? join(home, ".pyenv");
    return { directories: [root], path: [join(root, "shims"), join(root, "bin")], environment: { PYENV_ROOT: root } };
  },
  go: (home) => {
    const roots = [process.env.GOROOT, "/usr/local/go", ...newest(join(home, "sdk"), /^go\d/), join(home, ".local/go")];
    const root = roots.find((one) => one !== undefined && existsSync(join(one, "bin/go")));
    return root === undefined
      ? at([])
      : { directories: [root], path: [join(root, "bin")], environment: { GOROOT: root } };
  },
  nvm: (home) => {
    const root = join(process.env.NVM_DIR ?? join(home, ".nvm"), "versions");
    return { directories: [root], path: newest(join(root, "node"), /^v\d/).map((one) => join(one, "bin")) };
  },
  node: () => {
    const program = realpathSync(process.execPath);
    const root = dirname(dirname(program));
    return { directories: [root], path: [dirname(program)] };
  },
};

/** Names that `view.toolchains` may hold besides absolute directories. */
export const toolchainNames: readonly string[] = Object.keys(known);

/** Resolves declared toolchains to what is shown (SPEC W4); unknown names and forbidden directories are refused. */
export function resolveToolchains(declared: readonly string[]): ToolchainView {
  const rows: MountRow[] = [];
  const path: string[] = [];
  const environment: Record<string, string> = {};
  const forbidden = declared.length === 0 ? [] : homes();
  for (const name of declared) {
    const make = known[name];
    const toolchain: Toolchain =
      make === undefined ? { directories: [name], path: [join(name, "bin")] } : make(ownHome());
    if (toolchain.directories.length === 0) {
      throw workerErrors.make("JOB_INPUT_MISSING", `expected the toolchain ${name} on this host, found none`);
    }
    for (const directory of toolchain.directories) {
      const shown = directory === "/usr" || directory.startsWith("/usr/");
      const real = shown && existsSync(directory) ? null : checkToolchain(directory, forbidden);
      if (real === null || rows.some((row) => row.at === directory)) continue;
      rows.push({ at: directory, kind: "toolchain", source: real, access: "read-only" });
    }
    path.push(...toolchain.path.filter((one) => existsSync(one)));
    Object.assign(environment, toolchain.environment);
  }
  return { rows, path: [...new Set(path)], environment };
}

function at(directories: readonly string[]): Toolchain {
  return { directories, path: directories };
}

function newest(directory: string, pattern: RegExp): string[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory).filter((name) => pattern.test(name));
  const last = names.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
  return last === undefined ? [] : [join(directory, last)];
}
