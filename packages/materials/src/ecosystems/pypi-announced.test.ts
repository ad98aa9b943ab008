import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { pypi } from "./pypi.ts";
import { readAnchors } from "./pypi-anchors.ts";

const upstream = {
  name: "own",
  ecosystem: "pypi",
  url: "https://index.test/simple/",
  exclusive: [],
  order: 0,
} as const;
const digest = (content: string) => createHash("sha256").update(content).digest("hex");

function announced(path: string, body: string) {
  const url = new URL(path, upstream.url);
  const facts = pypi.classify({ method: "GET", url, headers: {} }, upstream);
  if (facts === undefined) throw new Error(`not read: ${path}`);
  return pypi.announced(facts, Buffer.from(body), url);
}

const wheel = "six-1.17.0-py2.py3-none-any.whl";
const sha256 = (content: string, from: string) => ({
  algorithm: "sha256",
  value: digest(content),
  source: "index",
  from,
});

/** The same two files, as each interface has them. */
function expectedFiles(from: string) {
  const facts = { ecosystem: "pypi", name: "six", version: "1.17.0", purl: "pkg:pypi/six@1.17.0" };
  return [
    {
      ...facts,
      kind: "archive",
      url: `https://files.test:8443/p/${wheel}`,
      fileName: wheel,
      digests: [sha256("wheel", from)],
      installScripts: false,
      withdrawn: "broken",
      publishedAt: "2024-12-04T17:35:26Z",
      attestations: "https://index.test/integrity/six/1.17.0/w/provenance",
    },
    {
      ...facts,
      kind: "metadata",
      url: `https://files.test:8443/p/${wheel}.metadata`,
      fileName: `${wheel}.metadata`,
      digests: [sha256("metadata", from)],
    },
    {
      ...facts,
      kind: "archive",
      url: "https://index.test/files/six-1.17.0.tar.gz",
      fileName: "six-1.17.0.tar.gz",
      digests: [sha256("sdist", from)],
      installScripts: true,
    },
  ];
}

test("E4: a page in HTML announces its files", () => {
  const page = `<!DOCTYPE html><html><head><title>Links for <a></title><meta name="x" content="<a href='no'>"></head><body>
    <!-- <a href="https://files.test/p/six-9.9.tar.gz#sha256=${digest("no")}">no</a> -->
    <A HREF='https://files.test:8443/p/${wheel}#sha256=${digest("wheel")}' data-requires-python="&gt;=2.7"
       data-core-metadata="sha256=${digest("metadata")}" data-yanked="broken" data-upload-time="2024-12-04T17:35:26.475808Z"
       data-provenance="https://index.test/integrity/six/1.17.0/w/provenance">${wheel}</A><br/>
    <a href="../../files/six-1.17.0.tar.gz#sha256=${digest("sdist")}" >six-1.17.0.tar.gz</a>
    <script>document.write('<a href="six-6.tar.gz">')</script><a name=top></a>
  </body></html>`;
  expect(announced("six/", page)).toEqual(expectedFiles("https://index.test/simple/six/"));
});

test("E4: a page in JSON announces the same", () => {
  const page = {
    meta: { "api-version": "1.1" },
    name: "six",
    files: [
      {
        filename: wheel,
        url: `https://files.test:8443/p/${wheel}`,
        hashes: { sha256: digest("wheel"), blake2b: "00" },
        "core-metadata": { sha256: digest("metadata") },
        yanked: "broken",
        "upload-time": "2024-12-04T17:35:26.475808Z",
        provenance: "https://index.test/integrity/six/1.17.0/w/provenance",
      },
      {
        filename: "x",
        url: "/files/six-1.17.0.tar.gz",
        hashes: { sha256: digest("sdist") },
        yanked: false,
        provenance: null,
      },
    ],
  };
  expect(announced("six/", JSON.stringify(page))).toEqual(expectedFiles("https://index.test/simple/six/"));
});

test("E4: the JSON interface adds the licence, and announces each file once", () => {
  const file = {
    url: `https://files.test/p/${wheel}`,
    digests: { sha256: digest("wheel"), md5: "00".repeat(16) },
    size: 11050,
    upload_time: "2024-12-04T17:35:26",
    yanked: true,
    yanked_reason: null,
  };
  const page = { info: { name: "six", license: "MIT" }, releases: { "1.17.0": [file] }, urls: [file] };
  expect(announced("/pypi/six/json", JSON.stringify(page))).toMatchObject([
    { licence: "MIT", size: 11050, publishedAt: "2024-12-04T17:35:26Z", withdrawn: "yanked", digests: [{}, {}] },
  ]);
});

test("E4: addresses are below <base>, where a page has one; metadata without a digest is its host's own", () => {
  const page = `<html><base href="/elsewhere/"><a href="six-1.0.tar.gz#sha256=${digest("x")}" data-dist-info-metadata="true">x</a></html>`;
  expect(announced("six/", page)).toMatchObject([
    { url: "https://index.test/elsewhere/six-1.0.tar.gz" },
    { url: "https://index.test/elsewhere/six-1.0.tar.gz.metadata", digests: [] },
  ]);
});

test("E4: metadata and files of packages announce nothing", () => {
  expect(announced(`six/${wheel}.metadata`, "Metadata-Version: 2.1")).toEqual([]);
  expect(announced(`six/${wheel}`, "PK")).toEqual([]);
});

test("E4: an anchor is read as it was written", () => {
  const value = fc.string({ maxLength: 40 }).filter((text) => !text.includes("\0") && !/&#?\w+;/.test(text));
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 5 }), (values) => {
      const escape = (text: string) => text.replace(/&/g, "&amp;").replace(/"/g, "&#34;").replace(/</g, "&lt;");
      const page = values.map((text, at) => `<a data-${at}="${escape(text)}" href='x'>y</a>`).join("\n<br />");
      expect(readAnchors(page, 10).anchors.map((anchor, at) => anchor.get(`data-${at}`))).toEqual(values);
    }),
  );
});
