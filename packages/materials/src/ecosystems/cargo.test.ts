import { expect, test } from "vitest";
import type { Upstream } from "../material.ts";
import { cargo } from "./cargo.ts";

const base = "https://index.example/crates/";
const upstream: Upstream = { name: "crates", ecosystem: "cargo", url: base, exclusive: [], order: 0 };
const classify = (path: string, method: "GET" | "POST" = "GET") =>
  cargo.classify({ method, url: new URL(path, base), headers: {} }, upstream);

test.each([
  ["config.json", { kind: "index", fileName: "config.json", immutable: false }],
  ["1/a", { kind: "index", name: "a" }],
  ["2/ab", { kind: "index", name: "ab" }],
  ["3/a/abc", { kind: "index", name: "abc" }],
  ["it/oa/itoa", { kind: "index", name: "itoa", immutable: false }],
  ["v1/crates/itoa/1.0.11/download", { kind: "archive", purl: "pkg:cargo/itoa@1.0.11", fileName: "itoa-1.0.11.crate" }],
  [
    "x/Inflector-0.11.4-rc.1+b.crate",
    { kind: "archive", name: "Inflector", version: "0.11.4-rc.1+b", immutable: true },
  ],
])("E13: %s is read", (path, facts) => expect(classify(path)).toMatchObject({ ecosystem: "cargo", ...facts }));

test.each([
  ...["itoa", "it/ob/itoa", "IT/OA/ITOA", "it/oa/itoa?x=1", "api/v1/crates?q=x", "v1/crates/itoa/latest/download"],
  ...["v1/crates/it%2foa/1.0.0/download", "v1//crates/itoa/1.0.0/download", "/it/oa/itoa"],
])("E13: %s is not read", (path) => expect(classify(path)).toBeUndefined());

test.each(["info/refs?service=git-upload-pack", "git-upload-pack"])(
  "E13: an index in git is refused by name: %s",
  (path) => {
    expect(() => classify(path)).toThrow(expect.objectContaining({ code: "MATERIAL_CARGO_GIT_INDEX" }));
  },
);

const cksum = "a".repeat(64);
const line = (more: object = {}) =>
  `${JSON.stringify({ name: "itoa", vers: "1.0.11", deps: [], cksum, features: {}, ...more })}\n`;
const announced = (body: string, dl: string | undefined = "https://static.example/crates", path = "it/oa/itoa") =>
  cargo.announced(classify(path)!, Buffer.from(body), new URL(path, base), (url) =>
    url.href === `${base}config.json` ? Buffer.from(JSON.stringify({ dl })) : undefined,
  );

test.each([
  ["https://static.example/crates", "https://static.example/crates/itoa/1.0.11/download"],
  ["https://static.example/{prefix}/{crate}/{version}.crate", "https://static.example/it/oa/itoa/1.0.11.crate"],
  ["https://static.example:443/{sha256-checksum}?", undefined],
  ["https://static.example:443/{lowerprefix}/{sha256-checksum}", `https://static.example/it/oa/${cksum}`],
])("E13: crates lie where the index says: %s", (dl, url) => {
  if (url === undefined) expect(() => announced(line(), dl)).toThrow();
  else expect(announced(line(), dl)).toMatchObject([{ url, purl: "pkg:cargo/itoa@1.0.11" }]);
});

test("E13: an entry announces digest, time and withdrawal of each version", () => {
  const found = announced(line({ pubtime: "2024-03-26T01:02:03Z" }) + line({ vers: "1.0.12", yanked: true }));
  expect(found).toMatchObject([
    {
      version: "1.0.11",
      publishedAt: "2024-03-26T01:02:03Z",
      digests: [{ algorithm: "sha256", value: cksum, source: "index" }],
    },
    { version: "1.0.12", withdrawn: "yanked" },
  ]);
});

test.each<[string, string, string?]>([
  ["another crate's version", line({ name: "itao" })],
  ["a version twice", line() + line()],
  ["a digest that is none", line({ cksum: "abc" })],
  ["no version", line({ vers: "latest" })],
  ["a page", "<html>"],
  ["a template of another scheme", line(), "file:///crates"],
  ["a template with user information", line(), "https://user:x@static.example/"],
  ["a template with a host that is a marker", line(), "https://{crate}.example/"],
  ["a template with an unknown marker", line(), "https://static.example/{crate}/{nonsense}"],
  ["a template with a query", line(), "https://static.example/?c={crate}"],
  ["a template with doubled slashes", line(), "https://static.example//{crate}"],
])("E13: %s is refused", (_, body, dl) => {
  expect(() => announced(body, dl)).toThrow(expect.objectContaining({ code: "MATERIAL_INDEX_MALFORMED" }));
});

test("E13: an entry without the index's configuration announces nothing and is refused", () => {
  const url = new URL("it/oa/itoa", base);
  expect(() => cargo.announced(classify("it/oa/itoa")!, Buffer.from(line()), url)).toThrow(/config\.json/);
});

test("E13: an index without bounds is refused", () => {
  const many = Array.from({ length: 20_001 }, (_, at) => line({ vers: `1.0.${at}` })).join("");
  for (const body of [many, line({ pad: "x".repeat(2 << 20) }), "x".repeat(33 << 20)]) {
    expect(() => announced(body)).toThrow(expect.objectContaining({ code: "MATERIAL_INDEX_TOO_LARGE" }));
  }
});

test("E19: Cargo's registry is replaced by the first open upstream, in a file that is no project's", () => {
  const own = { ...upstream, name: "own", url: "https://own.example/", exclusive: ["own-*"] };
  const settings = cargo.clientSettings({
    ...{ proxy: "http://127.0.0.1:3128", proxyPort: 3128, authorityPem: "/a.pem", authorityKeystore: "/a.jks" },
    ...{ directory: "/run/x", home: "/home/builder", upstreams: [own, upstream] },
  });
  expect(settings.environment).toMatchObject({
    CARGO_HTTP_PROXY: "http://127.0.0.1:3128",
    CARGO_HTTP_CAINFO: "/a.pem",
  });
  expect(settings.placed?.["/.cargo/config.toml"]).toContain(`index = "sparse+${base}"`);
});

test.each([
  ["  failed to download from `https://index.example/a/config.json`", ["https://index.example/a/"]],
  ["  failed to download from `https://index.example/to/uc/touchmark`", ["https://index.example/"]],
  ["  failed to download from `https://index.example/else`", []],
  ["error: no such command: `info`", []],
  [undefined, []],
])("E19: Cargo's own registry shows in %s", async (said, urls) => {
  expect((await cargo.askClient!(async () => said)).map(({ url }) => url)).toEqual(urls);
});
