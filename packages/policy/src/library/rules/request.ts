import type { LibraryRule } from "../library-rule.ts";

/** Rules of the point `request`: who may start what. */
export const requestRules: readonly LibraryRule[] = [
  {
    id: "request.caller-authenticated",
    title: "Who asks is known",
    expression: 'request.caller.authentication in ["kernel", "token", "certificate"]',
    message: "nobody knows who asked for this run",
    solution: "Start the run as a user of this host, or with a token or certificate that the factory issued.",
    severity: "critical",
    points: ["request"],
    collections: ["touchmark-default", "moderate", "high"],
    practices: ["define-factory-user-roles", "RA-POL-02"],
    documentation: "A run whose caller nobody authenticated could be anybody's. The word of the caller does not count.",
  },
  {
    id: "request.options-named",
    title: "Options that weaken security say so by their name",
    expression: 'request.insecureOptions.all(option, option.startsWith("insecure"))',
    message: "an option that weakens security hides what it is",
    solution: "Use the options that begin with --insecure-, which evidence records.",
    severity: "high",
    points: ["request"],
    collections: ["touchmark-default", "moderate", "high"],
    practices: ["RA-POL-02"],
    documentation:
      "Every weakening is visible in the command that asked for it and in the signed trigger statement; whether it is allowed is the word of `request.no-insecure-options`.",
  },
  {
    id: "request.outside-change-sealed",
    title: "A change from outside weakens nothing",
    expression: "request.trusted || request.insecureOptions.size() == 0",
    message: "a change from outside asks for an option that weakens security",
    solution: "Start it without the option, or have somebody of the project take the change over.",
    severity: "critical",
    points: ["request"],
    collections: ["touchmark-default", "moderate", "high"],
    practices: ["isolate-orchestrator-from-workers", "RA-POL-02"],
    documentation:
      "What is built for a stranger runs sealed and without credentials, so that a fork's build reads no secret.",
  },
  {
    id: "request.source-fixed",
    title: "The source is one commit",
    expression: 'request.source.commit.matches("^([0-9a-f]{40}|[0-9a-f]{64})$")',
    message: "the source has no commit id",
    solution: "Start the run on a commit, a tag or a branch of a git repository.",
    severity: "critical",
    points: ["request"],
    collections: ["touchmark-default", "slsa-source-l1", "moderate", "high"],
    practices: ["automate-pipeline-as-code", "modify-pipelines-only-as-code", "source:revision-ids"],
    documentation: "A branch is looked up once, and all that follows is about the commit that it named then.",
  },
  {
    id: "request.pipeline-as-code",
    title: "The pipeline is a file of that commit",
    expression:
      'request.pipeline.file != "" && request.pipeline.digest.matches("^sha256:[0-9a-f]{64}$") && request.steps.size() > 0',
    message: "the pipeline is no file of the source, or has no step",
    solution: "Commit a touchmark.yaml with at least one step (`touchmark init` proposes one).",
    severity: "critical",
    points: ["request"],
    collections: ["touchmark-default", "slsa-build-l1", "moderate", "high"],
    practices: [
      "automate-pipeline-as-code",
      "modify-pipelines-only-as-code",
      "build:follow-a-consistent-build-process",
      "RA-POL-01",
    ],
    documentation: "What runs is what was reviewed: the definition comes from the revision that is built, by digest.",
  },
];
