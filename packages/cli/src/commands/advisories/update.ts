import { setGlobalProxyFromEnv } from "node:http";
import { advisorySources, updateAdvisories } from "@touchmark/advisories";
import { type Command, given } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { reportUpdate, statementSigner, withAdvisories } from "./place.ts";

/** `touchmark advisories update`: reads the configured sources. */
export const command: Command = {
  name: "advisories update",
  summary: "bring the database up to date with the configured sources",
  description:
    "Reads every source of TOUCHMARK_HOME/advisories.yaml, or those that are named. What did not change is not read again. A source that cannot be fetched, is older than what was read of it, or lost more than half of its records stays as it was, and the exit code tells: 3 refused, 4 not reached. The database is signed when the home has an identity. touchmark schema advisories prints the shape of the file.",
  arguments: [{ name: "sources", description: "only these, by name", variadic: true }],
  options: [
    { flags: "--again", description: "read everything again, whatever did not change" },
    { flags: "--allow-rollback", description: "take sources that are older or much smaller than before" },
    { flags: "--no-sign", description: "do not sign the statement about the database" },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark advisories update", "every source; changed advisories are listed"],
    ["touchmark advisories update go --again", "one source, from the beginning"],
  ],
  async run(invocation, terminal) {
    // The proxies of the user's environment hold for feeds as for everything else.
    if (terminal.environment["HTTPS_PROXY"] !== undefined || terminal.environment["https_proxy"] !== undefined) {
      setGlobalProxyFromEnv();
    }
    const sign = invocation.options["sign"] === false ? undefined : await statementSigner();
    const update = await withAdvisories(terminal, false, async ({ place, options }) => {
      const configuration = advisorySources(place);
      if (configuration === undefined) {
        throw cliErrors.make("CLI_FILE_UNREADABLE", `expected sources in ${place.configuration}, found no file`, {
          hint: "touchmark schema advisories prints its shape; touchmark advisories import needs none",
        });
      }
      return updateAdvisories({
        ...{ ...options, configuration, names: invocation.arguments },
        again: given(invocation, "again"),
        allowRollback: given(invocation, "allowRollback"),
        ...(sign === undefined ? {} : { sign }),
      });
    });
    return reportUpdate(update, given(invocation, "json"), terminal);
  },
};
