import { sha256 } from "@touchmark/core";
import { type Command, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { writeNamedFile } from "../output/file.ts";

/** `touchmark trust`: the trust root travels on its own way, never beside an artifact. */
export const command: Command = {
  name: "trust",
  summary: "show or export the trust root",
  description:
    "Shows the fingerprint of this factory's trust root, or writes it to a file. Give the file and its fingerprint to those who verify, on another way than the artifacts.",
  arguments: [{ name: "action", description: "show (default) or export" }],
  options: [
    { flags: "--out <file>", description: "export: the file to write trusted_root.json to" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark trust", "the fingerprint, to read out over another channel"],
    ["touchmark trust export --out trusted_root.json", "for touchmark verify --trust-root and cosign --trusted-root"],
  ],
  async run(invocation, terminal) {
    const [action = "show"] = invocation.arguments;
    const { openFactory } = await import("@touchmark/pipeline");
    const factory = await openFactory();
    try {
      const root = await factory.trustRoot();
      const { trustDomain, issuer } = factory.names();
      const fingerprint = sha256(root);
      if (action === "export") {
        const out = text(invocation, "out");
        if (out === undefined)
          throw cliErrors.make("CLI_USAGE", "expected --out FILE", { hint: "touchmark trust --help" });
        terminal.note(`wrote ${writeNamedFile(terminal, out, root)}`);
      } else if (action !== "show") {
        throw cliErrors.make("CLI_USAGE", `expected show or export, found ${JSON.stringify(action)}`);
      }
      if (invocation.options["json"] === true) terminal.print(JSON.stringify({ fingerprint, trustDomain, issuer }));
      else
        terminal.print(
          `fingerprint   ${fingerprint}\ntrust domain  ${trustDomain}\nissuer        ${issuer}\nbuilder       spiffe://${trustDomain}/builder`,
        );
      return 0;
    } finally {
      await factory.close();
    }
  },
};
