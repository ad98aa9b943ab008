import type { LibraryRule } from "../library-rule.ts";

const whole = ["chain.whole"];
const release = ["publish", "deploy"] as const;
const analysed = ["sbom.complete"];

/** Rules of `publish` and `deploy` on what an artifact consists of. */
export const analysisRules: readonly LibraryRule[] = [
  {
    id: "sbom.complete",
    title: "A signed SBOM lists what the artifact consists of",
    expression: "chain.analyses.exists(analysis, analysis.digest == subject.digest)",
    message: "no signed SBOM is about these bytes",
    solution: "Have the pipeline analyse its artifacts (`analyse: true`).",
    severity: "high",
    points: release,
    dependsOn: whole,
    collections: ["sbom", "vulnerabilities", "licences", "moderate", "high"],
    practices: ["generate-immutable-sbom", "track-dependencies"],
    documentation: "Made from the artifact's own bytes at build time, signed by the factory, logged.",
  },
  {
    id: "vulnerabilities.evaluated",
    title: "Its components were looked up in advisory data",
    expression:
      "chain.analyses.exists(analysis, analysis.digest == subject.digest && analysis.vulnerabilities.evaluated)",
    message: "nobody looked for known vulnerabilities",
    solution: "`touchmark advisories update`, then run again.",
    severity: "high",
    points: release,
    dependsOn: analysed,
    collections: ["vulnerabilities", "moderate", "high"],
    practices: ["scan-for-vulnerabilities"],
    documentation: "Absence of findings is only worth something when there was data.",
  },
  {
    id: "vulnerabilities.none-refused",
    title: "No class of vulnerabilities that is refused is among its components",
    expression:
      "chain.analyses.all(analysis, analysis.digest != subject.digest || (has(params.refusedClasses) ? params.refusedClasses : ['critical']).all(class, analysis.vulnerabilities.counts[class] == 0))",
    message: "vulnerabilities of a refused class are known of its components",
    solution: "`touchmark scan` names the components, and the versions that mend them.",
    severity: "critical",
    points: release,
    dependsOn: ["vulnerabilities.evaluated"],
    collections: ["vulnerabilities"],
    practices: ["scan-for-vulnerabilities"],
    documentation:
      "Counted after VEX statements that count here. Classes: critical, high, medium, low, none, unscored.",
    parameters: [
      {
        name: "refusedClasses",
        type: "list",
        description: "Classes of severity that are refused.",
        otherwise: '["critical"]',
      },
    ],
  },
  {
    id: "vulnerabilities.gate-passed",
    title: "The build's own gate passed",
    expression:
      'chain.analyses.exists(analysis, analysis.digest == subject.digest && analysis.gate.verdict == "passed")',
    message: "no gate of the build judged the artifact",
    solution: "Give the scan rules (docs/sbom.md), so that the build's gate has something to judge by.",
    severity: "high",
    points: release,
    dependsOn: analysed,
    collections: ["vulnerabilities"],
    practices: ["scan-for-vulnerabilities"],
    documentation: "`not-evaluated` does not count.",
  },
  {
    id: "licences.none-denied",
    title: "No component has a denied licence",
    expression: "chain.analyses.all(analysis, analysis.digest != subject.digest || analysis.licences.denied == 0)",
    message: "a component has a licence that is denied",
    solution: "`touchmark scan --licences` names it; take another component or have the licence reviewed.",
    severity: "high",
    points: release,
    dependsOn: analysed,
    collections: ["licences", "moderate", "high"],
    practices: ["scan-for-licenses"],
    documentation: "Declared and detected licences, classed by the user's rules.",
  },
  {
    id: "licences.none-unknown",
    title: "The licence of each component is known",
    expression: "chain.analyses.all(analysis, analysis.digest != subject.digest || analysis.licences.unknown == 0)",
    message: "the licence of a component is unknown",
    solution: "Class the licence in the scan rules.",
    severity: "low",
    points: release,
    dependsOn: analysed,
    collections: ["licences"],
    practices: ["scan-for-licenses"],
    documentation: "Unknown is neither allowed nor denied: somebody has to look.",
  },
  {
    id: "sbom.ingested-analysed",
    title: "What came into fetch steps was analysed",
    expression:
      'chain.steps.all(step, step.network == "none") || chain.statements.exists(each, each.predicateType == "https://touchmark.dev/predicates/composition/v1")',
    message: "a step fetched, and nobody analysed what came in",
    solution: "Have the pipeline analyse (`analyse: true`).",
    severity: "medium",
    points: release,
    dependsOn: whole,
    collections: ["moderate", "high"],
    practices: ["run-sca-on-ingested-software"],
    documentation: "The composition statement of the run, made before the step that uses it.",
  },
  {
    id: "tests.reported",
    title: "Tests ran, and their report is signed",
    expression:
      'chain.statements.exists(each, each.predicateType == "https://touchmark.dev/predicates/step-report/v1")',
    message: "no step reported tests",
    solution: "Declare the report of the test step (`reports: [{ path: junit.xml, kind: junit }]`).",
    severity: "medium",
    points: release,
    dependsOn: whole,
    collections: ["moderate", "high"],
    practices: ["automate-security-scanning-and-testing"],
    documentation: "The step's own word about its tests; a failed step never releases anything.",
  },
];
