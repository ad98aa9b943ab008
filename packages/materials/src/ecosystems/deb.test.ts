import { execFileSync } from "node:child_process";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { expect, test } from "vitest";
import type { Upstream } from "../material.ts";
import { deb } from "./deb.ts";
import { unpackedIndex } from "./deb-packages.ts";
import { onPath } from "./programs.fixture.ts";

const base = "http://archive.example/debian/";
const upstream: Upstream = { name: "debian", ecosystem: "deb", url: base, exclusive: [], order: 0 };
const classify = (path: string, method: "GET" | "POST" = "GET") =>
  deb.classify({ method, url: new URL(path, base), headers: {} }, upstream);
const hex = "ab".repeat(32);

test.each([
  ["dists/stable/InRelease", { kind: "index", fileName: "InRelease", immutable: false }],
  ["dists/stable/updates/Release", { kind: "index" }],
  ["dists/stable/Release.gpg", { kind: "signature" }],
  ["dists/stable/main/binary-amd64/Packages.gz", { kind: "index", immutable: false }],
  [`dists/stable/main/binary-amd64/by-hash/SHA256/${hex}`, { kind: "index", immutable: true }],
  ["dists/stable/main/i18n/Translation-en.xz", { kind: "index" }],
  ["pool/main/h/hello/hello_2.10-3_amd64.deb", { kind: "archive", purl: "pkg:deb/debian/hello@2.10-3?arch=amd64" }],
  ["pool/main/g/g%2b%2b/g%2b%2b_12%7erc1_all.deb", { kind: "archive", name: "g++", version: "12~rc1" }],
  ["pool/main/h/hello/hello_2.10.orig.tar.gz", { kind: "archive", purl: "pkg:deb/debian/hello@2.10?arch=source" }],
  ["pool/main/h/hello/hello_2.10-3.dsc", { kind: "archive", name: "hello", version: "2.10-3" }],
  ["./hello_1_all.deb", { kind: "archive" }],
])("E15: %s is read", (path, facts) => expect(classify(path)).toMatchObject({ ecosystem: "deb", ...facts }));

test.each([
  ...[
    `dists/stable/main/binary-amd64/by-hash/MD5Sum/${hex.slice(32)}`,
    "dists/stable/main/binary-amd64/by-hash/SHA256/abc",
  ],
  ...["pool/main/h/hello/", "pool/main/h/hello/hello.deb", "pool/h//hello_1_all.deb", "pool/h/hello_1_all.deb?x"],
  ...[
    "dists/stable/main/binary-amd64/hello_1_all.deb",
    "pool/main/h/hello/README",
    "/elsewhere/dists/stable/InRelease",
  ],
])("E15: %s is not read", (path) => expect(classify(path)).toBeUndefined());

const announced = (path: string, body: string | Uint8Array) =>
  deb.announced(classify(path)!, Buffer.from(body), new URL(path, base));
const release = (lines: string, more = "") =>
  `Suite: stable\nDate: Sat, 10 May 2025 09:00:00 UTC\n${more}MD5Sum:\n ${"0".repeat(32)} 3 x\nSHA256:\n${lines}`;

test("E15: a Release file announces its indexes, by name and by hash", () => {
  const body = release(` ${hex}     1234 main/binary-amd64/Packages.gz\n`, "Acquire-By-Hash: yes\n");
  expect(announced("dists/stable/InRelease", body)).toMatchObject([
    {
      url: `${base}dists/stable/main/binary-amd64/Packages.gz`,
      size: 1234,
      digests: [{ algorithm: "sha256", value: hex }],
    },
    { url: `${base}dists/stable/main/binary-amd64/by-hash/SHA256/${hex}`, size: 1234 },
  ]);
  const both = `${release(` ${hex} 1 a\n`, "Acquire-By-Hash: yes\n")}SHA512:\n ${hex}${hex} 1 a\n`;
  expect(
    announced("dists/stable/Release", both).map(({ url, digests }) => [url.split("/").at(-2), digests.length]),
  ).toEqual([
    ["stable", 2],
    ["SHA256", 2],
    ["SHA512", 2],
  ]);
});

test.each([
  ["a page", "<html>"],
  ["without digests that count", "Suite: stable\nMD5Sum:\n 00 3 x\n"],
  ["that lists a file twice", release(` ${hex} 1 a\n ${hex} 1 a\n`)],
  ["that lists a path outside", release(` ${hex} 1 ../../../etc/x\n`)],
  ["that lists an absolute path", release(` ${hex} 1 /etc/x\n`)],
  ["with a digest that is none", release(" abc 1 a\n")],
  ["with a field twice", release(` ${hex} 1 a\n`, "Suite: other\n")],
  ["with a broken signature", `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n${release(` ${hex} 1 a\n`)}`],
  ["that goes on before it begins", ` ${hex} 1 a\n`],
])("E15: a Release file %s is refused", (_, body) => {
  expect(() => announced("dists/stable/InRelease", body)).toThrow(
    expect.objectContaining({ code: "MATERIAL_INDEX_MALFORMED" }),
  );
});

const stanza = (more: Record<string, string> = {}) =>
  Object.entries({
    ...{ Package: "g++", Version: "4:12.2.0-3", Architecture: "amd64", Description: "x\n Package: other" },
    ...{ Filename: "pool/main/g/g++_12.2.0-3_amd64.deb", Size: "100", SHA256: hex, ...more },
  })
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
const packages = "dists/stable/main/binary-amd64/Packages.gz";

test("E15: a Packages file announces each package with its whole version, in both spellings of its address", () => {
  const found = announced(
    packages,
    gzipSync(`${stanza()}\n${stanza({ Filename: "./a_1_all.deb", Package: "aa", SHA512: hex + hex })}`),
  );
  expect(found).toMatchObject([
    {
      ...{ url: `${base}pool/main/g/g++_12.2.0-3_amd64.deb`, version: "4:12.2.0-3", size: 100 },
      ...{ purl: "pkg:deb/debian/g%2B%2B@4:12.2.0-3?arch=amd64", digests: [{ algorithm: "sha256", value: hex }] },
    },
    { url: `${base}pool/main/g/g%2b%2b_12.2.0-3_amd64.deb` },
    { url: `${base}a_1_all.deb`, digests: [{}, { algorithm: "sha512" }] },
  ]);
});

test("E15: what lies at a hash is told by its beginning", () => {
  const path = `dists/stable/main/binary-amd64/by-hash/SHA256/${hex}`;
  for (const body of [stanza(), gzipSync(stanza()), zstdCompressSync(stanza())])
    expect(announced(path, body)).toHaveLength(2);
  expect(announced(path, "Archive: stable\nComponent: main\n")).toEqual([]);
  expect(announced(path.replace("binary-amd64", "i18n"), "Package: x\n")).toEqual([]);
  expect(announced("dists/stable/main/source/Sources.gz", "Package: x\n")).toEqual([]);
});

test.each([
  ["a package without digest", stanza({ SHA256: "" })],
  ["a path outside", stanza({ Filename: "pool/../../x.deb" })],
  ["an address in place of a path", stanza({ Filename: "http://other.example/x.deb" })],
  ["a field twice", `${stanza()}Filename: other.deb\n`],
  ["a value without end", stanza({ Filename: "x".repeat(5000) })],
  ["a name that is none", stanza({ Package: "a b" })],
])("E15: a Packages file with %s is refused", (_, body) => {
  expect(() => announced(packages, body)).toThrow(expect.objectContaining({ code: "MATERIAL_INDEX_MALFORMED" }));
});

test("E15: compression is bounded, and what is not read is refused by name", () => {
  const refused = (body: Uint8Array) => {
    try {
      announced(packages, body);
    } catch (error) {
      return (error as { code: string }).code;
    }
    return "nothing";
  };
  const path = process.env["PATH"];
  try {
    process.env["PATH"] = "/nowhere";
    expect(refused(Buffer.from("fd377a585a000000", "hex"))).toBe("MATERIAL_INDEX_COMPRESSION");
  } finally {
    process.env["PATH"] = path;
  }
  expect(refused(Buffer.from("BZh9xxxx"))).toBe("MATERIAL_INDEX_COMPRESSION");
  expect(refused(Buffer.from("1f8b0000", "hex"))).toBe("MATERIAL_INDEX_MALFORMED");
  const tooLarge = expect.objectContaining({ code: "MATERIAL_INDEX_TOO_LARGE" });
  expect(() => unpackedIndex(gzipSync(Buffer.alloc(1_000_001)), 1_000_000)).toThrow(tooLarge);
});

test.skipIf(!onPath("xz"))("E15: an index in xz is read by the program, bounded", () => {
  const xz = (text: string | Uint8Array) => execFileSync("xz", ["-c"], { input: text, maxBuffer: 1 << 30 });
  const codeOf = (body: Uint8Array) => {
    try {
      return announced(packages, body).length;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect(codeOf(xz(stanza()))).toBe(2);
  expect(codeOf(xz(stanza()).subarray(0, -20))).toBe("MATERIAL_INDEX_MALFORMED");
  const tooLarge = expect.objectContaining({ code: "MATERIAL_INDEX_TOO_LARGE" });
  expect(() => unpackedIndex(xz(Buffer.alloc(1_000_001)), 1_000_000)).toThrow(tooLarge);
});

test("E19: apt writes below its home, reads nothing of the host's, and asks what upstreams name", () => {
  const { environment, files } = deb.clientSettings({
    ...{ proxy: "http://127.0.0.1:3128", proxyPort: 3128, authorityPem: "/a.pem", authorityKeystore: "/a.jks" },
    ...{ directory: "/run/x", home: "/home/builder" },
    upstreams: [
      { ...upstream, suites: ["stable", "stable-updates"], components: ["main", "contrib"] },
      { ...upstream, name: "bare" },
    ],
  });
  expect(environment["APT_CONFIG"]).toBe("/run/x/apt/apt.conf");
  expect(files["apt/sources.list"]?.split("\n")).toHaveLength(3);
  expect(files["apt/sources.list"]).toContain(`] ${base} stable-updates main contrib\n`);
  expect(files["apt/apt.conf"]).toContain('Dir::State "/home/builder/apt";');
});

test("E19: archives are asked of apt, with suites, components and keyring", async () => {
  const rows = [
    "stable|main|Packages",
    "stable|contrib|Packages",
    "stable|main|Contents-deb",
    "stable-updates|main|Packages",
  ];
  const answers: Record<string, string> = {
    "apt-get": rows.map((row) => `${base}|${row}|/etc/apt/sources.list.d/debian.sources:2\n`).join(""),
    cat: "# x\nTypes: deb\nURIs: http://a/\n\nTypes: deb\nURIs: http://b/\nSigned-By: /usr/share/keyrings/b.gpg\n",
  };
  expect(await deb.askClient!(async (program) => answers[program])).toEqual([
    {
      ...{
        url: base,
        from: "apt",
        exclusive: [],
        suites: ["stable", "stable-updates"],
        components: ["main", "contrib"],
      },
      keyring: "/usr/share/keyrings/b.gpg",
    },
  ]);
  expect(await deb.askClient!(async () => undefined)).toEqual([]);
});
