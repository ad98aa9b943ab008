import { rmSync } from "node:fs";
import { join } from "node:path";
import { writeVex } from "@touchmark/advisories";
import { sha256 } from "@touchmark/core";
import { readPredicate } from "@touchmark/formats/predicates";
import { verifyArtifact } from "@touchmark/pipeline";
import { keepVex, rescanArtifacts, sbomOfArtifact } from "@touchmark/pipeline/analysis";
import {
  codeOf,
  giveAdvisories,
  giveRules,
  missingForRuns,
  npmAdvisory,
  openScene,
  type Performed,
  type Scene,
  statementsOf,
} from "@touchmark/pipeline/fixture";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { onlyArtifact, sbomType, shipping, statementsOfType, vendored, vulnerabilitiesType } from "./sbom-scene.ts";

const later = "2099-01-01T00:00:00Z";

describe.skipIf(missingForRuns() !== null)("what software consists of, and what is known of it", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());
  afterEach(() => {
    for (const name of ["scan.yaml", "advisories", "vex"]) {
      rmSync(join(scene.home, name), { recursive: true, force: true });
    }
  });

  let count = 0;
  const build = (files: Readonly<Record<string, string>>): Promise<Performed> =>
    scene.run(scene.project(`shop-${++count}`, shipping, files));

  test("generate-immutable-sbom: an artifact's bill of materials is of this build, signed, logged, and kept by its digest", async () => {
    const run = await build(vendored({ pad: "1.0.0", left: "2.0.0" }));
    const digest = onlyArtifact(run);
    const [statement, ...more] = await statementsOfType(scene, run.run, sbomType);
    expect(more).toEqual([]);
    expect(statement?.subjects).toEqual([{ name: "app", digest: { sha256: digest.slice("sha256:".length) } }]);
    // Verified as the builder's, with its entry in the log: what anybody else says about the digest does not count.
    const stored = await sbomOfArtifact(scene.factory, digest);
    expect(stored.bundle).toBe(statement?.bundle);
    expect(stored.sbom.components.map(({ purl }) => purl)).toEqual(
      expect.arrayContaining(["pkg:npm/left@2.0.0", "pkg:npm/pad@1.0.0"]),
    );
    const bytes = await scene.factory.content.get(stored.bundle);
    expect(sha256(bytes)).toBe(stored.bundle);
    const { chain } = await verifyArtifact(scene.factory, { digest });
    expect(chain.analyses.map((each) => each.artifact)).toEqual(["app"]);
    const [analysis] = await statementsOf(scene, run.run, "analysis");
    expect(readPredicate("analysis", analysis?.predicate).sbom.bundle).toBe(stored.bundle);
  });

  test("RA-DOC-01: a run yields reports of tests, bills of materials, vulnerabilities and licences, each by its form", async () => {
    await giveAdvisories(scene, [npmAdvisory("GHSA-test-1001", "pad", "1.0.1")]);
    const run = await build(vendored({ pad: "1.0.0" }));
    const [report] = await statementsOf(scene, run.run, "step-report");
    expect(readPredicate("step-report", report?.predicate)).toMatchObject({ label: "reported by the step" });
    const [licences] = await statementsOf(scene, run.run, "licences");
    expect(readPredicate("licences", licences?.predicate).components.length).toBeGreaterThan(0);
    const [bill] = await statementsOfType(scene, run.run, sbomType);
    expect(bill?.predicate).toMatchObject({ bomFormat: "CycloneDX", specVersion: "1.6" });
    const [known] = await statementsOfType(scene, run.run, vulnerabilitiesType);
    expect(known?.predicate).toMatchObject({ scanner: { result: [{ id: "GHSA-test-1001" }] } });
  });

  test("RA-DOC-03: another dependency gives another bill of materials, and the earlier one stays as it was", async () => {
    const project = scene.project("changing", shipping, vendored({ changed: "1.0.0" }));
    const first = await scene.run(project);
    const before = await sbomOfArtifact(scene.factory, onlyArtifact(first));
    project.write(vendored({ changed: "1.0.1" }));
    project.commit();
    const second = await scene.run(project);
    const after = await sbomOfArtifact(scene.factory, onlyArtifact(second));
    expect(after.digest).not.toBe(before.digest);
    expect(after.sbom.components.map(({ purl }) => purl)).toContain("pkg:npm/changed@1.0.1");
    expect(await sbomOfArtifact(scene.factory, onlyArtifact(first))).toEqual(before);
  });

  test("RA-DOC-05: the bill of materials of the same commit is the same document again; its time stands beside it", async () => {
    const project = scene.project("again", shipping, vendored({ same: "1.0.0" }));
    const bills = [];
    for (const cache of [true, false]) {
      const run = await scene.run(project, { cache });
      bills.push(...(await statementsOfType(scene, run.run, sbomType)));
    }
    const [first, second, ...more] = bills;
    expect(more).toEqual([]);
    expect(second?.bundle).not.toBe(first?.bundle);
    expect(JSON.stringify(second?.predicate)).toBe(JSON.stringify(first?.predicate));
  });

  test("scan-for-vulnerabilities: a limit refuses, old data refuses, and a person's signed, dated decision lets in what it names", async () => {
    await giveAdvisories(scene, [npmAdvisory("CVE-2026-1002", "pad", "1.0.1")]);
    giveRules(scene, "gate: { vulnerabilities: { refuse: high } }\n");
    const files = vendored({ pad: "1.0.0" });
    const refused = await build(files);
    expect(refused).toMatchObject({ status: "refused", error: { code: "SCAN_VULNERABILITY" }, artifacts: [] });
    // What refused it is signed: the scanner's database, its findings, the rules and the verdict.
    const [analysis] = await statementsOf(scene, refused.run, "analysis");
    const { vulnerabilities, gate } = readPredicate("analysis", analysis?.predicate);
    expect(vulnerabilities).toMatchObject({ evaluated: true, database: expect.stringMatching(/^sha256:/) });
    expect(gate).toMatchObject({ verdict: "refused", policy: expect.stringMatching(/^sha256:/) });
    const document = writeVex(
      {
        author: "Grace",
        at: "2026-01-02T00:00:00Z",
        statements: [
          {
            vulnerability: ["CVE-2026-1002"],
            products: [{ ids: ["pkg:npm/pad@1.0.0"], subcomponents: [] }],
            ...({ status: "not_affected", justification: "vulnerable_code_not_in_execute_path" } as const),
            at: "2026-01-02T00:00:00Z",
          },
        ],
      },
      "openvex",
    );
    const scope = { approver: "Grace", reason: "checked", artifacts: [] };
    await keepVex(scene.factory, document, { ...scope, projects: ["elsewhere"], expires: later });
    expect((await build(files)).error?.code).toBe("SCAN_VULNERABILITY");
    await keepVex(scene.factory, document, { ...scope, projects: [], expires: "2026-01-03T00:00:00Z" });
    expect((await build(files)).error?.code).toBe("SCAN_VULNERABILITY");
    await keepVex(scene.factory, document, { ...scope, projects: [], expires: later });
    expect((await build(files)).status).toBe("succeeded");
    giveRules(scene, "gate: { vulnerabilities: { refuse: high, data-age: 1d } }\n");
    expect((await build(files)).error?.code).toBe("SCAN_DATA_STALE");
  });

  test("scan-for-licenses: denied and unknown licences keep an artifact in", async () => {
    giveRules(scene, "gate: { licences: { deny: [MIT] } }\n");
    expect((await build(vendored({ pad: "1.0.0" }))).error?.code).toBe("SCAN_LICENCE_DENIED");
    giveRules(scene, "gate: { licences: { allow: [MIT], unknown: refuse } }\n");
    const nameless = { "vendor/node_modules/odd/package.json": JSON.stringify({ name: "odd", version: "1.0.0" }) };
    expect((await build(nameless)).error?.code).toBe("SCAN_LICENCE_UNKNOWN");
  });

  test("track-dependencies, AT29: every artifact that holds a vulnerable component is found, however deep, and no other", async () => {
    await giveAdvisories(scene, [npmAdvisory("CVE-2026-1003", "elsewhere", "9.0.0")]);
    const plain = await build(vendored({ deep: "1.0.0" }));
    const nested = await build(vendored({ deep: "1.1.0" }, "node_modules/host/"));
    const fixed = await build(vendored({ deep: "2.0.0" }));
    await rescanArtifacts(scene.factory, { attest: true });
    await giveAdvisories(scene, [
      npmAdvisory("CVE-2026-1003", "elsewhere", "9.0.0"),
      npmAdvisory("CVE-2026-1004", "deep", "2.0.0"),
    ]);
    const looked = await rescanArtifacts(scene.factory, { attest: true });
    const hit = looked.filter(({ findings }) => findings.some(({ id }) => id === "CVE-2026-1004"));
    expect(hit.map(({ artifact }) => artifact).sort()).toEqual([onlyArtifact(plain), onlyArtifact(nested)].sort());
    for (const { artifact, scanned, bundle } of hit) {
      expect(scanned).toBe("part");
      const [signed] = await scene.statements(bundle === undefined ? [] : [bundle]);
      expect(signed).toMatchObject({
        predicateType: vulnerabilitiesType,
        subjects: [{ digest: { sha256: artifact.slice("sha256:".length) } }],
      });
    }
    expect(looked.map(({ artifact }) => artifact)).toContain(onlyArtifact(fixed));
  });

  test("IMG-8: a finding names the nearest version that fixes it and one without any known finding, and what to raise", async () => {
    await giveAdvisories(scene, [
      npmAdvisory("CVE-2026-1005", "pad", "1.0.1"),
      npmAdvisory("CVE-2026-1006", "pad", "1.4.0"),
    ]);
    await build(vendored({ pad: "1.0.0" }));
    const looked = await rescanArtifacts(scene.factory, { attest: false });
    const found = looked.flatMap(({ findings }) => findings).find(({ id }) => id === "CVE-2026-1005");
    expect(found).toMatchObject({ fixedVersions: ["1.0.1"], advice: { nearest: "1.0.1", clean: "1.4.0" } });
  });

  test("IMG-2: vulnerabilities are computed from the signed bill of materials, and are those that the run signed", async () => {
    await giveAdvisories(scene, [npmAdvisory("CVE-2026-1007", "pad", "1.0.1")]);
    const run = await build(vendored({ pad: "1.0.0", other: "1.0.0" }));
    const [signed] = await statementsOfType(scene, run.run, vulnerabilitiesType);
    const [again] = (await rescanArtifacts(scene.factory, { attest: true })).filter((each) => each.run === run.run);
    const [second] = await scene.statements(again?.bundle === undefined ? [] : [again.bundle]);
    expect(second?.predicate["scanner"]).toEqual(signed?.predicate["scanner"]);
  });

  test("EQ4: without data a scan passes no rule, and a watch does not say that all is well", async () => {
    giveRules(scene, "gate: { vulnerabilities: { refuse: critical } }\n");
    expect((await build(vendored({ pad: "1.0.0" }))).error?.code).toBe("SCAN_NOT_EVALUATED");
    expect(await codeOf(rescanArtifacts(scene.factory, { attest: false }))).toBe("ADVISORY_DATABASE_MISSING");
  });
});
