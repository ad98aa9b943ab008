import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { missingForRuns, openScene, type Project, pipelineFile, type Scene } from "@touchmark/pipeline/fixture";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { say } from "./fixture.ts";
import { oneLine, printable, printableLog } from "./terminal.ts";

const missing = missingForRuns();
let scene: Scene;
let project: Project;

const body = `
  parameters:
    name: { type: string, default: world }
  steps:
    greet: { run: 'echo "hello $TOUCHMARK_PARAM_NAME" > "$TOUCHMARK_OUTPUT/greeting"; printf "done\\\\033[31mred\\\\033[2J\\\\n"', inputs: { source: /work/source } }
  artifacts:
    greeting: { from: greet, path: greeting, kind: file }
`;

/** Some commands print what they have, and have no other form. */
const hasJson = ([name = ""]: readonly string[]) => !["logs", "schema"].includes(name);

const run = (...words: string[]) => say(["run", "--source", project.directory, ...words]);

describe.skipIf(missing !== null)(`commands on a factory${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  let digest: string;
  let artifact: string;
  let root: string;

  beforeAll(async () => {
    scene = await openScene();
    process.env["TOUCHMARK_HOME"] = scene.home;
    project = scene.project("greeter", body);
    const done = await run("--json");
    expect([done.code, done.err]).toEqual([0, expect.any(String)]);
    digest = JSON.parse(done.out).artifacts[0].digest;
    artifact = join(scene.directory, "greeting");
    copyFileSync(JSON.parse(done.out).artifacts[0].path, artifact);
    root = join(scene.directory, "trusted_root.json");
    expect((await say(["trust", "export", "--out", root])).code).toBe(0);
  });
  afterAll(async () => {
    delete process.env["TOUCHMARK_HOME"];
    await scene.close();
  });

  test("X2: run --json is one document whose paths are files", async () => {
    const { code, out } = await run("--json", "--param", "name=you");
    const answer = JSON.parse(out);
    expect(code).toBe(0);
    expect(answer).toMatchObject({
      status: "succeeded",
      pipeline: "default",
      source: { commit: expect.stringMatching(/^[0-9a-f]{40}$/) },
    });
    expect(answer.steps).toEqual([
      expect.objectContaining({
        name: "greet",
        status: "succeeded",
        cached: false,
        exitCode: 0,
        durationMs: expect.any(Number),
      }),
    ]);
    const [made] = answer.artifacts;
    expect(readFileSync(made.path, "utf8")).toBe("hello you\n");
    for (const bundle of made.bundles) expect(statSync(bundle).isFile()).toBe(true);
    expect(made.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  });

  test("X1, X2: a failed step, a refused one, a refused artifact: the document is whole, the code says who ended it", async () => {
    const failing = scene.project(
      "failing",
      `
  steps:
    halt: { run: 'echo last words; exit 5', inputs: { source: /work/source } }
    next: { run: exit 0, inputs: { halt: /work/halt } }
  artifacts:
    x: { from: next, path: x, kind: file }
`,
    );
    const failed = await say(["run", "--source", failing.directory, "--json"]);
    expect([failed.code, failed.out]).toEqual([1, expect.stringContaining("halt")]);
    expect(JSON.parse(failed.out)).toMatchObject({
      status: "failed",
      steps: [
        { name: "halt", status: "failed", exitCode: 5, lastLines: ["last words"] },
        { name: "next", status: "skipped" },
      ],
      artifacts: [],
    });
    const shown = await say(["run", "--source", failing.directory]);
    expect([shown.code, shown.out]).toEqual([1, ""]);
    expect(shown.err).toContain("step halt: exit code 5");
    expect(shown.err).toContain("  | last words");
    expect(shown.err).toMatch(/touchmark logs \S+ halt {6}touchmark debug \S+ halt/);
    failing.write({
      "touchmark.yaml": pipelineFile(
        "failing",
        `
  steps:
    halt: { run: exit 0, inputs: { source: /work/source } }
  artifacts:
    x: { from: halt, path: x, kind: file }
`,
      ),
    });
    failing.commit();
    const refused = await say(["run", "--source", failing.directory, "--json"]);
    expect(refused.code).toBe(3);
    expect(JSON.parse(refused.out)).toMatchObject({
      status: "refused",
      error: { code: "ARTIFACT_MISSING" },
      artifacts: [],
      steps: [{ status: "succeeded" }],
    });
    expect((await say(["run", "--source", failing.directory])).err).toContain("refused ARTIFACT_MISSING");
  });

  test("X1, X3: errors before the first step are one JSON object", async () => {
    const cases: [string[], number, string][] = [
      [["run", "nothing", "--source", project.directory], 2, "PIPELINE_UNKNOWN"],
      [["run", "--source", project.directory, "--param", "other=1"], 2, "PARAMETER_UNKNOWN"],
      [["run", "--source", project.directory, "--param", "x"], 2, "CLI_USAGE"],
      [["run", "--source", project.directory, "--jobs", "0"], 2, "CLI_USAGE"],
      [["run", "--source", project.directory, "--revision", "no-such"], 2, "SOURCE_REVISION_UNKNOWN"],
      [["verify", join(scene.directory, "none")], 2, "ARTIFACT_UNKNOWN"],
      [["verify", `sha256:${"0".repeat(64)}`], 3, "EVIDENCE_MISSING"],
      [["show", "no-run"], 2, "RUN_UNKNOWN"],
      [["show", `sha256:${"0".repeat(64)}`], 3, "EVIDENCE_MISSING"],
      [["runs", "--limit", "none"], 2, "CLI_USAGE"],
      [["prune", "--older-than", "soon"], 2, "CLI_USAGE"],
      [["prune", "--max-size", "big"], 2, "CLI_USAGE"],
      [["export", digest], 2, "CLI_USAGE"],
      [["attest", digest], 2, "CLI_USAGE"],
      [["attest", digest, "--type", "x", "--predicate", join(scene.directory, "none")], 2, "CLI_FILE_UNREADABLE"],
      [["trust", "export"], 2, "CLI_USAGE"],
      [["trust", "burn"], 2, "CLI_USAGE"],
      [["log", "burn"], 2, "CLI_USAGE"],
      [["log", "prove", "many"], 2, "CLI_USAGE"],
      [["log", "fsck", "--dir", scene.directory], 2, "CLI_USAGE"],
      [["log", "witness"], 2, "CLI_USAGE"],
      [["schema", "poem"], 2, "CLI_USAGE"],
      [["frobnicate"], 2, "CLI_COMMAND_UNKNOWN"],
      [["logs", "latest", "none"], 2, "STEP_UNKNOWN"],
      [["lint", join(scene.directory, "none")], 2, "CLI_FILE_UNREADABLE"],
      [["run", "--jbos", "2"], 2, "CLI_USAGE"],
    ];
    for (const [words, code, name] of cases) {
      const said = await say(hasJson(words) ? [...words, "--json"] : words);
      const json = said.out.startsWith("{") ? (JSON.parse(said.out) as { code: string; verdict: string }) : undefined;
      expect([words.join(" "), said.code, json?.code ?? /([A-Z]+_[A-Z_]+):/.exec(said.err)?.[1]]).toEqual([
        words.join(" "),
        code,
        name,
      ]);
      if (json !== undefined) expect(json.verdict).toBe(code === 3 ? "refused" : "error");
    }
  });

  test("X4: verify in its three ways", async () => {
    const own = await say(["verify", artifact, "--json"]);
    expect([own.code, JSON.parse(own.out)]).toEqual([
      0,
      expect.objectContaining({ verdict: "accepted", code: null, digest }),
    ]);
    expect(JSON.parse(own.out).notChecked).toContain("whether anything was revoked since");
    const text = await say(["verify", artifact]);
    expect(text.out).toContain(`accepted ${digest}`);
    expect(text.out).toContain("not checked: whether the source was reviewed");
    const out = join(scene.directory, "exported");
    expect((await say(["export", digest, "--out", out])).code).toBe(0);
    const names = JSON.parse((await say(["trust", "--json"])).out);
    const exported = ["verify", join(out, "greeting"), "--evidence", out, "--trust-root", root];
    const whole = [
      ...exported,
      "--builder",
      `spiffe://${names.trustDomain}/builder`,
      "--source",
      `git+file://${project.directory}`,
    ];
    expect((await say(whole)).code).toBe(0);
    const [bundle = ""] = readdirSync(join(out, "bundles")).filter((name) => name.includes("provenance"));
    const one = ["verify", artifact, "--bundle", join(out, "bundles", bundle), "--trust-root", root];
    const named = [...one, "--identity", `spiffe://${names.trustDomain}/builder`, "--issuer", names.issuer];
    const accepted = await say([...named, "--json"]);
    expect(accepted.code).toBe(0);
    expect(JSON.parse(accepted.out)).toMatchObject({ verdict: "accepted", notChecked: expect.any(Array) });
    expect((await say(named)).out).toContain("not checked");
    appendFileSync(join(out, "greeting"), "!");
    const refusals: [string[], number, string][] = [
      [whole, 3, "CHAIN_RELEASE_MISSING"],
      [
        ["verify", artifact, ...whole.slice(2).map((word) => word.replace("/greeter", "/other"))],
        3,
        "CHAIN_SOURCE_MISMATCH",
      ],
      [
        ["verify", artifact, ...whole.slice(2).map((word) => word.replace("/builder", "/other"))],
        3,
        "CHAIN_SIGNER_UNEXPECTED",
      ],
      [["verify", join(out, "greeting"), ...named.slice(2)], 3, "SUBJECT_MISMATCH"],
      [["verify", artifact, "--bundle", join(out, "bundles", bundle)], 2, "any"],
      [one, 2, "any"],
      [[...one, "--issuer", names.issuer], 2, "any"],
      [exported, 2, "CLI_USAGE"],
      [["verify", artifact, "--evidence", scene.directory, ...whole.slice(4)], 2, "CLI_FILE_UNREADABLE"],
      [["verify", artifact, "--evidence", join(scene.directory, "none"), ...whole.slice(4)], 2, "CLI_FILE_UNREADABLE"],
      [["verify"], 2, "CLI_USAGE"],
      [[...named, "--log-threshold", "many"], 2, "CLI_USAGE"],
      // Demands that another way of verifying knows, and this one would ignore.
      [["verify", artifact, "--trust-root", root], 2, "CLI_USAGE"],
      [["verify", artifact, "--predicate-type", "x"], 2, "CLI_USAGE"],
      [["verify", artifact, "--log-threshold", "2"], 2, "CLI_USAGE"],
      [[...named, "--builder", "x"], 2, "CLI_USAGE"],
      [[...whole, "--identity", "x"], 2, "CLI_USAGE"],
      [[...whole, "--timestamp-threshold", "2"], 2, "CLI_USAGE"],
      [["verify", artifact, "--batch", root], 2, "CLI_USAGE"],
      [["verify", "--batch", root, "--trust-root", root], 2, "CLI_USAGE"],
    ];
    for (const [words, code, name] of refusals) {
      const said = await say([...words, "--json"]);
      const answer = JSON.parse(said.out);
      expect([words.slice(1).join(" "), said.code, name === "any" ? "any" : answer.code]).toEqual([
        words.slice(1).join(" "),
        code,
        name,
      ]);
    }
    const missingBundle = join(
      out,
      "bundles",
      readdirSync(join(out, "bundles")).find((name) => name.includes("link")) ?? "",
    );
    rmSync(missingBundle);
    const lost = await say(["verify", artifact, ...whole.slice(2), "--json"]);
    expect([lost.code, JSON.parse(lost.out).code]).toEqual([3, "CHAIN_BUNDLE_MISSING"]);
    // Another factory's root vouches for nothing of this one.
    const other = await openScene();
    const foreign = join(scene.directory, "foreign.json");
    writeFileSync(foreign, await other.factory.trustRoot());
    await other.close();
    const stranger = await say([...named.map((word) => (word === root ? foreign : word)), "--json"]);
    expect([stranger.code, JSON.parse(stranger.out).verdict]).toEqual([3, "refused"]);
  });

  test("X5: a batch answers every line, in order, whatever it holds", async () => {
    const out = join(scene.directory, "batch");
    await say(["export", digest, "--out", out]);
    const [bundle = ""] = readdirSync(join(out, "bundles")).filter((name) => name.includes("provenance"));
    const names = JSON.parse((await say(["trust", "--json"])).out);
    copyFileSync(root, join(out, "root.json"));
    const good = {
      artifact: "greeting",
      bundle: `bundles/${bundle}`,
      trustRoot: "root.json",
      identity: `spiffe://${names.trustDomain}/builder`,
      issuer: names.issuer,
    };
    const lines = [
      { id: 1, ...good, key: null },
      { id: "two", ...good, artifact: "none" },
      { id: 3, ...good, unknown: 1 },
      { id: 4, ...good, bundle: "bundles/VERIFY.md" },
    ];
    const file = join(out, "cases.jsonl");
    writeFileSync(file, [...lines.map((line) => JSON.stringify(line)), "not json", ""].join("\n"));
    const said = await say(["verify", "--batch", file]);
    const answers = said.out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as { id?: unknown; verdict: string });
    expect([said.code, ...answers.map(({ id, verdict }) => `${String(id)} ${verdict}`)]).toEqual([
      0,
      "1 accepted",
      "two error",
      "3 error",
      "4 refused",
      expect.stringMatching(/ error$/),
    ]);
    expect((await say(["verify", "--batch", join(out, "none")])).code).toBe(2);
  });

  test("X7: what a step prints cannot act on the screen, and reaches a file as it is", async () => {
    await run("--no-cache");
    const file = await say(["logs", "latest", "greet"]);
    expect(file.out).toContain("\u001b[2J");
    const screen = await say(["logs", "latest", "greet"], { screen: true });
    expect(screen.out).toContain("\u001b[31mred\\x1b[2J");
    const live = await say(["run", "--source", project.directory, "--no-cache"], { live: true });
    expect(live.err).not.toContain("\u001b[2J");
    expect(printable("a\u001b[31mb\rc\u202ed")).toBe("a\\x1b[31mb\\x0dc\\x202ed");
    expect(oneLine("a\nrefused: b")).toBe("a\\x0arefused: b");
    expect(printableLog("\u001b[1mx\u001b]0;title\u0007\r\n")).toBe("\u001b[1mx\\x1b]0;title\\x07\r\n");
  });

  test("X11: files go where the user says, or the command says why not", async () => {
    const nowhere = join(scene.directory, "no", "such", "file");
    const predicate = join(scene.directory, "predicate.json");
    writeFileSync(predicate, "{}");
    for (const words of [
      ["trust", "export", "--out", nowhere],
      ["log", "checkpoint", "--out", nowhere],
      ["attest", digest, "--type", "https://example.org/x/v1", "--predicate", predicate, "--out", nowhere],
    ]) {
      const said = await say(words);
      expect([words[0], said.code, /([A-Z]+_[A-Z_]+):/.exec(said.err)?.[1]]).toEqual([
        words[0],
        2,
        "CLI_FILE_UNWRITABLE",
      ]);
    }
    const directory = join(scene.directory, "fresh");
    mkdirSync(directory);
    writeFileSync(join(directory, "package.json"), JSON.stringify({ name: "fresh", version: "1.0.0" }));
    writeFileSync(
      join(directory, "package-lock.json"),
      JSON.stringify({ name: "fresh", version: "1.0.0", lockfileVersion: 3, packages: {} }),
    );
    const shown = await say(["init"], { directory });
    expect([shown.code, existsSync(join(directory, "touchmark.yaml"))]).toEqual([0, false]);
    expect((await say(["init", "--yes"], { directory })).code).toBe(0);
    expect((await say(["lint"], { directory })).code).toBe(0);
    expect((await say(["init", "--yes"], { directory })).err).toContain("CLI_FILE_EXISTS");
    expect(JSON.parse((await say(["init", "--json"], { directory })).out)).toHaveProperty("yaml");
    expect((await say(["init", "--yes", "--force"], { directory })).code).toBe(0);
  });

  test("X1: the other commands answer", async () => {
    expect((await run()).code).toBe(0);
    expect((await say(["logs", "latest", "greet"])).err).toContain("greet was taken from an earlier run");
    const checks: [string[], RegExp][] = [
      [["runs"], /succeeded {2,}greeter\/default/],
      [["runs", "--json", "--limit", "1"], /"state"/],
      [["show", "latest"], /commit +[0-9a-f]{40}/],
      [["show", artifact], /made .* by this factory/],
      [["show", digest, "--json"], /"artifact"/],
      [["log", "fsck"], /whole log\./],
      [["log", "prove", "0", "--json"], /"treeSize"/],
      [["log", "checkpoint"], /^log\./],
      [["trust"], /fingerprint +sha256:/],
      [["schema", "pipeline"], /"\$schema"/],
      [["schema", "admission"], /admission\/v1/],
      [["schema", "environments"], /"uniqueItems": true/],
      [["prune", "--older-than", "30d", "--dry-run"], /would free/],
      [["--version"], /^\d+\.\d+\.\d+/],
      [["logs", "latest"], /== greet/],
    ];
    for (const [words, pattern] of checks) {
      const said = await say(words);
      expect([words.join(" "), said.code]).toEqual([words.join(" "), 0]);
      expect(said.out).toMatch(pattern);
    }
    const doctor = await say(["doctor"]);
    expect(doctor.out).toContain("steps can run here");
    expect(doctor.out).toContain("root.passphrase");
    const file = join(scene.directory, "home.tar");
    expect((await say(["backup", file])).code).toBe(0);
    const home = join(scene.directory, "moved");
    expect((await say(["restore", file, "--home", home])).code).toBe(0);
    process.env["TOUCHMARK_HOME"] = home;
    expect((await say(["verify", artifact])).code).toBe(0);
    process.env["TOUCHMARK_HOME"] = join(scene.directory, "nothing");
    expect((await say(["verify", artifact])).code).toBe(2);
    process.env["TOUCHMARK_HOME"] = scene.home;
  });
});
