import type { NotYet } from "./collection.ts";

const sourceHost = "rules and roles of the source host, by a connector to it";
const updates = "the signed metadata of an update framework";
const rebuild = "a second build of the same commit, by another builder";

/**
 * Labelled practices of the software supply chain paper at their level: `moderate` are those that either axis of it
 * asks for at moderate; `high` are all.
 */
export const practiceLevels: readonly (readonly [id: string, level: "moderate" | "high", needs?: string])[] = [
  ["require-signed-commits", "moderate"],
  ["enforce-full-attestation-on-protected-branches", "high", "the log of reference updates of the repository"],
  ["prevent-committing-secrets", "moderate", "a scan of every revision for secrets; `secrets` has the rule for it"],
  ["define-code-owners-and-conventions", "high", sourceHost],
  ["automate-security-scanning-and-testing", "moderate"],
  ["establish-contribution-policies", "moderate", sourceHost],
  ["define-source-roles", "moderate", sourceHost],
  [
    "enforce-four-eyes-principle",
    "moderate",
    "reviews as the source host has them; `two-party-review` has the rule for a review that is attested",
  ],
  ["use-branch-protection-rules", "moderate", sourceHost],
  ["enforce-mfa-for-source-access", "moderate", sourceHost],
  ["use-ssh-keys-for-developer-access", "moderate", sourceHost],
  ["have-key-rotation-policy", "moderate", "a ledger of keys with their ages"],
  ["use-short-lived-machine-credentials", "moderate"],
  ["verify-third-party-artefacts", "moderate"],
  ["require-supplier-sbom", "high", "SBOMs that suppliers sign, bound to what they deliver"],
  ["track-dependencies", "moderate"],
  ["build-libraries-from-source", "high", "provenance of this factory for each dependency"],
  ["define-trusted-package-repositories", "high"],
  ["generate-immutable-sbom", "moderate"],
  ["scan-for-vulnerabilities", "moderate"],
  ["scan-for-licenses", "moderate"],
  ["run-sca-on-ingested-software", "moderate"],
  ["cryptographically-guarantee-policy-adherence", "high"],
  ["validate-environments-and-dependencies", "moderate"],
  ["validate-runtime-security-of-workers", "moderate"],
  ["validate-reproducible-builds", "high", `${rebuild}; \`reproducible\` has the rule for it`],
  ["lock-and-verify-external-requirements", "moderate"],
  ["eliminate-non-determinism", "moderate", `${rebuild}, under other conditions`],
  ["record-build-environment", "high"],
  ["automate-build-environment-creation", "high"],
  ["distribute-builds-across-infrastructure", "high", rebuild],
  ["automate-pipeline-as-code", "moderate"],
  ["standardize-pipelines", "moderate"],
  ["provision-secured-orchestration-platform", "moderate", "a hardening benchmark and the platform's own provenance"],
  ["single-use-build-workers", "moderate"],
  ["minimize-network-connectivity", "high"],
  ["segregate-worker-duties", "high"],
  ["pass-in-worker-environment-and-commands", "high"],
  ["write-output-to-separate-storage", "high"],
  ["modify-pipelines-only-as-code", "moderate"],
  ["define-factory-user-roles", "moderate"],
  ["establish-offline-root-of-trust", "high", "a ceremony for an offline root, attested by witnesses"],
  ["use-short-lived-workload-certificates", "high"],
  ["monitor-factory-for-malicious-behaviour", "moderate"],
  ["sign-every-step", "moderate"],
  ["validate-step-signatures", "moderate"],
  ["manage-signing-with-tuf-or-notary", "moderate", updates],
  ["store-in-toto-metadata", "moderate"],
  ["limit-certification-authority", "high"],
  ["rotate-and-revoke-signing-keys", "high", "a ledger of keys, and revocation that clients see"],
  ["use-oci-registry", "high"],
  ["encrypt-artefacts-before-distribution", "high", "encrypted layers, and keys released to attested workloads"],
  ["enable-client-verification", "moderate"],
  ["enable-freshness-verification", "moderate"],
  ["use-the-update-framework", "high", updates],
];

/** Practices of a level, in the paper's order. */
export function practicesOf(level: "moderate" | "high"): readonly string[] {
  return practiceLevels.filter(([, own]) => level === "high" || own === "moderate").map(([id]) => id);
}

/** Practices of a level that no rule of its collection can judge yet. */
export function practicesNotYet(level: "moderate" | "high"): readonly NotYet[] {
  const wanted = practicesOf(level);
  return practiceLevels.flatMap(([practice, , needs]) =>
    needs === undefined || !wanted.includes(practice) ? [] : [{ practice, needs }],
  );
}
