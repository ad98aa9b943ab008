import { isRepositoryName } from "@touchmark/formats/oci";
import type { RegistryAction } from "../authority.ts";
import type { Grant } from "../configuration/configuration.ts";
import { fitsRepository } from "../configuration/pattern.ts";
import { registryAuthorityErrors } from "./errors.ts";

/** One entry of a token's access list, in the form of the distribution token protocol. Names are exact, never patterns. */
export interface Access {
  readonly type: "repository" | "registry";
  readonly name: string;
  readonly actions: readonly string[];
}

/** Most scopes of one token. */
export const MAX_SCOPES = 100;

const actionNames = ["pull", "push", "delete"] as const;

/**
 * Reads scopes as clients ask for them: `repository:NAME:ACTIONS` or `registry:catalog:*`, one or several in each text.
 * Of other types and actions nothing is given. @throws REGISTRY_TOKEN_SCOPE_INVALID
 */
export function parseScopes(texts: readonly string[]): readonly Access[] {
  const words = texts.flatMap((text) => text.split(" ")).filter((word) => word !== "");
  if (words.length > MAX_SCOPES) throw invalid(`at most ${MAX_SCOPES} scopes, found ${words.length}`);
  return words.flatMap((word): Access[] => {
    // A name may hold a colon where it begins with a host; a class in parentheses only describes.
    const match = word.length > 512 ? null : /^([a-z0-9]+)(?:\([a-z0-9]{1,32}\))?:(.+):([a-z*,]*)$/.exec(word);
    if (match === null) throw invalid(`TYPE:NAME:ACTIONS, found ${quoted(word)}`);
    const [, type = "", name = "", actions = ""] = match;
    if (type === "registry") {
      return name === "catalog" && actions === "*" ? [{ type, name, actions: ["*"] }] : [];
    }
    if (type !== "repository") return [];
    if (!isRepositoryName(name)) throw invalid(`the name of one repository, found ${quoted(name)}`);
    const asked = actions.split(",");
    return [{ type, name, actions: actionNames.filter((each) => asked.includes(each) || asked.includes("*")) }];
  });
}

/** What is both asked for and granted; never more than either. */
export function intersect(asked: readonly Access[], grants: readonly Grant[]): readonly Access[] {
  return asked.flatMap((access): Access[] => {
    if (access.type === "registry") return isGranted(grants, "catalog", "") ? [access] : [];
    const actions = access.actions.filter((action) => isGranted(grants, action as RegistryAction, access.name));
    return actions.length === 0 ? [] : [{ ...access, actions }];
  });
}

/** Whether a grant allows it. The catalog belongs to those who are granted it for everything. */
export function isGranted(grants: readonly Grant[], action: RegistryAction, repository: string): boolean {
  return grants.some(
    (grant) =>
      grant.actions.includes(action) &&
      (action === "catalog" ? grant.repositories === "**" : fitsRepository(grant.repositories, repository)),
  );
}

/** Whether a token's access list holds it, by exact name. */
export function isInAccess(access: readonly Access[], action: RegistryAction, repository: string): boolean {
  return access.some((each) =>
    action === "catalog"
      ? each.type === "registry" && each.name === "catalog"
      : each.type === "repository" && each.name === repository && each.actions.includes(action),
  );
}

/** The scope that a client must ask for to do something. Undefined where none is needed. */
export function scopeFor(action: RegistryAction, repository: string): string | undefined {
  if (action === "catalog") return "registry:catalog:*";
  if (!isRepositoryName(repository)) return undefined;
  // Who pushes looks first at what is there.
  return `repository:${repository}:${action === "push" ? "pull,push" : action}`;
}

const quoted = (text: string): string => JSON.stringify(text.slice(0, 120));

function invalid(expected: string): Error {
  return registryAuthorityErrors.make("REGISTRY_TOKEN_SCOPE_INVALID", `expected ${expected}`);
}
