import { expect, test } from "vitest";
import { compileFiles } from "../database/source.fixture.ts";

const platform = (id: string, cpe: string) => ({
  category: "product_name",
  product: { product_id: id, product_identification_helper: { cpe } },
});
const part = (id: string, purl: string) => ({
  category: "product_version",
  product: { product_id: id, product_identification_helper: { purl } },
});
const relation = (whole: string, component: string) => ({
  category: "default_component_of",
  full_product_name: { product_id: `${whole}:${component}` },
  product_reference: component,
  relates_to_product_reference: whole,
});

const tree = {
  branches: [
    {
      category: "vendor",
      branches: [
        platform("BaseOS-9", "cpe:/o:redhat:enterprise_linux:9::baseos"),
        platform("rhel_8", "cpe:/o:redhat:enterprise_linux:8"),
        part("openssl-src", "pkg:rpm/redhat/openssl@3.0.7-27.el9?arch=src&epoch=1"),
        part("openssl-libs", "pkg:rpm/redhat/openssl-libs@3.0.7-27.el9?arch=x86_64&epoch=1"),
        part("openssl", "pkg:rpm/redhat/openssl?arch=src"),
        part("image", "pkg:oci/ubi9@sha256%3Aaa"),
        part("nodejs:20", "pkg:rpmmod/redhat/nodejs@20"),
      ],
    },
  ],
  relationships: [
    relation("BaseOS-9", "openssl-src"),
    relation("BaseOS-9", "openssl-libs"),
    relation("BaseOS-9", "image"),
    relation("rhel_8", "openssl"),
    relation("rhel_8", "openssl-libs"),
    relation("BaseOS-9", "nodejs:20"),
    relation("BaseOS-9:nodejs:20", "openssl"),
  ],
};

const vex = (status: unknown, more: Record<string, unknown> = {}) => ({
  document: {
    ...{ category: "csaf_vex", csaf_version: "2.0", title: "openssl: a flaw" },
    aggregate_severity: { text: "important" },
    tracking: {
      id: "CVE-2026-1",
      initial_release_date: "2026-01-01T00:00:00+00:00",
      current_release_date: "2026-01-03T00:00:00+00:00",
    },
  },
  product_tree: tree,
  vulnerabilities: [
    {
      cve: "CVE-2026-1",
      cwe: { id: "CWE-416" },
      scores: [{ cvss_v3: { vectorString: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" } }],
      product_status: status,
      ...more,
    },
  ],
});

test("D9: Red Hat's VEX: source packages of a product by its CPE, fixed by epoch, version and release, or not to be fixed", async () => {
  const document = vex(
    {
      fixed: ["BaseOS-9:openssl-src", "BaseOS-9:openssl-libs", "BaseOS-9:image"],
      known_affected: ["rhel_8:openssl", "nobody:knows"],
      known_not_affected: ["BaseOS-9:nodejs:20:openssl"],
    },
    {
      remediations: [{ category: "no_fix_planned", details: "Out of support scope", product_ids: ["rhel_8:openssl"] }],
    },
  );
  const { database } = await compileFiles("redhat-csaf", { "2026/cve-2026-1.json": document, "index.json": [] });
  const [advisory] = database.find("CVE-2026-1");
  expect(advisory).toMatchObject({
    ...{ summary: "openssl: a flaw", modified: "2026-01-03T00:00:00Z", cwes: ["CWE-416"], upstream: [] },
    severities: [{ type: "CVSS_V3" }, { type: "words", value: "IMPORTANT" }],
  });
  expect(advisory?.affected.map(({ ecosystem, name, binary, state }) => [ecosystem, name, binary, state])).toEqual([
    ["Red Hat:enterprise_linux:9::baseos", "openssl", undefined, "fixed"],
    ["Red Hat:enterprise_linux:8", "openssl", undefined, "end-of-life"],
    ["Red Hat:enterprise_linux:9::baseos", "openssl", undefined, "not-affected"],
  ]);
  expect(advisory?.affected[0]?.ranges[0]?.events).toEqual([{ introduced: "0" }, { fixed: "1:3.0.7-27.el9" }]);
});

test("D9: binary packages stand only where no source package is named; an erratum is about all of its CVEs", async () => {
  const erratum = vex({ fixed: ["rhel_8:openssl-libs"] });
  const { document } = erratum;
  const { database, part: read } = await compileFiles("redhat-csaf", {
    "rhsa.json": {
      ...erratum,
      document: {
        ...document,
        category: "csaf_security_advisory",
        tracking: { ...document.tracking, id: "RHSA-2026:0001" },
      },
    },
    "old.json": { ...erratum, document: { ...document, csaf_version: "1.2" } },
    "loop.json": {
      ...erratum,
      product_tree: {
        relationships: [relation("a", "b"), { ...relation("b", "a"), full_product_name: { product_id: "a" } }],
      },
    },
  });
  expect(database.find("RHSA-2026:0001")[0]).toMatchObject({
    upstream: ["CVE-2026-1"],
    affected: [{ ecosystem: "Red Hat:enterprise_linux:8", name: "openssl-libs", binary: true, state: "fixed" }],
  });
  expect(database.find("CVE-2026-1")[0]?.affected).toEqual([]);
  expect(read.losses.named).toMatchObject([{ path: "old.json", code: "ADVISORY_MALFORMED" }]);
});
