import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { libraryRules, plainRule } from "@touchmark/policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Scene } from "../fixture.ts";
import { approveArtifact, enrolUser } from "../people/index.ts";
import { oneRuleEach, policyOf } from "./policies.fixture.ts";

const missing = missingForRuns();
let scene: Scene;

const pipeline = `
  steps:
    make: { run: 'echo app > "$TOUCHMARK_OUTPUT/app.txt"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: app.txt, kind: file }
`;

/** Approves the pipeline file as it lies there. */
async function person(name: string) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const spki = createPublicKey(privateKey).export({ format: "der", type: "spki" });
  await enrolUser(scene.factory, { name, roles: ["security"], spki });
  return (file: string, more: { readonly decision?: "withdrawn"; readonly expires?: Date } = {}) => {
    const artifact = { name: "touchmark.yaml", digest: sha256(readFileSync(file)) };
    return approveArtifact(scene.factory, { artifact, user: name, key: privateKey, role: "security", ...more });
  };
}

describe.skipIf(missing !== null)(`definitions${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  test("GT11: a definition that nobody named approved starts nothing, and neither does what it is changed into", async () => {
    const project = scene.project("app", pipeline);
    const file = join(project.directory, "touchmark.yaml");
    const { trustDomain } = scene.factory.names();
    const signed = libraryRules.filter(({ id }) => id === "request.pipeline-signed").map(plainRule);
    const parameters = { pipelineSigners: { type: "list", default: [`spiffe://${trustDomain}/user/ada`] } };
    const policies = [
      policyOf("request", { rules: signed, parameters }),
      ...oneRuleEach({}).filter(({ name }) => name !== "request.json"),
    ];
    const outcome = async () => {
      const { status, error } = await scene.run(project, { policies });
      return error === undefined ? status : `${status} ${error.code} ${/request\.[\w-]+/.exec(error.message)?.[0]}`;
    };
    const refused = "refused GATE_REFUSED request.pipeline-signed";
    const [ada, eve] = [await person("ada"), await person("eve")];
    expect(await outcome()).toBe(refused);
    await eve(file);
    expect(await outcome()).toBe(refused);
    await ada(file, { expires: new Date("2020-01-01T00:00:00Z") });
    expect(await outcome()).toBe(refused);
    await ada(file);
    expect(await outcome()).toBe("succeeded");
    project.write({ "touchmark.yaml": readFileSync(file, "utf8").replace("echo app", "echo evil") });
    project.commit();
    expect(await outcome()).toBe(refused);
    await ada(file);
    expect(await outcome()).toBe("succeeded");
    await ada(file, { decision: "withdrawn" });
    expect(await outcome()).toBe(refused);
  });
});
