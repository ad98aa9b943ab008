import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { digestHex, rfc3339, systemClock } from "@touchmark/core";
import {
  buildReview,
  type ReviewWords,
  readMaterialsConfiguration,
  reviewSubject,
  reviewType,
} from "@touchmark/materials";
import { writeFileAtomically } from "@touchmark/store";
import { type Command, given, type Invocation, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { parseAge } from "../../output/quantity.ts";
import { oneLine } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";

/** `touchmark materials review`: a signed decision about a component, which the gate of later runs consumes. */
export const command: Command = {
  name: "materials review",
  summary: "sign a decision about a package of others: accept, limit, deny",
  description:
    "Signs what you decided about a package as spiffe://TD/attest, logs it, and keeps it in TOUCHMARK_HOME, where the gate of later runs finds it: a denial refuses the package, and with gate.third-party-review nothing enters without an acceptance. Without a package the decisions are listed.",
  arguments: [{ name: "package", description: "package URL or pattern, for example pkg:npm/left-pad" }],
  options: [
    { flags: "--decision <word>", description: "what builds may do with it", choices: ["accept", "limit", "deny"] },
    { flags: "--step <name>", description: "with limit: a step that may use it", repeatable: true },
    { flags: "--reason <text>", description: "why", repeatable: true },
    { flags: "--health <text>", description: "what was found of its maintenance" },
    { flags: "--disclosure <text>", description: "how its maintainers take reports of vulnerabilities" },
    { flags: "--approver <name>", description: "who answers for the decision" },
    {
      flags: "--party <word>",
      description: "who reviewed: its maker, its user, or others",
      choices: ["first", "second", "third"],
    },
    { flags: "--expires <when>", description: "until when it counts: 2027-01-31, or an age like 180d" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    [
      'touchmark materials review pkg:npm/left-pad --decision deny --reason "eleven lines" --health "no release since 2018" --disclosure none --approver Ada --party second --expires 180d',
      "refused from now on",
    ],
    ["touchmark materials review", "every decision"],
  ],
  async run(invocation, terminal) {
    const pipeline = await import("@touchmark/pipeline");
    const factory = await pipeline.openFactory();
    try {
      const [packages] = invocation.arguments;
      if (packages === undefined) {
        const path = pipeline.materialsConfigurationPath(factory);
        const trust = existsSync(path) ? (await readMaterialsConfiguration(path)).trust : {};
        const reviews = await pipeline.factoryReviews(factory, { trust });
        if (given(invocation, "json")) terminal.print(JSON.stringify(reviews, undefined, 2));
        for (const each of given(invocation, "json") ? [] : reviews) {
          const until = Date.parse(each.expires) > systemClock.now().getTime() ? "until" : "expired";
          terminal.print(
            `${each.decision.padEnd(6)}  ${oneLine(each.packages)}  ${oneLine(each.approver)}, ${until} ${each.expires}`,
          );
        }
        return 0;
      }
      const review = buildReview(wordsOf(packages, invocation), systemClock);
      const predicate = Buffer.from(JSON.stringify(review));
      const artifact = { digest: reviewSubject(packages) };
      const { bytes, ...report } = await pipeline.attestArtifact(factory, { artifact, type: reviewType(), predicate });
      const directory = pipeline.reviewDirectory(factory);
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      writeFileAtomically(join(directory, `${digestHex(report.bundle)}.json`), bytes);
      if (given(invocation, "json")) terminal.print(JSON.stringify(report));
      else {
        terminal.print(`${review.decision}  ${packages}, until ${review.expires}`);
        terminal.print(`${report.bundle}\nsigned as ${report.identity}, log entry ${report.logIndex}`);
      }
      return 0;
    } finally {
      await factory.close();
    }
  },
};

function wordsOf(packages: string, invocation: Invocation): ReviewWords {
  const word = (name: string): string => {
    const value = text(invocation, name);
    if (value === undefined)
      throw cliErrors.make("CLI_USAGE", `expected --${name}`, { hint: "touchmark materials review --help" });
    return value;
  };
  const list = (name: string) => (invocation.options[name] as readonly string[] | undefined) ?? [];
  const steps = list("step");
  return {
    packages,
    decision: word("decision") as ReviewWords["decision"],
    ...(steps.length === 0 ? {} : { steps }),
    party: word("party") as ReviewWords["party"],
    approver: word("approver"),
    health: word("health"),
    disclosure: word("disclosure"),
    reasons: list("reason"),
    expires: momentOf(word("expires")),
  };
}

/** From now on for so long, or until a date. */
function momentOf(written: string): string {
  const age = parseAge(written);
  if (age !== undefined) return rfc3339(new Date(systemClock.now().getTime() + age * 1000));
  return rfc3339(timeOption(written, "--expires") as Date);
}
