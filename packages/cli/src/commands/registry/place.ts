import { resolve } from "node:path";
import type { ServedBackend } from "@touchmark/pipeline/registry";
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

/** Runs with the backend of that registry, wherever its configuration says that it lies, without a server. */
export async function withRegistryBackend<T>(
  invocation: Invocation,
  terminal: Terminal,
  work: (backend: ServedBackend) => Promise<T>,
): Promise<T> {
  return withRegistryHome(invocation, terminal, false, async (home) => {
    const { openRegistryBackend, registryPlace } = await import("@touchmark/pipeline/registry");
    const { readRegistryConfiguration } = await import("@touchmark/registry");
    const { configuration } = await readRegistryConfiguration(registryPlace(home).configuration, false);
    const backend = await openRegistryBackend({ home, configuration, environment: terminal.environment });
    try {
      return await work(backend);
    } finally {
      await backend.close();
    }
  });
}
