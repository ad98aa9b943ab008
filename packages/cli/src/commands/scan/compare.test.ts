import { afterAll, beforeAll, expect, test } from "vitest";
import { leftFlaw, lockOf, openScanScene, type ScanScene } from "../scan.fixture.ts";

let scene: ScanScene;
beforeAll(async () => {
  scene = openScanScene();
  scene.write("shop/package-lock.json", lockOf("1.2.0"));
  scene.write("feed.json", [leftFlaw]);
  await scene.tell("advisories", "import", "feed.json");
  const match = (id: string, name: string, version: string) => ({
    vulnerability: { id, severity: "High" },
    artifact: { name, version, type: "npm" },
  });
  const matches = [match("GHSA-left-0000-0001", "left", "1.2.0"), match("CVE-2026-2002", "right", "3.0.0")];
  scene.write("grype.json", { matches, descriptor: { name: "grype", version: "0.100.0" } });
  scene.write("trivy.json", { SchemaVersion: 2, Results: [{ Type: "npm", Packages: [], Vulnerabilities: null }] });
  scene.write("syft.json", { artifacts: [{ name: "left", version: "1.2.0", type: "npm" }] });
});
afterAll(() => scene.close());

test("X54: each finding is shown with who found it, and why others did not", async () => {
  const { code, out } = await scene.tell("scan", "compare", "shop", "grype.json", "trivy.json", "syft.json");
  expect([code, out.trimEnd().split("\n")]).toEqual([
    0,
    [
      "touchmark: 3 packages, 1 findings",
      "grype 0.100.0: 2 packages, 2 findings",
      "trivy: 0 packages, 0 findings",
      "syft: 1 packages, no findings in this form",
      "some CVE-2026-1001  left 1.2.0  by touchmark, grype  trivy: does not list the package",
      "some CVE-2026-2002  right 3.0.0  by grype  touchmark: no advisory of that id in our data; trivy: does not list the package",
      "2 findings, 0 found by all; 2 packages are not listed by all",
    ],
  ]);
});

test("X54: only differences, as JSON, and into a file", async () => {
  const few = await scene.tell("scan", "compare", "shop", "grype.json", "--differences");
  expect(few.out).not.toContain("CVE-2026-1001");
  expect(few.out).toContain("2 findings, 1 found by all");
  const words = ["--json", "--output", "compared.json"];
  const { out } = await scene.tell("scan", "compare", "shop", "grype.json", ...words);
  expect(JSON.parse(out)).toMatchObject({
    findings: [{ foundBy: ["touchmark", "grype"], why: "" }, { id: "CVE-2026-2002" }],
  });
});

test("X54: what is no result is exit 2, before anything is catalogued or signed", async () => {
  const wrong = await scene.tell("scan", "compare", "shop", "feed.json");
  expect(wrong).toMatchObject({ code: 2, out: "", err: expect.stringContaining("FOREIGN_SCAN_MALFORMED") });
  expect((await scene.tell("scan", "compare", "shop", "nowhere.json")).err).toContain("CLI_FILE_UNREADABLE");
  expect((await scene.tell("scan", "compare", "shop")).code).toBe(2);
  const digest = await scene.tell("scan", "compare", "shop", "grype.json", "--attest", "md5:1");
  expect([digest.code, digest.out, digest.err]).toEqual([2, "", expect.stringContaining("expected --attest sha256:")]);
});

test("X54: with --attest the others' findings are signed as theirs; a form without findings is not", async () => {
  const words = ["--attest", `sha256:${"1".repeat(64)}`];
  const { code, err } = await scene.tell("scan", "compare", "shop", "grype.json", "syft.json", ...words);
  expect([code, err]).toEqual([0, expect.stringMatching(/^grype: signed as sha256:[0-9a-f]{64}\n$/)]);
});

test("X54: a name in a result cannot draw on the screen", async () => {
  const artifact = { name: "left\u001b[2J", version: "1\ntouchmark: 0", type: "npm" };
  scene.write("hostile.json", { matches: [{ vulnerability: { id: "CVE-2026-3003" }, artifact }] });
  const { out } = await scene.tell("scan", "compare", "shop", "hostile.json");
  expect(out).not.toContain("\u001b");
  expect(out.match(/^touchmark: /gm)).toHaveLength(1);
});
