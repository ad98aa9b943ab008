import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readSbom } from "@touchmark/sbom";
import { afterAll, expect, test } from "vitest";
import { say } from "../../fixture.ts";
import { writtenFormats } from "./document.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-sbom-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function bom(version: string, more: object = {}): string {
  return JSON.stringify({
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", "bom-ref": "shop", name: "shop", version } },
    components: [
      {
        type: "library",
        "bom-ref": "left",
        name: "left",
        version,
        purl: `pkg:npm/left@${version}`,
        hashes: [{ alg: "SHA-1", content: "a".repeat(40) }],
        ...more,
      },
    ],
    dependencies: [{ ref: "shop", dependsOn: ["left"] }],
  });
}

function file(name: string, content: string): string {
  writeFileSync(join(directory, name), content);
  return name;
}

const tell = (...words: readonly string[]) => say(words, { directory });

test("X51: sbom convert goes through every format and back, with edges and hashes", async () => {
  let from = file("first.json", bom("1.0.0"));
  for (const format of writtenFormats) {
    const to = `as-${format}`;
    const { code, err } = await tell("sbom", "convert", from, "--to", format, "--output", to);
    expect({ code, err }).toMatchObject({ code: 0 });
    from = to;
  }
  const { sbom } = readSbom(readFileSync(join(directory, from)));
  expect(sbom.dependencies).toEqual([{ from: "shop", to: ["left"] }]);
  expect(sbom.components[0]).toMatchObject({ purl: "pkg:npm/left@1.0.0", hashes: [{ algorithm: "sha1" }] });
});

test("X51: sbom convert without a format, and of what is no SBOM, is exit 2", async () => {
  expect(await tell("sbom", "convert", file("first.json", bom("1.0.0")))).toMatchObject({ code: 2 });
  const { code, err } = await tell("sbom", "convert", file("no.json", "{}"), "--to", "spdx-json");
  expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("SBOM_DOCUMENT_FORMAT_UNKNOWN") });
});

test("X51: sbom diff tells new versions, and alarms at another digest of the same version with exit 3", async () => {
  file("a.json", bom("1.0.0"));
  file("b.json", bom("2.0.0"));
  file("c.json", bom("1.0.0", { hashes: [{ alg: "SHA-1", content: "b".repeat(40) }] }));
  const raised = await tell("sbom", "diff", "a.json", "b.json");
  expect(raised).toMatchObject({ code: 0, out: expect.stringContaining("~ pkg:npm/left version 1.0.0 -> 2.0.0") });
  const exchanged = await tell("sbom", "diff", "a.json", "c.json", "--json");
  expect(exchanged.code).toBe(3);
  expect(JSON.parse(exchanged.out)).toMatchObject({ changed: [{ alarm: true }], edgesAdded: [] });
});

test("X51: sbom diff in Markdown holds nothing that a name brings", async () => {
  file("a.json", bom("1.0.0"));
  const evil = bom("1.0.0").replaceAll('"left"', '"<script>|`[x](http://a)"').replaceAll("pkg:npm/left@1.0.0", "");
  const { out } = await tell("sbom", "diff", "a.json", file("evil.json", evil), "--format", "markdown", "--edges");
  expect(out).not.toMatch(/<script|\]\(|\|`/);
});

test("X51: sbom merge makes one subject that depends on each", async () => {
  file("a.json", bom("1.0.0"));
  const other = bom("1.0.0").replaceAll('"shop"', '"api"');
  const { code, out } = await tell("sbom", "merge", "a.json", file("api.json", other), "--name", "release");
  expect(code).toBe(0);
  const { sbom } = readSbom(Buffer.from(out));
  expect(sbom.components.map(({ name }) => name).sort()).toEqual(["api", "left", "release", "shop"]);
  expect(sbom.dependencies.find(({ from }) => from === sbom.root)?.to).toHaveLength(2);
  expect(await tell("sbom", "merge", "a.json")).toMatchObject({ code: 2 });
  expect(await tell("sbom", "merge", "a.json", "--name", "x", "--digest", "md5:1")).toMatchObject({ code: 2 });
});

test("X51: sbom validate is exit 3 when something is wrong, with its place", async () => {
  expect(await tell("sbom", "validate", file("a.json", bom("1.0.0")))).toMatchObject({ code: 0 });
  const dangling = bom("1.0.0").replace('["left"]', '["left","gone"]');
  const { code, out, err } = await tell("sbom", "validate", file("bad.json", dangling));
  expect({ code, out, err }).toMatchObject({
    code: 3,
    out: expect.stringContaining("CycloneDX 1.6 JSON, 2 components, 1 edges"),
    err: expect.stringContaining("SBOM_DOCUMENT_REFERENCE_DANGLING"),
  });
  const json = await tell("sbom", "validate", "bad.json", "--json");
  expect(JSON.parse(json.out)).toMatchObject([{ format: "CycloneDX 1.6 JSON", problems: [{ severity: "error" }] }]);
});
