import { expect, test } from "vitest";
import { decideScan } from "../gate/decide-scan.ts";
import { componentOf, findingOf, scanOf, strictRules } from "../gate/scan.fixture.ts";
import { applyVex, type VexDocument, type VexStatement } from "./index.ts";

const leftPad = "pkg:npm/left-pad@1.3.0";
const scan = scanOf({ findings: [findingOf("CVE-2026-0001", leftPad, { aliases: ["GHSA-1"] })] });
const say = (rest: Partial<VexStatement> = {}): VexStatement => ({
  vulnerability: ["CVE-2026-0001"],
  products: [{ ids: [leftPad], subcomponents: [] }],
  status: "not_affected",
  justification: "component_not_present",
  at: "2026-01-01T00:00:00Z",
  ...rest,
});
const documentOf = (statements: readonly VexStatement[], rest: Partial<VexDocument> = {}): VexDocument => ({
  format: "openvex",
  id: "doc",
  author: "Ada",
  digest: `sha256:${"5".repeat(64)}`,
  statements,
  losses: [],
  ...rest,
});
const decisionsOf = (...documents: VexDocument[]) =>
  applyVex(scan, documents).result.findings[0]?.decisions.map(({ status }) => status);
const product = (id: string, ...subcomponents: string[]) => say({ products: [{ ids: [id], subcomponents }] });
const why = (statement: VexStatement) => applyVex(scan, [documentOf([statement])]).unmatched[0]?.why;

test("E4: a statement speaks of a finding by any of its ids, and of a component by package URL, digest, ref or BOM-Link", () => {
  for (const statement of [
    say(),
    say({ vulnerability: ["ghsa-1"] }),
    product("pkg:npm/left-pad"),
    product(`urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#${encodeURIComponent(leftPad)}`),
    product(scan.sbom.subject.digest ?? ""),
    product("shop", leftPad),
    product(
      "pkg:oci/shop@sha256%3A1111111111111111111111111111111111111111111111111111111111111111?tag=1",
      "pkg:npm/left-pad",
    ),
  ]) {
    expect(decisionsOf(documentOf([statement])), JSON.stringify(statement)).toEqual(["not_affected"]);
  }
});

test("E5: a statement without effect says why, by its nearest miss", () => {
  expect(why(say({ vulnerability: ["CVE-1999-0001"] }))).toBe("no finding of CVE-1999-0001 here");
  expect(why(product("pkg:npm/left-pad@1.2.0"))).toContain("about version 1.2.0 of left-pad, and 1.3.0 is here");
  expect(why(product("pkg:npm/left-pad@1.3.0?arch=arm64"))).toContain(
    "its qualifier arch is arm64, and here it is not stated",
  );
  expect(why(product("pkg:npm/right-pad@1.3.0"))).toContain("is another package than");
  expect(why(product(`sha256:${"9".repeat(64)}`, leftPad))).toContain("the product is another one");
  expect(why(say({ products: [] }))).toBe("it names no product");
  expect(why(say({ at: "2026-11-22T00:00:00Z" }))).toContain("later than the scan");
});

test("E6: of one author the latest statement counts, of several each; one that says affected outweighs in the gate", () => {
  const later = say({ status: "affected", detail: "update", at: "2026-02-01T00:00:00Z" });
  expect(decisionsOf(documentOf([later, say()]))).toEqual(["affected"]);
  expect(decisionsOf(documentOf([say({ status: "affected", detail: "update" }), say()]))).toEqual(["affected"]);
  const both = applyVex(scan, [documentOf([say()]), documentOf([later], { author: "Grace", id: "other" })]);
  const now = new Date("2026-11-21T12:00:00Z");
  expect(decideScan(both.result, strictRules, { now }).verdict).toBe("refused");
  expect(decideScan(applyVex(scan, [documentOf([say()])]).result, strictRules, { now }).verdict).toBe("passed");
});

test("E7: what is let in until a date counts until then, and says by whom", () => {
  const kept = documentOf([say()], { approver: "Grace", expires: "2026-11-22T00:00:00Z" });
  const { result } = applyVex(scan, [kept]);
  expect(result.findings[0]?.decisions[0]).toMatchObject({
    by: "Ada, let in by Grace",
    expires: "2026-11-22T00:00:00Z",
  });
  const late = new Date("2026-11-23T00:00:00Z");
  if (strictRules.vulnerabilities === undefined) throw new TypeError("the fixture has rules");
  const { maximumDataAgeDays: _, ...vulnerabilities } = strictRules.vulnerabilities;
  expect(decideScan(result, { ...strictRules, vulnerabilities }, { now: late }).verdict).toBe("refused");
});

test("E4: a digest of the component's own archive names it", () => {
  const hashed = componentOf("left-pad", "1.3.0", { hashes: [{ algorithm: "sha256", value: "a".repeat(64) }] });
  const own = {
    ...scan,
    sbom: { ...scan.sbom, components: [hashed, ...scan.sbom.components.filter(({ ref }) => ref !== leftPad)] },
  };
  const { result } = applyVex(own, [documentOf([product(`sha256:${"a".repeat(64)}`)])]);
  expect(result.findings[0]?.decisions).toHaveLength(1);
});
