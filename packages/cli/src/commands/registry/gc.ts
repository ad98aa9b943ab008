import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { parseAge, size } from "../../output/quantity.ts";
import { oneLine } from "../../terminal.ts";
import { placeOptions, withRegistryBackend } from "./place.ts";

/** `touchmark registry gc`: frees what nothing refers to. */
export const command: Command = {
  name: "registry gc",
  summary: "delete what nothing refers to",
  description:
    "Keeps tagged manifests, what they reference, and what refers to what is kept, such as signatures. Runs beside a server. Content that runs of the factory need stays too.",
  options: [
    { flags: "--untagged", description: "manifests that no tag leads to go too, with what refers to them" },
    { flags: "--grace <age>", description: "nothing younger goes: 24h (default), 7d, 0s" },
    { flags: "--dry-run", description: "only say what would go" },
    ...placeOptions,
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark registry gc --dry-run", "what would go"],
    ["touchmark registry gc --untagged --grace 7d", "also what was overwritten a week ago"],
  ],
  async run(invocation, terminal) {
    const word = text(invocation, "grace") ?? "24h";
    const graceSeconds = parseAge(word);
    if (graceSeconds === undefined) {
      throw cliErrors.make(
        "CLI_USAGE",
        `expected --grace like 24h, 7d or 0s, found ${JSON.stringify(word.slice(0, 40))}`,
      );
    }
    const dryRun = given(invocation, "dryRun");
    const report = await withRegistryBackend(invocation, terminal, (backend) =>
      backend.collect({ untagged: given(invocation, "untagged"), graceSeconds, dryRun }),
    );
    if (given(invocation, "json")) {
      terminal.print(JSON.stringify({ dryRun, ...report }, undefined, 2));
      return 0;
    }
    const { deletedManifests, deletedBlobs, freedBytes, keptBlobs, abandonedUploads } = report;
    const verb = dryRun ? "would free" : "freed";
    terminal.print(
      `${verb} ${size(freedBytes)}: ${deletedManifests.length} manifests, ${deletedBlobs.length} blobs, ${abandonedUploads} abandoned uploads; ${keptBlobs} blobs stay`,
    );
    for (const { repository, digest } of deletedManifests) terminal.print(`  ${oneLine(repository)}@${digest}`);
    for (const digest of deletedBlobs) terminal.print(`  ${digest}`);
    return 0;
  },
};
