import { readFile } from "node:fs/promises";
import type { MaterialsConfiguration } from "./configuration.ts";
import { materialsConfigurationErrors } from "./errors.ts";
import { parseMaterialsConfiguration } from "./parse.ts";

/** Reads the user's `materials.yaml`. @throws MATERIALS_CONFIG_* */
export async function readMaterialsConfiguration(path: string): Promise<MaterialsConfiguration> {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw materialsConfigurationErrors.make(
      isMissing ? "MATERIALS_CONFIG_MISSING" : "MATERIALS_CONFIG_MALFORMED",
      `expected a readable file of UTF-8 text at ${path}`,
      { cause },
    );
  }
  return parseMaterialsConfiguration(text, path);
}
