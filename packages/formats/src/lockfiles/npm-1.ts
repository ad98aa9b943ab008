import { checkCount } from "./assemble.ts";
import type { Manifest } from "./manifest.ts";
import { type Members, members, optionalMembers } from "./shape.ts";

const groups = ["dependencies", "optionalDependencies", "devDependencies"] as const;
const deepest = 32;

/**
 * The member `packages` as version 2 would have it, from the nested `dependencies` that version 1 has. What the project
 * asks for stands in its package.json alone; without it, that is what no locked package asks for.
 */
export function packagesOfVersion1(document: Members, manifest: Manifest | undefined): Members {
  const packages: Record<string, Members> = Object.create(null);
  const asked = new Set<string>();
  let count = 0;
  const add = (dependencies: unknown, within: string, depth: number): string[] => {
    const bundled: string[] = [];
    for (const [name, value] of Object.entries(optionalMembers(dependencies, within))) {
      checkCount(++count);
      const place = `${within}node_modules/${name}`;
      const entry = members(value, place);
      const requires = isMapping(entry["requires"]) ? entry["requires"] : {};
      for (const one of Object.keys(requires)) asked.add(one);
      packages[place] = { ...asVersion2(entry), dependencies: requires };
      if (entry["bundled"] === true) bundled.push(name);
      const inner = depth < deepest ? add(entry["dependencies"], `${place}/`, depth + 1) : [];
      if (inner.length > 0) packages[place] = { ...packages[place], bundleDependencies: inner };
    }
    return bundled;
  };
  add(document["dependencies"], "", 0);
  const top = Object.keys(optionalMembers(document["dependencies"], "dependencies"));
  const unasked = Object.fromEntries(top.filter((name) => !asked.has(name)).map((name) => [name, "*"]));
  const root =
    manifest === undefined
      ? { dependencies: unasked }
      : Object.fromEntries(groups.map((group) => [group, manifest[group]]));
  return { "": root, ...packages };
}

/** In version 1 an address, a commit or an alias stands in the place of the version. */
function asVersion2(entry: Members): Members {
  const { version, requires: _, dependencies: __, bundled: ___, ...rest } = entry;
  if (typeof version !== "string") return { ...rest, version };
  const alias = /^npm:(.+)@([^@]+)$/.exec(version);
  if (alias !== null) return { ...rest, name: alias[1], version: alias[2] };
  if (/^(?:git|github:|gitlab:|bitbucket:|gist:|https?:|file:|ssh:)/.test(version))
    return { ...rest, resolved: version };
  return { ...rest, version };
}

function isMapping(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
