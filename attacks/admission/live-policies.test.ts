import {
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { liveDocuments } from "@touchmark/admission";
import { sha256 } from "@touchmark/core";
import { type Factory, openFactory } from "@touchmark/pipeline";
import { decideDeploy, policyStamp } from "@touchmark/pipeline/admission";
import { policiesInForce, readPolicyFiles } from "@touchmark/pipeline/policy";
import { afterAll, beforeAll, expect, test } from "vitest";
import { now } from "../policy/policy-scene.ts";

/*
 * A policy that changes under a service that runs. Beside it stands a service that looks at size and time of a file.
 *
 * Shown elsewhere: files that cannot be read, empty ones, tenants that appear (C15, X85).
 */

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-attack-live-")));
const path = join(directory, "policy.json");
let factory: Factory;
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "home"), create: true });
});
afterAll(async () => {
  await factory.close();
  rmSync(directory, { recursive: true, force: true });
});

const text = (expression: string) =>
  JSON.stringify({
    ...{ touchmark: "policy/v1", name: "production", version: 1, expires: "2099-01-01T00:00:00Z", point: "deploy" },
    rules: [{ id: "rule", title: "The rule", expression }],
  });
const mild = text("subject.name != 'x'");
const strict = text("subject.name == 'x'");

/** A policy that follows its file, and what it says now of some artifact. */
async function follow() {
  const stamp = () => policyStamp(factory, [path]);
  const policies = await liveDocuments({
    stamp,
    load: () => policiesInForce(factory, { files: readPolicyFiles([path]) }),
  });
  const subject = { name: "app", digest: sha256("app") };
  const evidence = { statements: [], chains: [], refused: new Map() };
  const says = async () =>
    decideDeploy(factory, await policies.current(), { subject, request: {}, evidence, now }).result;
  return { says, problem: policies.problem };
}

test.each<readonly [string, () => void]>([
  [
    "written over, with its size and time put back",
    () => {
      const { atime, mtime } = statSync(path);
      writeFileSync(path, strict);
      utimesSync(path, atime, mtime);
    },
  ],
  [
    "exchanged for another file of the same size and time",
    () => {
      const { atime, mtime } = statSync(path);
      writeFileSync(`${path}.new`, strict);
      utimesSync(`${path}.new`, atime, mtime);
      renameSync(`${path}.new`, path);
    },
  ],
  [
    "exchanged for a link",
    () => {
      const { atime, mtime } = statSync(path);
      writeFileSync(`${path}.target`, strict);
      utimesSync(`${path}.target`, atime, mtime);
      rmSync(path);
      symlinkSync(`${path}.target`, path);
    },
  ],
])("a policy file that is %s is in force at the next question", async (_, change) => {
  rmSync(path, { force: true });
  writeFileSync(path, mild);
  utimesSync(path, now, now);
  const { says } = await follow();
  expect(await says()).toBe("allow");
  const bySize = () => [statSync(path).size, statSync(path).mtimeMs];
  const before = bySize();
  change();
  expect(bySize()).toEqual(before);
  expect(await says()).toBe("deny");
});

test("a policy file that is taken away loosens nothing: the former stays in force, and that is said", async () => {
  rmSync(path, { force: true });
  writeFileSync(path, strict);
  const { says, problem } = await follow();
  rmSync(path);
  expect([await says(), problem()]).toEqual(["deny", expect.stringContaining("POLICY_FILE_UNREADABLE")]);
});
