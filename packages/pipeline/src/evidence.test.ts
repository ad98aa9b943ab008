import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Digest, digestHex, sha256 } from "@touchmark/core";
import { builderId } from "@touchmark/identity";
import { type KindTrust, readEvidenceTrust, readFactoryBuild, readFactoryEvidence } from "@touchmark/materials";
import { backup, openIndex, prune, restore } from "@touchmark/store";
import { readTrustRoot } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attestArtifact } from "./attest.ts";
import { debugStep } from "./debug.ts";
import { exportArtifact } from "./export.ts";
import { openFactory } from "./factory.ts";
import { codeOf, missingForRuns, openScene, type Performed, type Project, type Scene } from "./fixture.ts";
import { gatherEvidence } from "./gather.ts";
import { findRun, isDigestOrFile, namedArtifact } from "./lookup.ts";
import { verifyArtifact } from "./verify-artifact.ts";

const missing = missingForRuns();
let scene: Scene;
let project: Project;
let done: Performed;
let digest: Digest;

const body = `
  steps:
    make: { run: 'mkdir "$TOUCHMARK_OUTPUT/out"; cp hello "$TOUCHMARK_OUTPUT/out/app"; cp hello "$TOUCHMARK_OUTPUT/bundles"', inputs: { source: /work/source } }
    stop: { run: 'echo "$GREETING"; exit 4', inputs: { make: /work/make }, environment: { GREETING: hi } }
    never: { run: exit 0, inputs: { stop: /work/stop } }
`;
const good = `
  steps:
    make: { run: 'mkdir "$TOUCHMARK_OUTPUT/out"; cp hello "$TOUCHMARK_OUTPUT/out/app"; cp hello "$TOUCHMARK_OUTPUT/bundles"; echo more >> "$TOUCHMARK_OUTPUT/bundles"', inputs: { source: /work/source } }
  artifacts:
    app: { from: make, path: out/app, kind: file }
    odd: { from: make, path: bundles, kind: file }
    all: { from: make, path: out, kind: directory }
`;

describe.skipIf(missing !== null)(`evidence${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
    project = scene.project("evident", good, { hello: "hello\n" });
    done = await scene.run(project);
    digest = done.artifacts[0]?.digest as Digest;
  });
  afterAll(() => scene.close());

  test("R10: an artifact nobody made here, or whose evidence is lost, is refused", async () => {
    const other = join(scene.directory, "other");
    writeFileSync(other, "hello\n!");
    expect(await codeOf(verifyArtifact(scene.factory, await namedArtifact(other)))).toBe("EVIDENCE_MISSING");
    const { bundles } = await gatherEvidence(scene.factory, digest);
    const path = scene.factory.content.path(bundles[3]?.digest as Digest);
    const bytes = readFileSync(path);
    rmSync(path);
    expect(await codeOf(verifyArtifact(scene.factory, { digest }))).toBe("EVIDENCE_MISSING");
    expect(await codeOf(exportArtifact(scene.factory, digest, join(scene.directory, "lost")))).toBe("EVIDENCE_MISSING");
    await scene.factory.content.put(bytes);
    expect((await verifyArtifact(scene.factory, { digest })).chain.artifact.name).toBe("app");
  });

  test("R10: a record that leads to a source nobody asked for is refused", async () => {
    const path = join(scene.factory.home.paths.runs, done.run, "run.json");
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.replaceAll(project.directory, "/somewhere/else"));
    expect(await codeOf(verifyArtifact(scene.factory, { digest }))).toBe("PROJECT_SOURCE_UNKNOWN");
    // A record that names another source which was asked for is contradicted by the evidence.
    const twin = scene.project("evident2", good.replace("hello;", "hello; true;"), { hello: "twin\n" });
    twin.write({
      "touchmark.yaml": readFileSync(join(twin.directory, "touchmark.yaml"), "utf8").replace(
        "project: evident2",
        "project: evident",
      ),
    });
    twin.commit();
    await scene.run(twin);
    writeFileSync(path, text.replaceAll("/evident", "/evident2"));
    expect(await codeOf(verifyArtifact(scene.factory, { digest }))).toBe("CHAIN_SOURCE_MISMATCH");
    writeFileSync(path, text);
    expect(await codeOf(verifyArtifact(scene.factory, { digest }))).toBe("no error");
  });

  test("R10: what verifies opens no private key", async () => {
    const authority = join(scene.home, "identity", "authority");
    const keys = readdirSync(authority, { recursive: true, encoding: "utf8" }).filter(
      (name) => /key/i.test(name) && statSync(join(authority, name)).isFile(),
    );
    expect(keys.length).toBeGreaterThan(2);
    const kept = keys.map((name) => [join(authority, name), readFileSync(join(authority, name))] as const);
    for (const [path] of kept) rmSync(path);
    const second = await openFactory({ home: scene.home });
    try {
      expect((await verifyArtifact(second, { digest })).chain.run).toBe(done.run);
    } finally {
      await second.close();
      for (const [path, bytes] of kept) writeFileSync(path, bytes, { mode: 0o600 });
    }
  });

  test("R11: an export holds the artifact alone at its top, its bundles, and never the trust root", async () => {
    const out = join(scene.directory, "export");
    const report = await exportArtifact(scene.factory, digest, out);
    expect(readdirSync(out).sort()).toEqual(["app", "bundles"]);
    expect(report.bundles).toHaveLength(done.evidence);
    const root = await scene.factory.trustRoot();
    expect(report.trustRoot).toBe(sha256(root));
    for (const name of readdirSync(join(out, "bundles"))) {
      expect(name).toMatch(/\.sigstore\.json$|^VERIFY\.md$|^app\.touchmark\.json$/);
      expect(readFileSync(join(out, "bundles", name), "utf8")).not.toContain("certificateAuthorities");
    }
    const { trustDomain } = scene.factory.names();
    const bundles = readdirSync(join(out, "bundles"))
      .filter((name) => name.endsWith(".sigstore.json"))
      .map((name) => readFileSync(join(out, "bundles", name)));
    const chain = verifyRun(bundles, readTrustRoot(root), {
      artifact: digest,
      builder: builderId(trustDomain),
      source: done.source.uri,
    });
    expect(chain.statements).toHaveLength(done.evidence);
    expect(await codeOf(exportArtifact(scene.factory, digest, out))).toBe("EXPORT_NOT_EMPTY");
    writeFileSync(join(scene.directory, "file"), "");
    expect(await codeOf(exportArtifact(scene.factory, digest, join(scene.directory, "file")))).toBe("EXPORT_NOT_EMPTY");
    const empty = join(scene.directory, "empty");
    mkdirSync(empty);
    // An artifact named like our own directory, and a directory, which becomes a tar.
    await exportArtifact(scene.factory, done.artifacts[1]?.digest as Digest, empty);
    expect(readdirSync(empty).sort()).toEqual(["bundles", "bundles.artifact"]);
    await exportArtifact(scene.factory, done.artifacts[2]?.digest as Digest, join(scene.directory, "tar"));
    expect(readdirSync(join(scene.directory, "tar")).sort()).toEqual(["bundles", "out.tar"]);
  });

  test("R11: an export brings the provenance in the form that another factory reads beside a package", async () => {
    const out = join(scene.directory, "published");
    const { packageEvidence } = await exportArtifact(scene.factory, digest, out);
    expect(packageEvidence).toBe(join(out, "bundles", "app.touchmark.json"));
    const { trustDomain, issuer } = scene.factory.names();
    const [root, rules] = ["root.json", "rules.yaml"].map((name) => join(scene.directory, name)) as [string, string];
    writeFileSync(root, await scene.factory.trustRoot());
    const signer = { packages: "pkg:generic/*", identity: builderId(trustDomain), issuer };
    writeFileSync(rules, `touchmark: evidence-trust/v1\nsigners: [${JSON.stringify(signer)}]\n`);
    const trust = readEvidenceTrust({ "touchmark-provenance": [root, rules] })["touchmark-provenance"] as KindTrust;
    const bundles = readFactoryEvidence(readFileSync(packageEvidence));
    const build = readFactoryBuild(bundles, digestHex(digest), trust, "pkg:generic/app@1", new Date());
    expect(build).toMatchObject({ signer: builderId(trustDomain), digest: digestHex(digest) });
    expect(build?.materials.length).toBeGreaterThan(0);
    const other = digestHex(done.artifacts[1]?.digest as Digest);
    expect(readFactoryBuild(bundles, other, trust, "pkg:generic/app@1", new Date())).toBeUndefined();
  });

  test("R12: attest signs what is not the factory's to say, under a name that is no step and no builder", async () => {
    const predicate = Buffer.from('{"verdict":"fine"}');
    const report = await attestArtifact(scene.factory, {
      artifact: { digest },
      type: "https://example.org/review/v1",
      predicate,
    });
    expect(report.identity).toBe(`spiffe://${scene.factory.names().trustDomain}/attest`);
    expect(sha256(report.bytes)).toBe(report.bundle);
    for (const type of [
      "https://slsa.dev/provenance/v1",
      "https://in-toto.io/attestation/link/v0.3",
      "https://touchmark.dev/predicates/release/v1",
      "https://touchmark.dev/predicates/source/v1",
      "https://touchmark.dev/predicates/trigger/v1",
    ]) {
      expect(await codeOf(attestArtifact(scene.factory, { artifact: { digest }, type, predicate }))).toBe(
        "PREDICATE_RESERVED",
      );
    }
    const broken = Buffer.from('{"a":1,"a":2}');
    expect(
      await codeOf(
        attestArtifact(scene.factory, { artifact: { digest }, type: "https://example.org/x/v1", predicate: broken }),
      ),
    ).toBe("JSON_DUPLICATE_KEY");
    // It does not change what the chain says.
    expect((await verifyArtifact(scene.factory, { digest })).chain.statements).toHaveLength(done.evidence);
  });

  test("R13: prune keeps every kept artifact verifiable; a backup restored elsewhere verifies", async () => {
    for (let round = 0; round < 2; round++) {
      project.write({ hello: `round ${round}\n` });
      project.commit();
      await scene.run(project);
    }
    const { home, content, trees, runs } = scene.factory;
    const index = await openIndex(home);
    const clock = { now: () => new Date(Date.now() + 3_600_000) };
    const report = await prune({ home, content, trees, runs, index }, { olderThanSeconds: 1, clock });
    index.close();
    expect(report.runs.length).toBeGreaterThan(0);
    for (const kept of await runs.list()) {
      for (const artifact of kept.artifacts) {
        expect((await verifyArtifact(scene.factory, artifact)).chain.artifact.digest).toBe(artifact.digest);
      }
    }
    expect(await codeOf(verifyArtifact(scene.factory, { digest }))).toBe("EVIDENCE_MISSING");
    const [latest] = await runs.list();
    const file = join(scene.directory, "backup.tar");
    await backup(home, file);
    await restore(file, join(scene.directory, "restored"));
    const restored = await openFactory({ home: join(scene.directory, "restored") });
    try {
      const last = latest?.artifacts[0]?.digest as Digest;
      expect((await verifyArtifact(restored, { digest: last })).chain.run).toBe(latest?.id);
      expect(await restored.trustRoot()).toEqual(await scene.factory.trustRoot());
    } finally {
      await restored.close();
    }
  });

  test("R10: runs and artifacts are found by unambiguous names only", async () => {
    expect((await findRun(scene.factory, "latest")).id).toBe(scene.factory.runs.ids()[0]);
    // Two runs at least: the first digit is no name of one.
    await scene.run(project);
    for (const name of ["", "nothing", "../..", "2"])
      expect(await codeOf(findRun(scene.factory, name))).toBe("RUN_UNKNOWN");
    for (const name of ["sha256:12", scene.directory, join(scene.directory, "none"), ""]) {
      expect(await codeOf(namedArtifact(name))).toBe("ARTIFACT_UNKNOWN");
      expect(isDigestOrFile(name)).toBe(false);
    }
  });
});

describe.skipIf(missing !== null)(`debug${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  test("R16: a debug shell has the step's view, no key, and leaves nothing that counts", async () => {
    const other = await openScene();
    try {
      const failing = other.project("stopped", body, { hello: "hello\n" });
      const failed = await other.run(failing);
      expect(failed.status).toBe("failed");
      const surroundings = { environment: {}, signal: new AbortController().signal, say: () => undefined };
      expect(await codeOf(debugStep(other.factory, failed.run, "none", surroundings))).toBe("STEP_UNKNOWN");
      expect(await codeOf(debugStep(other.factory, "none", "stop", surroundings))).toBe("RUN_UNKNOWN");
      expect(await codeOf(debugStep(other.factory, failed.run, "never", surroundings))).toBe("RUN_INCOMPLETE");
      const before = await other.factory.log().then((log) => log.checkpoint());
      const { spawnSync } = await import("node:child_process");
      const child = `
        const { openFactory } = await import(${JSON.stringify(new URL("./factory.ts", import.meta.url).href)});
        const { debugStep } = await import(${JSON.stringify(new URL("./debug.ts", import.meta.url).href)});
        const factory = await openFactory({ home: ${JSON.stringify(other.home)} });
        const code = await debugStep(factory, "latest", "stop", { environment: {}, signal: new AbortController().signal, say: (line) => console.log(line) });
        await factory.close();
        process.exit(code);`;
      const script = `
        echo "greeting $GREETING"; ls /work/make/out; pwd
        ls ${other.home} 2>&1; find / -name 'log-keys.json' 2>/dev/null; find / -path '*identity*' -name '*key*' -newermt 2026-01-01 2>/dev/null
        echo planted > /work/output/planted; exit 9
      `;
      const shell = spawnSync(process.execPath, ["--input-type=module", "-e", child], {
        input: script,
        encoding: "utf8",
        timeout: 30_000,
      });
      expect(shell.stdout).toContain("greeting hi");
      expect(shell.stdout).toContain("app");
      expect(shell.stdout).toMatch(/ls: cannot access .*home/);
      expect(shell.stdout).not.toContain("log-keys.json");
      expect(shell.status).toBe(9);
      expect(await other.factory.log().then((log) => log.checkpoint())).toBe(before);
      const again = await other.factory.runs.get(failed.run);
      expect(again.steps.find((step) => step.name === "stop")?.output).toBe(null);
      const pruned = again.details as { source: { treeDigest: Digest } };
      await other.factory.trees.delete(pruned.source.treeDigest);
      expect(await codeOf(debugStep(other.factory, failed.run, "make", surroundings))).toBe("RUN_INCOMPLETE");
      expect(existsSync(join(other.home, "work"))).toBe(true);
      chmodSync(other.home, 0o700);
    } finally {
      await other.close();
    }
  });
});
