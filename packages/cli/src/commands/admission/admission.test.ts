import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { sha256 } from "@touchmark/core";
import { breakGlassUses } from "@touchmark/pipeline/admission";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionScene, admissionScene } from "../../admission/admission.fixture.ts";
import { say } from "../../fixture.ts";

let scene: AdmissionScene;
let policy: string;
beforeAll(async () => {
  scene = await admissionScene();
  policy = scene.policy("policy.yaml");
});
afterAll(() => scene.close());

const soon = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString().slice(0, 19).concat("Z");
const denied = sha256("nobody vouches for this");
const glass = (...words: readonly string[]) =>
  scene.say("admission", "break-glass", ...words, "--by", "Ada", "--reason", "outage of the signer");

test("X81: a permission is signed, logged and shown in every verdict that it changes, and in the status", async () => {
  const place = ["--namespace", "shop", "--expires", soon(2)];
  const made = await glass(denied, ...place, "--id", "outage-1", "--json");
  expect(made).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(made.out)).toMatchObject({
    ...{ digest: denied, id: "outage-1" },
    identity: expect.stringMatching(/attest$/),
    logIndex: expect.any(Number),
  });
});

test("X81: it counts for its digest and namespaces alone", async () => {
  const there = await scene.say("admit", denied, "--policy", policy, "--namespace", "shop");
  expect(there.code).toBe(0);
  expect(there.out).toMatch(/break-glass outage-1 by Ada lets it pass until .*: outage of the signer/);
  expect(there.out).toContain("POLICY_ATTESTATION_MISSING");
  for (const where of [["--namespace", "other"], []]) {
    expect((await scene.say("admit", denied, "--policy", policy, ...where)).code).toBe(3);
  }
  expect((await scene.say("admit", sha256("other"), "--policy", policy, "--namespace", "shop")).code).toBe(3);
  const status = await scene.say("admission", "status");
  expect(status.out).toContain("break-glass outage-1 in force until");
  expect(status.out).toContain("touchmark-default-deploy");
});

test("X81: each use is kept as a line, and shown with who asked, for what, where; a dry run is none", async () => {
  const path = join(scene.factory.home.paths.policy, "break-glass-uses.jsonl");
  const asked = ["admit", denied, "--policy", policy, "--namespace", "shop"];
  const before = readFileSync(path, "utf8").trim().split("\n").length;
  expect((await scene.say(...asked, "--dry-run")).code).toBe(0);
  expect((await scene.say(...asked)).code).toBe(0);
  const lines = readFileSync(path, "utf8").trim().split("\n");
  expect(lines).toHaveLength(before + 1);
  const user = userInfo().username;
  const use = { id: "outage-1", by: "Ada", reference: denied, digest: denied, namespace: "shop", user };
  expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ ...use, at: expect.stringMatching(/^\d{4}-.*Z$/) });
  appendFileSync(path, '[]\n{"at":');
  const { out } = await scene.say("admission", "status");
  expect(out).toContain(`break-glass outage-1 used ${before + 1} times, last at`);
  expect(out).toContain(`${denied} in shop for ${user}`);
  expect(out).toContain("2 lines of break-glass-uses.jsonl are unreadable");
  writeFileSync(path, `${lines.join("\n")}\n`);
  const json = JSON.parse((await scene.say("admission", "status", "--json")).out) as { breakGlass: object };
  expect(json.breakGlass).toMatchObject({ uses: { length: before + 1 }, unreadable: 0, isCut: false });
  expect(breakGlassUses(scene.factory, 300)).toMatchObject({ uses: [use], unreadable: 0, isCut: true });
});

test("X81: a use that cannot be written down is none", async () => {
  const path = join(scene.factory.home.paths.policy, "break-glass-uses.jsonl");
  renameSync(path, `${path}.off`);
  mkdirSync(path);
  const { code, out } = await scene.say("admit", denied, "--policy", policy, "--namespace", "shop");
  expect([code, out]).toEqual([3, expect.stringContaining("EISDIR")]);
  rmdirSync(path);
  renameSync(`${path}.off`, path);
});

test("X81: a person who may signs with their own key; who of them may is said by name", async () => {
  const environment = { ...process.env, XDG_CONFIG_HOME: join(scene.directory, "own") };
  const at = (...words: readonly string[]) => say(words, { directory: scene.directory, environment });
  expect((await at("user", "add", "grace", "--role", "operator")).code).toBe(0);
  const settings = join(scene.factory.home.paths.policy, "admission.yaml");
  const signed = (id: string) =>
    at(
      ...["admission", "break-glass", denied, "--as", "grace", "--reason", "outage", "--id", id, "--json"],
      ...["--namespace", "people", "--expires", soon(1)],
    );
  const refused = await signed("too-early");
  expect([refused.code, refused.out]).toEqual([3, expect.stringContaining("BREAK_GLASS_SIGNER")]);
  writeFileSync(settings, "touchmark: admission/v1\nbreak-glass:\n  signers: [user/grace]\n");
  const made = await signed("by-grace");
  expect(made).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(made.out)).toMatchObject({ by: "grace", identity: expect.stringMatching(/\/user\/grace$/) });
  const passed = await at("admit", denied, "--policy", policy, "--namespace", "people");
  expect([passed.code, passed.out]).toEqual([0, expect.stringContaining("break-glass by-grace by grace")]);
  const stranger = await at("admission", "break-glass", denied, "--as", "alan", "--reason", "x", "--namespace", "p");
  expect(stranger.code).not.toBe(0);
  rmSync(settings);
  expect((await at("admit", denied, "--policy", policy, "--namespace", "people")).code).toBe(3);
  expect((await at("admission", "break-glass", "--end", "by-grace")).code).toBe(0);
});

test("X81: what has expired, or was ended, counts no more", async () => {
  const later = soon(3).slice(0, 10);
  const after = new Date(Date.parse(later) + 2 * 86_400_000).toISOString().slice(0, 10);
  expect((await scene.say("admit", denied, "--policy", policy, "--namespace", "shop", "--at", after)).code).toBe(3);
  expect((await scene.say("admission", "break-glass", "--end", "outage-1")).code).toBe(0);
  expect((await scene.say("admit", denied, "--policy", policy, "--namespace", "shop")).code).toBe(3);
  const again = await scene.say("admission", "break-glass", "--end", "outage-1");
  expect([again.code, again.err]).toEqual([2, expect.stringContaining("BREAK_GLASS_UNKNOWN")]);
});

test("X82: no permission lasts long, begins expired, is signed by just anybody, or replaces another", async () => {
  const refusal = async (...words: readonly string[]) => {
    const { code, err } = await glass(denied, "--namespace", "shop", ...words);
    return [code, /[A-Z]+(?:_[A-Z]+)+/.exec(err)?.[0]];
  };
  expect(await refusal("--expires", soon(100))).toEqual([3, "BREAK_GLASS_TOO_LONG"]);
  expect(await refusal("--expires", soon(-1))).toEqual([3, "BREAK_GLASS_EXPIRED"]);
  expect(await refusal("--expires", soon(1), "--id", "twice")).toEqual([0, undefined]);
  expect(await refusal("--expires", soon(1), "--id", "twice")).toEqual([2, "BREAK_GLASS_EXISTS"]);
  const settings = join(scene.factory.home.paths.policy, "admission.yaml");
  writeFileSync(settings, "touchmark: admission/v1\nbreak-glass:\n  signers: [user/ada]\n  max-hours: 1\n");
  expect(await refusal("--expires", soon(0.5))).toEqual([3, "BREAK_GLASS_SIGNER"]);
  const status = JSON.parse((await scene.say("admission", "status", "--json")).out) as {
    breakGlass: { permissions: unknown[]; refused: { code: string }[] };
  };
  expect(status.breakGlass.permissions).toEqual([]);
  expect(status.breakGlass.refused.map(({ code }) => code)).toEqual(["BREAK_GLASS_SIGNER"]);
  renameSync(settings, `${settings}.off`);
});

test("X82: a permission that was altered or moved counts for nothing", async () => {
  const place = join(scene.factory.home.paths.policy, "break-glass");
  const [name = ""] = readdirSync(place);
  const bytes = readFileSync(join(place, name), "utf8");
  const attested = Buffer.from(await scene.check(denied, true)).toString("utf8");
  writeFileSync(join(place, "altered.sigstore.json"), bytes.replace(/"payload":"..../, '"payload":"AAAA'));
  writeFileSync(join(place, "other.sigstore.json"), attested);
  const { breakGlass } = JSON.parse((await scene.say("admission", "status", "--json")).out) as {
    breakGlass: { permissions: { id: string }[]; refused: unknown[] };
  };
  expect(breakGlass.permissions.map(({ id }) => id)).toEqual(["twice"]);
  expect(breakGlass.refused).toHaveLength(2);
});

test("X83: a rescan reports what would no longer be admitted, and why", async () => {
  const good = scene.write("good.bin", "good");
  await scene.check(good, true);
  scene.write("running.txt", `# what runs\n${good} shop\n\n${sha256("gone")} # somewhere\n`);
  const { code, out } = await scene.say("admission", "rescan", "--inventory", "running.txt", "--policy", policy);
  expect(code).toBe(3);
  expect(out).toContain(`denied ${sha256("gone")} (line 4)`);
  expect(out).toContain("1 would be admitted, 1 no longer, 0 by break-glass");
  scene.write("running.json", JSON.stringify([good, { reference: good, namespace: "a", where: "b" }]));
  const fine = await scene.say("admission", "rescan", "--inventory", "running.json", "--policy", policy, "--json");
  expect(fine.code).toBe(0);
  expect(JSON.parse(fine.out)).toMatchObject({ looked: 2, denied: 0, verdicts: [{}, { namespace: "a", where: "b" }] });
  const later = ["--policy", scene.policy("short.yaml", (text) => text.replace("2040", "2035")), "--at", "2036-01-01"];
  expect((await scene.say("admission", "rescan", "--inventory", "running.json", ...later)).code).toBe(3);
});

test("X83: a cluster's listing is looked at by the digests that its nodes report", async () => {
  const digest = sha256("image");
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "web-1", namespace: "shop" } },
    spec: { containers: [{ name: "web", image: "registry.invalid/web:1" }] },
    status: { containerStatuses: [{ name: "web", imageID: `docker-pullable://registry.invalid/web@${digest}` }] },
  };
  const listing = JSON.stringify({ apiVersion: "v1", kind: "List", items: [pod] });
  const words = ["admission", "rescan", "--cluster", "-", "--policy", policy, "--json"];
  const stdin = Readable.from([Buffer.from(listing)]) as unknown as NodeJS.ReadStream;
  const { code, out } = await say(words, { directory: scene.directory, stdin });
  expect(code).toBe(3);
  expect(JSON.parse(out)).toMatchObject({
    looked: 1,
    verdicts: [
      {
        ...{ reference: `registry.invalid/web@${digest}`, where: "Pod/web-1 container web", namespace: "shop" },
        failure: { code: expect.stringMatching(/^OCI_CLIENT_/) },
      },
    ],
  });
});

test("X83: what this factory has released is an inventory; none is no answer", async () => {
  const own = await scene.say("admission", "rescan", "--own");
  expect([own.code, own.err]).toEqual([2, expect.stringContaining("INVENTORY_EMPTY")]);
  const both = await scene.say("admission", "rescan", "--own", "--cluster", "x");
  expect([both.code, both.err]).toEqual([2, expect.stringContaining("CLI_USAGE")]);
});
