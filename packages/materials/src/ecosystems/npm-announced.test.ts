import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { npm } from "./npm.ts";

const upstream = { name: "own", ecosystem: "npm", url: "https://registry.test/", exclusive: [], order: 0 } as const;
const sri = (algorithm: string, content = "x") =>
  `${algorithm}-${createHash(algorithm).update(content).digest("base64")}`;
const hex = (algorithm: string, content = "x") => createHash(algorithm).update(content).digest("hex");

function announced(path: string, document: object) {
  const url = new URL(path, upstream.url);
  const facts = npm.classify({ method: "GET", url, headers: {} }, upstream);
  if (facts === undefined) throw new Error(`not read: ${path}`);
  return npm.announced(facts, Buffer.from(JSON.stringify(document)), url);
}

const version = (more: object = {}, dist: object = {}) => ({
  name: "@own/one",
  version: "1.0.0",
  dist: {
    tarball: "https://files.test:8443/one-1.0.0.tgz?sig=abc",
    integrity: sri("sha512"),
    shasum: hex("sha1"),
    ...dist,
  },
  ...more,
});

test("E2: a packument announces each version with all that the registry says of it", () => {
  const document = {
    name: "@own/one",
    versions: {
      "1.0.0": version(
        {
          license: "MIT",
          deprecated: "use two",
          scripts: { postinstall: "node x.js" },
          _npmUser: { name: "mary", email: "mary@example.test" },
        },
        {
          unpackedSize: 42,
          fileCount: 2,
          signatures: [{ keyid: "SHA256:k", sig: "c2ln" }],
          attestations: { url: "/-/npm/v1/attestations/@own%2fone@1.0.0" },
        },
      ),
    },
    time: { "1.0.0": "2025-10-02T01:44:30.071000+02:00" },
  };
  const from = "https://registry.test/@own%2fone";
  expect(announced("@own%2fone", document)).toEqual([
    {
      url: "https://files.test:8443/one-1.0.0.tgz?sig=abc",
      ecosystem: "npm",
      kind: "archive",
      name: "@own/one",
      version: "1.0.0",
      purl: "pkg:npm/%40own/one@1.0.0",
      fileName: "one-1.0.0.tgz",
      digests: [
        { algorithm: "sha512", value: hex("sha512"), source: "index", from },
        { algorithm: "sha1", value: hex("sha1"), source: "index", from },
      ],
      publishedAt: "2025-10-01T23:44:30Z",
      withdrawn: "use two",
      publisher: "mary",
      installScripts: true,
      licence: "MIT",
      unpackedSize: 42,
      fileCount: 2,
      signatures: [{ keyId: "SHA256:k", signature: "c2ln" }],
      attestations: "https://registry.test/-/npm/v1/attestations/@own%2fone@1.0.0",
    },
  ]);
});

test("E2: the abbreviated form says install scripts in a word; a relative address is below the registry", () => {
  const entry = version({ hasInstallScript: true }, { tarball: "/@own/one/-/one-1.0.0.tgz" });
  const [found] = announced("@own/one", { name: "@own/one", versions: { "1.0.0": entry } });
  expect(found).toMatchObject({ url: "https://registry.test/@own/one/-/one-1.0.0.tgz", installScripts: true });
  const [plain] = announced("@own/one", { name: "@own/one", versions: { "1.0.0": version() } });
  expect(plain).toMatchObject({ installScripts: false });
});

test("E2: the manifest of one version announces its tarball, that of a tag the version it is", () => {
  expect(announced("@own/one/1.0.0", version())).toHaveLength(1);
  expect(announced("@own/one/latest", version())[0]?.version).toBe("1.0.0");
  expect(() => announced("@own/one/1.0.1", version())).toThrow(
    expect.objectContaining({ code: "MATERIAL_INDEX_MALFORMED" }),
  );
});

test("E2: old entries have licences as objects, people as texts, no digest but SHA-1", () => {
  const entry = version(
    { licenses: [{ type: "BSD", url: "x" }], _npmUser: "mary <mary@example.test>" },
    { integrity: undefined, tarball: "https://registry.test/one-1.0.0.tgz" },
  );
  const [found] = announced("@own/one", { name: "@own/one", versions: { "1.0.0": entry } });
  expect(found).toMatchObject({ licence: "BSD", publisher: "mary", digests: [{ algorithm: "sha1" }] });
});

test("E2: a digest that is not well formed is none", () => {
  const entry = version({}, { integrity: "sha512-short md5-x sha384-*", shasum: "zz" });
  expect(announced("@own/one", { name: "@own/one", versions: { "1.0.0": entry } })).toEqual([]);
});

test("E2: keys, attestations and lists of tags announce nothing", () => {
  expect(announced("-/npm/v1/keys", { keys: [] })).toEqual([]);
  expect(announced("-/npm/v1/attestations/one@1.0.0", { attestations: [] })).toEqual([]);
  expect(announced("-/package/one/dist-tags", { latest: "1.0.0" })).toEqual([]);
});
