import { zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import { catalogued, lost, type Scene, sceneDirectory } from "../../catalogue/scene.fixture.ts";
import { openDirectoryTree } from "../../sources/directory-tree.ts";
import { chisel } from "./chisel.ts";

const place = "var/lib/chisel/manifest.wall";
const wall = (...lines: readonly object[]) =>
  zstdCompressSync(
    [{ jsonwall: "1.0", schema: "1.0", count: lines.length + 1 }, ...lines]
      .map((line) => `${JSON.stringify(line)}\n`)
      .join(""),
  );
const of = (scene: Scene) =>
  catalogued(openDirectoryTree(sceneDirectory({ "etc/os-release": "ID=ubuntu\nVERSION_ID=24.04\n", ...scene })), [
    chisel,
  ]);

test("O3: an image that chisel made has its packages and their files in the manifest", async () => {
  const sbom = await of({
    [place]: wall(
      { kind: "content", slice: "libc6_libs", path: "/usr/lib/libc.so.6" },
      { kind: "package", name: "libc6", version: "2.39-0ubuntu8", sha256: "00", arch: "amd64" },
      { kind: "path", path: "/usr/bin/tool", mode: "0755", slices: ["libc6_libs"], sha256: "00", size: 3 },
      { kind: "path", path: "/usr/bin/", mode: "0755", slices: ["libc6_libs"] },
      { kind: "slice", name: "libc6_libs" },
    ),
    "usr/bin/tool": { content: "#!/bin/sh", mode: 0o755 },
    "usr/bin/evil": { content: "#!/bin/sh", mode: 0o755 },
  });
  expect(sbom.components[0]).toMatchObject({
    ref: "pkg:deb/ubuntu/libc6@2.39-0ubuntu8?arch=amd64&distro=ubuntu-24.04",
    occurrences: [{ path: place, rule: "chisel-manifest" }],
  });
  expect(sbom.unowned?.map(({ path }) => path)).toEqual(["usr/bin/evil"]);
});

test.each<[string, Uint8Array | string]>([
  ["no zstd", "plain"],
  ["a bomb", zstdCompressSync(Buffer.alloc(70 * 2 ** 20))],
  ["no header", zstdCompressSync('{"kind":"package"}\n')],
  ["no JSON", zstdCompressSync('{"jsonwall":"1.0"}\nx\n')],
  ["no objects", zstdCompressSync('{"jsonwall":"1.0"}\n[]\n')],
  ["no version", wall({ kind: "package", name: "a" })],
  ["a hostile name", wall({ kind: "package", name: "a\n", version: "1" })],
])("O9: a manifest that is %s is a loss", async (_, content) => {
  expect(lost(await of({ [place]: content }))).toEqual([`SBOM_FILE_MALFORMED ${place}`]);
});
