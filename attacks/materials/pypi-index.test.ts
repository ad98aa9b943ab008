import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { pypi } from "../../packages/materials/src/ecosystems/pypi.ts";

const upstream = {
  name: "own",
  ecosystem: "pypi",
  url: "https://index.test/simple/",
  exclusive: [],
  order: 0,
} as const;
const digest = (content: string) => createHash("sha256").update(content).digest("hex");

/** What a hostile index gets announced when it answers `body` for the project `one`; or the code of the refusal. */
function attempt(body: string | Uint8Array): readonly string[] | string {
  const url = new URL("one/", upstream.url);
  const facts = pypi.classify({ method: "GET", url, headers: {} }, upstream);
  if (facts === undefined) throw new Error("not read");
  try {
    return pypi.announced(facts, Buffer.from(body), url).map((found) => `${found.fileName} ${found.url}`);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const page = (anchors: string) => `<!DOCTYPE html><html><body>${anchors}</body></html>`;
const link = (address: string, more = "") => `<a href="${address}"${more}>x</a>`;
const json = (files: unknown, more: object = {}) =>
  JSON.stringify({ meta: { "api-version": "1.0" }, name: "one", files, ...more });

test("E5: the harness gets announced what an honest index says", () => {
  const address = "https://files.test/one-1.0.tar.gz";
  expect(attempt(page(link(`${address}#sha256=${digest("a")}`)))).toEqual([`one-1.0.tar.gz ${address}`]);
  expect(attempt(json([{ url: address, hashes: { sha256: digest("a") } }]))).toEqual([`one-1.0.tar.gz ${address}`]);
});

test("E5: another host without a digest gets nothing, neither for the file nor for its metadata", () => {
  const address = "https://evil.test/one-1.0-py3-none-any.whl";
  expect(attempt(page(link(address)))).toEqual([]);
  expect(attempt(page(link(`${address}#sha256=short`)))).toEqual([]);
  expect(attempt(page(link(`${address}#crc32=00`)))).toEqual([]);
  expect(attempt(json([{ url: address, hashes: {} }]))).toEqual([]);
  const honest = `${address}#sha256=${digest("a")}`;
  expect(attempt(page(link(honest, ' data-core-metadata="true"')))).toEqual([`one-1.0-py3-none-any.whl ${address}`]);
});

test.each([
  "javascript:alert(1)//one-1.0.tar.gz",
  "file:///etc/one-1.0.tar.gz",
  "https://me:secret@files.test/one-1.0.tar.gz",
  "https://files.test/two-1.0.tar.gz",
  "https://files.test/one-1.0.exe.html",
  "https://files.test/%2e%2e%2fone-1.0.tar.gz",
  "https://files.test/one-1.0.tar.gz%00.whl",
  "https://files.test/one-1.0%ff.tar.gz",
  "https:\\\\files.test\\one-1.0.tar.gz",
  `https://files.test/${"a".repeat(9000)}/one-1.0.tar.gz`,
])("E5: %s is no address of a file of the project", (address) => {
  expect(attempt(page(link(`${address}#sha256=${digest("a")}`)))).toEqual([]);
  expect(attempt(json([{ url: address, hashes: { sha256: digest("a") } }]))).toEqual([]);
});

test("E5: one file name with two digests is refused, on one host or on two", () => {
  const same = [digest("a"), digest("b")].map((hex) => `https://files.test/one-1.0.tar.gz#sha256=${hex}`);
  const other = [
    `https://files.test/one-1.0.tar.gz#sha256=${digest("a")}`,
    `https://evil.test/one-1.0.tar.gz#sha256=${digest("b")}`,
  ];
  for (const addresses of [same, other]) {
    expect(attempt(page(addresses.map((address) => link(address)).join("")))).toBe("MATERIAL_INDEX_AMBIGUOUS");
  }
  const files = ["a", "b"].map((content) => ({
    url: "https://files.test/one-1.0.tar.gz",
    hashes: { sha256: digest(content) },
  }));
  expect(attempt(json(files))).toBe("MATERIAL_INDEX_AMBIGUOUS");
});

test("E5: an index of 100 MB, and pages of too many files", () => {
  expect(attempt(Buffer.alloc(100 * 1024 * 1024, 0x20))).toBe("MATERIAL_INDEX_TOO_LARGE");
  expect(attempt(json(Array.from({ length: 100_001 }, () => ({}))))).toBe("MATERIAL_INDEX_TOO_LARGE");
  expect(attempt(page("<a href=x></a>".repeat(100_001)))).toBe("MATERIAL_INDEX_MALFORMED");
});

test.each([
  ["an attribute that stands twice", page(`<a href="one-1.0.tar.gz" HREF="two-1.0.tar.gz">x</a>`)],
  ["a tag that never ends", `<html><body><a href="one-1.0.tar.gz`],
  ["a quote that never ends", page(`<a href="one-1.0.tar.gz>x</a>`)],
  ["a comment that never ends", page("<!-- ")],
  ["a script that never ends", page("<script>")],
  ["a tag without bound", page(`<a ${"x".repeat(100_000)}>x</a>`)],
  ["attributes without bound", page(`<a ${Array.from({ length: 100 }, (_, at) => `a${at}=1`).join(" ")}>x</a>`)],
  ["a quote in a bare value", page(`<a href=one"-1.0.tar.gz>x</a>`)],
  ["NUL characters", page("\0")],
  ["bytes that are no text", Buffer.concat([Buffer.from("<html>"), Buffer.from([0xff])])],
  ["nothing", ""],
  ["a plain text", "not found"],
  ["a base that is no web address", page(`<base href="file:///"><a href="one-1.0.tar.gz">x</a>`)],
  ["deep nesting", `{"meta":${"[".repeat(100_000)}${"]".repeat(100_000)}}`],
  ["a prototype", `{"__proto__":{"files":[]},"meta":{"api-version":"1.0"},"name":"one"}`],
  ["another project", json([], { name: "two" })],
  ["another version of the interface", json([], { meta: { "api-version": "2.0" } })],
  ["an error page", `{"message":"not found"}`],
  ["files that are none", json(["one-1.0.tar.gz"])],
  ["files that are no list", json({})],
])("E5: %s is no index page", (_, body) => {
  expect(attempt(body)).toBe("MATERIAL_INDEX_MALFORMED");
});

test("E5: what looks like an anchor and is none announces nothing", () => {
  const evil = `<a href="/one-6.0.tar.gz#sha256=${digest("a")}">x</a>`;
  for (const hidden of [
    `<!--${evil}-->`,
    `<title>${evil}</title>`,
    `<textarea>${evil}</textarea>`,
    `<script>${evil}</script>`,
    `<p title='${evil}'>`,
  ]) {
    expect(attempt(page(hidden))).toEqual([]);
  }
});

test("E5: a page of half a million brackets is read in one pass", () => {
  expect(attempt(page("<".repeat(500_000)))).toEqual([]);
  expect(attempt(page("<!-".repeat(100_000)))).toEqual([]);
  expect(attempt(page(`<a ${" ".repeat(30_000)}b${" ".repeat(2_000)}>`.repeat(1000)))).toEqual([]);
  expect(attempt(page(`<a${" ".repeat(30_000)}=>`))).toBe("MATERIAL_INDEX_MALFORMED");
  expect(attempt(page(`<title>${"</".repeat(1_000_000)}</title>`))).toEqual([]);
});
