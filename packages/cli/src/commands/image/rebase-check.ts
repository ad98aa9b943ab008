import { isDigest } from "@touchmark/core";
import { type Platform, parsePlatform, parseRegistryReference } from "@touchmark/formats/oci";
import { checkRebase, findRecordedBase, type RecordedBase, readImage, recordedBase } from "@touchmark/image";
import { type Command, given, type Invocation, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { type ImageSource, openImageSource, registryOptions } from "../../image-source.ts";
import { printable, type Terminal } from "../../terminal.ts";

/** `touchmark image rebase-check`: is the base of an image still current. */
export const command: Command = {
  name: "image rebase-check",
  summary: "whether an image stands on what its base is now, and could be put on a newer one",
  description:
    "The image says by label which base it was built on. That name is asked again; when it means something newer, the old base's layers must lie at the bottom of the image, and the new base be for the same platform, for a rebase to be possible. Exit code 0: current; 1: not current.",
  arguments: [
    {
      name: "source",
      description: "HOST/NAME:TAG, HOST/NAME@DIGEST, oci-dir:PATH[:TAG], docker-archive:PATH",
      required: true,
    },
  ],
  options: [
    {
      flags: "--base <image>",
      description: "the base to compare with, in the same forms; default: the one that the image names",
    },
    { flags: "--platform <platform>", description: "of an index, os/architecture[/variant]" },
    ...registryOptions,
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark image rebase-check registry.example.com/app:1.0", "ask for the base that the image names"],
    ["touchmark image rebase-check oci-dir:./app --base registry.example.com/base:stable", "compare with that base"],
  ],
  async run(invocation, terminal) {
    const [words] = invocation.arguments;
    if (words === undefined) throw cliErrors.make("CLI_USAGE", "expected an image");
    const wanted = text(invocation, "platform");
    const source = await openImageSource(words, invocation, terminal);
    try {
      const image = await readImage(
        source.reader,
        source.digest,
        wanted === undefined ? undefined : parsePlatform(wanted),
      );
      const { os, architecture, variant } = image.config;
      const platform: Platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
      const recorded = recordedBase(image);
      const base = await openBase(recorded, invocation, terminal);
      try {
        const now = await readImage(base.reader, base.digest, platform).catch((error: unknown) => {
          if ((error as { code?: string }).code === "OCI_CONFIG_PLATFORM") return readImage(base.reader, base.digest);
          throw error;
        });
        const old = await findRecordedBase(base.reader, recorded.digest, platform);
        const check = await checkRebase(image, { recorded, old, now, nowDigest: base.digest });
        const report = { image: image.descriptor.digest, recorded, base: base.name, ...check };
        if (given(invocation, "json")) terminal.print(JSON.stringify(report, undefined, 2));
        else show(report, terminal);
        return check.isCurrent ? 0 : 1;
      } finally {
        base.close();
      }
    } finally {
      source.close();
    }
  },
};

/** Opens what `--base` names, or the tag that the image was built on. */
async function openBase(recorded: RecordedBase, invocation: Invocation, terminal: Terminal): Promise<ImageSource> {
  const given = text(invocation, "base");
  if (given !== undefined) return openImageSource(given, invocation, terminal);
  if (recorded.name === undefined) {
    throw cliErrors.make("CLI_USAGE", "expected an image that names its base, found none", {
      hint: "name it with --base",
    });
  }
  return openImageSource(withoutDigest(recorded.name), invocation, terminal);
}

/** A digest beside a tag says what the base was; the tag says what it is now. */
function withoutDigest(name: string): string {
  const at = name.lastIndexOf("@");
  if (at < 0 || !isDigest(name.slice(at + 1)) || /^(?:oci-dir|docker-archive):/.test(name)) return name;
  return parseRegistryReference(name).tag === undefined ? name : name.slice(0, at);
}

function show(
  report: Awaited<ReturnType<typeof checkRebase>> & { image: string; recorded: RecordedBase; base: string },
  terminal: Terminal,
): void {
  const { good, warn } = terminal.style;
  terminal.print(report.isCurrent ? good("the base is current") : warn("the base has changed"));
  terminal.print(`  image      ${report.image}`);
  terminal.print(
    `  built on   ${printable(report.recorded.name ?? "unknown")} ${printable(report.recorded.digest ?? "")}`.trimEnd(),
  );
  terminal.print(`  base now   ${printable(report.base)}`);
  if (report.baseLayers !== undefined)
    terminal.print(`  layers     ${report.baseLayers} of the base, ${report.ownLayers} on top`);
  if (!report.isCurrent) terminal.print(`  rebase     ${report.isPossible ? "possible" : "not possible"}`);
  for (const reason of report.reasons) terminal.print(`             ${printable(reason)}`);
}
