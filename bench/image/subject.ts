import { assembleImage, openLayout } from "@touchmark/image";

/**
 * The process that is measured: `subject.ts FILES LAYOUT SCRATCH COMPRESSION LEVEL` puts the files of a directory as one
 * layer upon the image `base` of a layout, under the tag `ours`, with every check of run images.
 */
const [directory = "", layout = "", scratch = "", compression = "gzip", level = "4"] = process.argv.slice(2);
const out = openLayout(layout);
const base = await out.manifest("base");
const image = await assembleImage(
  {
    platform: { os: "linux", architecture: "amd64" },
    base: { name: "base", digest: base.descriptor.digest },
    layers: [{ files: [{ kind: "directory", directory, to: "/srv" }] }],
    epoch: 1_700_000_000,
    user: "1001:1001",
    compression: compression === "zstd" || compression === "none" ? compression : "gzip",
    ...(compression === "none" ? {} : { level: Number(level) }),
  },
  { base: out, out, scratch, tag: "ours" },
);
console.log(image.descriptor.digest);
