import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import type { Upstream } from "../material.ts";
import { golang } from "./go.ts";
import { escapeCase, unescapeModule } from "./go-module.ts";
import { onPath } from "./programs.fixture.ts";
import { zipOf } from "./zip.fixture.ts";

const base = "https://proxy.example/mods/";
const upstream: Upstream = { name: "go", ecosystem: "golang", url: base, exclusive: [], order: 0 };
const classify = (path: string, method: "GET" | "POST" = "GET") =>
  golang.classify({ method, url: new URL(path, base), headers: {} }, upstream);

test.each([
  ["github.com/!burnt!sushi/toml/@v/list", { kind: "index", name: "github.com/BurntSushi/toml", immutable: false }],
  ["github.com/%21burnt%21sushi/toml/@latest", { kind: "index", name: "github.com/BurntSushi/toml" }],
  ["example.com/m/@v/v1.2.3.info", { kind: "metadata", version: "v1.2.3", immutable: true }],
  ["example.com/m/@v/v1.2.3.mod", { kind: "metadata", purl: "pkg:golang/example.com/m@v1.2.3" }],
  ["example.com/m/v2/@v/v2.0.0-!r!c1.zip", { kind: "archive", name: "example.com/m/v2", version: "v2.0.0-RC1" }],
  [
    "example.com/m/@v/v3.0.0+incompatible.zip",
    { kind: "archive", purl: "pkg:golang/example.com/m@v3.0.0%2Bincompatible" },
  ],
  ["example.com/m/@v/v0.0.0-20200101000000-abcdefabcdef.zip", { kind: "archive", immutable: true }],
  ["example.com/m/@v/main.info", { kind: "index", immutable: false }],
  ["sumdb/sum.example/supported", { kind: "signature", immutable: false }],
  ["sumdb/sum.example/lookup/example.com/m@v1.2.3", { kind: "signature", name: "example.com/m", version: "v1.2.3" }],
  ["sumdb/sum.example/tile/8/0/x001/x234/067", { kind: "signature", immutable: true }],
  ["tile/8/data/005.p/17", { kind: "signature", immutable: true }],
  ["latest", { kind: "signature", immutable: false }],
])("E10: %s is read", (path, facts) => expect(classify(path)).toMatchObject({ ecosystem: "golang", ...facts }));

test.each([
  "github.com/BurntSushi/toml/@v/list",
  "github.com/!Burnt/toml/@v/list",
  "example.com/m/@v/main.zip",
  "example.com/m/@v/v1.2.3.zip?x=1",
  "example.com/m//@v/v1.2.3.zip",
  "example.com%2fm/@v/v1.2.3.zip",
  "example.com/.hidden/@v/v1.2.3.zip",
  "localname/@v/v1.2.3.zip",
  "example.com/m/@v/v1.2.3.ziphash",
  "sumdb/sum.example/tile/8/0/x001/1",
  "sumdb/sum.example/lookup/example.com/m@main",
  "/elsewhere/example.com/m/@v/v1.2.3.zip",
  "https://other.example/mods/example.com/m/@v/list",
])("E10: %s is not read", (path) => expect(classify(path)).toBeUndefined());

test("E10: a body is not read", () => expect(classify("example.com/m/@v/list", "POST")).toBeUndefined());

test("E10: every module path comes back from its escaped form", () => {
  const element = fc.stringMatching(/^[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,8}[A-Za-z0-9]$/);
  fc.assert(
    fc.property(fc.array(element, { maxLength: 4 }), (rest) => {
      const path = ["example.com", ...rest].join("/");
      expect(unescapeModule(escapeCase(path))).toBe(path);
    }),
  );
});

function inDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "go-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}

test.skipIf(!onPath("go"))("E11: h1 of a module is what the go command takes", async () => {
  const directory = inDirectory();
  const proxy = join(directory, "proxy/example.com/m/@v");
  const mod = "module example.com/m\n";
  const zip = zipOf([
    { name: "example.com/m@v1.0.0/go.mod", text: mod },
    { name: "example.com/m@v1.0.0/m.go", text: "package m\n".repeat(100_000) },
    { name: "example.com/m@v1.0.0/A/a.go", text: "package a\n" },
  ]);
  execFileSync("mkdir", ["-p", proxy]);
  writeFileSync(join(proxy, "v1.0.0.zip"), zip);
  writeFileSync(join(proxy, "v1.0.0.mod"), mod);
  writeFileSync(join(proxy, "v1.0.0.info"), '{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}');
  writeFileSync(join(directory, "go.mod"), "module example.com/user\n");
  const environment = {
    ...{ PATH: process.env["PATH"], HOME: directory, GOPATH: join(directory, "gopath"), GOFLAGS: "-modcacherw" },
    ...{ GOPROXY: `file://${join(directory, "proxy")}`, GOSUMDB: "off", GOTOOLCHAIN: "local", GOENV: "off" },
  };
  const words = ["mod", "download", "-json", "example.com/m@v1.0.0"];
  const said = execFileSync("go", words, { cwd: directory, env: environment, encoding: "utf8" });
  const { Sum, GoModSum } = JSON.parse(said) as { Sum: string; GoModSum: string };
  const digest = async (extension: string) => {
    const facts = classify(`example.com/m/@v/v1.0.0.${extension}`);
    const [found] = await golang.digestsOf!(facts!, join(proxy, `v1.0.0.${extension}`));
    return `h1:${Buffer.from(found?.value ?? "", "hex").toString("base64")}`;
  };
  expect([await digest("zip"), await digest("mod")]).toEqual([Sum, GoModSum]);
});

test("E11: information about a version has no digest", async () => {
  expect(await golang.digestsOf!(classify("example.com/m/@v/v1.2.3.info")!, "/nowhere")).toEqual([]);
});

const announced = (path: string, body: string) =>
  golang.announced(classify(path)!, Buffer.from(body), new URL(path, base));

test("E12: information about a version says when it was made", () => {
  const made = '{"Version":"v1.2.3","Time":"2024-05-06T07:08:09+02:00","Origin":{"VCS":"git"}}';
  expect(announced("example.com/!m/@v/v1.2.3.info", made)).toMatchObject([
    {
      url: `${base}example.com/!m/@v/v1.2.3.zip`,
      name: "example.com/M",
      publishedAt: "2024-05-06T05:08:09Z",
      digests: [],
    },
  ]);
  expect(announced("example.com/m/@latest", made)).toMatchObject([{ version: "v1.2.3" }]);
  expect(announced("example.com/m/@v/list", "v1.2.3\n")).toEqual([]);
});

const lines = (one: string, two = one) => `example.com/m v1.2.3 h1:${one}\nexample.com/m v1.2.3/go.mod h1:${two}\n`;
const sum = (byte: number) => Buffer.alloc(32, byte).toString("base64");

test("E12: a record of a checksum database announces both files of a module", () => {
  const found = announced(
    "sumdb/sum.example/lookup/example.com/m@v1.2.3",
    `17\n${lines(sum(1), sum(2))}\ngo.sum tree\n`,
  );
  expect(found.map(({ url, digests }) => [url, digests[0]?.algorithm, digests[0]?.value, digests[0]?.source])).toEqual([
    [`${base}example.com/m/@v/v1.2.3.zip`, "h1", "01".repeat(32), "checksum-file"],
    [`${base}example.com/m/@v/v1.2.3.mod`, "h1", "02".repeat(32), "checksum-file"],
  ]);
});

test.each([
  ["a page", "example.com/m/@v/v1.2.3.info", "<html>sign in</html>"],
  ["another version", "example.com/m/@v/v1.2.3.info", '{"Version":"v1.2.4"}'],
  ["a branch as the latest version", "example.com/m/@latest", '{"Version":"main"}'],
  ["a record of another module", "lookup/example.com/m@v1.2.3", `1\n${lines(sum(1)).replaceAll("/m ", "/n ")}`],
  [
    "a record with three lines",
    "lookup/example.com/m@v1.2.3",
    `1\n${lines(sum(1))}example.com/n v1.0.0 h1:${sum(3)}\n`,
  ],
  ["a record with two digests of one file", "lookup/example.com/m@v1.2.3", `1\n${lines(sum(1))}${lines(sum(2))}`],
  ["a record without number", "lookup/example.com/m@v1.2.3", lines(sum(1))],
  ["a digest that is none", "lookup/example.com/m@v1.2.3", `1\n${lines("AAAA")}`],
])("E12: %s is refused", (_, path, body) => {
  expect(() => announced(path, body)).toThrow(expect.objectContaining({ code: "MATERIAL_INDEX_MALFORMED" }));
});

test.each(["example.com/m/@v/v1.2.3.info", "lookup/example.com/m@v1.2.3"])(
  "E12: too much from %s is refused",
  (path) => {
    expect(() => announced(path, "x".repeat(2 << 20))).toThrow(
      expect.objectContaining({ code: "MATERIAL_INDEX_TOO_LARGE" }),
    );
  },
);

test("E19: the go command asks the upstreams in their order and nobody else", () => {
  const context = {
    ...{ proxy: "http://127.0.0.1:3128", proxyPort: 3128, authorityPem: "/a.pem", authorityKeystore: "/a.jks" },
    ...{ directory: "/run/x", home: "/home/builder" },
  };
  const { environment } = golang.clientSettings({
    ...context,
    upstreams: [upstream, { ...upstream, name: "second", url: "https://second.example/", order: 1 }],
  });
  expect(environment).toMatchObject({
    ...{ GOPROXY: "https://proxy.example/mods,https://second.example", GOTOOLCHAIN: "local", GOVCS: "*:off" },
    ...{ GOENV: "off", GOPATH: "/home/builder/go" },
  });
  expect(golang.clientSettings({ ...context, upstreams: [] }).environment["GOPROXY"]).toBe("off");
});

test.each([
  ["https://one.example,direct\n", ["https://one.example/"]],
  ["https://user:secret@one.example/x|https://two.example,off", ["https://one.example/x/", "https://two.example/"]],
  ["off\n", []],
  [undefined, []],
])("E19: GOPROXY %s names upstreams", async (said, urls) => {
  const asked = await golang.askClient!(async () => said);
  expect(asked.map(({ url }) => url)).toEqual(urls);
  expect(JSON.stringify(asked)).not.toContain("secret");
});
