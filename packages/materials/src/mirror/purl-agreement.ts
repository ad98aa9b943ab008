import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { MaterialRecord } from "../material.ts";

/** Types of package URLs that an ecosystem's files have (purl-spec, "purl-types"). */
const types: Readonly<Record<Ecosystem, readonly string[]>> = {
  npm: ["npm"],
  pypi: ["pypi"],
  golang: ["golang"],
  cargo: ["cargo"],
  maven: ["maven"],
  deb: ["deb"],
  git: ["git", "github", "gitlab", "bitbucket", "generic"],
  generic: ["generic"],
};

/**
 * Why a package URL is not that of the facts beside it; undefined when it is. Names are compared by their last part and
 * without regard to case and separators, since ecosystems spell them differently in the two places.
 */
export function purlDisagreement(facts: MaterialRecord["facts"]): string | undefined {
  const { purl, ecosystem } = facts;
  if (purl === undefined) return undefined;
  const match = /^pkg:([a-z0-9.+-]+)\/([^@?#]+)(?:@([^?#]+))?(?:\?[^#]*)?(?:#.*)?$/.exec(purl);
  const [type, path, version] = [match?.[1], decoded(match?.[2]), decoded(match?.[3])];
  if (match === null || type === undefined || path === undefined) return "it is no package URL";
  if (!types[ecosystem].includes(type)) return `its type is ${type}, and the ecosystem ${ecosystem}`;
  if (facts.version !== undefined && version !== undefined && version !== facts.version) {
    return `its version is ${version}, and the record's ${facts.version}`;
  }
  // A repository is named by its address, in as many ways as there are hosts.
  if (ecosystem !== "git" && facts.name !== undefined && lastPart(path) !== lastPart(facts.name)) {
    return `its name is ${path}, and the record's ${facts.name}`;
  }
  return undefined;
}

/**
 * True when a record is of what a pattern names: a package URL in which `*` stands for anything; without a version it
 * means every version, and the indexes too.
 */
export function matchesPurl(facts: MaterialRecord["facts"], pattern: string): boolean {
  const own = facts.purl ?? (facts.name === undefined ? undefined : `pkg:${types[facts.ecosystem][0]}/${facts.name}`);
  if (own === undefined) return false;
  const source = pattern
    .split("*")
    .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
    .join(".*");
  const spelled = [own, own.replace(/%40/g, "@")];
  return spelled.some((text) => new RegExp(`^${source}(?:@.*)?$`).test(text));
}

function lastPart(name: string): string {
  return (name.split(/[/:]/).filter(Boolean).at(-1) ?? "").toLowerCase().replace(/[-_.]+/g, "-");
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
