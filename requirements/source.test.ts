import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, inflateSync } from "node:zlib";
import { sha256, type TreeEntry, treeDigest } from "@touchmark/core";
import { readPredicate } from "@touchmark/formats/predicates";
import type { RunOutcome } from "@touchmark/pipeline";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  canBuild,
  type Evidence,
  first,
  gitIn,
  openScene,
  pipelineFile,
  projectFiles,
  refusal,
  type Scene,
  signedAt,
} from "./scene.ts";

let scene: Scene;
let run: RunOutcome;
let evidence: Evidence;

beforeAll(async () => {
  if (!canBuild) return;
  scene = await openScene();
  run = await scene.run();
  evidence = await scene.evidence(run);
});
afterAll(() => scene?.close());

const startOf = (step: string): number => Date.parse(evidence.trace(step).metadata?.buildStartedOn ?? "");

test.skipIf(!canBuild)(
  "RA-LAND-02: code comes from source control by commit, and code lying about is refused",
  async () => {
    expect(evidence.predicate("source", "source")).toMatchObject({
      uri: `git+file://${scene.project}`,
      commit: gitIn(scene.project)("rev-parse", "HEAD").trim(),
      workingTree: false,
      changedFiles: [],
    });
    writeFileSync(join(scene.project, "main.txt"), "not committed\n");
    await expect(scene.run()).rejects.toMatchObject(refusal("SOURCE_WORKING_TREE_CHANGED"));
    writeFileSync(join(scene.project, "main.txt"), projectFiles["main.txt"] ?? "");
    const loose = join(scene.directory, "loose");
    mkdirSync(loose);
    for (const [name, text] of Object.entries(projectFiles)) writeFileSync(join(loose, name), text);
    await expect(scene.run({ location: loose })).rejects.toMatchObject({ code: "SOURCE_NOT_A_REPOSITORY" });
  },
);

test.skipIf(!canBuild)(
  "RA-S4-01: code is taken at one commit, and the record has its full id or is refused",
  async () => {
    const branch = await scene.evidence(await scene.run({ revision: "main" }));
    const source = branch.predicate("source", "source");
    expect(source).toMatchObject({ revision: "main", commit: run.source.commit });
    expect(source.commit).toMatch(/^[0-9a-f]{40}$/);
    // A record that names a branch only, or the beginning of an id, is no record.
    for (const commit of ["main", source.commit.slice(0, 12)]) {
      expect(() => readPredicate("source", { ...source, commit })).toThrow(
        expect.objectContaining(refusal("PREDICATE_MALFORMED")),
      );
    }
    await expect(scene.run({ revision: source.commit.slice(0, 12) })).rejects.toMatchObject({
      code: "SOURCE_REVISION_ABBREVIATED",
    });
  },
);

/** The commit's files as git itself tells them. */
function committedTree(project: string, commit: string): TreeEntry[] {
  const git = gitIn(project);
  return git("ls-tree", "-r", "-z", commit)
    .split("\0")
    .filter((row) => row !== "")
    .map((row): TreeEntry => {
      const [, mode, id = "", path = ""] = /^(\d+) blob (\w+)\t(.+)$/s.exec(row) ?? [];
      const bytes = execFileSync("git", ["cat-file", "blob", id], { cwd: project });
      return { path, kind: mode === "100755" ? "executable" : "file", size: bytes.length, digest: sha256(bytes) };
    });
}

test.skipIf(!canBuild)(
  "RA-S4-04: the stored tree is that of the commit, and later tasks mount it read-only",
  async () => {
    const expected = treeDigest(committedTree(scene.project, run.source.commit));
    expect(run.source.treeDigest).toBe(expected);
    await scene.factory.trees.verify(expected);
    const mounted = ["fetch", "build"].flatMap((step) =>
      evidence.mounts(step).mounts.filter((mount) => mount.from === "source"),
    );
    expect(mounted.map(({ digest, access }) => [digest, access])).toEqual([
      [expected, "read-only"],
      [expected, "read-only"],
    ]);
  },
);

test.skipIf(!canBuild)("RA-S4-05: the source was hashed, and its signed statement is in the store", async () => {
  const { digest, verified } = evidence.named("source");
  expect(sha256(await scene.factory.content.get(digest))).toBe(digest);
  const [subject] = verified.statement.subject;
  expect(subject?.digest).toEqual({
    gitCommit: run.source.commit,
    gitTree: gitIn(scene.project)("rev-parse", `${run.source.commit}^{tree}`).trim(),
    sha256: treeDigest(committedTree(scene.project, run.source.commit)).slice(7),
  });
  expect(verified.signer).toMatchObject({ kind: "certificate" });
  expect(verified.logEntries).toHaveLength(1);
});

test.skipIf(!canBuild)(
  "RA-S5-01: dependencies come in a step of their own, by another identity than the source",
  () => {
    const who = (name: string): string => {
      const { signer } = evidence.named(name).verified;
      return signer.kind === "certificate" ? signer.identity.replace(/^spiffe:\/\/[^/]+/, "") : "";
    };
    expect([who("source"), who("step/fetch/link"), who("step/build/link")]).toEqual([
      "/builder",
      "/project/demo/pipeline/default/step/fetch",
      "/project/demo/pipeline/default/step/build",
    ]);
    expect(evidence.named("source").digest).not.toBe(evidence.named("step/fetch/link").digest);
    const online = ["fetch", "build", "pack"].filter((step) => evidence.mounts(step).network.enforced !== "none");
    expect(online).toEqual(["fetch"]);
    expect(evidence.predicate("link", "step/fetch/link").materials).toEqual([
      { name: "source", digest: { sha256: run.source.treeDigest.slice(7) } },
    ]);
  },
);

test.skipIf(!canBuild)("RA-S5-04: the source is signed before the first dependency is asked for", () => {
  expect(signedAt(evidence.named("source"))).toBeLessThanOrEqual(startOf("fetch"));
  expect(evidence.predicate("link", "step/fetch/link").touchmark_chain?.predecessors).toContainEqual({
    name: "source",
    digest: evidence.named("source").digest,
  });
  // One act: the tree that was signed is the tree that was stored, and the step that follows used it.
  expect(evidence.predicate("source", "source").treeDigest).toBe(run.source.treeDigest);
});

test.skipIf(!canBuild)(
  "RA-DEP-01: a build starts after the record of its dependencies is complete, and not without it",
  async () => {
    const link = evidence.named("step/fetch/link");
    expect(signedAt(link)).toBeLessThanOrEqual(startOf("build"));
    expect(evidence.predicate("link", "step/build/link").touchmark_chain?.predecessors).toContainEqual({
      name: "step/fetch/link",
      digest: link.digest,
    });
    scene.commit({ "touchmark.yaml": pipelineFile.replace("cp lib.txt", "cp missing.txt") });
    const without = await scene.run();
    scene.commit({ "touchmark.yaml": pipelineFile });
    expect(without.steps.map((step) => step.status)).toEqual(["failed", "skipped", "skipped"]);
  },
);

test.skipIf(!canBuild)(
  "RA-PDEF-01: a definition is a static graph, and nothing generates steps while it runs",
  async () => {
    const { parsePipelineFile, selectPipeline } = await import("@touchmark/formats/pipeline");
    const graph = selectPipeline(parsePipelineFile(pipelineFile, "touchmark.yaml"), undefined).steps;
    expect(graph.map((step) => [step.name, step.inputs.map((input) => input.from)])).toEqual([
      ["fetch", ["source"]],
      ["build", ["source", "fetch"]],
      ["pack", ["build"]],
    ]);
    for (const [change, code] of [
      [["      pack:\n", "      ${{ parameters.version }}:\n"], "PIPELINE_NAME_INVALID"],
      [["command: [sh, build.sh]", "command: [sh, '${{ parameters.version }}']"], "PIPELINE_EXPRESSION_INVALID"],
      [["    steps:\n", "    generate: [sh, steps.sh]\n    steps:\n"], "PIPELINE_KEY_UNKNOWN"],
      [["command: [sh, build.sh]", "command: [sh, build.sh]\n        matrix: [a, b]"], "PIPELINE_KEY_UNKNOWN"],
    ] as const) {
      const text = pipelineFile.replace(change[0], change[1]);
      expect(() => parsePipelineFile(text, "touchmark.yaml"), change[1]).toThrow(expect.objectContaining({ code }));
    }
    // A step that writes another definition while it runs changes nothing of what runs.
    const rewriting = pipelineFile
      .replace("{ source: /work/source }", "{ source: { at: /work/source, access: copy-on-write } }")
      .replace("run: cp", 'run: sed -i s/pack/evil/ touchmark.yaml; cp touchmark.yaml lib.txt "$TOUCHMARK_OUTPUT"; cp');
    scene.commit({ "touchmark.yaml": rewriting });
    const rewritten = await scene.run();
    scene.commit({ "touchmark.yaml": pipelineFile });
    expect(rewritten.steps.map((step) => [step.name, step.status])).toEqual([
      ["fetch", "succeeded"],
      ["build", "succeeded"],
      ["pack", "succeeded"],
    ]);
  },
);

test.skipIf(!canBuild)("RA-PDEF-02: the definition passes the same checks as the source that it lies in", async () => {
  // Uncommitted changes of the definition are refused as those of the code are.
  writeFileSync(join(scene.project, "touchmark.yaml"), pipelineFile.replace("[sh, build.sh]", "[sh, evil.sh]"));
  await expect(scene.run()).rejects.toMatchObject(refusal("SOURCE_WORKING_TREE_CHANGED"));
  writeFileSync(join(scene.project, "touchmark.yaml"), pipelineFile);
  // A link to another file is no definition, as a link out of the tree is no source.
  const linked = join(scene.directory, "linked");
  mkdirSync(linked);
  const git = gitIn(linked);
  git("init", "-q", "-b", "main");
  symlinkSync("/etc/hostname", join(linked, "touchmark.yaml"));
  git("add", "-A");
  git("commit", "-q", "-m", "link");
  await expect(scene.run({ location: linked })).rejects.toMatchObject({
    code: expect.stringMatching(/^SOURCE_|^PIPELINE_MISSING/),
  });
  // An exchanged object is found out by its id, the definition's like any other.
  for (const path of ["touchmark.yaml", "main.txt"]) {
    const copy = join(scene.directory, `copy-of-${path}`);
    execFileSync("git", ["clone", "-q", "--no-hardlinks", scene.project, copy], {
      env: { PATH: process.env["PATH"] ?? "" },
    });
    exchangeObject(copy, path);
    await expect(scene.run({ location: copy, revision: "main" }), path).rejects.toMatchObject(
      refusal("SOURCE_OBJECT_CORRUPT"),
    );
  }
});

/** Changes a letter of a committed file inside git's own store. */
function exchangeObject(repository: string, path: string): void {
  const git = gitIn(repository);
  const packs = join(repository, ".git/objects/pack");
  for (const name of readdirSync(packs).filter((each) => each.endsWith(".pack"))) {
    const pack = readFileSync(join(packs, name));
    execFileSync("rm", ["-rf", packs]);
    mkdirSync(packs);
    execFileSync("git", ["unpack-objects", "-q"], { cwd: repository, input: pack });
  }
  const id = git("rev-parse", `HEAD:${path}`).trim();
  const file = join(repository, ".git/objects", id.slice(0, 2), id.slice(2));
  const object = inflateSync(readFileSync(file));
  object.writeUInt8(object.readUInt8(object.length - 2) ^ 1, object.length - 2);
  execFileSync("chmod", ["u+w", file]);
  writeFileSync(file, deflateSync(object));
}

test.skipIf(!canBuild)("RA-PDEF-10: the tasks' definition is resolved by digest and stands in the provenance", () => {
  const committed = sha256(
    execFileSync("git", ["show", `${run.source.commit}:touchmark.yaml`], { cwd: scene.project }),
  );
  const { buildDefinition } = evidence.predicate("provenance", "provenance/app");
  expect(buildDefinition.resolvedDependencies).toContainEqual({
    name: "touchmark.yaml",
    digest: { sha256: committed.slice(7) },
  });
  expect(buildDefinition.internalParameters).toMatchObject({ pipelineFile: committed });
  expect(evidence.predicate("source", "source").pipelineFile).toEqual({ path: "touchmark.yaml", digest: committed });
  // What each task does is that definition's, and each link's key is over it.
  const keys = ["fetch", "build", "pack"].map(
    (step) => evidence.predicate("link", `step/${step}/link`).environment?.["key"],
  );
  expect(new Set(keys).size).toBe(3);
  expect(first(keys)).toMatch(/^sha256:/);
});
