import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Advisory, memoryDatabase } from "@touchmark/advisories";
import type { ScanResult } from "@touchmark/formats/findings";
import type { Sbom } from "@touchmark/formats/sbom";
import { openDirectoryTree, readSbom, sbomFormats, writeSbom } from "@touchmark/sbom";
import fc from "fast-check";
import { expect, test } from "vitest";
import { catalogueTree, scanSbom } from "./scan.ts";

const now = new Date("2026-11-21T12:00:00Z");
const licences = ["MIT", "Apache-2.0", "GPL-3.0-only", "(MIT OR AGPL-3.0-only)", "no such licence"];

function advisory(id: string, ecosystem: string, name: string, fixed: string): Advisory {
  return {
    id,
    source: "test",
    digest: `sha256:${"a".repeat(64)}`,
    aliases: [],
    upstream: [],
    related: [],
    modified: "2026-01-01T00:00:00Z",
    summary: "a flaw",
    severities: [{ type: "CVSS_V3", value: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
    cwes: [],
    references: [],
    affected: [
      {
        ecosystem,
        name,
        ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed }] }],
        versions: [],
        severities: [],
      },
    ],
  };
}

const database = memoryDatabase({
  advisories: [
    ...["a", "b", "c"].map((name) => advisory(`CVE-2026-000${name.charCodeAt(0) - 96}`, "npm", name, "2.0.0")),
    advisory("CVE-2026-0009", "Debian:12", "zlib", "1:1.3-1"),
  ],
});

/** A tree with installed packages and a distribution. */
async function catalogued(packages: readonly { name: string; version: string; licence: string }[]): Promise<Sbom> {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-same-"));
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), text);
  };
  try {
    write("etc/os-release", "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n");
    write(
      "var/lib/dpkg/status",
      "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nSource: zlib\nVersion: 1:1.2.13.dfsg-1\nMaintainer: A <a@b.example>\n\n",
    );
    for (const { name, version, licence } of packages) {
      write(`app/node_modules/${name}/package.json`, JSON.stringify({ name, version, license: licence }));
    }
    return await catalogueTree({ tree: openDirectoryTree(directory), subject: { kind: "image", name: "app" } });
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const answer = ({ findings, licences: judged, notEvaluated }: ScanResult) => ({ findings, judged, notEvaluated });

test("A20: a tree and its SBOM in any format get the same answer", async () => {
  const one = fc.record({
    name: fc.constantFrom("a", "b", "c", "d"),
    version: fc.constantFrom("1.0.0", "2.0.0", "1.9.9-rc.1", "3.1.0"),
    licence: fc.constantFrom(...licences),
  });
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(one, { selector: ({ name }) => name, maxLength: 4 }), async (packages) => {
      const sbom = await catalogued(packages);
      const options = { now, policies: [], database };
      const own = scanSbom(sbom, options);
      expect(own.findings.some(({ id }) => id === "CVE-2026-0009")).toBe(true);
      for (const format of sbomFormats) {
        const read = readSbom(writeSbom(sbom, format).bytes).sbom;
        expect(answer(scanSbom(read, options)), format).toEqual(answer(own));
      }
    }),
    { numRuns: 15 },
  );
});
