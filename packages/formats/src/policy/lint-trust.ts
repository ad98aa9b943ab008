import type { YamlPath } from "../pipeline/yaml-reader.ts";
import type { LintNotes } from "./lint-notes.ts";
import type { Functionary } from "./policy.ts";

/** Notes identities that admit too many, or nobody. */
export function lintTrust(
  functionaries: { readonly [name: string]: Functionary },
  at: YamlPath,
  notes: LintNotes,
): void {
  for (const [name, { identities = [] }] of Object.entries(functionaries)) {
    for (const [i, { identity, issuer, pattern }] of identities.entries()) {
      const place = [...at, name, "identities", i, "identity"];
      const width = pattern === true ? widthOf(identity) : undefined;
      if (width !== undefined) notes.add("wide-identity", place, `${identity} admits ${width}`);
      if (pattern !== true && identity.includes("*")) {
        notes.add("star-without-pattern", place, `${identity} is compared as a whole`);
      }
      if (issuer === undefined && !identity.startsWith("spiffe://")) {
        notes.add("identity-without-issuer", place, `${identity} is no SPIFFE id and has no issuer`);
      }
    }
  }
}

/** Whom a pattern admits, when that is more than the instances of one thing. */
function widthOf(identity: string): string | undefined {
  const spiffe = /^spiffe:\/\/([^/]*)\/?(.*)$/.exec(identity);
  if (spiffe === null) return /^[*@.]*$/.test(identity) ? "anybody" : undefined;
  const [, domain = "", path = ""] = spiffe;
  if (domain.includes("*")) return "other trust domains";
  const parts = path.split("/");
  if (parts[0]?.includes("*") === true) return `anybody of ${domain}`;
  return parts.filter((part) => part === "*").length > 1 ? "more than the instances of one thing" : undefined;
}
