import { vexFormats, vexJustifications, writeVex } from "@touchmark/advisories";
import { type Command, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { writeNamedFile } from "../../output/file.ts";

const statuses = ["not_affected", "affected", "fixed", "under_investigation"] as const;

/** `touchmark vex create`: one statement as a document. */
export const command: Command = {
  name: "vex create",
  summary: "write a statement about a vulnerability and a product",
  options: [
    { flags: "--vulnerability <id>", description: "CVE or other id; further ones are aliases", repeatable: true },
    { flags: "--product <id>", description: "package URL, or sha256:… of an artifact", repeatable: true },
    { flags: "--part <id>", description: "package URL of the part of the product that is meant", repeatable: true },
    { flags: "--status <status>", description: "what holds", choices: statuses },
    { flags: "--justification <word>", description: "why it does not affect", choices: vexJustifications },
    { flags: "--detail <text>", description: "impact, or what to do" },
    { flags: "--author <name>", description: "who says so" },
    { flags: "--format <format>", description: "openvex (default), csaf or cyclonedx", choices: vexFormats },
    { flags: "--output <file>", description: "write to this file" },
  ],
  examples: [
    [
      "touchmark vex create --vulnerability CVE-2026-0001 --product pkg:npm/left-pad@1.3.0 --status affected --detail 'update to 1.3.1' --author Ada",
      "printed as OpenVEX",
    ],
  ],
  async run(invocation, terminal) {
    const vulnerability = texts(invocation, "vulnerability");
    const ids = texts(invocation, "product");
    const status = text(invocation, "status") as (typeof statuses)[number] | undefined;
    const author = text(invocation, "author");
    const justification = text(invocation, "justification") as (typeof vexJustifications)[number] | undefined;
    const detail = text(invocation, "detail");
    if (vulnerability.length === 0 || ids.length === 0 || status === undefined || author === undefined) {
      throw cliErrors.make("CLI_USAGE", "expected --vulnerability, --product, --status and --author", {
        hint: "touchmark vex create --help",
      });
    }
    if (status === "not_affected" && justification === undefined && detail === undefined) {
      throw cliErrors.make(
        "CLI_USAGE",
        "expected --justification or --detail with --status not_affected, found neither",
      );
    }
    if (status === "affected" && detail === undefined) {
      throw cliErrors.make("CLI_USAGE", "expected --detail, what to do, with --status affected");
    }
    const at = `${new Date().toISOString().slice(0, 19)}Z`;
    const statement = {
      vulnerability,
      products: ids.map((id) => ({ ids: [id], subcomponents: texts(invocation, "part") })),
      status,
      at,
      ...(justification === undefined ? {} : { justification }),
      ...(detail === undefined ? {} : { detail }),
    };
    const format = (text(invocation, "format") ?? "openvex") as (typeof vexFormats)[number];
    const bytes = writeVex({ author, at, statements: [statement] }, format);
    const output = text(invocation, "output");
    if (output === undefined) terminal.write(bytes);
    else writeNamedFile(terminal, output, bytes);
    return 0;
  },
};
