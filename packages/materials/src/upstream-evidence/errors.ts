import { defineErrors } from "@touchmark/core";

/** Error codes of evidence that others give about packages. */
export const upstreamErrors = defineErrors({
  UPSTREAM_TRUST_INVALID: {
    nature: "invalid",
    meaning: "A file below `trust` in materials.yaml cannot be read, or is not of a kind that its purpose takes.",
  },
  UPSTREAM_UNREACHABLE: {
    nature: "unavailable",
    meaning: "Evidence was asked for and not answered: connection, limit, or a status that says nothing about it.",
  },
  UPSTREAM_ANSWER_MALFORMED: {
    nature: "refused",
    meaning: "An answer is not what its protocol says: keys document, attestations, provenance, lookup, Release.",
  },
  UPSTREAM_KEY_UNKNOWN: {
    nature: "refused",
    meaning: "No registry signature is by a trusted key.",
    hint: "Compare the registry's keys document with the one that trust.npm-signature names.",
  },
  UPSTREAM_KEY_EXPIRED: {
    nature: "refused",
    meaning: "A registry signature is by a key that had expired when the version was published.",
  },
  UPSTREAM_SIGNATURE_INVALID: {
    nature: "refused",
    meaning: "A registry signature does not verify over this name, version and digest.",
  },
  UPSTREAM_SUBJECT_MISMATCH: {
    nature: "refused",
    meaning: "An attestation is about another package, version, file or digest.",
  },
  UPSTREAM_PREDICATE_UNEXPECTED: {
    nature: "refused",
    meaning: "An attestation's predicate is of another kind than the place demands, or lacks what it must say.",
  },
  UPSTREAM_SIGNER_UNEXPECTED: {
    nature: "refused",
    meaning: "Evidence holds, but is by a signer whom the configuration does not name for this package.",
    hint: "Signers are named in a trust file (`touchmark: evidence-trust/v1`) by package pattern.",
  },
  UPSTREAM_REPOSITORY_MISMATCH: {
    nature: "refused",
    meaning: "Provenance names another source repository than expected, or than its signer's certificate.",
  },
  UPSTREAM_RECORD_MISMATCH: {
    nature: "refused",
    meaning: "The checksum database has another digest for this module version, or answers about another one.",
  },
  UPSTREAM_LOG_FORKED: {
    nature: "refused",
    meaning: "The checksum database shows a history that contradicts the one that was seen before.",
    hint: "Keep both signed tree heads: together they prove the fork. Do not delete the state to get past this.",
  },
  UPSTREAM_STATE_DAMAGED: {
    nature: "refused",
    meaning: "What was seen of an upstream before cannot be read, so that no step back could be noticed.",
  },
  UPSTREAM_RELEASE_EXPIRED: { nature: "refused", meaning: "A Release file's Valid-Until is over." },
  UPSTREAM_RELEASE_ROLLED_BACK: {
    nature: "refused",
    meaning: "A Release file is older than one that was seen of the same suite.",
  },
  UPSTREAM_RELEASE_SUITE: {
    nature: "refused",
    meaning: "A Release file is of another suite than the address says, or its date lies in the future.",
  },
  UPSTREAM_DIGEST_MISMATCH: {
    nature: "refused",
    meaning: "The signed index or log announces another digest for this file.",
  },
  UPSTREAM_RECURSION_LIMIT: {
    nature: "refused",
    meaning: "The provenance of a dependency nests deeper, or names more materials, than is followed.",
  },
});
