import { readFileSync } from "node:fs";
import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { openDirectoryTree } from "../sources/directory-tree.ts";
import { openLayersTree } from "../sources/layers-tree.ts";
import type { Cataloger, Found, FoundComponent } from "./cataloger.ts";
import { catalogued, listed, lost, pkgFiles, sceneDirectory, sceneLayers } from "./scene.fixture.ts";

/** A cataloger that wants everything and says this. */
function says(found: Partial<Found>, name = "says"): Cataloger {
  const whole = { components: [], edges: [], roots: [], losses: [], ...found };
  return { name, wants: () => true, catalogue: () => whole };
}

function part(name: string, more: Partial<FoundComponent> = {}): FoundComponent {
  return {
    key: name,
    kind: "library",
    name,
    version: "1",
    type: "generic",
    scope: "unknown",
    purl: `pkg:generic/${name}@1`,
    occurrences: [{ path: "file", rule: "test" }],
    ...more,
  };
}

const one = openDirectoryTree(sceneDirectory({ file: "content" }));
const refs = (components: readonly { ref: string }[]) => components.map(({ ref }) => ref);

test("C6: what has the same package URL and no hash that differs is one component with all its places", async () => {
  const sbom = await catalogued(
    openDirectoryTree(
      sceneDirectory({
        "a.pkg": "x 1 sha1=aa scope=development",
        "b.pkg": "x 1 scope=optional",
        "c.pkg": "x 1 sha1=bb scope=runtime",
        "d.pkg": "x 1 sha1=bb",
      }),
    ),
  );
  const found = sbom.components.filter(({ name }) => name === "x");
  expect(found.map(({ ref, scope, hashes }) => [ref, scope, hashes.map(({ value }) => value).join()])).toEqual([
    ["pkg:generic/x@1#a.pkg", "optional", "aa"],
    ["pkg:generic/x@1#c.pkg", "runtime", "bb"],
  ]);
  expect(found.map(({ occurrences }) => occurrences.map(({ path }) => path).join(" "))).toEqual([
    "a.pkg b.pkg",
    "c.pkg d.pkg",
  ]);
});

test("C6: what one place does not say another may; of what both say, the first counts", async () => {
  const sbom = await catalogued(one, [
    says({ components: [part("x", { description: "first", direct: true })] }),
    says({ components: [part("x", { description: "second", homepage: "https://example.com/", cpes: ["c"] })] }),
    says({ components: [part("x", { cpes: ["c", "d"], declaredLicences: [{ expression: "MIT", confidence: 1 }] })] }),
  ]);
  expect(sbom.components[0]).toMatchObject({
    ref: "pkg:generic/x@1",
    description: "first",
    homepage: "https://example.com/",
    direct: true,
    cpes: ["c", "d"],
    declaredLicences: [{ expression: "MIT", confidence: 1 }],
    occurrences: [{ path: "file", rule: "test" }],
  });
});

test("C7: every component has a ref of its own, without a package URL too; the order is that of bytes", async () => {
  const plain = { purl: undefined } as unknown as Partial<FoundComponent>;
  const sbom = await catalogued(one, [
    says({
      components: [
        part("z"),
        part("a", plain),
        part("app", { ...plain, kind: "application", version: "" }),
        part("y", { hashes: [{ algorithm: "md5", value: "1" }] }),
        part("y", { key: "y2", hashes: [{ algorithm: "md5", value: "2" }] }),
      ],
    }),
  ]);
  expect(refs(sbom.components)).toEqual([
    "generic:a@1",
    "generic:application:app",
    "pkg:generic/y@1#file",
    "pkg:generic/y@1#file:2",
    "pkg:generic/z@1",
    "subject:scene",
  ]);
});

test("C7: the same input gives the same SBOM; time and subject are the caller's", async () => {
  const scene = { "a.pkg": "x 1", "b.pkg": "y 1", "c/d.pkg": "x 1 sha1=aa" };
  const options = {
    created: "2026-01-02T03:04:05Z",
    subject: { kind: "artifact", name: "a b", version: "2" },
  } as const;
  const first = await catalogued(openDirectoryTree(sceneDirectory(scene)), [pkgFiles], options);
  const second = await catalogued(openDirectoryTree(sceneDirectory(scene)), [pkgFiles], options);
  expect(JSON.stringify(second)).toBe(JSON.stringify(first));
  expect(first.root).toBe("subject:a%20b@2");
  expect(first.created).toBe("2026-01-02T03:04:05Z");
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  expect(first.tools).toEqual([{ name: "touchmark", version, vendor: "Touchmark" }]);
});

test("C8: edges are by refs; the root leads to what it wants, to what nothing leads to, and into every circle", async () => {
  const names = ["wanted", "below", "head", "a", "b", "self"];
  const sbom = await catalogued(one, [
    says({
      components: names.map((name) => part(name)),
      edges: [
        { from: "wanted", to: ["below", "unknown"] },
        { from: "a", to: ["b"] },
        { from: "b", to: ["a"] },
        { from: "self", to: ["self"] },
        { from: "below", to: [] },
        { from: "unknown", to: ["a"] },
      ],
      roots: ["wanted", "unknown"],
    }),
  ]);
  const short = (ref: string) => ref.replace("pkg:generic/", "").replace("@1", "");
  expect(sbom.dependencies.map(({ from, to }) => `${short(from)} > ${to.map(short).join(" ")}`)).toEqual([
    "a > b",
    "b > a",
    "below > ",
    "self > ",
    "wanted > below",
    "subject:scene > a head self wanted",
  ]);
});

const deb = part("owner", {
  type: "deb",
  purl: "pkg:deb/debian/owner@1",
  owns: ["lib/x.pkg", "bin/tool"],
  ownsBelow: ["opt/owned"],
});
const program = { content: "#!/bin/sh\n", mode: 0o755 };

test("C9: what came with a distribution's package says so, hangs below it, and is not merged with other copies", async () => {
  const sbom = await catalogued(
    openDirectoryTree(
      sceneDirectory({
        "usr/lib/x.pkg": "x 1",
        lib: { link: "usr/lib" },
        "home/x.pkg": "x 1",
        "opt/owned/deep/y.pkg": "y 1",
        "opt/owned!/z.pkg": "z 1",
      }),
    ),
    [says({ components: [deb] }), pkgFiles],
  );
  const owners = sbom.components.map(({ ref, properties }) => [ref, properties.map(({ value }) => value).join()]);
  expect(owners).toEqual([
    ["pkg:deb/debian/owner@1", ""],
    ["pkg:generic/x@1#home/x.pkg", ""],
    ["pkg:generic/x@1#usr/lib/x.pkg", "pkg:deb/debian/owner@1"],
    ["pkg:generic/y@1", "pkg:deb/debian/owner@1"],
    ["pkg:generic/z@1", ""],
    ["subject:scene", ""],
  ]);
  expect(sbom.dependencies[0]).toEqual({
    from: "pkg:deb/debian/owner@1",
    to: ["pkg:generic/x@1#usr/lib/x.pkg", "pkg:generic/y@1"],
  });
});

test("C10: programs that no component claims nor was found in are listed, in byte order with their digests", async () => {
  const scene = {
    "bin/tool": program,
    "bin/evil": program,
    "bin/bash!/evil": program,
    "opt/owned/tool": program,
    "opt/found": program,
    "etc/data": { content: "no program", mode: 0o755 },
    "etc/script": "#!/bin/sh\n",
  };
  const found = part("found", { occurrences: [{ path: "opt/found", rule: "test" }] });
  const directory = await catalogued(openDirectoryTree(sceneDirectory(scene)), [says({ components: [deb, found] })]);
  expect(directory.unowned?.map(({ path }) => path)).toEqual(["bin/bash!/evil", "bin/evil"]);
  expect(directory.unowned?.[0]?.digest).toBe(sha256(program.content));
  const layers = openLayersTree(sceneLayers({ "bin/x": program }));
  const image = await catalogued(layers, [says({})], { subject: { kind: "image", name: "i" } });
  expect(image.unowned).toEqual([{ path: "bin/x", digest: sha256(program.content), layer: image.layers[0] }]);
});

test("C10: without a distribution's records, a directory's own scripts are not called unowned", async () => {
  const sbom = await catalogued(openDirectoryTree(sceneDirectory({ "build.sh": program })), [says({})]);
  expect(sbom.unowned).toBeUndefined();
});

test("C11: a cataloger that fails loses what it would have found, and the others go on", async () => {
  const broken: Cataloger = {
    name: "broken",
    wants: () => true,
    catalogue: () => {
      throw new RangeError("oops");
    },
  };
  const sbom = await catalogued(openDirectoryTree(sceneDirectory({ "a.pkg": "x 1" })), [
    broken,
    says({ losses: [{ path: "a.pkg", code: "SBOM_FILE_MALFORMED", message: "expected more" }] }),
    pkgFiles,
  ]);
  expect(listed(sbom)).toEqual(["x 1 a.pkg"]);
  expect(lost(sbom)).toEqual(["SBOM_FILE_MALFORMED a.pkg", "SBOM_SOURCE_CATALOGER_FAILED a.pkg"]);
});
