import { appendFileSync, chmodSync, copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "@touchmark/core";
import { exportArtifact, namedArtifact, verifyArtifact } from "@touchmark/pipeline";
import { bundlesOf, cacheEntries, codeOf, type Performed, type Project, type Scene } from "@touchmark/pipeline/fixture";
import { readTrustRoot } from "@touchmark/verify";
import { verifyRun } from "@touchmark/verify/chain";
import { beforeAll, expect } from "vitest";
import { attack, attacksOnRuns, content, ends, plain, released, tamper } from "./scene.ts";

const build = `
  steps:
    compile: { run: 'cp text "$TOUCHMARK_OUTPUT/app"', inputs: { source: /work/source } }
    pack: { run: cp /work/compile/app "$TOUCHMARK_OUTPUT/app", inputs: { compile: /work/compile } }
  artifacts:
    app: { from: pack, path: app, kind: file }
`;

/** Verifies bundles as someone who has no factory. */
async function verifyElsewhere(
  scene: Scene,
  bundles: readonly Uint8Array[],
  artifact: Digest,
  source: string,
): Promise<unknown> {
  const { trustDomain } = scene.factory.names();
  return verifyRun(bundles, readTrustRoot(await scene.factory.trustRoot()), {
    artifact,
    builder: `spiffe://${trustDomain}/builder`,
    source,
  });
}

attacksOnRuns("attacks on products and evidence", (scene) => {
  let project: Project;
  let done: Performed;
  beforeAll(async () => {
    project = scene().project("product", build, { text: "honest\n" });
    done = await scene().run(project);
  });

  const bytesOf = async (run: string) =>
    Promise.all((await bundlesOf(scene(), run)).map((digest) => scene().factory.content.get(digest)));

  attack("AT3: a product altered between its step and its packaging, and between hashing and release", async () => {
    // Nothing defends: whoever packs and signs packs and signs what lies there.
    plain("echo honest > app; echo evil > app; cp app packed", scene().directory);
    expect(readFileSync(join(scene().directory, "packed"), "utf8")).toBe("evil\n");
    const alter =
      (step: string, tree: (entry: Record<string, unknown>) => boolean) => (event: { type: string; step?: string }) => {
        if (event.type !== "step-finished" || event.step !== step) return;
        const found = cacheEntries(scene()).find((row) => tree(row.entry));
        tamper(join(scene().factory.trees.root(found?.entry["output"] as Digest), "app"), "evil!!\n");
      };
    const of = (step: string) => (entry: Record<string, unknown>) =>
      JSON.stringify(entry).includes(`step/${step}/link`);
    const between = await scene().run(project, { cache: false, listener: alter("compile", of("compile")) });
    expect([ends(between), between.artifacts]).toEqual([["compile succeeded", "pack INPUT_CHANGED"], []]);
    const after = await scene().run(project, { cache: false, listener: alter("pack", of("pack")) });
    expect([after.status, after.error?.code, after.artifacts]).toEqual(["refused", "ARTIFACT_CHANGED", []]);
    done = await scene().run(project);
    expect(content(scene(), released(done))).toBe("honest\n");
  });

  attack("AT22: an artifact replaced on the download server", async () => {
    const out = join(scene().directory, "server");
    const report = await exportArtifact(scene().factory, released(done), out);
    // Nothing defends: the download is complete, and nothing says what it should be.
    writeFileSync(report.artifact, "evil\n");
    expect(plain("cat app", out)).toBe("evil\n");
    const bundles = report.bundles.map((name) => readFileSync(join(report.bundlesDirectory, name)));
    const { digest } = await namedArtifact(report.artifact);
    expect(await codeOf(verifyElsewhere(scene(), bundles, digest, done.source.uri))).toBe("CHAIN_RELEASE_MISSING");
    expect(await codeOf(verifyElsewhere(scene(), bundles, released(done), done.source.uri))).toBe("no error");
    expect(await codeOf(verifyArtifact(scene().factory, { digest }))).toBe("EVIDENCE_MISSING");
  });

  attack("a release with a bundle taken away, any of them", async () => {
    const bundles = await bytesOf(done.run);
    for (let left = 0; left < bundles.length; left++) {
      const some = bundles.filter((_, i) => i !== left);
      // Nothing defends: every bundle that is left is well signed.
      const code = await codeOf(verifyElsewhere(scene(), some, released(done), done.source.uri));
      // The decision on the publication comes after the manifest: the gate of deployment demands it, the chain does not.
      const last = left === bundles.length - 1 ? "no error" : "CHAIN_BUNDLE_MISSING";
      expect(code).toBe(left === bundles.length - 2 ? "CHAIN_RELEASE_MISSING" : last);
    }
  });

  attack("evidence of another run mixed in", async () => {
    const other = await scene().run(project, { cache: false });
    expect(released(other)).toBe(released(done));
    const mine = await bytesOf(done.run);
    const theirs = await bytesOf(other.run);
    const verdict = (bundles: readonly Uint8Array[]) =>
      codeOf(verifyElsewhere(scene(), bundles, released(done), done.source.uri));
    // Two manifests for one artifact: which run it was is not for the verifier to choose.
    expect(await verdict([...mine, ...theirs])).toBe("CHAIN_RELEASE_AMBIGUOUS");
    // Statements of the other run beside a whole chain prove nothing, and change nothing.
    expect(await verdict([...mine, ...theirs.slice(0, -2), ...theirs.slice(-1)])).toBe("no error");
    // In the place of this run's own they are not what the manifest lists.
    for (let at = 0; at < mine.length - 2; at += 3) {
      const mixed = mine.map((bundle, i) => (i === at ? (theirs[at] as Uint8Array) : bundle));
      expect(await verdict(mixed)).toBe("CHAIN_BUNDLE_MISSING");
    }
    // The record of the run is no evidence either: it may list whatever it likes.
    const path = join(scene().home, "runs", other.run, "run.json");
    const record = readFileSync(path, "utf8");
    const foreign = (await bundlesOf(scene(), done.run))[3] as Digest;
    const own = (await bundlesOf(scene(), other.run))[3] as Digest;
    writeFileSync(path, record.replaceAll(own, foreign));
    expect(await codeOf(verifyArtifact(scene().factory, { digest: released(other) }))).toBe("CHAIN_BUNDLE_MISSING");
    writeFileSync(path, record);
  });

  attack("a poisoned cache: another step's output under this step's key", async () => {
    const evil = scene().project("evil", build.replace("cp text", "echo evil; cp text"), { text: "evil\n" });
    await scene().run(evil);
    const entry = (text: string) =>
      cacheEntries(scene()).find(
        (row) => content0(row.entry) === text && JSON.stringify(row.entry).includes("step/pack/link"),
      );
    const content0 = (row: Record<string, unknown>) =>
      readFileSync(join(scene().factory.trees.root(row["output"] as Digest), "app"), "utf8");
    const honest = entry("honest\n");
    const planted = entry("evil\n");
    if (honest === undefined || planted === undefined) throw new Error("both steps are cached");
    const forged = JSON.stringify({ ...planted.entry, key: honest.entry["key"] });
    // Nothing defends: a cache that looks up key and output answers with the planted file.
    const naive = new Map([[String(honest.entry["key"]), (JSON.parse(forged) as { output: Digest }).output]]);
    expect(content0({ output: naive.get(String(honest.entry["key"])) })).toBe("evil\n");
    writeFileSync(honest.path, forged);
    const run = await scene().run(project);
    expect([ends(run), run.artifacts]).toEqual([["compile succeeded cached", "pack CACHE_POISONED"], []]);
    expect(ends(await scene().run(project))).toEqual(["compile succeeded cached", "pack succeeded"]);
  });

  attack("a blob altered in the store: never handed out, never verified", async () => {
    const path = scene().factory.content.path(released(done));
    copyFileSync(path, join(scene().directory, "kept"));
    chmodSync(path, 0o644);
    appendFileSync(path, "evil");
    expect(await codeOf(exportArtifact(scene().factory, released(done), join(scene().directory, "altered")))).toBe(
      "STORE_BLOB_CORRUPT",
    );
    expect(readdirSync(scene().directory)).not.toContain("altered");
    rmSync(path, { force: true });
    await scene().factory.content.put(readFileSync(join(scene().directory, "kept")));
  });
});
