import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { openLayout } from "../layout/open-layout.ts";
import { contentOf, freshPlace } from "./scene.fixture.ts";
import { hostPlatform, unpackImage } from "./unpack-image.ts";

const umoci = findProgram("umoci");
const skopeo = findProgram("skopeo");
const run = (program: string | undefined, ...words: string[]) =>
  execFileSync(program ?? "", words, { stdio: "pipe", maxBuffer: 2 ** 24 });

/** An image in two layers that umoci made: the second takes away, replaces and links. */
function madeByUmoci(): string {
  const top = freshPlace();
  mkdirSync(top);
  const layout = join(top, "layout");
  const image = `${layout}:made`;
  run(umoci, "init", "--layout", layout);
  run(umoci, "new", "--image", image);
  const change = (name: string, work: (root: string) => void) => {
    const bundle = join(top, name);
    run(umoci, "unpack", "--rootless", "--image", image, bundle);
    work(join(bundle, "rootfs"));
    run(umoci, "repack", "--image", image, bundle);
  };
  change("first", (root) => {
    mkdirSync(join(root, "d", "e"), { recursive: true });
    for (const name of ["a", "d/b", "d/e/c", "gone"]) writeFileSync(join(root, name), name);
    writeFileSync(join(root, "\u00e9".repeat(90)), "long");
    symlinkSync("/d/b", join(root, "l"));
    linkSync(join(root, "a"), join(root, "hard"));
    chmodSync(join(root, "a"), 0o750);
  });
  change("second", (root) => {
    rmSync(join(root, "gone"));
    rmSync(join(root, "d/e"), { recursive: true });
    writeFileSync(join(root, "d/e"), "a file now");
    rmSync(join(root, "l"));
    mkdirSync(join(root, "l"));
    writeFileSync(join(root, "l/in"), "in");
    linkSync(join(root, "d/b"), join(root, "d/b2"));
  });
  return layout;
}

async function unpacked(layout: string, tag: string): Promise<string[]> {
  const root = freshPlace();
  await unpackImage({ reader: openLayout(layout), digest: tag, platform: hostPlatform(), directory: root });
  return contentOf(root);
}

test.skipIf(umoci === undefined)("X6: layers that umoci made unpack to what umoci unpacks (needs umoci)", async () => {
  const layout = madeByUmoci();
  const bundle = freshPlace();
  run(umoci, "unpack", "--rootless", "--image", `${layout}:made`, bundle);
  const found = await unpacked(layout, "made");
  expect(found).toEqual(contentOf(join(bundle, "rootfs")));
  expect(found).toContain("d/e = a file now");
  expect(found).not.toContain("gone = gone");
});

test.skipIf(umoci === undefined || skopeo === undefined)(
  "X1: the same image packed by skopeo with zstd unpacks to the same (needs umoci and skopeo)",
  async () => {
    const layout = madeByUmoci();
    const copy = freshPlace();
    const words = ["--insecure-policy", "copy", "--dest-compress-format", "zstd", "--dest-compress"];
    run(skopeo, ...words, `oci:${layout}:made`, `oci:${copy}:made`);
    const { bytes } = await openLayout(copy).manifest("made");
    expect(Buffer.from(bytes).toString()).toContain("tar+zstd");
    expect(await unpacked(copy, "made")).toEqual(await unpacked(layout, "made"));
  },
);
