import type { LibraryRule } from "../library-rule.ts";

/** Rules of the point `dependency`: what may come in. */
export const dependencyRules: readonly LibraryRule[] = [
  {
    id: "dependency.gate-admits",
    title: "No rule of the dependency gate refuses it",
    expression: 'request.rules.all(result, result.outcome != "refused")',
    messageExpression:
      '"refused: " + request.rules.filter(result, result.outcome == "refused").map(result, result.rule + ": " + result.message).join("; ")',
    message: "a rule of the dependency gate refuses it",
    solution: "`touchmark materials why` shows the way in; a reviewed decision or an exception can let it in.",
    severity: "high",
    points: ["dependency"],
    collections: ["touchmark-default", "moderate", "high"],
    practices: ["verify-third-party-artefacts", "validate-environments-and-dependencies", "RA-POL-02"],
    documentation:
      "The rules of the dependency gate (docs/materials-rules.md) are judged first, each by itself; here their results count, so that one decision speaks for everything that comes in.",
  },
  {
    id: "dependency.repository-named",
    title: "It comes from a repository that the configuration names",
    expression: 'request.repository != ""',
    message: "it comes from a place that no configuration names",
    solution: "Add the repository to the materials configuration, or take the package from one that is there.",
    severity: "high",
    points: ["dependency"],
    collections: ["touchmark-default", "high"],
    practices: ["define-trusted-package-repositories"],
    documentation: "The name of the trusted repository that answered, as the configuration spells it.",
  },
];
