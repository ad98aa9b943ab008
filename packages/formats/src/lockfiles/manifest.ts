import { readJson } from "./json-reader.ts";
import type { LockfileOptions } from "./options.ts";
import { type Members, members, optionalText, textMembers } from "./shape.ts";
import { companionText } from "./text.ts";

/** What the package.json beside a lockfile asks for. */
export interface Manifest {
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly hasWorkspaces: boolean;
}

/** Reads package.json, when there is one. @throws LOCKFILE_MALFORMED */
export function readManifest(options: LockfileOptions): Manifest | undefined {
  const text = companionText(options, "package.json");
  if (text === undefined) return undefined;
  const manifest: Members = members(readJson(text), "package.json");
  return {
    name: optionalText(manifest["name"], "package.json"),
    version: optionalText(manifest["version"], "package.json"),
    dependencies: textMembers(manifest["dependencies"], "package.json"),
    optionalDependencies: textMembers(manifest["optionalDependencies"], "package.json"),
    devDependencies: textMembers(manifest["devDependencies"], "package.json"),
    hasWorkspaces: manifest["workspaces"] !== undefined,
  };
}
