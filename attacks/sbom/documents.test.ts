import { compareSboms, mergeSboms, readSbom } from "@touchmark/sbom";
import { expect, test } from "vitest";

interface NaiveComponent {
  readonly name: string;
  readonly version?: string;
  readonly purl?: string;
  readonly "bom-ref"?: string;
}

function bom(components: readonly object[], more: object = {}): Uint8Array {
  const metadata = { component: { type: "application", "bom-ref": "shop", name: "shop" } };
  return Buffer.from(
    JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", version: 1, metadata, components, ...more }),
  );
}

/** What most scripts do with a bill of materials: parse, and go over the components at the top. */
function naive(document: Uint8Array): readonly NaiveComponent[] {
  return (JSON.parse(Buffer.from(document).toString()) as { components: readonly NaiveComponent[] }).components;
}

const log4j = {
  type: "library",
  "bom-ref": "log4j",
  name: "log4j-core",
  group: "org.apache.logging.log4j",
  version: "2.14.1",
};
const log4jUrl = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1";
const codesOf = (document: Uint8Array): readonly string[] => readSbom(document).problems.map(({ code }) => code);

test("AT29: a vulnerable component inside another one: whoever reads the top does not see it", () => {
  const shaded = { type: "library", "bom-ref": "app", name: "app", components: [{ ...log4j, purl: log4jUrl }] };
  const document = bom([shaded]);
  expect(naive(document).some(({ purl }) => purl === log4jUrl)).toBe(false);
  expect(readSbom(document).sbom.components.some(({ purl }) => purl === log4jUrl)).toBe(true);
});

test("one identifier for two components: a table by identifier keeps the harmless one alone", () => {
  const document = bom([
    { ...log4j, purl: log4jUrl },
    { type: "library", "bom-ref": "log4j", name: "harmless", version: "1.0.0" },
  ]);
  const table = new Map(naive(document).map((component) => [component["bom-ref"], component.name]));
  expect([...table.values()]).toEqual(["harmless"]);
  const { sbom } = readSbom(document);
  expect(sbom.components.map(({ name }) => name)).toContain("org.apache.logging.log4j:log4j-core");
  expect(codesOf(document)).toContain("SBOM_DOCUMENT_REFERENCE_DUPLICATE");
  expect(sbom.losses.map(({ code }) => code)).toContain("SBOM_DOCUMENT_REFERENCE_DUPLICATE");
});

test("a renamed package: people read the name, scanners the package URL", () => {
  const document = bom([{ type: "library", "bom-ref": "a", name: "harmless", version: "9.9.9", purl: log4jUrl }]);
  expect(naive(document).map(({ name }) => name)).toEqual(["harmless"]);
  expect(codesOf(document)).toEqual(["SBOM_DOCUMENT_CONTRADICTION", "SBOM_DOCUMENT_CONTRADICTION"]);
});

test("our own properties, used to tell us another component than everybody else reads", () => {
  const properties = [
    { name: "touchmark:sbom:purl", value: '"pkg:maven/org.apache.logging.log4j/log4j-core@2.25.0"' },
    { name: "touchmark:sbom:version", value: '"2.25.0"' },
  ];
  const document = bom([{ ...log4j, purl: log4jUrl, properties }]);
  const found = readSbom(document).sbom.components.find(({ name }) => name.endsWith("log4j-core"));
  expect(found).toMatchObject({ version: "2.14.1", purl: log4jUrl });
  expect(codesOf(document)).toEqual(["SBOM_DOCUMENT_CONTRADICTION"]);
});

test("a bill of materials that lies about its subject: the digest in a property is not that of the component", () => {
  const hash = "a".repeat(64);
  const lie = { kind: "image", name: "shop", digest: `sha256:${"b".repeat(64)}` };
  const metadata = {
    component: { type: "container", "bom-ref": "shop", name: "shop", hashes: [{ alg: "SHA-256", content: hash }] },
    properties: [{ name: "touchmark:sbom:subject", value: JSON.stringify(lie) }],
  };
  const document = bom([], { metadata });
  expect(readSbom(document).sbom.subject.digest).toBe(`sha256:${hash}`);
  expect(codesOf(document)).toEqual(["SBOM_DOCUMENT_CONTRADICTION"]);
});

test("two suppliers' documents that contradict each other: merging does not choose one of two digests", () => {
  const signed = { ...log4j, purl: log4jUrl, hashes: [{ alg: "SHA-256", content: "a".repeat(64) }] };
  const forged = { ...signed, hashes: [{ alg: "SHA-256", content: "b".repeat(64) }] };
  const sboms = [signed, forged].map((component) => readSbom(bom([component])).sbom);
  const merged = mergeSboms(sboms, { subject: { kind: "artifact", name: "release" } });
  expect(merged.components.filter(({ purl }) => purl === log4jUrl)).toHaveLength(2);
  expect(merged.losses.map(({ code }) => code)).toEqual(["SBOM_DOCUMENT_CONTRADICTION"]);
});

test("an exchanged archive under the same version: a comparison of names and versions sees nothing", () => {
  const of = (content: string) =>
    readSbom(bom([{ ...log4j, purl: log4jUrl, hashes: [{ alg: "SHA-1", content: content.repeat(40) }] }])).sbom;
  const { added, removed, changed } = compareSboms(of("a"), of("b"));
  expect([added, removed]).toEqual([[], []]);
  expect(changed).toEqual([expect.objectContaining({ alarm: true })]);
});

test("a relation to a component that is not there: the path to the vulnerable one is cut, and said to be", () => {
  const dependencies = [
    { ref: "shop", dependsOn: ["bridge"] },
    { ref: "bridge", dependsOn: ["log4j"] },
  ];
  const document = bom([{ ...log4j, purl: log4jUrl }], { dependencies });
  const { sbom } = readSbom(document);
  expect(sbom.components.some(({ purl }) => purl === log4jUrl)).toBe(true);
  expect(sbom.losses.filter(({ code }) => code === "SBOM_DOCUMENT_REFERENCE_DANGLING")).toHaveLength(2);
});
