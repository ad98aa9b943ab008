import { resolve } from "node:path";
import { parsePlatform } from "@touchmark/formats/oci";
import { writeDockerArchive } from "@touchmark/image";
import { copyImage } from "@touchmark/registry";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { openImageSource, openImageTarget, registryOptions } from "../../image-source.ts";
import { size } from "../../output/quantity.ts";
import { printable } from "../../terminal.ts";
import { showCopy } from "./copy.ts";

/** `touchmark image export`: an image as files. */
export const command: Command = {
  name: "image export",
  summary: "write an image to a directory or a docker archive, to carry elsewhere",
  description:
    "A directory (OCI image layout) takes the image as it is, with everything that refers to it. A docker archive takes one platform, with unpacked layers and without referrers, since it has no place for them: `docker load` reads it.",
  arguments: [
    {
      name: "source",
      description: "HOST/NAME:TAG, HOST/NAME@DIGEST, oci-dir:PATH[:TAG], docker-archive:PATH",
      required: true,
    },
    { name: "target", description: "oci-dir:PATH[:TAG] or docker-archive:FILE[:NAME:TAG]", required: true },
  ],
  options: [
    { flags: "--platform <platform>", description: "of an index, only os/architecture[/variant]" },
    ...registryOptions,
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    [
      "touchmark image export registry.example.com/app:1.0 oci-dir:./app:1.0",
      "image and evidence, for an offline site",
    ],
    ["touchmark image export oci-dir:./app docker-archive:app.tar:app:1.0", "then: docker load --input app.tar"],
  ],
  async run(invocation, terminal) {
    const [from, to] = invocation.arguments;
    if (from === undefined || to === undefined) throw cliErrors.make("CLI_USAGE", "expected SOURCE and TARGET");
    const archive = /^docker-archive:([^:]+)(?::(.+))?$/.exec(to);
    if (archive === null && !to.startsWith("oci-dir:")) {
      throw cliErrors.make("CLI_USAGE", "expected oci-dir:PATH or docker-archive:FILE to write to", {
        hint: "touchmark image copy writes to registries",
      });
    }
    const written = text(invocation, "platform");
    const platform = written === undefined ? undefined : parsePlatform(written);
    const source = await openImageSource(from, invocation, terminal);
    try {
      if (archive !== null) {
        const file = resolve(terminal.directory, archive[1] ?? "");
        const names = archive[2] === undefined ? [] : [archive[2]];
        const chosen = platform === undefined ? {} : { platform };
        const { bytes } = await writeDockerArchive({
          reader: source.reader,
          reference: source.digest,
          names,
          file,
          ...chosen,
        });
        if (given(invocation, "json"))
          terminal.print(
            JSON.stringify({ from: source.name, digest: source.digest, file, names, bytes }, undefined, 2),
          );
        else
          terminal.print(
            `wrote ${source.digest}\n  from ${printable(source.name)}\n  to   ${printable(file)}, ${size(bytes)}`,
          );
        return 0;
      }
      const target = await openImageTarget(to, invocation, terminal);
      const tag = target.tag ?? source.tag;
      const report = await copyImage({
        ...{ from: source.reader, to: target.place, reference: source.digest, referrers: true },
        ...{ platforms: platform === undefined ? [] : [platform] },
        ...(tag === undefined ? {} : { tag }),
      });
      if (given(invocation, "json")) terminal.print(JSON.stringify(report, undefined, 2));
      else showCopy(report, terminal);
      return 0;
    } finally {
      source.close();
    }
  },
};
