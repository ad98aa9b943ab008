import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseImageConfig } from "@touchmark/formats/oci";
import { padding, type TarHeaderEntry, tarEnd, tarHeader } from "@touchmark/store";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, expect, test } from "vitest";
import { readImage } from "../assemble/image-base.ts";
import { sampleFile, sampleImage } from "../assemble/sample-image.fixture.ts";
import { openDockerArchive } from "./docker-archive.ts";
import { openLayout } from "./open-layout.ts";
import { collect } from "./verified.ts";
import { writeDockerArchive } from "./write-docker-archive.ts";

const scratch = mkdtempSync(join(tmpdir(), "touchmark-archive-test-"));
afterAll(() => rmSync(scratch, { recursive: true }));
const fresh = (name: string) => join(mkdtempSync(join(scratch, "t-")), name);
const code = (value: string) => expect.objectContaining({ code: value });
const skopeo = findProgram("skopeo");

function forge(entries: readonly (Partial<TarHeaderEntry> & { path: string; content?: string })[]): string {
  const parts = entries.flatMap(({ content = "", ...entry }) => {
    const size = Buffer.byteLength(content);
    return [tarHeader({ kind: "file", mode: 0o644, mtime: 0, size, ...entry }), Buffer.from(content), padding(size)];
  });
  const file = fresh("forged.tar");
  writeFileSync(file, Buffer.concat([...parts, tarEnd()]));
  return file;
}

test("I11: an image goes to a docker archive and back, whatever its layers are packed with", async () => {
  for (const compression of ["none", "gzip", "zstd"] as const) {
    const image = await sampleImage({
      compression,
      layers: [1, 2, 1].map((i) => ({ files: [sampleFile(`/app/${i}`)] })),
    });
    const file = fresh("image.tar");
    const options = { reader: image.images, reference: image.descriptor.digest, names: ["shop:1", "shop:latest"] };
    await writeDockerArchive({ ...options, file });
    const archive = openDockerArchive(file);
    const found = await readImage(archive, "shop:1");
    expect(found.manifest.config).toEqual(image.manifest.config);
    expect(await archive.only()).toBe(found.descriptor.digest);
    const tags: string[] = [];
    for await (const tag of archive.tags?.() ?? []) tags.push(tag);
    expect(tags).toEqual(["shop:1", "shop:latest"]);
    for await (const referrer of archive.referrers(found.descriptor.digest)) expect(referrer).toBeUndefined();
    const config = parseImageConfig(await collect(archive.blob(found.manifest.config), 1e6, "config"));
    for (const [i, layer] of found.manifest.layers.entries()) {
      expect(layer.digest).toBe(config.rootfs.diff_ids[i]);
      for await (const chunk of archive.blob(layer)) void chunk;
    }
    // The same bytes again; and never over another file.
    const again = fresh("image.tar");
    await writeDockerArchive({ ...options, file: again });
    expect(readFileSync(again).equals(readFileSync(file))).toBe(true);
    await expect(writeDockerArchive({ ...options, file })).rejects.toEqual(code("IMAGE_TARGET_EXISTS"));
  }
});

test("I11: what is in no archive is not found in it", async () => {
  const { images, descriptor, manifest } = await sampleImage();
  const file = fresh("image.tar");
  await writeDockerArchive({ reader: images, reference: descriptor.digest, file });
  const archive = openDockerArchive(file);
  await expect(archive.manifest("shop:1")).rejects.toEqual(code("IMAGE_MANIFEST_MISSING"));
  const [layer] = manifest.layers;
  if (layer === undefined) throw new Error("no layer");
  await expect(collect(archive.blob(layer), 1e6, "blob")).rejects.toEqual(code("IMAGE_BLOB_MISSING"));
});

test("I11: a hostile or broken archive is refused", async () => {
  const row = { Config: "c.json", RepoTags: null, Layers: ["l.tar"] };
  const config = {
    path: "c.json",
    content: JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { type: "layers", diff_ids: [] } }),
  };
  const manifest = (value: unknown) => ({ path: "manifest.json", content: JSON.stringify(value) });
  const forged: Record<string, string> = {
    "no manifest.json": forge([{ path: "x", content: "x" }]),
    "no list": forge([manifest({})]),
    "no texts": forge([manifest([{ ...row, Layers: [1] }]), config]),
    "no such config": forge([manifest([row])]),
    "no such layer": forge([manifest([{ ...row, Config: "c.json" }]), config, { path: "other" }]),
    "two of a name": forge([manifest([row]), manifest([row])]),
    "a way out": forge([{ path: "../manifest.json", content: "[]" }]),
    "a link out": forge([{ path: "manifest.json", kind: "symlink", target: "../../../etc/hostname", size: 0 }]),
    "a link to a link": forge([
      { path: "a", kind: "symlink", target: "b", size: 0 },
      { path: "b", kind: "symlink", target: "a", size: 0 },
      { path: "manifest.json", kind: "symlink", target: "a", size: 0 },
    ]),
  };
  for (const [what, file] of Object.entries(forged)) {
    const failure = await openDockerArchive(file)
      .only()
      .catch((error: unknown) => error);
    expect(failure, what).toEqual(
      expect.objectContaining({ code: expect.stringMatching(/^(IMAGE_ARCHIVE_INVALID|OCI_CONFIG_LAYERS)$/) }),
    );
  }
  await expect(openDockerArchive(fresh("absent")).only()).rejects.toEqual(code("IMAGE_ARCHIVE_INVALID"));
  const cut = forge([{ path: "long", content: "x".repeat(5000) }, manifest([row])]);
  truncateSync(cut, 3000);
  await expect(openDockerArchive(cut).only()).rejects.toEqual(code("IMAGE_ARCHIVE_INVALID"));
  truncateSync(cut, 700);
  await expect(openDockerArchive(cut).only()).rejects.toEqual(code("IMAGE_ARCHIVE_INVALID"));
  truncateSync(cut, 100);
  await expect(openDockerArchive(cut).only()).rejects.toEqual(code("IMAGE_ARCHIVE_INVALID"));
});

test("I11: a layer that is not what the configuration says is refused when it is read", async () => {
  const image = await sampleImage();
  const file = fresh("image.tar");
  await writeDockerArchive({ reader: image.images, reference: image.descriptor.digest, file });
  const bytes = readFileSync(file);
  const at = bytes.indexOf("content of /app/main");
  bytes.write("tampered", at);
  writeFileSync(file, bytes);
  const archive = openDockerArchive(file);
  const { manifest } = await readImage(archive, await archive.only());
  const [layer] = manifest.layers;
  if (layer === undefined) throw new Error("no layer");
  await expect(collect(archive.blob(layer), 1e6, "blob")).rejects.toEqual(code("IMAGE_BLOB_CORRUPT"));
});

test.skipIf(skopeo === undefined)("I11: skopeo reads what we write, and we what skopeo writes", async () => {
  const directory = mkdtempSync(join(scratch, "skopeo-"));
  const layout = openLayout(join(directory, "layout"));
  const image = await sampleImage({ labels: { a: "b" } }, { out: layout, tag: "one" });
  const ours = join(directory, "ours.tar");
  await writeDockerArchive({ reader: layout, reference: "one", names: ["shop:1"], file: ours });
  const run = (...words: string[]) =>
    execFileSync(skopeo as string, ["--insecure-policy", ...words], { encoding: "utf8" });
  expect(JSON.parse(run("inspect", "--config", `docker-archive:${ours}`))).toMatchObject({
    config: { User: "1001:1001" },
  });
  run("copy", `docker-archive:${ours}:shop:1`, `oci:${join(directory, "back")}:one`);
  expect((await readImage(openLayout(join(directory, "back")), "one")).config.rootfs).toEqual(
    (await readImage(layout, "one")).config.rootfs,
  );
  run("copy", `oci:${join(directory, "layout")}:one`, `docker-archive:${join(directory, "theirs.tar")}:shop:2`);
  const theirs = await readImage(
    openDockerArchive(join(directory, "theirs.tar")),
    await openDockerArchive(join(directory, "theirs.tar")).only(),
  );
  expect(theirs.config.rootfs.diff_ids).toEqual([image.layers[0]?.diffId]);
});
