import type { Command, SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark user`, in the order of help. One visible place; nothing registers itself. */
const userTable: readonly SubcommandRow[] = [
  { name: "add", summary: "enrol a person's public key, in roles", load: () => import("./user/add.ts") },
  { name: "list", summary: "who is enrolled, in which roles, and who was", load: () => import("./user/list.ts") },
  { name: "remove", summary: "let a person sign no more", load: () => import("./user/remove.ts") },
];

/** `touchmark user`: people who may sign. */
export const command: Command = {
  name: "user",
  summary: "people who sign policies, exceptions and approvals with their own keys",
  description:
    "A person's key is made where the person keeps it, and the factory keeps the public key alone, in a statement that is signed and logged. Who shows the key gets a certificate spiffe://TD/user/NAME for minutes.",
  examples: [
    ["touchmark user add ada --role release-manager", "makes ~/.config/touchmark/keys/ada.pem unless it is there"],
    ["touchmark user add grace --role auditor --key grace.pub.pem", "a public key is enough"],
    ["touchmark user list", "names, roles and keys"],
  ],
  subcommands: userTable,
  run: async () => 2,
};
