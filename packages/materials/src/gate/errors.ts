import { defineErrors } from "@touchmark/core";

const exception =
  "An exception stands in the user's materials.yaml below gate.exceptions: rule, packages, reason, approver, expires.";

/** Error codes of the dependency gate: one for each refusal. */
export const gateErrors = defineErrors({
  GATE_RULES_EMPTY: {
    nature: "refused",
    meaning: "The rules of the dependency gate are missing, or name no upstream for the ecosystem.",
    hint: "Name the trusted repositories of the ecosystem in materials.yaml below upstreams.",
  },
  GATE_ECOSYSTEM_UNKNOWN: { nature: "refused", meaning: "A package belongs to an ecosystem that no rule knows." },
  GATE_FACTS_MISSING: {
    nature: "refused",
    meaning: "A rule of the dependency gate needs a fact about a package that nobody supplied.",
    hint: exception,
  },
  GATE_UPSTREAM_UNTRUSTED: {
    nature: "refused",
    meaning: "A package comes from a repository that is not configured, or not the first one that has it.",
  },
  GATE_SCOPE_EXCLUSIVE: {
    nature: "refused",
    meaning: "A package whose name belongs to one repository alone is asked of another (dependency confusion).",
  },
  GATE_NOT_LOCKED: {
    nature: "refused",
    meaning: "A package is fetched that no lockfile and no pipeline names.",
    hint: "Update the lockfile and commit it. Ecosystems without lockfiles: gate.unlocked in materials.yaml.",
  },
  GATE_DIGEST_DIFFERS: {
    nature: "refused",
    meaning: "The bytes of a package do not have a digest that its lockfile, index or pipeline says.",
  },
  GATE_DIGEST_UNKNOWN: {
    nature: "refused",
    meaning: "Nobody announced a strong digest (SHA-256 or more, or Go's h1) of a package.",
  },
  GATE_BYTES_CHANGED: {
    nature: "refused",
    meaning: "A package of one name and version has other bytes than were ever seen.",
    hint: "Both files are kept. Compare them before anything else; a registry does not do this by itself.",
  },
  GATE_DENIED: { nature: "refused", meaning: "A package is on the list of denied packages.", hint: exception },
  GATE_LOOKALIKE: {
    nature: "refused",
    meaning: "The name of a package looks like that of a known one.",
    hint: "When the name is right, add it to gate.known-names or gate.lookalike-except in materials.yaml.",
  },
  GATE_TOO_YOUNG: { nature: "refused", meaning: "A version was published too recently.", hint: exception },
  GATE_AFTER_DATE: {
    nature: "refused",
    meaning: "A version was published after the date of gate.as-of.",
    hint: exception,
  },
  GATE_INSTALL_SCRIPT: {
    nature: "refused",
    meaning: "A package has install-time programs and is not allowed to.",
    hint: "Name it in gate.install-scripts-allowed in materials.yaml.",
  },
  GATE_EVIDENCE_MISSING: {
    nature: "refused",
    meaning: "A package lacks verified evidence that the rules require, or its evidence was refused.",
  },
  GATE_EVIDENCE_VANISHED: {
    nature: "refused",
    meaning: "A version lacks a kind of evidence that an earlier version had.",
    hint: exception,
  },
  GATE_LICENCE: {
    nature: "refused",
    meaning: "A package declares a licence that the rules do not admit.",
    hint: exception,
  },
  GATE_VULNERABLE: {
    nature: "refused",
    meaning:
      "A package has a known vulnerability at or above the severity that the rules name, or one without a score.",
    hint: exception,
  },
  GATE_NOT_EVALUATED: {
    nature: "refused",
    meaning: "A rule over known vulnerabilities is configured, and there is no advisory data to judge a package by.",
    hint: "Remove the rule, or wait for the release that evaluates it: nothing passes unevaluated.",
  },
  GATE_NEW_PUBLISHER: { nature: "refused", meaning: "A version was published by somebody new.", hint: exception },
  GATE_TOO_LARGE: { nature: "refused", meaning: "A file or an archive is beyond the limits of size or count." },
  GATE_ARCHIVE_UNSAFE: {
    nature: "refused",
    meaning: "An archive holds what no honest archive holds, or could not be read whole.",
    hint: exception,
  },
  GATE_WITHDRAWN: {
    nature: "refused",
    meaning: "Its registry calls a version withdrawn or deprecated.",
    hint: exception,
  },
  GATE_REVIEW_MISSING: {
    nature: "refused",
    meaning: "No valid signed review accepts a package that needs one.",
    hint: "touchmark materials review writes one.",
  },
  GATE_REVIEW_DENIES: { nature: "refused", meaning: "A signed review denies a package, or limits it to other steps." },
  GATE_CHATTER: {
    nature: "refused",
    meaning: "A request on which nothing rests (audit, ping, update check) is refused.",
  },
  GATE_LOOSENED: {
    nature: "refused",
    meaning: "A project's rules would loosen those of the user.",
    hint: "A project can only tighten. What it may do less strictly stands in the user's own materials.yaml.",
  },
});

/** Codes of `gateErrors`. */
export type GateCode = keyof typeof gateErrors.rows;
