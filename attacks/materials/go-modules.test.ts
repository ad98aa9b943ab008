import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Lockfile } from "@touchmark/formats/lockfiles";
import { expect, onTestFinished, test } from "vitest";
import type { EcosystemRequest } from "../../packages/materials/src/ecosystem.ts";
import { golang } from "../../packages/materials/src/ecosystems/go.ts";
import { onPath } from "../../packages/materials/src/ecosystems/programs.fixture.ts";
import { type ZipFile, zipOf } from "../../packages/materials/src/ecosystems/zip.fixture.ts";
import type { Upstream } from "../../packages/materials/src/material.ts";
import { sessionScene } from "../../packages/materials/src/session/fixture.ts";

const upstream: Upstream = { name: "go", ecosystem: "golang", url: "https://go.example/", exclusive: [], order: 0 };
const [name, version, prefix] = ["example.com/m", "v1.0.0", "example.com/m@v1.0.0/"];
const address = `${upstream.url}${name}/@v/${version}.zip`;
const good = zipOf([{ name: `${prefix}go.mod`, text: "module example.com/m\n" }]);

/** What the factory takes for the `h1` of an archive, or the code of its refusal. */
async function h1Of(zip: Uint8Array): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), "attack-go-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "module.zip");
  writeFileSync(path, zip);
  const request: EcosystemRequest = { method: "GET", url: new URL(address), headers: {} };
  const facts = golang.classify(request, upstream);
  if (facts === undefined) throw new Error("not read");
  try {
    return (await golang.digestsOf!(facts, path))[0]?.value ?? "";
  } catch (error) {
    return (error as { code: string }).code;
  }
}

/** A reader of local headers, from the first byte on, as a program that unpacks while it downloads. */
function namesWhileStreaming(zip: Buffer): string[] {
  const names: string[] = [];
  for (let at = 0; zip.readUInt32LE(at) === 0x04034b50; ) {
    const [packed, nameLength, extra] = [
      zip.readUInt32LE(at + 18),
      zip.readUInt16LE(at + 26),
      zip.readUInt16LE(at + 28),
    ];
    names.push(zip.toString("utf8", at + 30, at + 30 + nameLength));
    at += 30 + nameLength + extra + packed;
  }
  return names;
}

const go = { name: `${prefix}m.go`, text: "package m // reviewed\n" };
const evil = { name: `${prefix}m.go`, text: "package m // evil\n" };

test("attack: a module has two files of one name, one for reviewers and one for builds", async () => {
  const zip = zipOf([go, evil]);
  expect(namesWhileStreaming(zip)).toEqual([go.name, evil.name]);
  expect(await h1Of(zip)).toBe("MATERIAL_ARCHIVE_MALFORMED");
});

test.skipIf(!onPath("unzip"))(
  "attack: a module's zip names one file in its directory and another in front of its bytes",
  async () => {
    const zip = zipOf([{ ...evil, local: { name: `${prefix}ok.txt` } }]);
    expect(namesWhileStreaming(zip)).toEqual([`${prefix}ok.txt`]);
    const path = join(mkdtempSync(join(tmpdir(), "attack-go-")), "module.zip");
    onTestFinished(() => rmSync(dirname(path), { recursive: true }));
    writeFileSync(path, zip);
    expect(execFileSync("unzip", ["-Z1", path], { encoding: "utf8" })).toBe(`${evil.name}\n`);
    expect(await h1Of(zip)).toBe("MATERIAL_ARCHIVE_MALFORMED");
  },
);

test.each<[string, ZipFile[]]>([
  ["climbs out", [{ name: `${prefix}../../evil.go`, text: "package evil\n" }]],
  ["is another module's", [{ name: "example.com/other@v1.0.0/m.go", text: "package m\n" }]],
  ["is absolute", [{ name: "/etc/cron.d/evil", text: "* * * * * root id\n" }]],
  ["climbs out where the separator is another", [{ name: `${prefix}..\\..\\evil.go`, text: "package evil\n" }]],
  ["differs from a second one by case alone", [go, { ...evil, name: `${prefix}M.GO` }]],
  ["has a control character", [{ name: `${prefix}m.go\nx`, text: "package m\n" }]],
])("attack: a name in a module's zip %s", async (_, files) => {
  // Naive: names are joined to a directory as they stand.
  expect(namesWhileStreaming(zipOf(files))).toEqual(files.map((file) => file.name));
  expect(await h1Of(zipOf(files))).toBe("MATERIAL_ARCHIVE_MALFORMED");
});

test.each<[string, Buffer]>([
  ["is encrypted", zipOf([{ ...go, flags: 1 }])],
  ["is packed by a method that few know", zipOf([{ ...go, method: 99 }])],
  ["says another size", zipOf([{ ...go, size: 5 }])],
  ["stands behind a program", Buffer.concat([Buffer.from("#!/bin/sh\nevil\n"), zipOf([go])])],
  ["has a comment that could hold a second archive", zipOf([go], "PK")],
  ["has bytes that no name owns", Buffer.concat([zipOf([go]), Buffer.alloc(7)])],
  ["is cut", zipOf([go]).subarray(0, -9)],
  ["is none", Buffer.from("<html>sign in</html>")],
])("attack: a module's zip %s", async (_, zip) => {
  expect(await h1Of(zip)).toBe("MATERIAL_ARCHIVE_MALFORMED");
});

test("attack: a module's zip is a bomb", async () => {
  const zip = zipOf([{ ...go, size: 600 << 20 }]);
  expect(await h1Of(zip)).toBe("MATERIAL_ARCHIVE_TOO_LARGE");
});

/** go.sum with the `h1` of one archive. */
async function goSum(zip: Uint8Array): Promise<Lockfile> {
  const digests = [{ algorithm: "h1", value: await h1Of(zip) }] as const;
  return {
    ...{ format: "go-sum", ecosystem: "golang", path: "go.sum", limits: [] },
    packages: [
      {
        ...{ key: `${name}@${version}`, ecosystem: "golang", name, version, purl: `pkg:golang/${name}@${version}` },
        ...{ from: { kind: "registry" }, digests, scope: "runtime", dependencies: [], direct: true },
      },
    ],
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing",
    (error: { code?: string }) => error.code ?? "no code",
  );
}

test("attack: a proxy serves another module under the version that is locked", async () => {
  const other = zipOf([{ name: `${prefix}go.mod`, text: "module example.com/m\n\nrequire example.com/evil v1.0.0\n" }]);
  const lockfiles = [await goSum(good)];
  const honest = sessionScene({ upstreams: [upstream], lockfiles, served: { [address]: { body: good } } });
  expect(await codeOf(honest.ask(address))).toBe("nothing");
  // Naive: the archive is whole, and its checksums of its own files hold.
  expect(await h1Of(other)).toMatch(/^[0-9a-f]{64}$/);
  const scene = sessionScene({ upstreams: [upstream], lockfiles, served: { [address]: { body: other } } });
  expect(await codeOf(scene.ask(address))).toBe("SESSION_DIGEST_MISMATCH");
  expect(await scene.mirror.seen(`pkg:golang/${name}@${version}`, `${version}.zip`)).toEqual([]);
});

test("attack: a checksum database's record names another module than was asked", () => {
  const url = new URL(`${upstream.url}sumdb/sum.example/lookup/${name}@${version}`);
  const facts = golang.classify({ method: "GET", url, headers: {} }, upstream);
  const sum = createHash("sha256").update("evil").digest("base64");
  const body = `1\nexample.com/evil ${version} h1:${sum}\nexample.com/evil ${version}/go.mod h1:${sum}\n\n`;
  expect(() => golang.announced(facts!, Buffer.from(body), url)).toThrow(
    expect.objectContaining({ code: "MATERIAL_INDEX_MALFORMED" }),
  );
});
