import { resolve } from "node:path";
import { parsePlatform, platformText } from "@touchmark/formats/oci";
import { type UnpackReport, unpackImage } from "@touchmark/image";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { openImageSource, registryOptions } from "../../image-source.ts";
import { parseSize, size } from "../../output/quantity.ts";
import { printable, type Terminal } from "../../terminal.ts";

/** `touchmark image unpack`: the files of an image, as if every layer were hostile. */
export const command: Command = {
  name: "image unpack",
  summary: "put the files of an image into a directory, refusing whatever attacks",
  description:
    "Layers are verified and applied in order. All files belong to whoever unpacks; devices, setuid bits and file capabilities are left out and listed. A path, link or whiteout that leads elsewhere, a bomb, a damaged or ambiguous archive is refused by its own code, and nothing stays.",
  arguments: [
    {
      name: "source",
      description: "HOST/NAME:TAG, HOST/NAME@DIGEST, oci-dir:PATH[:TAG], docker-archive:PATH",
      required: true,
    },
    { name: "directory", description: "empty, or not there yet", required: true },
  ],
  options: [
    { flags: "--platform <platform>", description: "os/architecture[/variant] (default: linux, this machine's)" },
    { flags: "--max-size <size>", description: "most bytes of all files (default: 32GiB)" },
    { flags: "--strict", description: "refuse devices, setuid bits and file capabilities" },
    { flags: "--keep-modes", description: "permission bits as in the layers; by default everybody may read" },
    { flags: "--resolve-links", description: "let paths of layers lead through links, within the tree" },
    ...registryOptions,
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark image unpack oci-dir:./build/image ./rootfs", "the files, to look at"],
    ["touchmark image unpack registry.example.com/app:1.0 ./rootfs --strict --json", "what was left out, as JSON"],
  ],
  async run(invocation, terminal) {
    const [from, to] = invocation.arguments;
    if (from === undefined || to === undefined) throw cliErrors.make("CLI_USAGE", "expected SOURCE and DIRECTORY");
    const platform = text(invocation, "platform");
    const most = text(invocation, "maxSize");
    const bytes = most === undefined ? undefined : parseSize(most);
    if (most !== undefined && bytes === undefined) {
      throw cliErrors.make("CLI_USAGE", `expected --max-size like 10GiB or 500MiB, found ${JSON.stringify(most)}`);
    }
    const strict = given(invocation, "strict") ? "refuse" : undefined;
    const source = await openImageSource(from, invocation, terminal);
    try {
      const report = await unpackImage({
        reader: source.reader,
        digest: source.digest,
        directory: resolve(terminal.directory, to),
        ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
        ...(bytes === undefined ? {} : { limits: { bytes } }),
        ...(strict === undefined ? {} : { special: strict, setuid: strict, xattrs: strict }),
        ...(given(invocation, "keepModes") ? { modes: "keep" as const } : {}),
        ...(given(invocation, "resolveLinks") ? { throughLinks: "resolve" as const } : {}),
      });
      if (given(invocation, "json")) terminal.print(JSON.stringify(jsonOf(report), undefined, 2));
      else show(report, source.name, to, terminal);
      return 0;
    } finally {
      source.close();
    }
  },
};

function jsonOf({ image, platform, layers, listing, losses }: UnpackReport): object {
  const { files, bytes } = listing;
  return {
    ...{ image, platform: platformText(platform), files, bytes },
    layers: layers.map(({ descriptor, diffId, entries, bytes: unpacked }) => {
      return { digest: descriptor.digest, diffId, entries, bytes: unpacked };
    }),
    leftOut: losses,
  };
}

const mostShown = 10;

function show({ image, layers, listing, losses }: UnpackReport, from: string, to: string, terminal: Terminal): void {
  terminal.print(`unpacked ${image}\n  from ${printable(from)}\n  to   ${printable(to)}`);
  terminal.print(`  ${listing.files} files, ${size(listing.bytes)}, of ${layers.length} layers`);
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ["left out", losses.special.map(({ path, kind }) => `${kind} ${path}`)],
    ["without setuid bits", losses.setuid.map(({ path, mode }) => `${path} (was ${mode.toString(8)})`)],
    ["without attribute", losses.xattrs.map(({ path, name }) => `${path} (${name})`)],
  ];
  for (const [what, lines] of lists) {
    for (const line of lines.slice(0, mostShown)) terminal.print(`  ${what}: ${printable(line)}`);
    if (lines.length > mostShown) terminal.print(`  ${what}: ${lines.length - mostShown} more; --json lists all`);
  }
}
