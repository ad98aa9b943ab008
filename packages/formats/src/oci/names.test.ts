import fc from "fast-check";
import { expect, test } from "vitest";
import {
  checkRepositoryName,
  checkTag,
  isRepositoryName,
  isTag,
  parseRegistryReference,
  readDigest,
  readManifestReference,
  registryReferenceText,
} from "./index.ts";
import { codeOf } from "./samples.fixture.ts";

const hex = "0123456789abcdef".repeat(4);

test.each(["a", "a/b/c", "a.b_c__d-e---f/0", "library/blobs/uploads", "x".repeat(255)])(
  "OCI8: %s names a repository",
  (name) => {
    expect(isRepositoryName(name)).toBe(true);
    expect(checkRepositoryName(name)).toBe(name);
  },
);

test.each([
  ["OCI_NAME_EMPTY", ""],
  ["OCI_NAME_EMPTY", "/a"],
  ["OCI_NAME_EMPTY", "a/"],
  ["OCI_NAME_EMPTY", "a//b"],
  ["OCI_NAME_TOO_LONG", "x".repeat(256)],
  ["OCI_NAME_UPPERCASE", "Library/a"],
  ["OCI_NAME_TRAVERSAL", "a/../b"],
  ["OCI_NAME_TRAVERSAL", "./a"],
  ["OCI_NAME_CHARACTER", "a%2fb"],
  ["OCI_NAME_CHARACTER", "a\\b"],
  ["OCI_NAME_CHARACTER", "a\u0000"],
  ["OCI_NAME_CHARACTER", "a b"],
  ["OCI_NAME_CHARACTER", "caf\u00e9"],
  ["OCI_NAME_CHARACTER", "a\n"],
  ["OCI_NAME_CHARACTER", "a:b"],
  ["OCI_NAME_SEPARATOR", "-a"],
  ["OCI_NAME_SEPARATOR", "a-"],
  ["OCI_NAME_SEPARATOR", "a..b"],
  ["OCI_NAME_SEPARATOR", "a___b"],
  ["OCI_NAME_SEPARATOR", "a._b"],
  ["OCI_NAME_SEPARATOR", "..."],
])("OCI8: each illegal kind of name has its code (%s)", (code, name) => {
  expect(isRepositoryName(name)).toBe(false);
  expect(codeOf(() => checkRepositoryName(name))).toBe(code);
});

test("OCI8: a name is taken exactly when none of its codes is raised", () => {
  const letters = fc.constantFrom(...Array.from("abz09._-/A%"));
  fc.assert(
    fc.property(fc.string({ unit: letters, maxLength: 12 }), (name) => {
      expect(codeOf(() => checkRepositoryName(name)) === "accepted").toBe(isRepositoryName(name));
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ["accepted", "latest"],
  ["accepted", "_1.0-X"],
  ["accepted", "1".repeat(63)],
  ["accepted", `sha256-${hex}`],
  ["accepted", `sha256-${hex}.sig`],
  ["OCI_TAG_INVALID", ""],
  ["OCI_TAG_INVALID", ".a"],
  ["OCI_TAG_INVALID", "a/b"],
  ["OCI_TAG_INVALID", "a\n"],
  ["OCI_TAG_INVALID", "a:b"],
  ["OCI_TAG_TOO_LONG", "z".repeat(129)],
  ["OCI_TAG_LIKE_DIGEST", hex],
  ["OCI_TAG_LIKE_DIGEST", hex.toUpperCase()],
  ["OCI_TAG_LIKE_DIGEST", hex + hex],
  ["OCI_TAG_LIKE_DIGEST", `sha256:${hex}`],
])("OCI9: %s for the tag %s", (code, tag) => {
  expect(codeOf(() => checkTag(tag))).toBe(code);
  expect(isTag(tag)).toBe(code === "accepted");
});

test.each([
  ["accepted", `sha256:${hex}`],
  ["OCI_DIGEST_MALFORMED", "sha256:abc"],
  ["OCI_DIGEST_MALFORMED", `sha256:${hex}0`],
  ["OCI_DIGEST_MALFORMED", `SHA256:${hex}`],
  ["OCI_DIGEST_MALFORMED", ":"],
  ["OCI_DIGEST_UNSUPPORTED", `sha512:${hex}${hex}`],
  ["OCI_DIGEST_UNSUPPORTED", `md5:${"0".repeat(32)}`],
])("OCI9: %s for the digest %s", (code, digest) => {
  expect(codeOf(() => readDigest(digest))).toBe(code);
  expect(codeOf(() => readManifestReference(digest))).toBe(code);
});

test("OCI9: a manifest is referred to by tag or digest", () => {
  expect(readManifestReference("v1")).toEqual({ tag: "v1" });
  expect(readManifestReference(`sha256:${hex}`)).toEqual({ digest: `sha256:${hex}` });
});

test.each([
  ["registry.test/a/b", { registry: "registry.test", repository: "a/b" }],
  ["localhost:5000/a:v1", { registry: "localhost:5000", repository: "a", tag: "v1" }],
  [`[::1]:5000/a@sha256:${hex}`, { registry: "[::1]:5000", repository: "a", digest: `sha256:${hex}` }],
  [
    `Registry.test/a:v1@sha256:${hex}`,
    { registry: "Registry.test", repository: "a", tag: "v1", digest: `sha256:${hex}` },
  ],
])("OCI10: %s is read, and written alike", (text, reference) => {
  expect(parseRegistryReference(text)).toEqual(reference);
  expect(registryReferenceText(parseRegistryReference(text))).toBe(text);
});

test.each([
  ["OCI_REFERENCE_MALFORMED", "a"],
  ["OCI_REFERENCE_MALFORMED", "https://registry.test/a"],
  ["OCI_REFERENCE_MALFORMED", `registry.test/a@sha256:${hex}@sha256:${hex}`],
  ["OCI_REFERENCE_MALFORMED", `registry.test/${"a".repeat(1020)}`],
  ["OCI_REFERENCE_REGISTRY", "library/a"],
  ["OCI_REFERENCE_REGISTRY", "/a"],
  ["OCI_REFERENCE_REGISTRY", "-x.test/a"],
  ["OCI_REFERENCE_REGISTRY", "x.test:0/a"],
  ["OCI_REFERENCE_REGISTRY", "x.test:70000/a"],
  ["OCI_REFERENCE_REGISTRY", "user@x.test/a"],
  ["OCI_REFERENCE_REGISTRY", "x.test\u0000/a"],
  ["OCI_NAME_EMPTY", "x.test/"],
  ["OCI_NAME_UPPERCASE", "x.test/A"],
  ["OCI_TAG_LIKE_DIGEST", `x.test/a:${hex}`],
  ["OCI_TAG_LIKE_DIGEST", `x.test/a:sha256:${hex}`],
  ["OCI_TAG_INVALID", "x.test/a:"],
  ["OCI_DIGEST_MALFORMED", "x.test/a@v1"],
  ["OCI_DIGEST_UNSUPPORTED", `x.test/a@sha512:${hex}${hex}`],
])("OCI10: %s for %s", (code, text) => {
  expect(codeOf(() => parseRegistryReference(text))).toBe(code);
});

test("OCI7: no text makes the reader of references do anything but answer or refuse", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...Array.from("a.:/@[]-%sha256")) })),
      (text) => {
        expect(codeOf(() => parseRegistryReference(text))).toMatch(/^(?:accepted|OCI_\w+)$/);
      },
    ),
    { numRuns: 1000 },
  );
});
