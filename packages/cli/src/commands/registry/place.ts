import { resolve } from "node:path";
import type { FileRegistryBackend } from "@touchmark/registry";
import { type Home, openHome } from "@touchmark/store";
import { type Invocation, type OptionSpec, text } from "../../command.ts";
import type { Terminal } from "../../terminal.ts";

/** Options that say which registry is meant. */
export const placeOptions: readonly OptionSpec[] = [
  { flags: "--dir <directory>", description: "registry in this directory instead of TOUCHMARK_HOME" },
];

/** Runs with the home of the registry that the command line means; `create` makes one where there is none. */
export async function withRegistryHome<T>(
  invocation: Invocation,
  terminal: Terminal,
  create: boolean,
  work: (home: Home) => Promise<T>,
): Promise<T> {
  const directory = text(invocation, "dir");
  const path = directory === undefined ? undefined : resolve(terminal.directory, directory);
  const home = await openHome(path, { create });
  try {
    return await work(home);
  } finally {
    await home.close();
  }
}

/** Runs with the backend of that registry, without a server. */
export async function withRegistryBackend<T>(
  invocation: Invocation,
  terminal: Terminal,
  work: (backend: FileRegistryBackend) => Promise<T>,
): Promise<T> {
  return withRegistryHome(invocation, terminal, false, async (home) => {
    const { fileRegistryBackend } = await import("@touchmark/registry");
    const { openContentStore } = await import("@touchmark/store");
    const backend = fileRegistryBackend({ home, content: await openContentStore(home) });
    try {
      return await work(backend);
    } finally {
      await backend.close();
    }
  });
}
