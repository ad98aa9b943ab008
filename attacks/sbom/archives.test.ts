import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { forgeTar, forgeZip } from "@touchmark/test-kit/archives";
import { expect, test } from "vitest";
import { planted, purls, scan, vulnerable } from "./tree-scene.ts";

const packed = forgeTar([{ name: "node_modules/lodash/package.json", content: vulnerable }]);

test("C12: a package hidden in an archive in an archive, under another name, is found", async () => {
  const hidden = forgeZip([{ name: "assets/fonts.tgz", content: gzipSync(packed) }]);
  const root = planted({ "share/theme.zip": hidden });
  expect(readFileSync(`${root}/share/theme.zip`).includes("lodash")).toBe(false);
  const sbom = await scan(root);
  expect(purls(sbom)).toContain("pkg:npm/lodash@4.17.20");
  expect(sbom.components.find(({ name }) => name === "lodash")?.occurrences[0]?.path).toBe(
    "share/theme.zip!/assets/fonts.tgz!/node_modules/lodash/package.json",
  );
});

test("C12: a package fifty archives deep is not found, and the place where the scan stopped is named", async () => {
  let bytes = packed;
  for (let depth = 1; depth < 50; depth++) bytes = forgeTar([{ name: "n.tar", content: bytes }]);
  const sbom = await scan(planted({ "a.tar": bytes, "node_modules/lodash/package.json": vulnerable }));
  expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.20"]);
  expect(sbom.losses).toEqual([
    expect.objectContaining({ code: "SBOM_ARCHIVE_TOO_DEEP", path: expect.stringMatching(/^a\.tar(!\/n\.tar){8}$/) }),
  ]);
});

test("C12: an archive that unpacks to a million times its size ends at the limit, and what stands beside it is read", async () => {
  const bomb = gzipSync(gzipSync(forgeTar([{ name: "x", content: Buffer.alloc(50_000_000) }])), { level: 1 });
  const bytes = forgeTar([
    { name: "zeros", content: Buffer.alloc(30_000_000) },
    { name: "node_modules/late/package.json", content: vulnerable },
  ]);
  const root = planted({
    "a.tgz": gzipSync(bytes),
    "b.tgz": bomb,
    "node_modules/lodash/package.json": vulnerable,
  });
  const sbom = await scan(root, { limits: { archiveBytes: 10_000_000 } });
  expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.20"]);
  expect(sbom.losses.map(({ code }) => code)).toContain("SBOM_ARCHIVE_TOO_LARGE");
});

test("C12: entries that would be written outside are not taken for files of the tree", async () => {
  const evil = JSON.stringify({ name: "innocent", version: "99.0.0" });
  const archive = forgeTar([
    { name: "../node_modules/lodash/package.json", content: evil },
    { name: "x/../../node_modules/lodash/package.json", content: evil },
  ]);
  const sbom = await scan(planted({ "a.tar": archive, "node_modules/lodash/package.json": vulnerable }));
  expect(purls(sbom)).toEqual(["pkg:npm/lodash@4.17.20"]);
  expect(sbom.losses.map(({ code }) => code)).toEqual(["SBOM_ARCHIVE_NAME"]);
});

test("C12: an archive packed so that nobody here reads it is not passed over in silence", async () => {
  const sbom = await scan(planted({ "a.tar.xz": Buffer.from("fd377a585a000004", "hex"), "b.7z": "7z" }));
  expect(sbom.losses.map(({ code, path }) => `${code} ${path}`)).toEqual([
    "SBOM_ARCHIVE_COMPRESSION a.tar.xz",
    "SBOM_ARCHIVE_COMPRESSION b.7z",
  ]);
});
