import { isFactoryError, sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  descriptorOf,
  emptyContent,
  emptyDescriptor,
  isForeign,
  layerCompression,
  type Manifest,
  manifestKind,
  mediaTypes,
  parseManifest,
  parseReferrers,
  referencedDescriptors,
  refuseForeign,
  serializeIndex,
  serializeManifest,
} from "./index.ts";
import { codeOf, descriptors, image, index, json, layer } from "./samples.fixture.ts";

test("OCI1: an image manifest and an index are read with what they say", () => {
  const manifest = parseManifest(json({ ...image(), annotations: { a: "b" } }), { mediaType: mediaTypes.manifest });
  expect(manifest).toMatchObject({ kind: "manifest", mediaType: mediaTypes.manifest, annotations: { a: "b" } });
  expect(referencedDescriptors(manifest)).toHaveLength(2);
  expect(parseManifest(json(index()))).toMatchObject({ kind: "index", manifests: [{ size: 3 }] });
  expect(manifestKind(mediaTypes.dockerIndex)).toBe("index");
  expect(manifestKind("toString")).toBeUndefined();
});

test("OCI1: Docker's schema 2, a silent manifest of image-spec 1.0, and Go's null for an empty list are read", () => {
  const docker = { ...image(), mediaType: mediaTypes.dockerManifest };
  expect(parseManifest(json(docker), { mediaType: mediaTypes.dockerManifest }).kind).toBe("manifest");
  const { mediaType: _, ...silent } = image();
  expect(parseManifest(json(silent)).mediaType).toBe(mediaTypes.manifest);
  expect(parseManifest(json(silent), { mediaType: mediaTypes.dockerManifest }).mediaType).toBe(
    mediaTypes.dockerManifest,
  );
  expect(parseManifest(json({ ...image(), layers: null }))).toMatchObject({ layers: [] });
  const { mediaType: __, ...silentIndex } = index();
  expect(parseManifest(json(silentIndex)).kind).toBe("index");
});

test("OCI1: unknown members are allowed and left out", () => {
  expect(parseManifest(json({ ...image(), "dev.example": { deep: [1] } }))).not.toHaveProperty("dev.example");
});

test.each([
  ["OCI_MALFORMED", "no JSON"],
  ["OCI_MALFORMED", "[]"],
  ["OCI_MALFORMED", json({ ...image(), schemaVersion: 3 })],
  ["OCI_MALFORMED", json({ ...image(), layers: {} })],
  ["OCI_MALFORMED", json({ ...image(), layers: undefined })],
  ["OCI_MALFORMED", json({ ...image(), mediaType: 7 })],
  ["OCI_MALFORMED", '{"__proto__":{}}'],
  ["OCI_TOO_LARGE", new Uint8Array(4 * 1024 * 1024 + 1)],
  ["OCI_TOO_DEEP", `{"a":${"[".repeat(33)}${"]".repeat(33)}}`],
  ["OCI_TOO_DEEP", "[".repeat(1_000_000) + "]".repeat(1_000_000)],
  ["OCI_DUPLICATE_KEY", '{"schemaVersion":2,"schemaVersion":2}'],
  ["OCI_DUPLICATE_KEY", '{"schemaVersion":2,"schema\\u0056ersion":2}'],
  ["OCI_DUPLICATE_KEY", json({ ...image(), Layers: [] })],
  ["OCI_DUPLICATE_KEY", json({ ...image(), "layer\u017f": [] })],
  ["OCI_TOO_MANY_LAYERS", json({ ...image(), layers: Array(10_000).fill(layer) })],
  ["OCI_TOO_MANY_MANIFESTS", json({ ...index(), manifests: Array(1001).fill(layer) })],
  ["OCI_MEDIA_TYPE_UNSUPPORTED", json({ ...image(), mediaType: "application/json" })],
  ["OCI_MEDIA_TYPE_UNSUPPORTED", json({ ...image(), mediaType: "application/vnd.oci.artifact.manifest.v1+json" })],
  ["OCI_MEDIA_TYPE_INVALID", json({ ...image(), artifactType: "no type" })],
  ["OCI_SCHEMA_1_REFUSED", json({ schemaVersion: 1, name: "a", fsLayers: [] })],
  ["OCI_KIND_AMBIGUOUS", json({ ...image(), manifests: [] })],
  ["OCI_KIND_AMBIGUOUS", json({ ...index(), layers: [layer] })],
  ["OCI_KIND_AMBIGUOUS", json({ ...index(), config: layer })],
  ["OCI_ANNOTATIONS_INVALID", json({ ...image(), annotations: { a: 1 } })],
  ["OCI_ANNOTATIONS_INVALID", json({ ...image(), annotations: [] })],
  ["OCI_ANNOTATIONS_INVALID", json({ ...image(), annotations: { "": "x" } })],
])("OCI2: a bad manifest is refused by name (%s)", (code, content) => {
  expect(codeOf(() => parseManifest(typeof content === "string" ? Buffer.from(content) : content))).toBe(code);
});

test("OCI2: a manifest must be what it was announced as", () => {
  const announced = (mediaType: string) => codeOf(() => parseManifest(json(image()), { mediaType }));
  expect(announced(mediaTypes.index)).toBe("OCI_MEDIA_TYPE_MISMATCH");
  expect(announced("application/vnd.docker.distribution.manifest.v1+prettyjws")).toBe("OCI_SCHEMA_1_REFUSED");
});

test.each([
  ["OCI_DESCRIPTOR_MALFORMED", "text"],
  ["OCI_DESCRIPTOR_MALFORMED", { ...layer, mediaType: undefined }],
  ["OCI_DESCRIPTOR_MALFORMED", { ...layer, urls: [1] }],
  ["OCI_DESCRIPTOR_MALFORMED", { ...layer, platform: { os: "linux" } }],
  ["OCI_DESCRIPTOR_MALFORMED", { ...layer, platform: [] }],
  ["OCI_DUPLICATE_KEY", { ...layer, Digest: layer.digest }],
  ["OCI_MEDIA_TYPE_INVALID", { ...layer, mediaType: "text" }],
  ["OCI_MEDIA_TYPE_INVALID", { ...layer, mediaType: "a/b\n" }],
  ["OCI_SIZE_INVALID", { ...layer, size: -1 }],
  ["OCI_SIZE_INVALID", { ...layer, size: 1.5 }],
  ["OCI_SIZE_INVALID", { ...layer, size: 2 ** 53 }],
  ["OCI_SIZE_INVALID", { ...layer, size: "3" }],
  ["OCI_DIGEST_UNSUPPORTED", { ...layer, digest: `sha512:${"a".repeat(128)}` }],
  ["OCI_DIGEST_MALFORMED", { ...layer, digest: `sha256:${"A".repeat(64)}` }],
  ["OCI_DESCRIPTOR_DATA", { ...layer, data: "AAAA" }],
  ["OCI_DESCRIPTOR_DATA", { ...layer, data: "!" }],
])("OCI3: a bad descriptor is refused by name (%s)", (code, descriptor) => {
  expect(codeOf(() => parseManifest(json({ ...image(), layers: [descriptor] })))).toBe(code);
});

test("OCI3: what is embedded in a descriptor has its digest", () => {
  expect(emptyDescriptor).toMatchObject({ size: 2, digest: sha256(emptyContent) });
  expect(parseManifest(json({ ...image(), config: emptyDescriptor }))).toMatchObject({ config: { data: "e30=" } });
  expect(descriptorOf(emptyContent, "a/b")).toEqual({ mediaType: "a/b", digest: sha256("{}"), size: 2 });
});

test("OCI4: foreign layers and addresses are known, and refused where they matter", () => {
  const foreign = [
    { ...layer, urls: ["https://elsewhere.test/x"] },
    { ...layer, mediaType: mediaTypes.dockerForeignLayer },
    { ...layer, mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip" },
  ];
  for (const one of foreign) {
    const manifest = parseManifest(json({ ...image(), layers: [one] }));
    expect(referencedDescriptors(manifest).filter(isForeign)).toHaveLength(1);
    expect(codeOf(() => refuseForeign(manifest))).toBe("OCI_FOREIGN_CONTENT");
  }
  const subject = parseManifest(json({ ...image(), subject: foreign[0] }));
  expect(codeOf(() => refuseForeign(subject))).toBe("OCI_FOREIGN_CONTENT");
  expect(() => refuseForeign(parseManifest(json({ ...image(), layers: [{ ...layer, urls: [] }] })))).not.toThrow();
});

test("OCI4: layers are known by their packing", () => {
  expect([mediaTypes.layer, mediaTypes.layerGzip, mediaTypes.layerZstd].map(layerCompression)).toEqual([
    ...["none", "gzip", "zstd"],
  ]);
  expect(layerCompression(mediaTypes.dockerLayerGzip)).toBe("gzip");
  expect([mediaTypes.dockerForeignLayer, "constructor", mediaTypes.config].map(layerCompression)).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});

test("OCI5: one bad referrer does not hide the others", () => {
  const page = parseReferrers(json({ schemaVersion: 2, manifests: [layer, { ...layer, size: -1 }, 7, layer] }));
  expect(page).toMatchObject({ descriptors: [{ size: 3 }, { size: 3 }], malformed: 2 });
  const flood = json({ manifests: Array(10_001).fill(0) });
  expect(codeOf(() => parseReferrers(flood))).toBe("OCI_TOO_MANY_MANIFESTS");
});

const manifests: fc.Arbitrary<Manifest> = fc.oneof(
  fc.record(
    {
      kind: fc.constant("manifest" as const),
      mediaType: fc.constantFrom(mediaTypes.manifest, mediaTypes.dockerManifest),
      artifactType: fc.constant("application/vnd.example+json"),
      config: descriptors,
      layers: fc.array(descriptors, { maxLength: 4 }),
      subject: descriptors,
      annotations: fc.dictionary(
        fc.string({ minLength: 1 }).filter((key) => key !== "__proto__"),
        fc.string(),
      ),
    },
    { requiredKeys: ["kind", "mediaType", "config", "layers"] },
  ),
  fc.record(
    {
      kind: fc.constant("index" as const),
      mediaType: fc.constantFrom(mediaTypes.index, mediaTypes.dockerIndex),
      manifests: fc.array(descriptors, { maxLength: 4 }),
      subject: descriptors,
    },
    { requiredKeys: ["kind", "mediaType", "manifests"] },
  ),
);

test("OCI6: what is written is read back as it was, and has one spelling", () => {
  fc.assert(
    fc.property(manifests, (manifest) => {
      const bytes = manifest.kind === "index" ? serializeIndex(manifest) : serializeManifest(manifest);
      const read = parseManifest(bytes, { mediaType: manifest.mediaType });
      expect(read).toEqual(manifest);
      expect(Buffer.from(serializeManifest(read))).toEqual(Buffer.from(bytes));
    }),
  );
});

test("OCI7: no bytes make the reader do anything but answer or refuse with a code of its own", () => {
  const genuine = Buffer.from(json({ ...image(), subject: layer, annotations: { a: "b" } }));
  const splice = fc.record({ at: fc.nat(genuine.length), cut: fc.nat(9), add: fc.uint8Array({ maxLength: 9 }) });
  fc.assert(
    fc.property(fc.array(splice, { minLength: 1, maxLength: 3 }), (splices) => {
      let bytes = genuine;
      for (const { at, cut, add } of splices) {
        bytes = Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + cut)]);
      }
      try {
        parseManifest(bytes);
      } catch (error) {
        expect(isFactoryError(error) && error.code.startsWith("OCI_")).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
