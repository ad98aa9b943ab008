import type { Upstream } from "../../material.ts";
import type { Candidate } from "../decision.ts";
import { coversName } from "../package-pattern.ts";
import { carriesPackage, nameOf, notApplicable, passed, type Rule, refused } from "../rule.ts";
import { lockEntries } from "./locked.ts";

/** The order of trust among repositories, and names that belong to one alone: the answer to dependency confusion. */
export const trustedRepositories: Rule = {
  id: "trusted-repositories",
  what: "A package comes from a configured repository; a name that is exclusive to one comes from no other; and a later repository is used only when the digest is locked or the earlier ones do not have the package.",
  setting: "`upstreams`: by ecosystem, in order, with `exclusive` names. No default.",
  example: "expected @acme/billing@9.9.9 (npm) from internal, to which the name is exclusive, found it at public",
  exceptable: "never",
  evaluate(rules, candidate) {
    const { facts } = candidate;
    if (facts.ecosystem === "generic") return notApplicable("a download is named by its address and digest");
    const upstreams = rules.upstreams[facts.ecosystem] ?? [];
    const own = upstreams.find((each) => each.name === facts.upstream.name && each.url === facts.upstream.url);
    if (!own) {
      return refused(
        "GATE_UPSTREAM_UNTRUSTED",
        `expected one of ${upstreams.map((each) => each.name).join(", ") || "no repository"}, found ${facts.upstream.name}`,
      );
    }
    const { name } = facts;
    if (name === undefined) return passed(`from ${own.name}`);
    const owners = upstreams.filter((each) =>
      each.exclusive.some((pattern) => coversName(pattern, name, facts.ecosystem)),
    );
    if (owners.length > 0) {
      if (owners.some((each) => each.name === own.name)) return passed(`${name} is exclusive to ${own.name}`);
      return refused(
        "GATE_SCOPE_EXCLUSIVE",
        `expected ${nameOf(candidate)} from ${owners.map((each) => each.name).join(" or ")}, to which the name is exclusive, found it at ${own.name}`,
      );
    }
    return order(candidate, upstreams, own);
  },
};

function order(candidate: Candidate, upstreams: readonly Upstream[], own: Upstream) {
  const earlier = upstreams.filter((each) => each.order < own.order && each.exclusive.length === 0);
  if (!carriesPackage(candidate) || earlier.length === 0) return passed(`from ${own.name}`);
  if (lockEntries(candidate).some((each) => strong(each.digests) || each.files?.some((file) => strong(file.digests))))
    return passed(`from ${own.name}; a locked digest decides, whoever serves it`);
  if (candidate.evidence.some((each) => each.outcome === "verified" && each.kind === "debian-chain"))
    return passed(`from ${own.name}; a signed index names it`);
  const unasked = earlier.filter((each) => !(candidate.absentFrom ?? []).includes(each.name));
  if (unasked.length === 0) return passed(`from ${own.name}; the earlier repositories do not have it`);
  if (candidate.facts.ecosystem === "deb" && candidate.phase === "contact")
    return passed(`from ${own.name}; its signed index is asked for on arrival`);
  return refused(
    "GATE_UPSTREAM_UNTRUSTED",
    `expected ${nameOf(candidate)} from ${unasked[0]?.name}, which comes first and was not found to lack it, found it at ${own.name}`,
  );
}

/** True when a digest is there that nobody can make other bytes for. */
export function strong(digests: readonly { readonly algorithm: string }[]): boolean {
  return digests.some((each) => each.algorithm !== "md5" && each.algorithm !== "sha1");
}
