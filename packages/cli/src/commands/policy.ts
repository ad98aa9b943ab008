import type { Command, SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark policy`, in the order of help. One visible place; nothing registers itself. */
export const policyTable: readonly SubcommandRow[] = [
  {
    name: "init",
    summary: "write policies to begin with: from a good run, or for a level of practices",
    load: () => import("./policy/init.ts"),
  },
  {
    name: "test",
    summary: "run tests of policies: stated evidence, expected results",
    load: () => import("./policy/test.ts"),
  },
  {
    name: "lint",
    summary: "check policies, layouts, exceptions, sets and tests, with line and remedy",
    load: () => import("./policy/lint.ts"),
  },
  {
    name: "bundle",
    summary: "make a policy set of the documents in a directory, pinned by digest",
    load: () => import("./policy/bundle.ts"),
  },
  {
    name: "sign",
    summary: "sign a policy, layout, exception or set; as a person, or for classic in-toto tools",
    load: () => import("./policy/sign.ts"),
  },
  {
    name: "install",
    summary: "put a signed policy set, or a signed exception, in force",
    load: () => import("./policy/install.ts"),
  },
  {
    name: "status",
    summary: "policies in force, exceptions, and how long each counts",
    load: () => import("./policy/status.ts"),
  },
  {
    name: "diff",
    summary: "what another version means: rules, trust widened or narrowed",
    load: () => import("./policy/diff.ts"),
  },
  {
    name: "explain",
    summary: "why a decision came out as it did: rules, values, evidence, what to do",
    load: () => import("./policy/explain.ts"),
  },
  {
    name: "replay",
    summary: "decide recorded decisions again, by a candidate, and list those that flip",
    load: () => import("./policy/replay.ts"),
  },
];

/** `touchmark policy`: what must hold, at which point, and why a decision came out as it did. */
export const command: Command = {
  name: "policy",
  summary: "policies: write, check, test, sign, put in force, explain, replay",
  description:
    "Policies, layouts, exceptions and sets are YAML or JSON documents; rules are CEL. One engine decides from the request of a run to deployment, and every decision explains itself.",
  examples: [
    ["touchmark policy init --from-run latest", "layout and policies that a good run passes, and little else"],
    ["touchmark policy test tests/*.policy-test.yaml", "what the rules say of stated evidence"],
    ["touchmark policy replay policies/deploy.yaml", "recorded decisions that would come out otherwise"],
  ],
  subcommands: policyTable,
  run: async () => 2,
};
