import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  askUpstreams,
  defaultConfiguration,
  type MaterialsConfiguration,
  readMaterialsConfiguration,
  withHostClients,
} from "@touchmark/materials";
import { writeFileAtomically } from "@touchmark/store";
import type { Factory } from "../factory.ts";

/** Where the user's own configuration of materials lies. */
export function materialsConfigurationPath(factory: Factory): string {
  return join(dirname(factory.home.paths.version), "materials.yaml");
}

/**
 * The user's configuration. On first use the installed clients are asked for their repositories, and the answer is
 * written down for the user to change; they are never asked again.
 * @throws MATERIALS_CONFIG_*
 */
export async function userConfiguration(
  factory: Factory,
  environment: Readonly<Record<string, string | undefined>>,
  note: (text: string) => void,
): Promise<MaterialsConfiguration> {
  const path = materialsConfigurationPath(factory);
  if (!existsSync(path)) {
    const asked = await withHostClients(environment, askUpstreams);
    writeFileAtomically(path, defaultConfiguration(asked));
    const ecosystems = Object.keys(asked).join(", ") || "no ecosystem";
    note(`asked the installed clients for their repositories (${ecosystems}), and wrote ${path}`);
  }
  return readMaterialsConfiguration(path);
}
