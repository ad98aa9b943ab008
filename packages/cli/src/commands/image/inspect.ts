import { type Command, given } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { openImageSource, registryOptions } from "../../image-source.ts";
import { collectImage, type InspectedImage, type InspectedPlatform } from "../../output/inspected-image.ts";
import { size } from "../../output/quantity.ts";
import { oneLine, type Terminal } from "../../terminal.ts";

/** `touchmark image inspect`: what an image is. */
export const command: Command = {
  name: "image inspect",
  summary: "what an image is: platforms, layers, configuration, what refers to it",
  description:
    "A tag is resolved once; everything shown was read by digest and verified, but for the layers, which are not fetched.",
  arguments: [
    {
      name: "source",
      description: "HOST/NAME:TAG, HOST/NAME@DIGEST, oci-dir:PATH[:TAG], docker-archive:PATH[:NAME:TAG]",
      required: true,
    },
  ],
  options: [...registryOptions, { flags: "--json", description: "machine-readable output" }],
  examples: [
    ["touchmark image inspect oci-dir:./build/image", "the one image of a layout"],
    ["touchmark image inspect registry.example.com/app:1.0 --json", "for programs"],
  ],
  async run(invocation, terminal) {
    const [words] = invocation.arguments;
    if (words === undefined) throw cliErrors.make("CLI_USAGE", "expected an image");
    const source = await openImageSource(words, invocation, terminal);
    try {
      const inspected = await collectImage(source.reader, source.digest, source.tag);
      if (given(invocation, "json")) terminal.print(JSON.stringify(inspected, undefined, 2));
      else show(inspected, terminal);
      return 0;
    } finally {
      source.close();
    }
  },
};

function show(image: InspectedImage, terminal: Terminal): void {
  const { bold } = terminal.style;
  const rows: [string, string][] = [
    ["digest", image.digest],
    ["place", image.place],
    ["kind", image.kind],
    ...(image.tag === undefined ? [] : [["tag", image.tag] as [string, string]]),
    ["referrers", image.referrers.isAll ? `${image.referrers.count}` : `more than ${image.referrers.count}`],
  ];
  for (const [type, count] of Object.entries(image.referrers.types)) rows.push(["", `${count} ${type}`]);
  table(rows, "", terminal);
  for (const platform of image.platforms) {
    terminal.print("");
    terminal.print(bold(oneLine(platform.platform)));
    showPlatform(platform, terminal);
  }
}

function showPlatform(image: InspectedPlatform, terminal: Terminal): void {
  const rows: [string, string][] = [["manifest", image.digest]];
  const { config } = image;
  if (image.artifactType !== undefined) rows.push(["artifact", image.artifactType]);
  if (config !== undefined) {
    rows.push(["user", config.user === "" ? "root" : config.user]);
    if (config.created !== undefined) rows.push(["created", config.created]);
    if (config.entrypoint.length > 0) rows.push(["entrypoint", JSON.stringify(config.entrypoint)]);
    if (config.command.length > 0) rows.push(["command", JSON.stringify(config.command)]);
    if (config.directory !== "") rows.push(["directory", config.directory]);
    if (config.ports.length > 0) rows.push(["ports", config.ports.join(" ")]);
    for (const [i, row] of config.environment.entries()) rows.push([i === 0 ? "environment" : "", row]);
    for (const [i, [name, value]] of Object.entries(config.labels).entries()) {
      rows.push([i === 0 ? "labels" : "", `${name}=${value}`]);
    }
  }
  const total = image.layers.reduce((sum, layer) => sum + layer.size, 0);
  rows.push(["layers", `${image.layers.length}, ${size(total)}`]);
  for (const layer of image.layers) {
    const by = layer.createdBy === undefined ? "" : `  ${layer.createdBy}`;
    rows.push(["", `${layer.digest}  ${size(layer.size).padStart(10)}  ${layer.compression}${by}`]);
  }
  table(rows, "  ", terminal);
}

function table(rows: readonly (readonly [string, string])[], indent: string, terminal: Terminal): void {
  const { dim } = terminal.style;
  for (const [name, value] of rows) terminal.print(`${indent}${dim(name.padEnd(12))} ${oneLine(value)}`);
}
