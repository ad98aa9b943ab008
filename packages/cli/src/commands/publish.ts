import { type Command, given, text, texts } from "../command.ts";
import { cliErrors } from "../errors.ts";

/** `touchmark publish`: sends what a run made to a registry, or goes on with it. */
export const command: Command = {
  name: "publish",
  summary: "send an artifact and its evidence to a registry",
  description:
    "Asks the policies in force at the point `publish` whether the artifact may go there; the decision is signed, logged, and pushed beside it. Pushes an artifact with every bundle that its verification needs as referrers, and sets the tags when all of it is there. Nothing is pushed to a target that policy refuses. Without --to it goes where the pipeline says. What is there already is not sent again.",
  arguments: [{ name: "what", description: "a run (its id, a beginning of it, or latest), or an artifact's digest" }],
  options: [
    { flags: "--to <repository>", description: "HOST/NAME, or factory:NAME for this factory's own registry" },
    { flags: "--tag <tag>", description: "tag to set; may stand several times", repeatable: true },
    { flags: "--artifact <name>", description: "of a run with several artifacts, this one" },
    { flags: "--policy <file>", description: "policy or layout in place of those in force", repeatable: true },
    { flags: "--json", description: "print the result as JSON" },
  ],
  examples: [
    ["touchmark publish latest", "publish the last run where its pipeline says, or go on with it"],
    ["touchmark publish latest --to registry.example/shop/app --tag 1.2.0", "somewhere else"],
  ],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const { policiesInForce, readPolicyFiles } = await import("@touchmark/pipeline/policy");
    const { publishFromRun } = await import("@touchmark/pipeline/images");
    const [what] = invocation.arguments;
    if (what === undefined) throw cliErrors.make("CLI_USAGE", "expected a run or a digest, found nothing");
    const factory = await openFactory();
    try {
      const to = text(invocation, "to");
      const artifact = text(invocation, "artifact");
      const files = texts(invocation, "policy");
      const policies = await policiesInForce(factory, files.length === 0 ? {} : { files: readPolicyFiles(files) });
      const published = await publishFromRun(factory, what, {
        environment: terminal.environment,
        ...{ policies, tags: texts(invocation, "tag") },
        ...(to === undefined ? {} : { to }),
        ...(artifact === undefined ? {} : { artifact }),
      });
      if (given(invocation, "json")) terminal.print(JSON.stringify(published, undefined, 2));
      else {
        for (const { reference, tags, bundles, sent } of published) {
          terminal.print(reference);
          const also = tags.length === 0 ? "" : `, tags ${tags.join(", ")}`;
          terminal.note(`  ${bundles} bundles beside it, ${sent} blobs sent${also}`);
        }
      }
      return 0;
    } finally {
      await factory.close();
    }
  },
};
