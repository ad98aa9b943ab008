import { canonicalJson } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { rowBytes, rowKeys, rowName } from "../database/row.ts";
import { affectedPackage, osvRecord } from "../database/source.fixture.ts";
import type { AdvisorySourceKind, ImportContext } from "./importer.ts";
import { importers } from "./index.ts";

const csaf = {
  document: {
    ...{ category: "csaf_vex", csaf_version: "2.0", title: "a flaw" },
    tracking: { id: "CVE-2026-1", current_release_date: "2026-01-03T00:00:00Z" },
  },
  product_tree: {
    branches: [
      { product: { product_id: "p", product_identification_helper: { cpe: "cpe:/o:redhat:enterprise_linux:9" } } },
      { product: { product_id: "c", product_identification_helper: { purl: "pkg:rpm/redhat/x@1-1?arch=src" } } },
    ],
    relationships: [
      { full_product_name: { product_id: "p:c" }, product_reference: "c", relates_to_product_reference: "p" },
    ],
  },
  vulnerabilities: [{ cve: "CVE-2026-1", product_status: { fixed: ["p:c"], known_affected: ["p:c"] } }],
};
const oval = `<oval_definitions><generator><timestamp>2026-01-20T10:00:00</timestamp></generator><definitions>
<definition id="d" class="vulnerability"><metadata><title>CVE-2026-1 on Ubuntu 22.04 LTS</title><platform>Ubuntu 22.04 LTS</platform>
<reference source="CVE" ref_id="CVE-2026-1"/></metadata><criteria><criterion test_ref="t" comment="sudo package in jammy is affected"/>
<criterion test_ref="t" comment="x"/></criteria></definition></definitions><tests><dpkginfo_test id="t"><object object_ref="o"/>
<state state_ref="s"/></dpkginfo_test></tests><objects><dpkginfo_object id="o"><name>sudo</name></dpkginfo_object></objects>
<states><dpkginfo_state id="s"><evr>0:1</evr></dpkginfo_state></states></oval_definitions>`;

/** One good document of each kind, by the name of its file. */
const seeds: readonly (readonly [AdvisorySourceKind, string, string])[] = [
  [
    "osv",
    "a.json",
    JSON.stringify(osvRecord("A-1", { affected: [affectedPackage("PyPI", "Foo", { versions: ["1"] })] })),
  ],
  ["osv", "a.yaml", 'id: A-1\nmodified: "2026-01-01T00:00:00Z"\naffected:\n- package: {name: a, ecosystem: npm}\n'],
  [
    "debian-tracker",
    "t.json",
    '{"openssl":{"CVE-2026-1":{"description":"x","releases":{"bookworm":{"status":"resolved","fixed_version":"1"}}}}}',
  ],
  [
    "alpine-secdb",
    "m.json",
    '{"distroversion":"v3.20","packages":[{"pkg":{"name":"a","secfixes":{"1-r0":["CVE-2026-0001"]}}}]}',
  ],
  ["redhat-csaf", "v.json", JSON.stringify(csaf)],
  ["ubuntu-oval", "o.xml", oval],
  [
    "kev",
    "k.json",
    '{"dateReleased":"2026-01-01","vulnerabilities":[{"cveID":"CVE-2026-0001","dateAdded":"2026-01-01"}]}',
  ],
  ["kev", "k.csv", 'cveID,dateAdded\nCVE-2026-0001,"2026-01-01"\n'],
  ["epss", "e.csv", "#model_version:v1,score_date:2026-01-01T00:00:00Z\ncve,epss,percentile\nCVE-2026-0001,0.5,0.5\n"],
  ["end-of-life", "debian.json", '[{"cycle":"12","eol":"2026-06-10"},{"cycle":"13","eol":false}]'],
  ["end-of-life", "debian.csv", "version,codename,series,eol\n12,Bookworm,bookworm,2026-06-10\n"],
];

/** Reads one document; what it throws, a source of it would throw. */
async function read(kind: AdvisorySourceKind, path: string, bytes: Uint8Array): Promise<number> {
  const context: ImportContext = {
    now: "2026-02-01T00:00:00Z",
    lose: (_, code) => expect(code).toMatch(/^ADVISORY_/),
    made: (at) => expect(at).toMatch(/^\d{4}-/),
  };
  async function* entries() {
    yield { path, read: () => bytes };
  }
  let rows = 0;
  for await (const row of importers[kind].read(entries(), context)) {
    rows++;
    // Canonical, and found under keys that a table takes.
    expect(rowBytes(row).toString()).toBe(canonicalJson(row.record));
    for (const key of [...rowKeys(row), rowName(row)]) expect(Buffer.byteLength(key)).toBeLessThan(65_536);
  }
  return rows;
}

const hostile = [
  '"',
  "{",
  "}",
  "[",
  "]",
  ",",
  "null",
  "-1",
  "1e999",
  '"__proto__"',
  "\u0000",
  "&",
  "<",
  "<!--",
  "\n- ",
  "\\u0000",
];

test.each(seeds)(
  "D5: a document of %s (%s) that was mutated is read, or lost by a code of ours",
  async (kind, path, seed) => {
    expect(await read(kind, path, Buffer.from(seed))).toBeGreaterThan(0);
    const edit = fc.record({
      at: fc.nat({ max: seed.length }),
      cut: fc.nat({ max: 12 }),
      insert: fc.oneof(fc.constantFrom(...hostile), fc.string({ maxLength: 4 })),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), async (edits) => {
        let text = seed;
        for (const { at, cut, insert } of edits) text = text.slice(0, at) + insert + text.slice(at + cut);
        await read(kind, path, Buffer.from(text));
      }),
      { numRuns: 150 },
    );
  },
);

const inJson = seeds.filter(([, path]) => path.endsWith(".json"));

test.each(inJson)(
  "D5: members of a document of %s (%s) of other types are lost by a code of ours",
  async (kind, path, seed) => {
    let total = 0;
    JSON.parse(seed, () => void total++);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: total - 1 }), fc.json({ maxDepth: 2 }), async (which, json) => {
        let at = 0;
        // Every member is visited; the one that was chosen becomes something else.
        const changed = JSON.parse(seed, (_, value: unknown) =>
          at++ === which ? (JSON.parse(json) as unknown) : value,
        ) as unknown;
        await read(kind, path, Buffer.from(JSON.stringify(changed)));
      }),
      { numRuns: 150 },
    );
  },
);
