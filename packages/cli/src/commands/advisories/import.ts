import { closeSync, openSync, readSync, statSync } from "node:fs";
import { basename, resolve } from "node:path";
import {
  type AdvisorySourceKind,
  adoptDatabase,
  advisorySourceKinds,
  advisorySources,
  importAdvisories,
  signDatabase,
} from "@touchmark/advisories";
import { isDigest, systemClock } from "@touchmark/core";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { reportUpdate, statementSigner, withAdvisories } from "./place.ts";

/** `touchmark advisories import`: a source from files, without a network. */
export const command: Command = {
  name: "advisories import",
  summary: "take in a source, or a compiled database, from files",
  description:
    "Reads a file, a zip, a directory or a git checkout as one source, beside those that are there; a source of that name is replaced. A database that another home compiled is taken as it is, with the digest that you give. What is older than before is refused. A home is made where there is none.",
  arguments: [{ name: "path", description: "file or directory, or a compiled database", required: true }],
  options: [
    { flags: "--kind <kind>", description: "what it is (default: osv)", choices: advisorySourceKinds },
    { flags: "--name <name>", description: "name of the source (default: from the path)" },
    { flags: "--licence <expression>", description: "licence of the data, kept with it" },
    { flags: "--digest <sha256>", description: "of a compiled database: what it must be" },
    { flags: "--allow-rollback", description: "take what is older or much smaller than before" },
    { flags: "--no-sign", description: "do not sign the statement about the database" },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark advisories import all.zip --name npm --licence CC-BY-4.0", "records of the OSV schema"],
    ["touchmark advisories import kev.json --kind kev", "which vulnerabilities are exploited"],
    ["touchmark advisories import HEX.advisories --digest sha256:HEX", "what another home compiled"],
  ],
  async run(invocation, terminal) {
    const [written = ""] = invocation.arguments;
    const path = resolve(terminal.directory, written);
    const allowRollback = given(invocation, "allowRollback");
    if (isCompiled(path)) {
      const digest = text(invocation, "digest");
      if (digest === undefined || !isDigest(digest)) {
        throw cliErrors.make("CLI_USAGE", "expected --digest sha256:HEX with a compiled database", {
          hint: "touchmark advisories status shows it where the database was compiled",
        });
      }
      const facts = await withAdvisories(terminal, true, async ({ place }) => {
        const adopted = adoptDatabase(place, path, { now: systemClock.now(), digest, allowRollback });
        const sign = invocation.options["sign"] === false ? undefined : await statementSigner();
        if (sign !== undefined) await signDatabase(place, adopted, sign);
        return adopted.facts;
      });
      if (given(invocation, "json")) terminal.print(JSON.stringify(facts, undefined, 2));
      else terminal.print(`${terminal.style.good("imported")} ${facts.digest}: ${facts.advisories} advisories`);
      return 0;
    }
    const name = text(invocation, "name") ?? nameOf(path);
    if (!/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/.test(name)) {
      throw cliErrors.make(
        "CLI_USAGE",
        `expected a name of letters and digits, found ${JSON.stringify(name.slice(0, 80))}`,
        {
          hint: "--name NAME",
        },
      );
    }
    const licence = text(invocation, "licence");
    const update = await withAdvisories(terminal, true, async ({ place, options }) => {
      const configured = advisorySources(place)?.sources.find((source) => source.name === name);
      const kind = (text(invocation, "kind") ?? configured?.kind ?? "osv") as AdvisorySourceKind;
      const sign = invocation.options["sign"] === false ? undefined : await statementSigner();
      return importAdvisories({
        ...{ ...options, allowRollback, isConfigured: configured !== undefined },
        input: { name, kind, path, ...licenceOf(licence ?? configured?.licence) },
        ...(sign === undefined ? {} : { sign }),
      });
    });
    return reportUpdate(update, given(invocation, "json"), terminal);
  },
};

function licenceOf(licence: string | undefined): { readonly licence?: string } {
  return licence === undefined ? {} : { licence };
}

function nameOf(path: string): string {
  return basename(path).replace(/(?:\.(?:json|yaml|yml|zip|csv|xml|gz))+$/i, "");
}

/** By its first bytes. */
function isCompiled(path: string): boolean {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const descriptor = openSync(path, "r");
  try {
    const head = Buffer.alloc(14);
    readSync(descriptor, head, 0, head.length, 0);
    return head.toString("latin1") === "touchmark-adv-";
  } finally {
    closeSync(descriptor);
  }
}
