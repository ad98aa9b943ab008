import { statSync } from "node:fs";
import { isFactoryError } from "@touchmark/core";
import type { RegistryConfiguration } from "./configuration.ts";
import { readRegistryConfiguration } from "./read.ts";

/** A configuration that follows its file: users, grants, rules and limits of a running registry change with it. */
export interface LiveConfiguration {
  /** As it stood when the file was last looked at. */
  current(): RegistryConfiguration;
  /** Looks at the file now, and reads it when it changed. What cannot be read changes nothing, and is told. */
  refresh(): Promise<void>;
  close(): void;
}

/** How to follow a configuration. */
export interface LiveOptions {
  readonly path: string;
  readonly mustExist: boolean;
  /** Milliseconds between two looks; 0 looks only when told to. Default 1,000. */
  readonly everyMs?: number;
  /** Told once of each state of the file that cannot be used. */
  readonly onProblem: (message: string) => void;
}

/** Reads a configuration and follows its file. @throws REGISTRY_CONFIG_* when it cannot be read at first */
export async function liveConfiguration(options: LiveOptions): Promise<LiveConfiguration> {
  const { path, mustExist, everyMs = 1000, onProblem } = options;
  let seen = stateOf(path);
  let { configuration } = await readRegistryConfiguration(path, mustExist);
  let reading: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    const state = stateOf(path);
    if (state === seen) return;
    try {
      ({ configuration } = await readRegistryConfiguration(path, mustExist));
    } catch (error) {
      // Grants of before stay: a file that is half edited must neither open nor shut the registry.
      onProblem(isFactoryError(error) ? `${error.code}: ${error.message}` : String(error));
    }
    seen = state;
  };
  const refresh = (): Promise<void> => {
    reading ??= look().finally(() => {
      reading = undefined;
    });
    return reading;
  };
  const timer = everyMs === 0 ? undefined : setInterval(() => void refresh(), everyMs);
  timer?.unref();
  return { current: () => configuration, refresh, close: () => clearInterval(timer) };
}

/** Changes whenever the file is written or replaced. */
function stateOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "absent" : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.mode}`;
}
