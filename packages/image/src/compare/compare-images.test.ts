import { mediaTypes, serializeIndex, serializeManifest } from "@touchmark/formats/oci";
import { describe, expect, test } from "vitest";
import { assembleIndex } from "../assemble/image-index.ts";
import type { ImageSpec } from "../assemble/image-spec.ts";
import type { LayerPart } from "../assemble/layer-part.ts";
import { sampleFile, sampleImage } from "../assemble/sample-image.fixture.ts";
import { memoryImages } from "../layout/memory-images.ts";
import { compareImages, type ImageDifference } from "./compare-images.ts";

async function compared(a: Partial<ImageSpec>, b: Partial<ImageSpec>): Promise<ImageDifference> {
  const [x, y] = [await sampleImage(a), await sampleImage(b)];
  return compareImages(
    { reader: x.images, reference: x.descriptor.digest },
    { reader: y.images, reference: y.descriptor.digest },
  );
}

const layer = (...files: readonly LayerPart[]): Partial<ImageSpec> => ({ layers: [{ files }] });
const only = (difference: ImageDifference) => difference.images[0]?.layers[0];

describe("I12: two images", () => {
  test("I12: with the same bytes are identical", async () => {
    expect(await compared({}, {})).toMatchObject({ verdict: "identical", images: [], causes: [] });
  });

  test("I12: packed by another compressor have the same content", async () => {
    const difference = await compared({ compression: "gzip" }, { compression: "zstd" });
    expect(difference).toMatchObject({ verdict: "same-content", causes: ["compressor"] });
    expect(only(difference)).toMatchObject({ verdict: "same-content", count: 0, causes: ["compressor"] });
  });

  test("I12: that say other things of themselves differ in manifest and configuration, member by member", async () => {
    const difference = await compared(
      { labels: { a: "1" }, user: "5" },
      { labels: { b: "1" }, user: "6", about: { version: "2" } },
    );
    const [image] = difference.images;
    expect(difference.verdict).toBe("different");
    expect(image?.config.map(({ path, a, b }) => [path, a, b])).toEqual([
      ["config.Labels.a", "1", undefined],
      ["config.Labels.b", undefined, "1"],
      ["config.Labels.org.opencontainers.image.version", undefined, "2"],
      ["config.User", "5", "6"],
    ]);
    expect(image?.manifest.map(({ path }) => path)).toEqual(["annotations.org.opencontainers.image.version"]);
    expect(image?.layers.map(({ verdict }) => verdict)).toEqual(["identical"]);
  });

  test("I12: made at other times differ by timestamps", async () => {
    const difference = await compared({ epoch: 1_700_000_000 }, { epoch: 1_700_000_060 });
    expect(difference.causes).toEqual(["timestamp"]);
    expect(only(difference)?.files.map(({ path, causes }) => [path, causes])).toEqual([
      ["app", ["timestamp"]],
      ["app/main", ["timestamp"]],
    ]);
  });

  test("I12: with other files tell which were added, removed and changed, and in what", async () => {
    const one = layer(sampleFile("/a"), sampleFile("/b", "b", 0o600), sampleFile("/c"), {
      ...sampleFile("/o"),
      owner: { uid: 1, gid: 1 },
    } as LayerPart);
    const other = layer(
      sampleFile("/b", "b", 0o644),
      sampleFile("/c", "changed"),
      { kind: "symlink", to: "/d", target: "c" },
      sampleFile("/o"),
    );
    const found = only(await compared(one, other));
    expect(found?.count).toBe(5);
    expect(
      found?.files.map(({ path, change, causes, fields }) => [path, change, causes, fields.map(({ field }) => field)]),
    ).toEqual([
      ["a", "removed", ["content"], ["kind", "size"]],
      ["b", "changed", ["mode"], ["mode"]],
      ["c", "changed", ["content"], ["size", "content"]],
      ["d", "added", ["content"], ["kind"]],
      ["o", "changed", ["owner"], ["owner"]],
    ]);
  });

  test("I12: layers are paired from both ends; one more is told as such", async () => {
    const [a, b, c] = ["/a", "/b", "/c"].map((path) => ({ files: [sampleFile(path)] }));
    if (a === undefined || b === undefined || c === undefined) throw new Error("three layers");
    const difference = await compared({ layers: [a, c] }, { layers: [a, b, c] });
    expect(difference.images[0]?.layers.map(({ verdict, a: x, b: y }) => [verdict, x, y])).toEqual([
      ["identical", 0, 0],
      ["only-b", undefined, 1],
      ["identical", 1, 2],
    ]);
  });
});

describe("I12: two indexes", () => {
  test("I12: are compared by platform", async () => {
    const images = memoryImages();
    const amd = await sampleImage({}, { out: images });
    const arm = await sampleImage({ platform: { os: "linux", architecture: "arm64" } }, { out: images });
    const other = await sampleImage({ user: "7" }, { out: images });
    const one = await assembleIndex([amd, arm], { out: images });
    const two = await assembleIndex([other], { out: images, annotations: { note: "x" } });
    const sides = [one, two].map(({ digest }) => ({ reader: images, reference: digest }));
    const difference = await compareImages(sides[0] as never, sides[1] as never);
    expect(difference.index.map(({ path }) => path)).toEqual(["annotations"]);
    expect(difference.images.map(({ platform, verdict }) => [platform, verdict])).toEqual([
      ["linux/amd64", "different"],
      ["linux/arm64", "only-a"],
    ]);
    const chosen = await compareImages(sides[0] as never, sides[1] as never, {
      platform: { os: "linux", architecture: "amd64" },
    });
    expect(chosen.images.map(({ platform }) => platform)).toEqual(["linux/amd64"]);
  });

  test("I12: and artifacts, as far as their documents go", async () => {
    const images = memoryImages();
    const { manifest } = await sampleImage({}, { out: images });
    const artifact = (note: string) =>
      images.putManifest(
        serializeManifest({
          ...manifest,
          config: { ...manifest.config, mediaType: "application/x" },
          annotations: { note },
        }),
        mediaTypes.manifest,
      );
    const [a, b] = [await artifact("1"), await artifact("2")];
    const difference = await compareImages(
      { reader: images, reference: a.digest },
      { reader: images, reference: b.digest },
    );
    expect(difference.images[0]?.manifest.map(({ path }) => path)).toEqual(["annotations.note"]);
    const index = serializeIndex({ kind: "index", mediaType: mediaTypes.index, manifests: [a] });
    const put = await images.putManifest(index, mediaTypes.index);
    const mixed = await compareImages(
      { reader: images, reference: put.digest },
      { reader: images, reference: b.digest },
    );
    expect(mixed.verdict).toBe("different");
  });
});
