import { generateKeyPairSync } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { classicKeyOf, readClassicLayout, verifyClassicSignatures } from "@touchmark/formats/in-toto";
import { policyDocumentText, readPolicyDocument } from "@touchmark/formats/policy";
import { policyDocumentExamples } from "@touchmark/formats/policy-documents";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { openScanScene, type ScanScene } from "../scan.fixture.ts";

let scene: ScanScene;
beforeAll(() => {
  scene = openScanScene();
  vi.stubEnv("XDG_CONFIG_HOME", join(scene.directory, "config"));
});
afterAll(() => scene.close());

const policy = (version: number, more: object = {}) =>
  policyDocumentText({
    ...{ touchmark: "policy/v1", name: "production", version, expires: "2099-01-01T00:00:00Z", point: "deploy" },
    rules: [{ id: "environment", title: "Production", expression: 'request.environment == "production"' }],
    ...more,
  });
const path = (...parts: readonly string[]) => join(scene.directory, ...parts);
const setIn = (directory: string) =>
  readPolicyDocument(readFileSync(path(directory, "policy-set.yaml")), { name: "set", kind: "policy-set" }).document;

test("X71: a set is made, signed, put in force, and replaced by a later one", async () => {
  scene.write("policies/production.yaml", policy(1));
  scene.write("policies/notes.json", { nothing: true });
  const made = await scene.tell("policy", "bundle", "policies", "--name", "shop");
  expect(made).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^shop version 1, until .*\n {2}policy production/),
  });
  expect(made.err).toContain("nobody is named who may sign the next version");
  const signed = await scene.tell("policy", "sign", "policies/policy-set.yaml", "--json");
  expect([signed.code, signed.err]).toEqual([0, ""]);
  const [report] = JSON.parse(signed.out) as { identity: string; file: string }[];
  expect(report?.identity).toMatch(/^spiffe:\/\/.*\/attest$/);
  expect(await scene.tell("policy", "install", path("policies"))).toMatchObject({ code: 0 });
  expect((await scene.tell("policy", "status")).out).toMatch(/set shop version 1.*\n.*production v1 {2}enforce/);

  scene.write("policies/production.yaml", policy(2));
  const stale = await scene.tell("policy", "install", path("policies"));
  expect(stale.err).toContain("POLICY_MEMBER_MISSING");
  const next = await scene.tell("policy", "bundle", "policies", "--json");
  expect(JSON.parse(next.out)).toMatchObject({
    set: { name: "shop", version: 2 },
    removed: ["policy-set.yaml.attest.sigstore.json"],
  });
  expect(existsSync(path("policies", "policy-set.yaml.attest.sigstore.json"))).toBe(false);
  await scene.tell("policy", "sign", "policies/policy-set.yaml");
  expect(await scene.tell("policy", "install", path("policies"))).toMatchObject({ code: 0 });
  expect((await scene.tell("policy", "status")).out).toContain("production v2");
}, 60_000);

test("X71: an exception is signed by one whom it names, with that person's key, and never by who asked", async () => {
  await scene.tell("user", "add", "ada", "--role", "security");
  await scene.tell("user", "add", "grace", "--role", "security");
  const listed = await scene.tell("user", "list", "--json");
  const domain = /spiffe:\/\/([^/"]+)\//.exec(listed.out)?.[1];
  const id = (name: string) => `spiffe://${domain}/user/${name}`;
  const exception = policyDocumentText({
    ...policyDocumentExamples.exception,
    ...{ policy: "production", rules: ["environment"], requester: id("ada"), approvers: [id("grace")] },
    ...{ created: "2026-11-21T00:00:00Z", expires: "2099-01-01T00:00:00Z" },
  });
  scene.write("exception.yaml", exception);
  const own = await scene.tell("policy", "sign", "exception.yaml", "--as", "ada");
  expect([own.code, own.err]).toEqual([
    3,
    expect.stringContaining("its requester signed it, and nobody approves for himself"),
  ]);
  const nobody = await scene.tell("policy", "sign", "exception.yaml");
  expect([nobody.code, nobody.err]).toEqual([3, expect.stringContaining("POLICY_EXCEPTION_REFUSED")]);
  const signed = await scene.tell("policy", "sign", "exception.yaml", "--as", "grace");
  expect([signed.code, signed.out]).toEqual([0, expect.stringContaining(`signed as ${id("grace")}`)]);
  const kept = await scene.tell("policy", "install", path("exception.yaml.grace.sigstore.json"));
  expect([kept.code, kept.out]).toEqual([0, expect.stringContaining("exception shop-2026-11 of production")]);
}, 60_000);

test("X71: what has errors is not signed, and a test is signed by nobody", async () => {
  scene.write("broken.yaml", policy(1, { rules: [{ id: "a", title: "a", expression: "chian.hermetic" }] }));
  const broken = await scene.tell("policy", "sign", "broken.yaml");
  expect([broken.code, broken.out]).toEqual([3, ""]);
  expect(broken.err).toMatch(/^broken\.yaml:\d+:\d+ error expression: .*chian[^]*nothing was signed\n$/);
  scene.write("test.yaml", policyDocumentText(policyDocumentExamples["policy-test"]));
  expect((await scene.tell("policy", "sign", "test.yaml")).err).toContain("POLICY_DOCUMENT_KIND");
});

test("X72: a set refuses an older version, another name, an expired member, and a layout that is not there", async () => {
  const refuses = async (words: readonly string[], why: string) => {
    const said = await scene.tell("policy", "bundle", "some", ...words);
    expect([said.code, said.err]).toEqual([2, expect.stringContaining(why)]);
  };
  scene.write("some/notes.json", {});
  await refuses(["--name", "a"], "expected policies or layouts, found none");
  scene.write("some/a.yaml", policy(1));
  await refuses([], "expected --name NAME");
  await refuses(["--name", "a", "--threshold", "2"], "expected at most 0");
  await refuses(["--name", "a", "--trust", "ada"], "expected --trust NAME=IDENTITY");
  await refuses(["--name", "a", "--set-version", "-1"], "expected --set-version");
  const trust = ["--trust", "ada=spiffe://a.example/user/ada", "--trust", "bob=spiffe://a.example/user/bob"];
  const made = await scene.tell(
    "policy",
    "bundle",
    "some",
    "--name",
    "a",
    "--set-version",
    "7",
    ...trust,
    "--threshold",
    "2",
  );
  expect([made.code, made.err]).toEqual([0, ""]);
  expect(setIn("some")).toMatchObject({ version: 7, threshold: 2, trust: { bob: {} } });
  await refuses(["--set-version", "7"], "expected a version after 7");
  await refuses(["--name", "b"], "expected the name of the former version");
  await scene.tell("policy", "bundle", "some", "--expires", "2098-01-01");
  expect(setIn("some")).toMatchObject({
    version: 8,
    threshold: 2,
    trust: { bob: {} },
    expires: "2098-01-01T00:00:00.000Z",
  });
  scene.write("some/b.yaml", policy(1, { name: "other", layout: `sha256:${"1".repeat(64)}` }));
  await refuses([], "expected the layout of some/b.yaml");
  scene.write("some/b.yaml", policy(1, { name: "other", expires: "2020-01-01T00:00:00Z" }));
  await refuses([], "some/b.yaml expired on 2020-01-01");
  scene.write("some/b.yaml", policy(2));
  await refuses([], "POLICY_DOCUMENT_NAME_TWICE");
});

test("X73: a layout is written for in-toto tools, signed by a key file, and says what it lost", async () => {
  const pem = (kind: "private" | "public", pair: ReturnType<typeof keys>) =>
    kind === "private"
      ? pair.privateKey.export({ format: "pem", type: "pkcs8" }).toString()
      : pair.publicKey.export({ format: "pem", type: "spki" }).toString();
  const keys = () => generateKeyPairSync("rsa", { modulusLength: 2048 });
  const [owner, builder] = [keys(), keys()];
  const { digest } = classicKeyOf(builder.publicKey);
  const layout = policyDocumentText({
    ...{ touchmark: "layout/v1", name: "shop", version: 1, expires: "2099-01-01T00:00:00Z" },
    functionaries: { builder: { keys: [digest] } },
    steps: [{ name: "build", functionaries: ["builder"], products: [{ rule: "ALLOW", pattern: "*" }] }],
    subjects: [{ step: "build" }],
  });
  scene.write("layout.yaml", layout);
  scene.write("owner.pem", pem("private", owner));
  scene.write("builder.pem", pem("public", builder));
  const words = ["policy", "sign", "layout.yaml", "--classic", "--key", "owner.pem"];
  const missing = await scene.tell(...words);
  expect([missing.code, missing.err]).toEqual([2, expect.stringContaining("INTOTO_NOT_REPRESENTABLE")]);
  for (const dsse of [[], ["--dsse"]]) {
    const made = await scene.tell(...words, "--public-key", "builder.pem", ...dsse);
    expect([made.code, made.err]).toEqual([0, expect.stringContaining("not in it: name shop and version 1")]);
    const read = readClassicLayout(readFileSync(path("layout.layout")));
    expect(verifyClassicSignatures(read.envelope, [classicKeyOf(owner.publicKey)])).toHaveLength(1);
    expect(read.layout.steps[0]?.name).toBe("build");
  }
  // One for in-toto is signed again as it stands.
  const again = await scene.tell(
    "policy",
    "sign",
    "layout.layout",
    "--classic",
    "--key",
    "owner.pem",
    "--out",
    "b.layout",
  );
  expect(again).toMatchObject({ code: 0, err: "" });
  const refuses = async (...more: readonly string[]) =>
    expect((await scene.tell("policy", "sign", ...more)).code).toBe(2);
  await refuses("layout.yaml", "--classic");
  await refuses("layout.yaml", "--classic", "--key", "owner.pem", "--public-key", "owner.pem");
  await refuses("layout.yaml", "--classic", "--key", "builder.pem");
  await refuses("layout.yaml", "--dsse");
  await refuses("layout.yaml", "--key", "owner.pem");
});

test("X70: lint names file, line, rule and remedy, and ends with 3 when one is an error", async () => {
  scene.write("lint/a.yaml", policy(1, { rules: [{ id: "a", title: "a", expression: "1 == 1" }] }));
  scene.write("lint/deeper/b.json", policyDocumentText(policyDocumentExamples.policy, "json"));
  scene.write("lint/c.yaml", "touchmark: policy/v1\nname: c\n");
  scene.write("lint/touchmark.yaml", "touchmark: 1\nproject: x\n");
  scene.write("lint/other.yaml", "a: 1\n");
  const said = await scene.tell("policy", "lint", "lint", "--at", "2026-11-21");
  expect(said.code).toBe(3);
  const lines = said.out.split("\n");
  expect(lines).toContainEqual(
    expect.stringMatching(/^lint\/a\.yaml:\d+:\d+ error always-true: rules\.0\.expression: /),
  );
  expect(lines).toContainEqual(
    expect.stringMatching(/^lint\/c\.yaml:1:1 error POLICY_DOCUMENT_VALUE: expected a key "expires"/),
  );
  expect(lines.at(-2)).toMatch(/^3 documents: \d+ errors/);
  const json = await scene.tell("policy", "lint", "lint/deeper", "--at", "2026-11-21", "--json");
  expect(JSON.parse(json.out)).toMatchObject({ files: [{ kind: "policy" }], errors: 0 });
  expect((await scene.tell("policy", "lint", "lint/other.yaml")).out).toContain("POLICY_DOCUMENT_VERSION");
  expect((await scene.tell("policy", "lint", "lint/nothing.yaml")).code).toBe(2);
  scene.write("root.layout", { signatures: [], signed: { _type: "layout", expires: "2020-01-01T00:00:00Z" } });
  const classic = await scene.tell("policy", "lint", "root.layout");
  expect(classic.out).toMatch(/expired: expired on 2020[^]*unsigned: nobody signed it/);
  scene.write("bad.layout", { signatures: [], signed: { _type: "layout", expires: "soon" } });
  expect((await scene.tell("policy", "lint", "bad.layout")).out).toContain("INTOTO_MALFORMED");
});
