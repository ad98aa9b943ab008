import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { writeVex } from "@touchmark/advisories";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { leftFlaw, lockOf, openScanScene, type ScanScene, writeImage } from "./scan.fixture.ts";

let scene: ScanScene;
beforeAll(async () => {
  scene = openScanScene();
  scene.write("shop/package-lock.json", lockOf("1.2.0"));
  scene.write("fixed/package-lock.json", lockOf("2.0.0"));
});
afterAll(() => scene.close());

const rulesOf = (text: string): string => scene.write("rules.yaml", `touchmark: scan/v1\n${text}`);

describe("without advisory data", () => {
  test("X53: vulnerabilities are not evaluated, and no form says that there are none", async () => {
    const { code, out } = await scene.tell("scan", "shop");
    expect([code, out]).toEqual([0, expect.stringContaining("Vulnerabilities: not evaluated.")]);
    expect(out).toContain("no advisory source is configured");
    expect(out).toContain("Gate: not evaluated");
    for (const format of ["markdown", "html"]) {
      expect((await scene.tell("scan", "shop", "--format", format)).out).toMatch(/not evaluated/i);
    }
    const json = JSON.parse((await scene.tell("scan", "shop", "--json")).out) as Record<string, unknown>;
    expect(JSON.stringify(json)).toContain('"verdict":"not-evaluated"');
  });

  test("X53: a rule over vulnerabilities refuses, with exit 3", async () => {
    const said = await scene.tell("scan", "shop", "--fail-on", "critical");
    expect(said).toMatchObject({ code: 3, out: expect.stringContaining("SCAN_NOT_EVALUATED") });
  });
});

describe("with advisory data", () => {
  beforeAll(async () => {
    scene.write("feed.json", [leftFlaw]);
    expect((await scene.tell("advisories", "import", "feed.json")).code).toBe(0);
  });

  test("X53: findings are shown with who needs the package and what fixes it; without rules nothing refuses", async () => {
    const { code, out } = await scene.tell("scan", "shop");
    expect([code, out]).toEqual([0, expect.stringContaining("Vulnerabilities: 1 critical.")]);
    expect(out).toMatch(/9\.8 critical +CVE-2026-1001 +left +1\.2\.0 +2\.0\.0 /);
    expect((await scene.tell("scan", "fixed")).out).toContain("Vulnerabilities: none.");
  });

  test("X53: --fail-on refuses from its class on with exit 3", async () => {
    expect(await scene.tell("scan", "shop", "--fail-on", "critical")).toMatchObject({
      ...{ code: 3, out: expect.stringContaining("SCAN_VULNERABILITY") },
    });
    expect((await scene.tell("scan", "fixed", "--fail-on", "low")).code).toBe(0);
    expect((await scene.tell("scan", "shop", "--fail-on", "all")).code).toBe(2);
  });

  test("X53: JSON is the same each time but for the time of the scan", async () => {
    const scan = async () => (await scene.tell("scan", "shop", "--json")).out.replace(/"at": "[^"]+"/, "");
    expect(await scan()).toBe(await scan());
  });

  test("X53: every format is written to a file whole, and the exit code stays", async () => {
    for (const format of ["table", "json", "sarif", "junit", "markdown", "html"]) {
      const words = ["--format", format, "--output", `scan.${format}`, "--fail-on", "high"];
      const { code, out, err } = await scene.tell("scan", "shop", ...words);
      expect([format, code, out]).toEqual([format, 3, ""]);
      expect(err).toContain(`1 findings, gate: refused; written to scan.${format}`);
      expect(readFileSync(join(scene.directory, `scan.${format}`), "utf8")).toMatch(/CVE-2026-1001[\s\S]*\n$/);
    }
    const sarif = JSON.parse(readFileSync(join(scene.directory, "scan.sarif"), "utf8")) as { version: string };
    expect(sarif.version).toBe("2.1.0");
  });

  test("X53: of a directory, of its SBOM in any format and of an image the same is found", async () => {
    await writeImage(join(scene.directory, "image"), "1.2.0");
    for (const format of ["cyclonedx-json", "spdx-json", "touchmark-json"]) {
      await scene.tell("sbom", "shop", "--format", format, "--output", `shop.${format}`);
      expect((await scene.tell("scan", `shop.${format}`, "--fail-on", "high")).code).toBe(3);
    }
    expect((await scene.tell("scan", "oci-dir:image", "--fail-on", "high")).code).toBe(3);
  });

  test("X53: --policy stands in place of the home's rules, and --fail-on beside them", async () => {
    const home = join(scene.directory, "home", "scan.yaml");
    writeFileSync(home, "touchmark: scan/v1\ngate: { vulnerabilities: { refuse: high } }\n");
    try {
      expect((await scene.tell("scan", "shop")).code).toBe(3);
      const milder = rulesOf("gate: { licences: { deny: [AGPL-3.0-only], unknown: ignore } }\n");
      expect((await scene.tell("scan", "shop", "--policy", milder)).code).toBe(0);
      expect((await scene.tell("scan", "shop", "--policy", milder, "--fail-on", "high")).code).toBe(3);
    } finally {
      writeFileSync(home, "touchmark: scan/v1\n");
    }
    const denying = rulesOf("gate: { licences: { deny: [MIT] } }\n");
    expect(await scene.tell("scan", "shop", "--policy", denying)).toMatchObject({
      ...{ code: 3, out: expect.stringContaining("SCAN_LICENCE_DENIED") },
    });
  });

  test.each(["", "dependencies: { vulnerabilities: { refuse: high } }\n", "gate: {}\n", "gate: { losses: ignore }\n"])(
    "X53: rules that refuse nothing are refused: %j",
    async (text) => {
      const said = await scene.tell("scan", "shop", "--policy", rulesOf(text));
      expect(said).toMatchObject({ code: 2, out: "", err: expect.stringContaining("expected rules under gate") });
    },
  );

  test("X53: rules that cannot be read are exit 2 with place and name", async () => {
    const misspelt = await scene.tell("scan", "shop", "--policy", rulesOf("gate: { vulnerabilites: {} }\n"));
    expect(misspelt).toMatchObject({ code: 2, err: expect.stringContaining("SCAN_CONFIG_INVALID") });
    expect((await scene.tell("scan", "shop", "--policy", "nowhere.yaml")).err).toContain("CLI_FILE_UNREADABLE");
  });

  test("X53: with a base and new-only rules what was there before passes; without such rules that is told", async () => {
    const rules = rulesOf("gate: { vulnerabilities: { refuse: high, new-only: true } }\n");
    expect((await scene.tell("scan", "shop", "--policy", rules, "--base", "fixed")).code).toBe(3);
    expect((await scene.tell("scan", "shop", "--policy", rules, "--base", "shop")).code).toBe(0);
    expect((await scene.tell("scan", "shop", "--policy", rules)).code).toBe(3);
    const idle = await scene.tell("scan", "shop", "--fail-on", "high", "--base", "shop");
    expect(idle).toMatchObject({ code: 3, err: expect.stringContaining("--base has no effect") });
    expect((await scene.tell("scan", "shop", "--policy", rules, "--base", "nowhere")).code).toBe(2);
  });

  test("X53: statements of a file take a finding out; one without effect says why", async () => {
    const at = "2026-01-02T00:00:00Z";
    const vex = (name: string, product: string) => {
      const statement = {
        ...{
          vulnerability: ["CVE-2026-1001"],
          status: "not_affected" as const,
          at,
          products: [{ ids: [product], subcomponents: [] }],
        },
        justification: "vulnerable_code_not_present",
      } as const;
      const bytes = writeVex({ author: "vendor", at, statements: [statement] }, "openvex");
      return scene.write(name, Buffer.from(bytes).toString());
    };
    const right = vex("right.json", "pkg:npm/left@1.2.0");
    const wrong = vex("wrong.json", "pkg:npm/left@1.2.1");
    const taken = await scene.tell("scan", "shop", "--fail-on", "high", "--vex", right);
    expect(taken).toMatchObject({ code: 0, out: expect.stringContaining("1 settled by a decision") });
    const idle = await scene.tell("scan", "shop", "--fail-on", "high", "--vex", wrong);
    expect([idle.code, idle.err]).toEqual([3, expect.stringContaining("no effect: CVE-2026-1001 not_affected")]);
    expect(idle.err).toContain("it is about version 1.2.1 of left, and 1.2.0 is here");
    const none = await scene.tell("scan", "shop", "--vex", "shop/package-lock.json");
    expect([none.code, none.err]).toEqual([2, expect.stringContaining("VEX_MALFORMED")]);
  });

  test("X53: a scan is repeated with the database that it was made with, and no other is taken for it", async () => {
    const { out } = await scene.tell("advisories", "status");
    const digest = /sha256:[0-9a-f]{64}/.exec(out)?.[0] ?? "";
    expect((await scene.tell("scan", "shop", "--database", digest, "--fail-on", "high")).code).toBe(3);
    const missing = await scene.tell("scan", "shop", "--database", "0".repeat(64));
    expect([missing.code, missing.err]).toEqual([2, expect.stringContaining("ADVISORY_DATABASE_MISSING")]);
  });

  test("X53: data that is too old refuses the scan, and is taken when it is asked for, and named", async () => {
    const configuration = join(scene.directory, "home", "advisories.yaml");
    const source = "{ name: feed, kind: osv, location: ../feed.json, maximum-age: { refuse: 1d } }";
    writeFileSync(configuration, `touchmark: advisories/v1\nsources:\n  - ${source}\n`);
    const stale = await scene.tell("scan", "fixed");
    expect([stale.code, stale.out, stale.err]).toEqual([3, "", expect.stringContaining("ADVISORY_DATA_STALE")]);
    const asked = await scene.tell("scan", "fixed", "--allow-stale");
    expect([asked.code, asked.err]).toEqual([0, expect.stringContaining("old data: feed is of 2026-01-01")]);
    expect(existsSync(configuration)).toBe(true);
  });
});
