import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeOf, missingForRuns, openScene, type Project, type Scene, statementsOf } from "../fixture.ts";
import { oneRuleEach, policyOf } from "./policies.fixture.ts";

const noSsh = spawnSync("ssh-keygen", ["-?"]).error === undefined ? null : "ssh-keygen is not installed";
const missing = missingForRuns() ?? noSsh;

const pipeline = `
  steps:
    make: { run: 'echo app > "$TOUCHMARK_OUTPUT/app.txt"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: app.txt, kind: file }
`;
const policies = [
  policyOf("request", { collections: ["slsa-source-l2"] }),
  ...oneRuleEach({}).filter(({ name }) => name !== "request.json"),
];

describe.skipIf(missing !== null)(`signed commits${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let scene: Scene;
  let project: Project;
  beforeAll(async () => {
    scene = await openScene();
    project = scene.project("app", pipeline);
    mkdirSync(scene.factory.home.paths.policy, { recursive: true });
  });
  afterAll(() => scene.close());

  /** A new key; gives its path. */
  const keyOf = (name: string): string => {
    const path = join(scene.directory, name);
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", path]);
    return path;
  };
  const line = (key: string): string => `ada@example.org namespaces="git" ${readFileSync(`${key}.pub`, "utf8")}`;
  const signBy = (key: string): void => {
    const how = ["-c", "gpg.format=ssh", "-c", `user.signingkey=${key}`];
    project.git(...how, "commit", "-q", "-S", "--allow-empty", "-m", "signed");
  };
  const trust = (text: string): void => writeFileSync(join(scene.factory.home.paths.policy, "allowed-signers"), text);
  const refused = { status: "refused", artifacts: [], error: { code: "GATE_REFUSED" } };

  test("GT10: where a policy demands signed commits, an unsigned one builds nothing, whoever's name it bears", async () => {
    project.git("commit", "-q", "--allow-empty", "--author", "dependabot[bot] <bot@example.org>", "-m", "bump");
    const done = await scene.run(project, { policies });
    expect(done).toMatchObject(refused);
    expect(done.error?.message).toContain("request.commit-signed");
    expect(done.events.filter(({ type }) => type === "step-started")).toEqual([]);
  });

  test("GT10: a signature counts by the home's list of signers alone, not by the project's", async () => {
    const [ada, eve] = [keyOf("ada"), keyOf("eve")];
    project.write({ "allowed-signers": line(eve), "policy/allowed-signers": line(eve) });
    project.commit();
    signBy(eve);
    expect(await scene.run(project, { policies })).toMatchObject(refused);
    trust(line(ada));
    expect(await scene.run(project, { policies })).toMatchObject(refused);
    signBy(ada);
    const done = await scene.run(project, { policies });
    expect(done.status).toBe("succeeded");
    const [source] = await statementsOf(scene, done.run, "source");
    expect(source?.predicate["signature"]).toMatchObject({ status: "good", signer: "ada@example.org" });
    trust("ada@example.org\n");
    expect(await codeOf(scene.run(project, { policies }))).toBe("SOURCE_SIGNERS_MALFORMED");
  });
});
