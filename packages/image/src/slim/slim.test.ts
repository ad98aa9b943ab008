import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { sha256 } from "@touchmark/core";
import { parseManifest } from "@touchmark/formats/oci";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { memoryImages } from "../layout/memory-images.ts";
import { streamLayer } from "../unpack/layer.ts";
import { platform, type SceneLayer, sceneImage } from "../unpack/scene.fixture.ts";
import { SLIMMED_FROM, type SlimRequest, slimImage } from "./slim-image.ts";
import { removedPaths, type SlimRules } from "./slim-plan.ts";

const scratch = mkdtempSync(join(tmpdir(), "touchmark-slim-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const refusal = (code: string) => expect.objectContaining({ code });

async function slim(
  layers: readonly SceneLayer[],
  rules: Partial<SlimRules>,
  more: Partial<SlimRequest> = {},
  config: object = {},
) {
  const { reader, digest } = await sceneImage(layers, config);
  const out = memoryImages();
  const image = await slimImage({
    reader,
    digest,
    platform,
    rules: { remove: [], keep: [], ...rules },
    out,
    scratch,
    ...more,
  });
  const { bytes, descriptor } = await out.manifest(image.descriptor.digest);
  const manifest = parseManifest(bytes, { mediaType: descriptor.mediaType });
  if (manifest.kind === "index") throw new TypeError("expected an image");
  const entries: Record<string, string> = {};
  for (const layer of manifest.layers) {
    for await (const entry of streamLayer(out, layer)) {
      const content = (await buffer(entry.content())).toString("utf8");
      const { kind, uid, gid, mtime, target = "" } = entry;
      entries[entry.path] = [kind, (entry.mode & 0o7777).toString(8), `${uid}:${gid}`, mtime, target, content]
        .join(" ")
        .trim();
    }
  }
  return {
    image,
    source: digest,
    manifest,
    entries,
    config: JSON.parse((await buffer(out.blob(manifest.config))).toString("utf8")) as Record<string, unknown>,
  };
}

const file = (name: string, content = name, more = {}) => ({ name, content, mtime: 1000, ...more });
const link = (name: string, target: string) => ({ name, type: "2", target });
const directory = (name: string, more = {}) => ({ name: `${name}/`, type: "5", mode: 0o755, ...more });

test("S1: what is removed is in no layer; what stays keeps owner, mode, time, links and configuration", async () => {
  const { image, source, manifest, entries, config } = await slim(
    [
      [
        directory("opt", { uid: 7 }),
        file("opt/a", "one", { uid: 5, gid: 6, mode: 0o4755 }),
        file("secret"),
        file("gone"),
      ],
      [file(".wh.gone", ""), file("opt/b", "two"), { name: "opt/c", type: "1", target: "opt/b" }, link("opt/l", "a")],
    ],
    { remove: ["secret"] },
    {},
    { User: "5", Healthcheck: { Test: ["CMD", "x"] } },
  );
  expect(entries).toEqual({
    opt: "directory 755 7:0 0",
    "opt/a": "file 4755 5:6 1000  one",
    "opt/b": "file 644 0:0 1000  two",
    "opt/c": "hardlink 644 0:0 1000 opt/b",
    "opt/l": "symlink 777 0:0 0 a",
  });
  expect(manifest.layers).toHaveLength(1);
  expect(manifest.annotations).toEqual({ [SLIMMED_FROM]: source });
  expect(config["config"]).toEqual({ User: "5", Healthcheck: { Test: ["CMD", "x"] } });
  expect(image.removed).toEqual([{ path: "secret", kind: "file", digest: sha256("secret"), bytes: 6 }]);
  expect([image.source.layers, image.source.files, image.result.files]).toEqual([2, 5, 4]);
  expect(readdirSync(scratch)).toEqual([]);
});

test("S1: the same image and rules give the same bytes; devices and pipes go and are listed", async () => {
  const layers = [[file("a"), file("b"), { name: "null", type: "3" }, { name: "pipe", type: "6" }]];
  const [one, other] = [await slim(layers, { remove: ["b"] }), await slim(layers, { remove: ["b"] })];
  expect(one.image.descriptor.digest).toBe(other.image.descriptor.digest);
  expect(one.image.removed.map(({ path, kind }) => `${kind} ${path}`)).toEqual(["file b", "device null", "fifo pipe"]);
});

const listed = (...paths: string[]) =>
  paths.map((path) => {
    const [name = "", target] = path.split(" -> ");
    const kind =
      target !== undefined ? ("symlink" as const) : name.endsWith("/") ? ("directory" as const) : ("file" as const);
    const original = { uid: 0, gid: 0, mode: 0o644 };
    return {
      path: name.replace(/\/$/, ""),
      kind,
      mode: 0,
      mtime: 0,
      size: 0,
      original,
      ...(target === undefined ? {} : { target }),
    };
  });
const gone = (paths: string[], rules: Partial<SlimRules>) =>
  [...removedPaths(listed(...paths), { remove: [], keep: [], ...rules })].sort();

test("S2: a pattern means a path with what is below it; what is kept keeps the directories above it", () => {
  const paths = ["usr/", "usr/doc/", "usr/doc/a/", "usr/doc/a/copyright", "usr/doc/a/README", "usr/docs"];
  expect(gone(paths, { remove: ["/usr/doc/"] })).toEqual([
    "usr/doc",
    "usr/doc/a",
    "usr/doc/a/README",
    "usr/doc/a/copyright",
  ]);
  expect(gone(paths, { remove: ["usr/doc"], keep: ["usr/doc/*/copyright"] })).toEqual(["usr/doc/a/README"]);
  expect(gone(paths, { remove: ["**/README"] })).toEqual(["usr/doc/a/README"]);
  expect(gone(paths, { remove: ["usr/doc/**"] })).not.toContain("usr/doc");
  expect(gone(paths, { remove: ["usr/doc?"] })).toEqual(["usr/docs"]);
  expect(gone(paths, { remove: ["usr/*"], keep: ["**"] })).toEqual([]);
});

test.each(["", "/", "a//b", "../x", "a/./b", "a\0b", "*".repeat(20), "x".repeat(600)])(
  "S2: %j is no pattern",
  (pattern) => {
    expect(() => gone(["a"], { remove: [pattern] })).toThrow(refusal("SLIM_PATTERN_INVALID"));
  },
);

test("S2: patterns are literal but for their stars, and quick", () => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z.+()[\]{}|^$\\]{1,12}$/),
      fc.stringMatching(/^[a-z.]{1,12}$/),
      (pattern, path) => {
        fc.pre(pattern !== "." && pattern !== ".." && path !== "." && path !== "..");
        expect(gone([path], { remove: [pattern] })).toEqual(pattern === path ? [path] : []);
      },
    ),
  );
  const deep = Array.from({ length: 200 }, (_, i) => "a/".repeat(i + 1) + "b");
  expect(gone(deep, { remove: ["**/a/**/a/**/a/**/a/c"] })).toEqual([]);
});

test("S3: with a trace every file that was not read goes, and links that lead to what stays remain", () => {
  const paths = [
    "bin -> usr/bin",
    "etc/",
    "etc/passwd",
    "usr/",
    "usr/bin/",
    "usr/bin/python -> python3",
    "usr/bin/python3",
    "usr/bin/perl",
    "usr/bin/pl -> perl",
    "usr/bin/loop -> loop",
    "usr/bin/sh -> dash",
    "usr/bin/dash",
  ];
  expect(gone(paths, { used: { paths: ["/bin/python", "/nowhere"], complete: true } })).toEqual([
    "usr/bin/dash",
    "usr/bin/loop",
    "usr/bin/perl",
    "usr/bin/pl",
    "usr/bin/sh",
  ]);
  expect(
    gone(paths, { used: { paths: ["/bin/python"], complete: true }, keep: ["usr/bin/perl"], remove: ["etc/passwd"] }),
  ).toEqual(["etc/passwd", "usr/bin/dash", "usr/bin/loop", "usr/bin/pl", "usr/bin/sh"]);
});

test("S3: a record that may have missed something says nothing about what is unused", () => {
  expect(() => gone(["a"], { used: { paths: ["a"], complete: false } })).toThrow(refusal("SLIM_TRACE_INCOMPLETE"));
});

test("S4: what goes has its Debian package, also where directories were merged and where each package has a file", async () => {
  const status =
    "Package: bash\nStatus: install ok installed\nVersion: 5.2-1\nArchitecture: amd64\n\nPackage: old\nStatus: deinstall ok config-files\nVersion: 1\nArchitecture: all\n";
  const { image } = await slim(
    [
      [
        directory("usr/bin"),
        link("bin", "usr/bin"),
        file("usr/bin/bash"),
        file("usr/bin/mine"),
        file("usr/share/doc/bash/README"),
        file("var/lib/dpkg/status", status),
        file("var/lib/dpkg/info/bash.list", "/.\n/bin\n/bin/bash\n/usr/share/doc/bash/README\n"),
        file("var/lib/dpkg/status.d/tz", "Package: tzdata\nVersion: 2024a\nArchitecture: all\n"),
        file("var/lib/dpkg/status.d/tz.md5sums", `${"0".repeat(32)}  usr/share/zone\n`),
        file("usr/share/zone"),
      ],
    ],
    { remove: ["usr/bin/**", "usr/share/zone"] },
  );
  expect(image.removed.map(({ path, package: owner }) => [path, owner])).toEqual([
    ["usr/bin/bash", "bash"],
    ["usr/bin/mine", undefined],
    ["usr/share/zone", "tzdata"],
  ]);
  // The link /bin is a path of bash too, and stays.
  expect(image.packages).toEqual([
    { name: "bash", version: "5.2-1", architecture: "amd64", removed: 1, kept: 2, whole: false },
    { name: "tzdata", version: "2024a", architecture: "all", removed: 1, kept: 0, whole: true },
  ]);
});

test("S5: rules that remove nothing, too much, or would lose attributes of what stays are refused", async () => {
  await expect(slim([[file("a")]], { remove: ["b"] })).rejects.toThrow(refusal("SLIM_NOTHING_REMOVED"));
  await expect(slim([[file("a"), file("b"), file("c")]], { remove: ["?"] }, { maxRemoved: 2 })).rejects.toThrow(
    refusal("SLIM_TOO_MANY"),
  );
  const capable = { ...file("ping"), pax: [["SCHILY.xattr.security.capability", "\u0001"]] as const };
  await expect(slim([[capable, file("b")]], { remove: ["b"] })).rejects.toThrow(refusal("SLIM_ATTRIBUTES_LOST"));
  expect((await slim([[capable, file("b")]], { remove: ["ping"] })).entries).toEqual({ b: "file 644 0:0 1000  b" });
  expect(readdirSync(scratch)).toEqual([]);
});
