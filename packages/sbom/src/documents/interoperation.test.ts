import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Sbom } from "@touchmark/formats/sbom";
import { findProgram } from "@touchmark/test-kit";
import { forgeZip } from "@touchmark/test-kit/archives";
import { expect, onTestFinished, test } from "vitest";
import { plainComponent, sampleSbom } from "./sbom.fixture.ts";
import { writeSbom } from "./write.ts";

/* Our documents, read by programs of others; a program that is not installed (bench/peers/install.sh) is passed over. */

const syft = findProgram("syft");
const osvScanner = findProgram("osv-scanner");

function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-others-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Three packages, one of which needs another. */
function project(): Sbom {
  const library = (name: string, version: string) => {
    const purl = `pkg:npm/${name}@${version}`;
    return plainComponent(purl, { name, version, purl, type: "npm", scope: "runtime" });
  };
  const [one, three, two] = [library("one", "1.0.0"), library("three", "3.0.0"), library("two", "2.0.0")];
  const root = plainComponent("project", { kind: "application", name: "project" });
  return {
    ...sampleSbom(),
    root: root.ref,
    components: [one, three, two, root],
    dependencies: [
      { from: one.ref, to: [two.ref] },
      { from: root.ref, to: [one.ref, three.ref] },
    ],
  };
}

const read = ["cyclonedx-json", "cyclonedx-1.7-json", "cyclonedx-xml", "spdx-json", "spdx-tag-value"] as const;

test.skipIf(syft === undefined).each(read)("F5: syft reads %s: every package, and who needs whom", (format) => {
  const file = join(scratchDirectory(), "document");
  writeFileSync(file, writeSbom(project(), format).bytes);
  const { stdout, stderr } = spawnSync(syft ?? "", ["convert", file, "-q", "-o", "syft-json"], { encoding: "utf8" });
  expect(stderr).toBe("");
  const { artifacts, artifactRelationships } = JSON.parse(stdout) as {
    readonly artifacts: readonly { readonly id: string; readonly name: string; readonly version: string }[];
    readonly artifactRelationships: readonly {
      readonly parent: string;
      readonly child: string;
      readonly type: string;
    }[];
  };
  const names = new Map(artifacts.map(({ id, name, version }) => [id, `${name} ${version}`]));
  expect([...names.values()]).toEqual(expect.arrayContaining(["one 1.0.0", "three 3.0.0", "two 2.0.0"]));
  const edges = artifactRelationships.map(({ parent, child, type }) => [type, names.get(child), names.get(parent)]);
  expect(edges).toContainEqual(["dependency-of", "one 1.0.0", "two 2.0.0"]);
});

const files = { "cyclonedx-json": "a.cdx.json", "cyclonedx-xml": "a.cdx.xml", "spdx-json": "a.spdx.json" } as const;

test.skipIf(osvScanner === undefined).each(Object.entries(files) as [keyof typeof files, string][])(
  "F5: osv-scanner finds in %s the package that an advisory is about",
  (format, name) => {
    const directory = scratchDirectory();
    const record = {
      ...{ schema_version: "1.6.7", id: "TEST-1", modified: "2026-01-01T00:00:00Z" },
      affected: [
        {
          package: { ecosystem: "npm", name: "two" },
          ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "2.0.1" }] }],
        },
      ],
    };
    const place = join(directory, "osv-scalibr", "npm");
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, "all.zip"), forgeZip([{ name: "TEST-1.json", content: JSON.stringify(record) }]));
    const file = join(directory, name);
    writeFileSync(file, writeSbom(project(), format).bytes);
    const report = join(directory, "report.json");
    const words = ["--offline", "--local-db-path", directory, "--format", "json", "--output-file", report];
    const ended = spawnSync(osvScanner ?? "", ["scan", "source", "-L", file, ...words], { encoding: "utf8" });
    expect(ended.status, ended.stderr).toBe(1);
    const { results } = JSON.parse(readFileSync(report, "utf8")) as {
      readonly results: readonly { readonly packages: readonly { readonly package: object }[] }[];
    };
    expect(results.flatMap(({ packages }) => packages.map((each) => each.package))).toEqual([
      expect.objectContaining({ name: "two", version: "2.0.0", ecosystem: "npm" }),
    ]);
  },
);
