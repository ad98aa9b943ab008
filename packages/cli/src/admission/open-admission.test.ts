import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, fixedClock } from "@touchmark/core";
import { descriptorOf, emptyContent, emptyDescriptor, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import { openFactory } from "@touchmark/pipeline";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  type RunningRegistry,
  startRegistry,
} from "@touchmark/registry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionScene, admissionScene, CHECKED } from "./admission.fixture.ts";
import { openAdmission } from "./open-admission.ts";

const client = openRegistryClient({ environment: {} });
const created = fixedClock("2026-11-21T12:00:00Z");
let scene: AdmissionScene;
let registry: RunningRegistry;
let policy: string;
beforeAll(async () => {
  scene = await admissionScene();
  policy = scene.policy("policy.yaml");
  registry = await startRegistry({
    ...{ backend: memoryRegistryBackend(), authority: openAuthority(), closeSeconds: 0 },
    listen: { host: "127.0.0.1", port: 0 },
  });
});
afterAll(async () => {
  client.close();
  await registry.close();
  await scene.close();
});

/** Publishes an image with a statement beside it that says ok or not. */
async function image(name: string, ok: boolean): Promise<{ reference: string; digest: Digest }> {
  const to = client.repository({ registry: registry.address, repository: name });
  const layer = descriptorOf(Buffer.from(name), "application/vnd.oci.image.layer.v1.tar");
  for (const [descriptor, bytes] of [
    [layer, Buffer.from(name)],
    [emptyDescriptor, emptyContent],
  ] as const) {
    await to.putBlob(descriptor, async function* () {
      yield bytes;
    });
  }
  const manifest = {
    kind: "manifest",
    mediaType: mediaTypes.manifest,
    config: emptyDescriptor,
    layers: [layer],
  } as const;
  const subject = await to.putManifest(serializeManifest(manifest), mediaTypes.manifest, "1");
  const bundles = [{ bytes: await scene.check(subject.digest, ok), predicateType: CHECKED }];
  await publishArtifact(to, { subject, bundles, created });
  return { reference: `${registry.address}/${name}:1`, digest: subject.digest };
}

const context = { withinMs: 50_000, dryRun: true, facts: {} };

test("X87: eight containers of one image, asked again and again, cost one gathering and a decision each", async () => {
  const { reference, digest } = await image("team/app", true);
  const admission = await openAdmission({ files: [policy], record: false });
  const byDigest = `${reference.replace(/:1$/, "")}@${digest}`;
  const eight = Array.from({ length: 8 }, () => byDigest);
  const rounds = await Promise.all(Array.from({ length: 5 }, () => admission.gate.admit(eight, context)));
  expect(rounds.flat().map(({ result }) => result)).toEqual(Array.from({ length: 40 }, () => "allow"));
  const { tenants } = await admission.status();
  expect(tenants[0]?.evidence).toMatchObject({ gathered: 1, entries: 1, underWay: 0, waiting: 0 });
  await admission.close();
});

test("X87: a policy that changes is in force at the next question; one that cannot be read keeps the former, an empty one denies", async () => {
  const { reference } = await image("team/live", true);
  const live = scene.policy("live.yaml");
  const told: string[] = [];
  const admission = await openAdmission({ files: [live], record: false, onProblem: (each) => told.push(each) });
  const ask = async () => (await admission.gate.admit([reference], context))[0];
  const replace = (text: string): void => {
    writeFileSync(`${live}.new`, text);
    renameSync(`${live}.new`, live);
  };
  expect((await ask())?.result).toBe("allow");
  scene.policy("strict.yaml", (text) => text.replace("c.predicate.ok)", "!c.predicate.ok)"));
  renameSync(join(scene.directory, "strict.yaml"), live);
  expect((await ask())?.result).toBe("deny");
  replace("touchmark: policy/v1\nname: [");
  const still = await ask();
  expect(still?.result).toBe("deny");
  expect(still?.warnings.join()).toContain("the former stay in force");
  expect(told).toHaveLength(1);
  replace("");
  expect((await ask())?.decisions[0]?.denials.map(({ code }) => code)).toEqual(["POLICY_NONE"]);
  scene.policy("live.yaml");
  expect((await ask())?.result).toBe("allow");
  await admission.close();
});

test("X87: a tenant's namespaces are judged by its own policies and trust roots, which may appear while serving", async () => {
  const { reference } = await image("team/tenant", true);
  const admission = await openAdmission({ files: [policy], record: false });
  const ask = async (namespace: string) => (await admission.gate.admit([reference], { ...context, namespace }))[0];
  expect((await ask("team-b"))?.result).toBe("allow");
  const place = scene.factory.home.paths.policy;
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "root.json"), await scene.factory.trustRoot());
  const settings = (policies: string, issuer: string): void => {
    const text = `touchmark: admission/v1
tenants:
  - name: b
    namespaces: [team-b]
    policies: [${policies}]
    trust: [{ trust-root: root.json, issuers: ["${issuer}"] }]
`;
    writeFileSync(join(place, "admission.yaml.new"), text);
    renameSync(join(place, "admission.yaml.new"), join(place, "admission.yaml"));
  };
  const { issuer } = scene.factory.names();
  settings("", issuer);
  expect((await ask("team-b"))?.message).toContain("POLICY_NONE");
  settings(JSON.stringify(policy), issuer);
  expect((await ask("team-b"))?.result).toBe("allow");
  settings(JSON.stringify(policy), "https://nobody.example");
  expect((await ask("team-b"))?.message).toContain("POLICY_ATTESTATION_MISSING");
  expect((await ask("team-c"))?.result).toBe("allow");
  await admission.close();
});

test("X87: a tenant's trust root that is replaced while serving is in force at the next question", async () => {
  const { reference } = await image("team/root", true);
  const other = await openFactory({ home: join(scene.directory, "other"), create: true });
  const place = scene.factory.home.paths.policy;
  const root = async (factory: typeof other): Promise<void> => {
    writeFileSync(join(place, "root.json.new"), await factory.trustRoot());
    renameSync(join(place, "root.json.new"), join(place, "root.json"));
  };
  await root(scene.factory);
  const tenant = `{ name: r, namespaces: [team-r], policies: [${JSON.stringify(policy)}], trust: [{ trust-root: root.json, issuers: ["${scene.factory.names().issuer}"] }] }`;
  writeFileSync(join(place, "admission.yaml"), `touchmark: admission/v1\ntenants: [${tenant}]\n`);
  const admission = await openAdmission({ files: [policy], record: false });
  const ask = async () => (await admission.gate.admit([reference], { ...context, namespace: "team-r" }))[0];
  expect((await ask())?.result).toBe("allow");
  await root(other);
  expect((await ask())?.message).toContain("POLICY_ATTESTATION_MISSING");
  await admission.close();
  await other.close();
  rmSync(join(place, "admission.yaml"));
});

test("X81: a permission that was ended counts no more, although the settings beside it cannot be read", async () => {
  const { reference, digest } = await image("team/ended", false);
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const words = ["--namespace", "shop", "--by", "Ada", "--reason", "outage", "--id", "ended", "--expires", expires];
  expect((await scene.say("admission", "break-glass", digest, ...words)).code).toBe(0);
  const admission = await openAdmission({ files: [policy], record: false });
  const ask = async () => (await admission.gate.admit([reference], { ...context, namespace: "shop" }))[0];
  expect((await ask())?.result).toBe("allow");
  const settings = join(scene.factory.home.paths.policy, "admission.yaml");
  writeFileSync(settings, "touchmark: [");
  expect((await scene.say("admission", "break-glass", "--end", "ended")).code).toBe(0);
  const denied = await ask();
  expect([denied?.result, denied?.warnings.join()]).toEqual(["deny", expect.stringContaining("cannot be used")]);
  rmSync(settings);
  await admission.close();
});

test("X87: decisions are recorded once an hour, however often the same is asked, and not at all for a dry run", async () => {
  const { reference } = await image("team/recorded", true);
  const records = (): number => readdirSync(join(scene.factory.home.paths.policy, "decisions")).length;
  const admission = await openAdmission({ files: [policy], record: true });
  for (let i = 0; i < 5; i++) await admission.gate.admit([reference], { ...context, dryRun: false });
  const before = records();
  expect(before).toBe(1);
  for (let i = 0; i < 5; i++) await admission.gate.admit([reference], context);
  await admission.gate.admit([reference], { ...context, dryRun: false, facts: { environment: "production" } });
  expect(records()).toBe(before + 1);
  await admission.close();
});

test("X81: every use of a permission is told to the service's log, and none for a dry run", async () => {
  const { reference, digest } = await image("team/glass", false);
  const expires = new Date(Date.now() + 3_600_000).toISOString();
  const words = ["--namespace", "shop", "--by", "Ada", "--reason", "outage", "--id", "told", "--expires", expires];
  expect((await scene.say("admission", "break-glass", digest, ...words)).code).toBe(0);
  const told: string[] = [];
  const admission = await openAdmission({ files: [policy], record: false, onBreakGlass: (line) => told.push(line) });
  const ask = (dryRun: boolean) => admission.gate.admit([reference], { ...context, dryRun, namespace: "shop" });
  expect((await ask(true))[0]?.result).toBe("allow");
  expect(told).toEqual([]);
  expect((await ask(false))[0]?.breakGlass?.id).toBe("told");
  expect(told).toEqual([expect.stringMatching(/^told by Ada let .* pass in shop until .*: outage$/)]);
  await admission.close();
});

test("X87: decisions in threads are those of one's own, allowed and denied", async () => {
  const good = await image("team/threads", true);
  const bad = await image("team/threads-bad", false);
  const at = new Date("2026-11-22T12:00:00Z");
  const asked = [good.reference, bad.reference, good.reference];
  const here = await openAdmission({ files: [policy], record: true, at });
  const there = await openAdmission({ files: [policy], record: true, at, threads: 2 });
  const plain = await here.gate.admit(asked, context);
  expect(plain.map(({ result }) => result)).toEqual(["allow", "deny", "allow"]);
  for (let round = 0; round < 3; round++) expect(await there.gate.admit(asked, context)).toEqual(plain);
  await here.close();
  await there.close();
});
