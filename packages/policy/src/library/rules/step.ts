import type { LibraryRule } from "../library-rule.ts";

/** Rules of the point `step`: how a step may start. */
export const stepRules: readonly LibraryRule[] = [
  {
    id: "step.inputs-verified",
    title: "Each input has the digest that its signed statement names",
    expression: "request.inputs.all(input, input.verified)",
    messageExpression:
      '"not verified: " + request.inputs.filter(input, !input.verified).map(input, input.from).join(", ")',
    message: "an input is not what the step that made it signed",
    solution: "Run the pipeline again without cache; somebody changed what lies between two steps.",
    severity: "critical",
    points: ["step"],
    collections: ["touchmark-default", "moderate", "high"],
    practices: ["validate-step-signatures", "validate-environments-and-dependencies", "RA-POL-02"],
    documentation:
      "Before a step starts, the trees that it will see are compared with what the source statement and the links of earlier steps name.",
  },
  {
    id: "step.network-known",
    title: "Its network is none, or the recording proxy, unless a named option opens it",
    expression:
      'request.network in ["none", "proxy"] || request.insecureOptions.exists(option, option.startsWith("insecure"))',
    message: "the step would have the open network",
    solution: "Fetch in a step with network: fetch, and build in one with network: none.",
    severity: "high",
    points: ["step"],
    collections: ["touchmark-default", "moderate", "high"],
    practices: ["minimize-network-connectivity", "RA-POL-02"],
    documentation: "What the sandbox enforces, not what the pipeline file says.",
  },
  {
    id: "step.image-fixed",
    title: "An image that it runs in is fixed by digest",
    expression: '!has(request.image) || request.image.digest.matches("^sha256:[0-9a-f]{64}$")',
    message: "the image of the step has no digest",
    solution: "Let the run look the image up; then its name means one digest for all steps.",
    severity: "high",
    points: ["step"],
    collections: ["touchmark-default", "trusted-bases", "moderate", "high"],
    practices: ["pull-images-by-digest", "RA-POL-02"],
    documentation: "A tag is looked up once, before the first step, and each step sees the files of that digest.",
  },
  {
    id: "step.no-insecure-options",
    title: "The step runs sealed",
    expression: 'request.tier != "process" && request.network != "open"',
    message: "the step would run without a sandbox, or with the open network",
    solution:
      "Declare what the step misses (toolchains, inputs, network: fetch) and leave out the --insecure- options.",
    severity: "critical",
    points: ["step"],
    collections: ["slsa-build-l3", "hermetic", "moderate", "high"],
    practices: ["single-use-build-workers", "validate-runtime-security-of-workers", "build:isolated", "RA-ADM-09"],
    documentation: "A sandbox of its own for each step, gone when the step ends.",
  },
  {
    id: "step.inputs-read-only",
    title: "Inputs cannot be changed",
    expression: 'request.inputs.all(input, input.access in ["read-only", "copy-on-write"])',
    message: "the step could change an input",
    solution: "Mount inputs read-only, or copy-on-write.",
    severity: "high",
    points: ["step"],
    collections: ["slsa-build-l3", "high"],
    practices: ["write-output-to-separate-storage", "RA-ADM-04"],
    documentation: "A step writes into its own output and nowhere else.",
  },
  {
    id: "secrets.sealed-steps",
    title: "A step with a secret has no network",
    expression: 'request.secrets.size() == 0 || request.network == "none"',
    message: "the step would have a secret and a network",
    solution: "Give the secret to a step without network, or none at all.",
    severity: "high",
    points: ["step"],
    collections: ["secrets", "moderate", "high"],
    practices: ["use-short-lived-machine-credentials"],
    documentation:
      "What cannot be sent anywhere cannot leak through the network. The output is another way out, which this rule does not see.",
  },
];
