import { parsePlatform } from "@touchmark/formats/oci";
import { type CopyReport, copyImage } from "@touchmark/registry";
import { type Command, given, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { openImageSource, openImageTarget } from "../../image-source.ts";
import { size } from "../../output/quantity.ts";
import { registryOptions } from "../../registry-options.ts";
import { printable, type Terminal } from "../../terminal.ts";
import { progressLine } from "../materials/progress-line.ts";

/** `touchmark image copy`: an image and what refers to it, from any place to any other. */
export const command: Command = {
  name: "image copy",
  summary: "copy an image, and the evidence about it, from any place to any other",
  description:
    "A tag is resolved once. Every blob is verified on its way, every manifest is read again at the target, and the tag is set when all the rest is there. What the target has is not sent again: a broken copy goes on where it was. What refers to the image goes along.",
  arguments: [
    {
      name: "from",
      description: "HOST/NAME:TAG, HOST/NAME@DIGEST, oci-dir:PATH[:TAG], docker-archive:PATH",
      required: true,
    },
    { name: "to", description: "HOST/NAME[:TAG], oci-dir:PATH[:TAG]", required: true },
  ],
  options: [
    { flags: "--no-referrers", description: "leave out what refers to the image: signatures, provenance, lists" },
    {
      flags: "--platform <platform>",
      description: "os/architecture[/variant]; of several a new index is made, of which no evidence speaks",
      repeatable: true,
    },
    ...registryOptions,
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["touchmark image copy oci-dir:./image registry.example.com/app:1.0", "from a directory to a registry"],
    [
      "touchmark image copy registry.example.com/app:1.0 mirror.example.org/app:1.0",
      "with every signature and attestation",
    ],
  ],
  async run(invocation, terminal) {
    const [from, to] = invocation.arguments;
    if (from === undefined || to === undefined) throw cliErrors.make("CLI_USAGE", "expected FROM and TO");
    const source = await openImageSource(from, invocation, terminal);
    const progress = progressLine(terminal, "copied");
    try {
      const target = await openImageTarget(to, invocation, terminal);
      try {
        const report = await copyImage({
          from: source.reader,
          to: target.place,
          reference: source.digest,
          referrers: invocation.options.referrers !== false,
          platforms: texts(invocation, "platform").map(parsePlatform),
          ...(target.tag === undefined ? {} : { tag: target.tag }),
          onProgress: ({ done, total, bytes }) => progress.tick(done, total, bytes),
        });
        progress.close();
        const resolved = source.tag === undefined ? {} : { resolvedTag: source.tag };
        if (given(invocation, "json")) terminal.print(JSON.stringify({ ...report, ...resolved }, undefined, 2));
        else showCopy(report, terminal);
        return 0;
      } finally {
        target.close();
      }
    } finally {
      progress.close();
      source.close();
    }
  },
};

/** What was copied, for people. */
export function showCopy(report: CopyReport, terminal: Terminal): void {
  const { sent, mounted, there } = report.blobs;
  const name = `${printable(report.to)}${report.tag === undefined ? "" : `:${report.tag}`}`;
  terminal.print(`copied ${report.digest}\n  from ${printable(report.from)}\n  to   ${name}`);
  terminal.print(
    `  ${report.manifests} manifests, ${report.referrers} referrers; ${sent} blobs sent (${size(report.bytes)}), ${mounted} mounted, ${there} there before`,
  );
  for (const { digest, code } of report.skipped.slice(0, 20)) terminal.note(`  left out ${digest}: ${code}`);
  if (report.skipped.length > 20) terminal.note(`  and ${report.skipped.length - 20} more`);
  if (report.narrowed)
    terminal.note("  a new index of the chosen platforms: evidence about the whole does not name it");
}
