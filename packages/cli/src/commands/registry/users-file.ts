import { resolve } from "node:path";
import type { WrittenUser } from "@touchmark/formats/registry";
import type { RegistryConfiguration } from "@touchmark/registry";
import type { Home } from "@touchmark/store";
import { type Invocation, type OptionSpec, text } from "../../command.ts";
import type { Terminal } from "../../terminal.ts";
import { placeOptions } from "./place.ts";

/** Options that say which file of users is meant. */
export const usersOptions: readonly OptionSpec[] = [
  ...placeOptions,
  { flags: "--config <file>", description: "configuration instead of registry.yaml in the home" },
];

/** The file of users, read. */
export interface UsersFile {
  readonly path: string;
  readonly configuration: RegistryConfiguration;
  /** Writes a user, or takes one out; whatever else stands in the file stays. @throws REGISTRY_CONFIG_* and writes nothing */
  write(name: string, user: WrittenUser | undefined): Promise<void>;
}

/** Reads the file of users of a registry; one that is not there has no users. */
export async function usersFile(invocation: Invocation, terminal: Terminal, home: Home): Promise<UsersFile> {
  const { readRegistryConfiguration } = await import("@touchmark/registry");
  const { registryPlace } = await import("@touchmark/pipeline/registry");
  const named = text(invocation, "config");
  const path = named === undefined ? registryPlace(home).configuration : resolve(terminal.directory, named);
  const { configuration } = await readRegistryConfiguration(path, false);
  return {
    path,
    configuration,
    async write(name, user) {
      const { parseRegistryConfiguration } = await import("@touchmark/registry/configuration");
      const { withUser } = await import("@touchmark/formats/registry");
      const { writeFileAtomically } = await import("@touchmark/store");
      const lock = await home.lock("registry-users");
      try {
        // Read again under the lock: somebody may have added another user while a password was typed.
        const { text: before = "touchmark: registry/v1\n" } = await readRegistryConfiguration(path, false);
        const after = withUser(before, name, user);
        parseRegistryConfiguration(after, path);
        writeFileAtomically(path, after);
      } finally {
        lock.release();
      }
    },
  };
}
