import type { LibraryRule } from "../library-rule.ts";

/** Rules of the points `publish` and `deploy` that any artifact of this factory passes. */
export const releaseRules: readonly LibraryRule[] = [
  {
    id: "chain.whole",
    title: "An unbroken chain leads from a source to the artifact",
    expression: "chain != null && chain.artifact.digest == subject.digest",
    message: "there is no verified chain from a source to this artifact",
    solution: "Deliver what a run of a factory made, with its evidence (`touchmark publish`, `touchmark export`).",
    severity: "critical",
    points: ["publish", "deploy"],
    collections: ["touchmark-default", "slsa-build-l1", "slsa-build-l2", "slsa-build-l3", "moderate", "high"],
    practices: [
      "sign-every-step",
      "store-in-toto-metadata",
      "enable-client-verification",
      "build:provenance-exists",
      "build:provenance-authentic",
      "RA-POL-02",
    ],
    documentation:
      "The chain was verified before any rule is asked: every bundle of the release manifest is there, signed by who must sign it, logged and time-stamped, and each step's products are the next one's materials.",
  },
  {
    id: "chain.has-steps",
    title: "At least one step made it",
    expression: "chain != null && chain.steps.size() > 0",
    message: "the chain has no step",
    solution: "Build the artifact in a pipeline.",
    severity: "critical",
    points: ["publish", "deploy"],
    collections: ["touchmark-default", "slsa-build-l1", "moderate", "high", "slsa-build-l2", "slsa-build-l3"],
    practices: ["automate-pipeline-as-code", "build:follow-a-consistent-build-process"],
    documentation: "An empty chain proves nothing, however well it is signed.",
  },
  {
    id: "chain.gate-not-refused",
    title: "No gate of the build refused it",
    expression: 'chain != null && chain.analyses.all(analysis, analysis.gate.verdict != "refused")',
    message: "a gate of the build refused the artifact",
    solution: "`touchmark show` names the rule; mend what it found, or write a VEX statement or an exception.",
    severity: "critical",
    points: ["publish", "deploy"],
    collections: ["touchmark-default", "vulnerabilities", "moderate", "high"],
    practices: ["scan-for-vulnerabilities"],
    documentation: "True also where nobody asked for a gate; `vulnerabilities.evaluated` demands one.",
  },
  {
    id: "chain.gates-passed",
    title: "The gates of its run let it start, and let it out",
    expression:
      'chain != null && chain.decisions.exists(each, each.point == "request") && chain.decisions.exists(each, each.point == "publish" && each.digest == subject.digest)',
    message: "the chain has no decision of the gates about its run, or none about this artifact's publication",
    solution: "Build it with policies in force; every gate of the run signs what it decided.",
    severity: "high",
    points: ["deploy"],
    collections: ["high"],
    practices: ["cryptographically-guarantee-policy-adherence", "RA-OBS-03"],
    documentation:
      "Verifying the chain has shown already that each of them passed, was good when the release was signed, and is about this run.",
  },
];
