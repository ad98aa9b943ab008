import type { Command, SubcommandRow } from "../../command.ts";

const userTable: readonly SubcommandRow[] = [
  { name: "add", summary: "add a user, or change a password or grants", load: () => import("./user-add.ts") },
  { name: "remove", summary: "take a user out; its tokens end at once", load: () => import("./user-remove.ts") },
  { name: "list", summary: "users and what they may do", load: () => import("./user-list.ts") },
];

/** `touchmark registry user`: who has a password. */
export const command: Command = {
  name: "registry user",
  summary: "add, remove and list users",
  description:
    "Users stand in registry.yaml with the scrypt hash of their password, never with the password. A registry that runs follows the file within a second.",
  examples: [
    ["touchmark registry user add ada --grant 'team/**=pull,push' --grant app=pull", "asks for a password"],
    ["touchmark registry user list", "who may do what"],
  ],
  subcommands: userTable,
  // A subcommand runs instead.
  run: async () => 2,
};
