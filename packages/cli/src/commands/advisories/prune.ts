import { advisorySources, pruneDatabases } from "@touchmark/advisories";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { size } from "../../output/quantity.ts";
import { withAdvisories } from "./place.ts";

/** `touchmark advisories prune`: frees the space of older databases. */
export const command: Command = {
  name: "advisories prune",
  summary: "delete older databases; scans that named them can not be repeated",
  description:
    "The database in use always stays, and of the others the newest ones: as many as --keep, or keep in advisories.yaml, says.",
  options: [
    { flags: "--keep <n>", description: "how many others stay (default: 10)" },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [["touchmark advisories prune --keep 3", "the one in use, and three more"]],
  async run(invocation, terminal) {
    const written = text(invocation, "keep");
    if (written !== undefined && !/^\d{1,4}$/.test(written)) {
      throw cliErrors.make("CLI_USAGE", `expected --keep with a number, found ${JSON.stringify(written.slice(0, 40))}`);
    }
    const gone = await withAdvisories(terminal, false, async ({ place }) =>
      pruneDatabases(place, written === undefined ? (advisorySources(place)?.keep ?? 10) : Number(written)),
    );
    if (given(invocation, "json")) terminal.print(JSON.stringify({ deleted: gone }, undefined, 2));
    else {
      const bytes = gone.reduce((sum, each) => sum + each.bytes, 0);
      terminal.print(`deleted ${gone.length} databases, ${size(bytes)}`);
    }
    return 0;
  },
};
