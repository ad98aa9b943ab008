import type { Command, SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark registry`, in the order of help. One visible place; nothing registers itself. */
export const registryTable: readonly SubcommandRow[] = [
  {
    name: "serve",
    summary: "let OCI clients push to and pull from the store of this factory",
    load: () => import("./registry/serve.ts"),
  },
  { name: "list", summary: "repositories, tags and sizes", load: () => import("./registry/list.ts") },
  { name: "user", summary: "add, remove and list users", load: () => import("./registry/user.ts") },
  { name: "token", summary: "a short-lived token for some repositories", load: () => import("./registry/token.ts") },
  {
    name: "status",
    summary: "what the configuration says, and whether it can be read",
    load: () => import("./registry/status.ts"),
  },
  { name: "gc", summary: "delete what nothing refers to", load: () => import("./registry/gc.ts") },
  {
    name: "fsck",
    summary: "read everything again, and name what is damaged",
    load: () => import("./registry/fsck.ts"),
  },
];

/** `touchmark registry`: the factory's own registry. */
export const command: Command = {
  name: "registry",
  summary: "the factory's own OCI registry: serve, users, tokens, collect, check",
  description:
    "A registry in TOUCHMARK_HOME (or in --dir) that any OCI client can use. Who may do what stands in registry.yaml there; without it only tokens of this factory open it.",
  examples: [
    ["touchmark registry serve", "at 127.0.0.1:5000, until Ctrl-C"],
    ["touchmark registry user add ada --grant 'team/**=pull,push'", "asks for a password"],
    ["touchmark registry token --repository team/app --actions pull,push", "for ten minutes"],
  ],
  subcommands: registryTable,
  // A subcommand runs instead.
  run: async () => 2,
};
