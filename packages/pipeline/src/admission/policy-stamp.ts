import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Factory } from "../factory.ts";
import { policyPlaces } from "../policy/policy-place.ts";
import { breakGlassPlace } from "./kept-break-glass.ts";
import { admissionSettingsPath } from "./settings.ts";

/** Changes whenever something changes that the home's policies consist of, or one of these files. */
export function policyStamp(factory: Factory, files: readonly string[] = []): string {
  const { set, exceptions, parameters, documents } = policyPlaces(factory);
  return [...[set, exceptions, documents].map(stampOfDirectory), ...[parameters, ...files].map(stampOfFile)].join("\n");
}

/** The same for permissions and settings of the admission gate, and for files that these name. */
export function admissionStamp(factory: Factory, files: readonly string[] = []): string {
  const own = [stampOfDirectory(breakGlassPlace(factory)), stampOfFile(admissionSettingsPath(factory))];
  return [...own, ...files.map(stampOfFile)].join("\n");
}

function stampOfDirectory(path: string): string {
  // Most homes have not all of them, and an error costs more than asking.
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return "absent";
  try {
    return readdirSync(path)
      .sort()
      .map((name) => `${name} ${stampOfFile(join(path, name))}`)
      .join("\n");
  } catch {
    return "absent";
  }
}

function stampOfFile(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? "absent" : `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`;
}
