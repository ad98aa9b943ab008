import { openIndex, prune } from "@touchmark/store";
import { type Command, given, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { parseAge, parseSize, size } from "../output/quantity.ts";

/** `touchmark prune`: frees space by age and size, never breaking a chain. */
export const command: Command = {
  name: "prune",
  summary: "free space, without breaking a chain",
  description:
    "Deletes old runs and what only they refer to. Evidence of a kept run stays whole, and the transparency log is never pruned. Records of decisions go by age; what was signed about them stays. Unpacked images that no run used for that long go as well: they are unpacked again when needed.",
  options: [
    { flags: "--older-than <age>", description: "runs begun longer ago may go: 30d, 12h, 90m" },
    { flags: "--max-size <size>", description: "oldest runs go until the store is this small: 10GiB, 500MiB" },
    {
      flags: "--images-max-size <size>",
      description: "unpacked images go, least recently used first, until they are this small",
    },
    { flags: "--keep <n>", description: "newest runs of each pipeline that always stay (default: 1)" },
    { flags: "--dry-run", description: "only say what would go" },
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark prune --older-than 30d --dry-run", "what would go"],
    ["touchmark prune --max-size 10GiB", "oldest first, until it fits"],
  ],
  async run(invocation, terminal) {
    const age = quantity(text(invocation, "olderThan"), parseAge, "--older-than like 30d, 12h or 90m");
    const bytes = quantity(text(invocation, "maxSize"), parseSize, "--max-size like 10GiB or 500MiB");
    const imageBytes = quantity(text(invocation, "imagesMaxSize"), parseSize, "--images-max-size like 10GiB or 500MiB");
    const keep = quantity(
      text(invocation, "keep"),
      (word) => (/^\d{1,6}$/.test(word) ? Number(word) : undefined),
      "--keep NUMBER",
    );
    const { openFactory } = await import("@touchmark/pipeline");
    const factory = await openFactory();
    const index = await openIndex(factory.home);
    try {
      const { home, content, trees, runs } = factory;
      const report = await prune(
        { home, content, trees, runs, index },
        {
          ...(age === undefined ? {} : { olderThanSeconds: age }),
          ...(bytes === undefined ? {} : { maxBytes: bytes }),
          ...(keep === undefined ? {} : { keepRuns: keep }),
          dryRun: given(invocation, "dryRun"),
        },
      );
      const { openRootfsStore } = await import("@touchmark/image");
      const images = await openRootfsStore({ directory: home.paths.rootfs, clock: factory.clock }).prune({
        ...(age === undefined ? {} : { maxAgeSeconds: age }),
        ...(imageBytes === undefined ? {} : { maxBytes: imageBytes }),
        dryRun: given(invocation, "dryRun"),
      });
      const { pruneRecords } = await import("@touchmark/pipeline/policy");
      const before = age === undefined ? undefined : new Date(factory.clock.now().getTime() - age * 1000);
      const decisions =
        before === undefined ? 0 : pruneRecords(factory, before, { dryRun: given(invocation, "dryRun") });
      if (given(invocation, "json")) terminal.print(JSON.stringify({ ...report, images, decisions }, undefined, 2));
      else {
        const verb = report.dryRun ? "would free" : "freed";
        terminal.print(
          `${verb} ${size(report.freedBytes)} of ${size(report.bytesBefore)}: ${report.runs.length} runs, ${report.blobs.length} blobs, ${report.trees.length} trees`,
        );
        if (images.deleted.length > 0 || images.quarantined > 0) {
          const damaged = images.quarantined > 0 ? `, ${images.quarantined} damaged copies` : "";
          terminal.print(
            `${verb} ${size(images.freedBytes)} of ${size(images.bytesBefore)} of unpacked images: ${images.deleted.length} images${damaged}`,
          );
        }
        if (decisions > 0) terminal.print(`${verb} ${decisions} files of recorded decisions`);
        for (const image of images.inUse) terminal.print(`  kept unpacked ${image}: it is in use`);
        for (const { run, reason } of report.kept) terminal.print(`  kept ${run}: ${reason}`);
        if (report.aboveMaxBytes)
          terminal.note(terminal.style.warn("the size asked for cannot be reached without breaking a chain"));
      }
      return 0;
    } finally {
      index.close();
      await factory.close();
    }
  },
};

function quantity(
  word: string | undefined,
  parse: (word: string) => number | undefined,
  expected: string,
): number | undefined {
  if (word === undefined) return undefined;
  const value = parse(word);
  if (value === undefined)
    throw cliErrors.make("CLI_USAGE", `expected ${expected}, found ${JSON.stringify(word.slice(0, 40))}`);
  return value;
}
