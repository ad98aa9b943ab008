import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Factory, openFactory } from "../factory.ts";
import { admissionStamp } from "./policy-stamp.ts";
import { admissionSettingsPath, homeAdmission } from "./settings.ts";

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-admission-settings-")));
let factory: Factory;
beforeAll(async () => {
  factory = await openFactory({ home: directory, create: true });
  mkdirSync(factory.home.paths.policy, { recursive: true });
  writeFileSync(join(factory.home.paths.policy, "root.json"), await factory.trustRoot());
});
afterAll(async () => {
  await factory.close();
  rmSync(directory, { recursive: true, force: true });
});

const write = (text: string): void => writeFileSync(admissionSettingsPath(factory), `touchmark: admission/v1\n${text}`);
const tenant = (name: string, namespace: string, more = ""): string => `
  - name: ${name}
    namespaces: ["${namespace}"]
    policies: [${name}.yaml]
    trust: [{ trust-root: root.json, issuers: ["https://issuer.example"]${more} }]`;

test("AD3: without settings there are no tenants, and attest alone may break the glass", () => {
  const { trustDomain, issuer } = factory.names();
  expect(homeAdmission(factory)).toEqual({
    evidence: {},
    breakGlass: { signers: [`spiffe://${trustDomain}/attest`], issuer, maxHours: 72 },
    tenants: [],
    files: [],
  });
});

test("AD3: names of signers are below the trust domain, files beside the settings; a change shows in the stamp", () => {
  const before = admissionStamp(factory);
  write(
    `evidence: { max-age-seconds: 60 }\nbreak-glass: { signers: [user/ada], max-hours: 8 }\ntenants:${tenant("a", "team-a-*", ", builder: spiffe://td.example/builder, sources: [x]")}`,
  );
  const { breakGlass, evidence, tenants, files } = homeAdmission(factory);
  expect(breakGlass).toMatchObject({ signers: [`spiffe://${factory.names().trustDomain}/user/ada`], maxHours: 8 });
  expect(evidence).toEqual({ "max-age-seconds": 60 });
  expect(tenants).toMatchObject([
    {
      ...{ name: "a", namespaces: ["team-a-*"], policies: [join(factory.home.paths.policy, "a.yaml")] },
      parties: [{ issuers: ["https://issuer.example"], builder: "spiffe://td.example/builder", sources: ["x"] }],
    },
  ]);
  expect(admissionStamp(factory)).not.toBe(before);
  const root = join(factory.home.paths.policy, "root.json");
  expect(files).toEqual([root]);
  const stamp = admissionStamp(factory, files);
  writeFileSync(root, `${Buffer.from(tenants[0]?.parties[0]?.trustRoot ?? []).toString("utf8")}\n`);
  expect(admissionStamp(factory, files)).not.toBe(stamp);
});

test("AD3: settings are read strictly: unknown keys, wrong values, a namespace of two tenants, files that are not there", () => {
  const refusals: readonly [string, string][] = [
    ["evidnce: {}\n", "POLICY_DOCUMENT_KEY_UNKNOWN"],
    ["evidence: { parallel: 0 }\n", "POLICY_DOCUMENT_VALUE"],
    ["evidence: [\n", "POLICY_DOCUMENT_MALFORMED"],
    [`tenants:${tenant("a", "x")}${tenant("b", "x")}\n`, "POLICY_DOCUMENT_NAME_TWICE"],
    [`tenants:${tenant("a", "x").replace("root.json", "absent.json")}\n`, "POLICY_FILE_UNREADABLE"],
  ];
  for (const [text, code] of refusals) {
    write(text);
    expect(() => homeAdmission(factory)).toThrow(expect.objectContaining({ code }));
  }
});
