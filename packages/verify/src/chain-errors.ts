import { defineErrors } from "@touchmark/core";

/** Error codes of chains: the statements of one run that, each for itself, were verified already. */
export const chainErrors = defineErrors({
  CHAIN_EXPECTATION_INVALID: {
    nature: "invalid",
    meaning: "The builder is no SPIFFE id, or artifact or source is missing from the expectations.",
  },
  CHAIN_UNVERIFIED: { nature: "refused", meaning: "A statement was not verified here, or with another trusted root." },
  CHAIN_BUNDLE_DUPLICATE: { nature: "refused", meaning: "One bundle was given twice." },
  CHAIN_RELEASE_MISSING: { nature: "refused", meaning: "No release manifest lists the artifact." },
  CHAIN_RELEASE_AMBIGUOUS: { nature: "refused", meaning: "Several release manifests list the artifact." },
  CHAIN_BUNDLE_MISSING: { nature: "refused", meaning: "A bundle that the release manifest lists is missing." },
  CHAIN_BUNDLE_MISDESCRIBED: {
    nature: "refused",
    meaning: "A bundle has another predicate type or log index than the release manifest says.",
  },
  CHAIN_STATEMENT_MISSING: { nature: "refused", meaning: "A statement that every run has is missing." },
  CHAIN_STATEMENT_DUPLICATE: { nature: "refused", meaning: "A run has two statements where there can be one." },
  CHAIN_PREDICATE_MALFORMED: { nature: "refused", meaning: "A predicate is not of the shape that its type defines." },
  CHAIN_PREDECESSOR_MISSING: {
    nature: "refused",
    meaning: "A statement rests on a bundle that is not part of the run.",
  },
  CHAIN_PREDECESSOR_UNNAMED: {
    nature: "refused",
    meaning: "A statement does not list a statement that it must rest on.",
  },
  CHAIN_ORDER: { nature: "refused", meaning: "A statement was logged before one that it rests on." },
  CHAIN_RUN_MIXED: { nature: "refused", meaning: "A statement is of another run, and no cache hit accounts for it." },
  CHAIN_SIGNER_UNEXPECTED: {
    nature: "refused",
    meaning: "A statement is signed by another identity than its kind demands.",
  },
  CHAIN_BUILDER_MISMATCH: { nature: "refused", meaning: "A statement names another builder than the expected one." },
  CHAIN_SOURCE_MISMATCH: { nature: "refused", meaning: "The source, its commit or its tree is not the expected one." },
  CHAIN_PIPELINE_MISMATCH: {
    nature: "refused",
    meaning: "Project, pipeline or pipeline file is not the expected one, or differs between statements.",
  },
  CHAIN_REQUEST_MISMATCH: {
    nature: "refused",
    meaning: "Parameters in the provenance are not those of the request that set the run off.",
  },
  CHAIN_STEP_FAILED: { nature: "refused", meaning: "A link records that the command of its step failed." },
  CHAIN_STEP_MISMATCH: { nature: "refused", meaning: "A statement speaks of another step than the manifest says." },
  CHAIN_STEP_UNLISTED: { nature: "refused", meaning: "A link is of a step that the release manifest does not list." },
  CHAIN_PRODUCT_MISMATCH: { nature: "refused", meaning: "A step's product is not the output that the manifest lists." },
  CHAIN_MATERIAL_MISMATCH: {
    nature: "refused",
    meaning: "A step used another input than the source or the output of the step that it names.",
  },
  CHAIN_MOUNT_MISMATCH: { nature: "refused", meaning: "A step's mounts are not the inputs that its link lists." },
  CHAIN_CACHE_MISMATCH: { nature: "refused", meaning: "A cache hit does not fit the link that it rests on." },
  CHAIN_ARTIFACT_NOT_PRODUCED: {
    nature: "refused",
    meaning: "The artifact is not a product of the step it comes from.",
  },
  CHAIN_PROVENANCE_MISMATCH: {
    nature: "refused",
    meaning: "The provenance names other materials, another artifact or another build type.",
  },
  CHAIN_IMAGE_MISMATCH: {
    nature: "refused",
    meaning: "An image is not described, or its layers are of other outputs than those of the steps in the manifest.",
  },
  CHAIN_IMAGE_UNKNOWN: {
    nature: "refused",
    meaning: "A step ran in an image, or an image stands on one, that the run's record of images does not admit.",
  },
  CHAIN_ANALYSIS_MISMATCH: {
    nature: "refused",
    meaning:
      "An SBOM, a list of vulnerabilities or what the factory says of them is about another artifact, or is missing.",
  },
  CHAIN_DECISION_MISMATCH: {
    nature: "refused",
    meaning:
      "A gate's decision is about nothing in the release, stands twice, or one of a step or the request is missing.",
  },
  CHAIN_DECISION_REFUSED: { nature: "refused", meaning: "A gate refused what was released all the same." },
  CHAIN_DECISION_EXPIRED: {
    nature: "refused",
    meaning: "A gate's decision was no longer good when the release was signed.",
  },
  CHAIN_NOT_HERMETIC: {
    nature: "refused",
    meaning: "The chain is whole, and a hermetic build was demanded, which it does not show.",
    hint: "the message names each step and what is not accounted for",
  },
  CHAIN_CREDENTIAL_UNLISTED: {
    nature: "refused",
    meaning: "A statement was signed with a certificate that the run does not account for.",
  },
});

/** A code of chain verification. */
export type ChainErrorCode = keyof typeof chainErrors.rows;
