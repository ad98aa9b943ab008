import type { Command, SubcommandRow } from "../command.ts";

/** Every subcommand of `touchmark image`, in the order of help. One visible place; nothing registers itself. */
export const imageTable: readonly SubcommandRow[] = [
  {
    name: "build",
    summary: "run a pipeline for the images that it makes, and say where they are",
    load: () => import("./image/build.ts"),
  },
  {
    name: "inspect",
    summary: "what an image is: platforms, layers, configuration, what refers to it",
    load: () => import("./image/inspect.ts"),
  },
  {
    name: "diff",
    summary: "what two images differ in, at each level, and why",
    load: () => import("./image/diff.ts"),
  },
  {
    name: "export",
    summary: "write an image to a directory or a docker archive, to carry elsewhere",
    load: () => import("./image/export.ts"),
  },
  {
    name: "unpack",
    summary: "put the files of an image into a directory, refusing whatever attacks",
    load: () => import("./image/unpack.ts"),
  },
  {
    name: "rebase-check",
    summary: "whether an image stands on what its base is now, and could be put on a newer one",
    load: () => import("./image/rebase-check.ts"),
  },
  {
    name: "copy",
    summary: "copy an image, and the evidence about it, from any place to any other",
    load: () => import("./image/copy.ts"),
  },
  {
    name: "promote",
    summary: "copy what verifies to another repository, with a signed decision beside it",
    load: () => import("./image/promote.ts"),
  },
  {
    name: "watch",
    summary: "follow a tag: evaluate a new digest behind it before it is promoted",
    load: () => import("./image/watch.ts"),
  },
  {
    name: "slim",
    summary: "make an image smaller, and keep a signed list of what went",
    load: () => import("./image/slim.ts"),
  },
];

/** `touchmark image`: images of this factory and of others. */
export const command: Command = {
  name: "image",
  summary: "images: look into them, compare, copy, export",
  description:
    "An image is named by where it is: oci-dir:PATH[:TAG or @DIGEST], docker-archive:PATH[:NAME:TAG], or registry:HOST/NAME[:TAG][@DIGEST]. Whatever is read is verified against its digest.",
  examples: [
    ["touchmark image inspect oci-dir:./build/image", "platforms, layers, configuration, what refers to it"],
    ["touchmark image diff oci-dir:./first oci-dir:./second", "what differs, file by file, and why"],
  ],
  subcommands: imageTable,
  // A subcommand runs instead.
  run: async () => 2,
};
