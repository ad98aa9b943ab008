import type { Command, SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark policy`, in the order of help. One visible place; nothing registers itself. */
export const policyTable: readonly SubcommandRow[] = [
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
];

/** `touchmark policy`: what must hold, at which point, and why a decision came out as it did. */
export const command: Command = {
  name: "policy",
  summary: "policies: write, check, test, sign, put in force, explain, replay",
  description:
    "Policies, layouts, exceptions and sets are YAML or JSON documents; rules are CEL. One engine decides from the request of a run to deployment, and every decision explains itself.",
  examples: [
    ["touchmark policy init --from-run 1", "layout and policies that a good run passes, and little else"],
    ["touchmark policy test tests/*.policy-test.yaml", "what the rules say of stated evidence"],
    ["touchmark policy replay policies/deploy.yaml", "recorded decisions that would come out otherwise"],
  ],
  subcommands: policyTable,
  run: async () => 2,
};
