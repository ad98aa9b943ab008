import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ProjectGate, parsePipelineFile } from "@touchmark/formats/pipeline";
import { afterAll, describe, expect, test } from "vitest";
import { defaultRules, type GateRules } from "../gate/rules.ts";
import { defaultConfiguration } from "./default-configuration.ts";
import { parseMaterialsConfiguration } from "./parse.ts";
import { readMaterialsConfiguration } from "./read.ts";
import { tighten } from "./tighten.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-materials-"));
afterAll(() => rmSync(directory, { recursive: true }));

const parse = (body: string) =>
  parseMaterialsConfiguration(`touchmark: materials/v1\n${body}`, "/home/ada/materials.yaml");
const npm = (members: string) => `upstreams:\n  npm:\n    - { name: a, ${members} }\n`;
const failure = (body: string) => {
  try {
    parse(body);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("was accepted");
};

describe("K1: strict reading", () => {
  test.each([
    ["upstreams: {}\ngat: {}\n", "MATERIALS_CONFIG_KEY_UNKNOWN", '3:1: gat: unknown key "gat"; did you mean "gate"'],
    ["upstreams: {}\ngate:\n  minimum-agge: 7d\n", "MATERIALS_CONFIG_KEY_UNKNOWN", 'did you mean "minimum-age"'],
    ["upstreams: {}\ngate: { minimum-age: 7 }\n", "MATERIALS_CONFIG_VALUE_INVALID", "expected an age"],
    ["upstreams: { gem: [] }\n", "MATERIALS_CONFIG_KEY_UNKNOWN", "2:14"],
    ["upstreams: {}\ngate: { as-of: 2026-01-31 }\n", "MATERIALS_CONFIG_MALFORMED", "put it in quotes"],
    ['upstreams: {}\ngate: { as-of: "2026-02-31x" }\n', "MATERIALS_CONFIG_VALUE_INVALID", "expected a quoted date"],
    ["upstreams: {}\nupstreams: {}\n", "MATERIALS_CONFIG_MALFORMED", "stands already in line 2"],
    ["gate: {}\n", "MATERIALS_CONFIG_VALUE_INVALID", "upstreams"],
  ])("%j", (body, code, message) => {
    expect(failure(body)).toMatchObject({ code, message: expect.stringContaining(message) as string });
  });
  test("another version of the document is refused", () => {
    expect(() => parseMaterialsConfiguration("touchmark: materials/v2\nupstreams: {}\n", "m.yaml")).toThrow(
      /expected "materials\/v1"/,
    );
  });
  test("a missing file and one that is no text", async () => {
    await expect(readMaterialsConfiguration(join(directory, "none.yaml"))).rejects.toMatchObject({
      code: "MATERIALS_CONFIG_MISSING",
    });
    const path = join(directory, "materials.yaml");
    writeFileSync(path, Uint8Array.of(0xff, 0xfe));
    await expect(readMaterialsConfiguration(path)).rejects.toMatchObject({ code: "MATERIALS_CONFIG_MALFORMED" });
    writeFileSync(path, "touchmark: materials/v1\nupstreams: {}\n");
    expect((await readMaterialsConfiguration(path)).gate).toEqual({ ...defaultRules, upstreams: {} });
  });
});

describe("K2: addresses of upstreams", () => {
  test.each([
    ["https://user:pass@packages.example.com/", "without user information"],
    ["https://@packages.example.com/", "without user information"],
    ["https://packages.example.com/?token=x", "query"],
    ["https://packages.example.com/#x", "query and fragment"],
    ["https://packages.example.com/a%2fb", "plain path"],
    ["https://packages.example.com//a", "plain path"],
    ["ftp://packages.example.com/", "expected an https address"],
    ["packages.example.com", "expected an absolute address"],
    ["https://packages.example.com\\\\@evil.example.com/", "backslashes"],
  ])("%s is refused", (url, message) => {
    expect(failure(npm(`url: "${url}"`))).toMatchObject({
      code: "MATERIALS_CONFIG_URL_INVALID",
      message: expect.stringContaining(message) as string,
    });
  });
  test("plain http needs a wish, but for this host and Debian", () => {
    expect(failure(npm('url: "http://packages.example.com/"')).code).toBe("MATERIALS_CONFIG_URL_INSECURE");
    expect(parse(npm('url: "http://packages.example.com/", insecure-http: true')).insecureHttp).toEqual(["a"]);
    expect(parse(npm('url: "http://127.0.0.1:4873"')).gate.upstreams.npm?.[0]?.url).toBe("http://127.0.0.1:4873/");
    expect(parse('upstreams: { deb: [{ name: d, url: "http://packages.example.com/debian" }] }').insecureHttp).toEqual(
      [],
    );
  });
});

describe("K3: names lead somewhere", () => {
  test("upstreams, credentials and rules", () => {
    const twice =
      "upstreams:\n  npm: [{ name: a, url: 'https://a.example.com' }]\n  pypi: [{ name: a, url: 'https://b.example.com' }]\n";
    expect(failure(twice).message).toContain("found a twice");
    const body = `${npm("url: 'https://a.example.com', credential: tokken")}credentials:\n  token: { host: a.example.com, purpose: fetch, steps: [fetch], from: { environment: T } }\n`;
    expect(failure(body).message).toContain('did you mean "token"');
    const exception = (rule: string) =>
      `upstreams: {}\ngate: { exceptions: [{ rule: ${rule}, packages: "*", reason: r, approver: a, expires: "2026-12-31" }] }`;
    expect(failure(exception("minimum-aeg")).message).toContain('did you mean "minimum-age"');
    expect(failure(exception("locked-digest")).message).toContain("expected a rule that has exceptions");
    expect(parse(exception("minimum-age")).gate.exceptions[0]?.expires).toBe("2026-12-31T00:00:00Z");
  });
  test("a credential has one source and the members of its form", () => {
    const credential = (members: string) =>
      `upstreams: {}\ncredentials: { t: { host: a.example.com, purpose: fetch, steps: [f], ${members} } }`;
    expect(failure(credential("from: { file: a, environment: B }")).message).toContain("exactly one of");
    expect(failure(credential("from: {}")).message).toContain("found 0");
    expect(failure(credential("form: basic, from: { file: a }")).message).toContain("`user`");
    expect(failure(credential("form: header, from: { file: a }")).message).toContain("`header`");
    expect(failure(credential("from: { command: [pass, show] }")).message).toContain("absolute path");
    expect(parse(credential("form: basic, user: ada, from: { file: a }")).credentials[0]).toMatchObject({
      form: { kind: "basic", user: "ada" },
      from: { kind: "file", path: "/home/ada/a" },
    });
  });
});

test("K4: the file for a new home states every default, and reads back as them", () => {
  const npm = [{ url: "https://packages.example.com/npm/", exclusive: [], from: "npm config" }];
  const { upstreams, ...rules } = parseMaterialsConfiguration(defaultConfiguration({ npm }), "/home/ada/m.yaml").gate;
  expect(upstreams.npm).toHaveLength(1);
  expect(rules).toEqual(defaultRules);
  expect(parseMaterialsConfiguration(defaultConfiguration({}), "m.yaml").gate.upstreams).toEqual({});
});

describe("K5: a project only tightens", () => {
  const user = parse(`upstreams: {}
gate:
  minimum-age: 3d
  as-of: "2026-01-31"
  unlocked: { maven: signed }
  known-names: [lodash]
`);
  const rules = (project: ProjectGate): GateRules => tighten(user, project).gate;
  test("stricter words, smaller amounts, longer lists", () => {
    const tightened = rules({
      unlocked: { maven: "refuse" },
      "locked-digest": "lockfile",
      denied: [{ package: "pkg:npm/left-pad", reason: "r" }],
      "as-of": "2026-01-01",
      "minimum-age": "7d",
      "known-names": ["lodahs"],
      "install-scripts": "refuse",
      "required-evidence": [{ packages: "*", all: ["npm-signature"] }],
      "licence-denied": ["AGPL-3.0-only"],
      vulnerabilities: "high",
      "new-publisher": "refuse",
      withdrawn: "refuse",
      "third-party-review": "new",
      sizes: { archive: "1MiB", files: 10 },
    });
    expect(tightened).toMatchObject({
      unlocked: { maven: "refuse", npm: "refuse" },
      lockedDigest: "lockfile",
      asOf: "2026-01-01T00:00:00Z",
      minimumAge: { seconds: 7 * 86_400 },
      // What a project names is protected, and does not pass for that.
      lookalike: { names: ["lodash"], protected: ["lodahs"] },
      installScripts: { mode: "refuse" },
      vulnerabilities: "high",
      sizes: { archiveBytes: 2 ** 20, files: 10, indexBytes: defaultRules.sizes.indexBytes },
    });
    expect(tighten(user, undefined)).toBe(user);
    expect(rules({})).toEqual(user.gate);
  });
  test.each([
    { unlocked: { npm: "record" } },
    { unlocked: { deb: "record" } },
    { "minimum-age": "1d" },
    { "as-of": "2026-02-01" },
    { lookalike: "record" },
    { "vanished-evidence": "record" },
    { chatter: "allow" },
    { sizes: { files: 1_000_000 } },
    { sizes: { archive: "1TiB" } },
  ] satisfies ProjectGate[])("%j is refused", (project) => {
    expect(() => rules(project)).toThrow(expect.objectContaining({ code: "GATE_LOOSENED" }));
  });
  test("what belongs to the user has no place in a project's file", () => {
    for (const member of ["exceptions: []", "install-scripts-allowed: []", "lookalike-except: []", "upstreams: {}"]) {
      const text = `touchmark: pipeline/v1\nproject: p\nmaterials: { ${member} }\npipelines: { d: { steps: { s: { command: [a] } } } }\n`;
      expect(() => parsePipelineFile(text, "touchmark.yaml")).toThrow(
        expect.objectContaining({ code: "PIPELINE_KEY_UNKNOWN" }),
      );
    }
  });
});
