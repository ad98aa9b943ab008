import { readFileSync, statSync } from "node:fs";
import { defaultRegistryConfiguration, type RegistryConfiguration } from "./configuration.ts";
import { registryConfigurationErrors } from "./errors.ts";

/** A document and the state of its file when it was read. */
export interface ReadConfiguration {
  readonly configuration: RegistryConfiguration;
  /** Undefined while there is no file. */
  readonly text?: string;
}

/**
 * Reads a `registry.yaml`; the default where there is none and nobody asked for the file by name.
 * @throws REGISTRY_CONFIG_*
 */
export async function readRegistryConfiguration(path: string, mustExist: boolean): Promise<ReadConfiguration> {
  const text = readText(path, mustExist);
  if (text === undefined) return { configuration: { ...defaultRegistryConfiguration, fileName: path } };
  // The reader costs a start a few dozen milliseconds; a registry without a configuration does not need it.
  const { parseRegistryConfiguration } = await import("./parse.ts");
  return { configuration: parseRegistryConfiguration(text, path), text };
}

function readText(path: string, mustExist: boolean): string | undefined {
  try {
    const { mode } = statSync(path);
    if (process.platform !== "win32" && (mode & 0o022) !== 0) {
      throw registryConfigurationErrors.make(
        "REGISTRY_CONFIG_EXPOSED",
        `expected ${path} to be writable by its owner only, found mode ${(mode & 0o777).toString(8)}`,
      );
    }
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(readFileSync(path));
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "";
    if (code === "REGISTRY_CONFIG_EXPOSED") throw cause;
    if (code === "ENOENT" && !mustExist) return undefined;
    throw registryConfigurationErrors.make(
      "REGISTRY_CONFIG_UNREADABLE",
      `expected a readable file of UTF-8 text at ${path}`,
      { cause },
    );
  }
}
