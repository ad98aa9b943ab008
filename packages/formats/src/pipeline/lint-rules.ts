import type { Position } from "./definition.ts";

/** Something in a valid pipeline file that weakens the build. */
export interface LintFinding extends Position {
  readonly rule: LintRule;
  readonly severity: "error" | "warning" | "note";
  /** `pipelines.default.steps.build`. */
  readonly path: string;
  readonly message: string;
  /** How to put it right. */
  readonly fix: string;
}

/** What the lint looks for. */
export const lintRules = {
  "credential-in-file": "A value looks like a credential. Everybody who reads the repository has it.",
  "credential-variable": "A variable whose name speaks of a secret has a value in the file.",
  "endpoint-in-file": "An address of a service stands in the file, so the build works in one place only.",
  "long-script": "A script is long or branches much: logic that nobody tests, outside the project's own code.",
  "unused-input": "An input is mounted and nothing in the step refers to it.",
  "unused-output": "No step reads the output of a step, and no artifact comes from it.",
  "network-in-build":
    "A step that fetches also reads outputs of other steps, or compiles or tests: what is fetched can depend on them.",
  "cache-open-network": "A step that fetches asks to be cached, which never happens.",
  "unpinned-reference": "Something is fetched by a name that can change: `latest`, a branch, a URL without a digest.",
  "pipe-to-shell": "What is downloaded is executed at once, unseen and unhashed.",
  "unlocked-install": "An installer resolves versions itself instead of following the lockfile.",
  "install-scripts": "A fetch step runs the scripts of packages, which belong into a step without network.",
  "no-limits": "A step states no limits.",
  "insecure-process": "A step asks to run without a sandbox.",
  "unpinned-image": "A step names its image by a tag, which can come to mean another image.",
  "insecure-image": "A step takes an image that nobody trusted signed and nobody scanned.",
  "no-artifact": "A pipeline has no artifact: nothing leaves it with evidence.",
  "template-drift": "A pipeline is no longer like the template that it names, in what the template is for.",
  "template-unknown": "A pipeline names a template that the library does not have.",
  "dangerous-variable": "A variable makes programs load other code.",
} as const;

export type LintRule = keyof typeof lintRules;
