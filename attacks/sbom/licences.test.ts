import { readFileSync } from "node:fs";
import { decideScan, scanRefusal } from "@touchmark/advisories";
import type { ScanGatePolicy, ScanResult } from "@touchmark/formats/findings";
import { type LicencePolicy, licencePolicy } from "@touchmark/formats/licences";
import { judgeLicences } from "@touchmark/sbom";
import { expect, test } from "vitest";
import { type Planted, planted, scan } from "./tree-scene.ts";

const now = new Date("2026-11-21T00:00:00Z");
const strict = { allow: ["MIT", "ISC"], deny: ["Apache-2.0"], unlisted: "denied", detected: "judge" } as const;
const gate: ScanGatePolicy = {
  ...{
    unownedExecutables: "ignore",
    unaccountedComponents: "ignore",
    losses: "ignore",
    supplierSbom: "ignore",
    requiredReports: [],
    exceptions: [],
  },
  licences: {
    allow: ["MIT", "ISC"],
    warn: [],
    deny: ["Apache-2.0"],
    unknown: "refuse",
    scopes: ["runtime", "unknown"],
  },
};
/** A text that the rules deny: the licence of this repository. */
const denied = readFileSync(new URL("../../LICENSE", import.meta.url), "utf8");

const manifest = (name: string, rest: object) => JSON.stringify({ name, version: "1.0.0", ...rest });

/** What the gate refuses of a tree, by code; and what was judged. */
async function verdictOf(tree: Readonly<Record<string, Planted>>, rules: Partial<LicencePolicy> = strict) {
  const sbom = await scan(planted(tree));
  const licences = judgeLicences(sbom, licencePolicy(rules));
  const result: ScanResult = { sbom, at: now.toISOString(), findings: [], licences, notEvaluated: [] };
  return { code: scanRefusal(decideScan(result, gate, { now }))?.code, licences };
}

test("L15: a package that declares one licence and brings the text of another is refused for the text", async () => {
  const place = "node_modules/sly";
  const honest = { [`${place}/package.json`]: manifest("sly", { license: "MIT" }) };
  expect((await verdictOf(honest)).code).toBeUndefined();
  for (const name of ["LICENSE", "COPYING.old", "lib/vendored/NOTICE.txt", "dist/x.LICENSE.txt"]) {
    const { code } = await verdictOf({ ...honest, [`${place}/${name}`]: denied.replace(/^/gm, " * ") });
    expect(code, name).toBe("SCAN_LICENCE_DENIED");
  }
});

test("L11: a text laid beside a package gives it no licence", async () => {
  const text = readFileSync(new URL("../../node_modules/vitest/LICENSE.md", import.meta.url), "utf8");
  const { code, licences } = await verdictOf({
    "node_modules/bare/package.json": manifest("bare", {}),
    "node_modules/LICENSE": text,
    LICENSE: text,
  });
  expect(licences).toMatchObject([{ class: "unknown" }]);
  expect(code).toBe("SCAN_LICENCE_UNKNOWN");
});

test("L3: a licence that is a bomb costs no time, and does not pass", async () => {
  const bombs = [
    "(".repeat(500_000),
    "MIT AND ".repeat(100_000),
    `${"(MIT OR ".repeat(20_000)}x`,
    "gpl ".repeat(200_000),
  ];
  const tree = Object.fromEntries(
    bombs.map((license, i) => [`node_modules/b${i}/package.json`, manifest(`b${i}`, { license })]),
  );
  const { code, licences } = await verdictOf(tree);
  expect(licences.map((each) => each.class)).toEqual(bombs.map(() => "unknown"));
  expect(code).toBe("SCAN_LICENCE_UNKNOWN");
});

test("LIC6: no operator, case or exception turns a denied licence into an allowed one", async () => {
  const spellings = [
    ...[
      "apache-2.0",
      "Apache-2.0 AND MIT",
      "(MIT AND Apache-2.0)",
      "Apache-2.0 WITH LLVM-exception",
      "MIT AND (ISC AND apache-2.0)",
    ],
    ...[
      "Apache 2",
      "The Apache License, Version 2.0",
      "MIT and Apache 2.0",
      "https://www.apache.org/licenses/LICENSE-2.0",
    ],
  ];
  const tree = Object.fromEntries(
    spellings.map((license, i) => [`node_modules/p${i}/package.json`, manifest(`p${i}`, { license })]),
  );
  const { code, licences } = await verdictOf(tree);
  expect(licences.map((each) => each.class)).toEqual(spellings.map(() => "denied"));
  expect(code).toBe("SCAN_LICENCE_DENIED");
});
