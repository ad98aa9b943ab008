import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import {
  type AskedUpstreams,
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
    note(`asked the installed clients for their repositories, and wrote ${listed(asked)} to ${path}`);
  }
  return readMaterialsConfiguration(path);
}

/** `npm https://…/, pypi https://…/ and 2 more`; addresses hold no credentials. */
function listed(asked: AskedUpstreams): string {
  const words = Object.entries(asked).map(([ecosystem, [first, ...others]]) => {
    const more = others.length === 0 ? "" : ` and ${others.length} more`;
    return `${ecosystem} ${first?.url ?? ""}${more}`;
  });
  return words.length === 0 ? "none" : words.join(", ");
}
