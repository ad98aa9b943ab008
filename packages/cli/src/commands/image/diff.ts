import { parsePlatform } from "@touchmark/formats/oci";
import { compareImages, type ImageDifference, type LayerDifference, type PlatformDifference } from "@touchmark/image";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { openImageSource, registryOptions } from "../../image-source.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** `touchmark image diff`: what two images differ in. */
export const command: Command = {
  name: "image diff",
  summary: "what two images differ in, at each level, and why",
  description:
    "Index, manifest and configuration are compared member by member; layers by digest and content; files by kind, mode, owner, time and content; contents by what they are. Exit code 0: the same bytes; 1: they differ.",
  arguments: [
    {
      name: "a",
      description: "HOST/NAME:TAG, HOST/NAME@DIGEST, oci-dir:PATH[:TAG], docker-archive:PATH",
      required: true,
    },
    { name: "b", description: "the other one, in the same forms", required: true },
  ],
  options: [
    { flags: "--platform <platform>", description: "of indexes, only os/architecture[/variant]" },
    { flags: "--files <n>", description: "most files to tell of a layer; default 50, with --json 1000" },
    {
      flags: "--content",
      description: "exit code 0 also when the content is the same, and only packing or description differ",
    },
    ...registryOptions,
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark image diff oci-dir:./first oci-dir:./second", "did two builds give the same?"],
    ["touchmark image diff registry.example.com/app:1.0 registry.example.com/app:1.1 --json", "for programs"],
  ],
  async run(invocation, terminal) {
    const [a, b] = invocation.arguments;
    if (a === undefined || b === undefined) throw cliErrors.make("CLI_USAGE", "expected two images");
    const isJson = given(invocation, "json");
    const maxFiles = numberOf(text(invocation, "files")) ?? (isJson ? 1000 : 50);
    const platform = text(invocation, "platform");
    const one = await openImageSource(a, invocation, terminal);
    try {
      const other = await openImageSource(b, invocation, terminal);
      try {
        const difference = await compareImages(
          { reader: one.reader, reference: one.digest },
          { reader: other.reader, reference: other.digest },
          { maxFiles, ...(platform === undefined ? {} : { platform: parsePlatform(platform) }) },
        );
        if (isJson) terminal.print(JSON.stringify(difference, undefined, 2));
        else showDifference(difference, terminal);
        const isSameContent = difference.verdict === "same-content" && given(invocation, "content");
        return difference.verdict === "identical" || isSameContent ? 0 : 1;
      } finally {
        other.close();
      }
    } finally {
      one.close();
    }
  },
};

function numberOf(words: string | undefined): number | undefined {
  if (words === undefined) return undefined;
  if (/^\d{1,7}$/.test(words)) return Number(words);
  throw cliErrors.make("CLI_USAGE", `expected a number of files, found ${JSON.stringify(words.slice(0, 40))}`);
}

const verdicts = {
  identical: "the same bytes",
  "same-content": "the same content, packed or described otherwise",
  different: "different",
  "only-a": "only in the first",
  "only-b": "only in the second",
} as const;

/** A difference for people. */
export function showDifference(difference: ImageDifference, terminal: Terminal): void {
  const { good, bad } = terminal.style;
  const { verdict, a, b, causes } = difference;
  terminal.print(`${verdict === "different" ? bad(verdicts[verdict]) : good(verdicts[verdict])}${listed(causes)}`);
  terminal.print(`  a ${a}\n  b ${b}`);
  for (const member of difference.index) terminal.print(`  index: ${memberLine(member)}`);
  for (const image of difference.images) showPlatform(image, terminal);
}

function showPlatform(image: PlatformDifference, terminal: Terminal): void {
  terminal.print(`${terminal.style.bold(oneLine(image.platform))}: ${verdicts[image.verdict]}${listed(image.causes)}`);
  for (const member of image.manifest) terminal.print(`  manifest: ${memberLine(member)}`);
  for (const member of image.config) terminal.print(`  config: ${memberLine(member)}`);
  for (const layer of image.layers) showLayer(layer, terminal);
}

function showLayer(layer: LayerDifference, terminal: Terminal): void {
  if (layer.verdict === "identical") return;
  const { a, b } = layer;
  const place = a === undefined || b === undefined || a === b ? `${(a ?? b ?? 0) + 1}` : `${a + 1} and ${b + 1}`;
  terminal.print(`  layer ${place}: ${verdicts[layer.verdict]}${listed(layer.causes)}`);
  for (const file of layer.files) {
    const fields = file.fields.map(({ field, a: was, b: is }) =>
      field === "content" ? field : `${field} ${was ?? "none"} → ${is ?? "none"}`,
    );
    const what = file.change === "changed" ? fields.join(", ") : file.change;
    terminal.print(oneLine(`    /${file.path}: ${what}${listed(file.causes)}`));
    for (const detail of file.content?.details ?? [])
      terminal.print(oneLine(`      ${file.content?.format}: ${detail}`));
    for (const inner of file.content?.files ?? []) {
      terminal.print(oneLine(`      ${inner.path}: ${inner.change}${listed(inner.causes)}`));
    }
  }
  if (layer.count > layer.files.length) terminal.print(`    and ${layer.count - layer.files.length} more files`);
}

function memberLine({ path, a, b, causes }: PlatformDifference["config"][number]): string {
  return oneLine(`${path}: ${shown(a)} → ${shown(b)}${listed(causes)}`);
}

function shown(value: unknown): string {
  const words = value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value);
  return words.length > 160 ? `${words.slice(0, 160)}…` : words;
}

function listed(causes: readonly string[]): string {
  return causes.length === 0 ? "" : ` (${causes.join(", ")})`;
}
