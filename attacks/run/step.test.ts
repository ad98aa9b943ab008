import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { say } from "@touchmark/cli/fixture";
import { verifyArtifact } from "@touchmark/pipeline";
import { bundlesOf, statementsOf } from "@touchmark/pipeline/fixture";
import { expect } from "vitest";
import { attack, attacksOnRuns, content, ends, plain, released } from "./scene.ts";

const one = (script: string, artifact = "", more = "") => `
  steps:
    step:
      run: |
${script
  .trim()
  .split("\n")
  .map((line) => `        ${line.trim()}`)
  .join("\n")}
      inputs: { source: /work/source }
${more}${artifact === "" ? "" : `  artifacts:\n    it: ${artifact}\n`}`;

attacksOnRuns("hostile steps", (scene) => {
  attack("AT21: a step reads the signing keys, and the memory and environment of the control plane", async () => {
    const keys = join(scene().home, "identity");
    // Nothing defends: a build process of the same user reads them.
    expect(
      plain(`find ${keys} -type f | head -3; head -c 20 $(find ${keys} -name '*key*' -type f | head -1)`, "/"),
    ).toContain(keys);
    process.env["TOUCHMARK_ATTACK_SECRET"] = "a-secret-of-the-caller";
    const project = scene().project(
      "at21",
      one(
        `
      cat ${keys}/*/* 2>&1 | head -3
      ls ${scene().home} 2>&1 || true
      for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ 2>/dev/null; tr '\\0' ' ' < $p/cmdline 2>/dev/null || true; done > "$TOUCHMARK_OUTPUT/seen"
      ls -d /proc/[0-9]* | wc -l
      cat /proc/${process.pid}/maps /proc/${process.pid}/mem 2>&1 | head -2 || true
      find / -xdev -name '*key*' -path '*identity*' 2>/dev/null | head || true
    `,
        "{ from: step, path: seen, kind: file }",
      ),
    );
    const done = await scene().run(project, { environment: process.env });
    delete process.env["TOUCHMARK_ATTACK_SECRET"];
    const said = Buffer.from(await scene().factory.runs.readLog(done.run, "step")).toString("utf8");
    const seen = content(scene(), released(done));
    expect(seen).not.toContain("a-secret-of-the-caller");
    expect(seen).not.toContain("vitest");
    expect(said).not.toContain("BEGIN");
    expect(said.match(/No such file or directory/g)?.length).toBeGreaterThanOrEqual(3);
    for (const file of readdirSync(keys, { recursive: true, encoding: "utf8" }))
      expect(said).not.toContain(join(keys, file));
  });

  attack("a step claims provenance: nothing of what it writes is believed", async () => {
    const claim =
      '{"_type":"https://in-toto.io/Statement/v1","predicateType":"https://slsa.dev/provenance/v1","predicate":{"builder":"trusted","hermetic":true}}';
    const script = `mkdir "$OUT/bundles"; printf '%s' '${claim}' | tee "$OUT/provenance.json" > "$OUT/bundles/00-provenance.sigstore.json"; echo evil > "$OUT/app"`;
    // Nothing defends: a collector of "all attestations in the output" takes it.
    plain(`OUT=${scene().directory}/claims; mkdir $OUT; ${script}`, "/");
    expect(readFileSync(join(scene().directory, "claims", "provenance.json"), "utf8")).toContain("trusted");
    const project = scene().project(
      "claims",
      one(
        script.replaceAll("$OUT", "$TOUCHMARK_OUTPUT"),
        "{ from: step, path: app, kind: file }",
        "      insecure-process: true\n",
      ),
    );
    const done = await scene().run(project, { insecureProcess: true });
    const { chain } = await verifyArtifact(scene().factory, { digest: released(done) });
    expect([chain.hermetic, chain.statements.length]).toEqual([false, (await bundlesOf(scene(), done.run)).length]);
    expect(JSON.stringify(await scene().statements(await bundlesOf(scene(), done.run)))).not.toContain('"trusted"');
    // Its files are products like any other.
    const [link] = await statementsOf(scene(), done.run, "link");
    expect(link?.subjects.map((subject) => subject.name)).toContain("bundles/00-provenance.sigstore.json");
  });

  attack("a symbolic link as artifact, to the host's files", async () => {
    const script = 'ln -s /etc/hostname "$OUT/app"; mkdir "$OUT/d"; ln -s /etc "$OUT/d/etc"';
    // Nothing defends: who copies the product copies what the link leads to.
    plain(`OUT=${scene().directory}/links; mkdir $OUT; ${script}; cp $OUT/app $OUT/copied`, "/");
    expect(readFileSync(join(scene().directory, "links", "copied"), "utf8")).toBe(
      readFileSync("/etc/hostname", "utf8"),
    );
    const inside = script.replaceAll("$OUT", "$TOUCHMARK_OUTPUT");
    const file = await scene().run(scene().project("link-file", one(inside, "{ from: step, path: app, kind: file }")));
    expect([file.status, file.error?.code]).toEqual(["refused", "ARTIFACT_KIND_MISMATCH"]);
    const tree = await scene().run(
      scene().project("link-tree", one(inside, "{ from: step, path: d, kind: directory }")),
    );
    expect([tree.status, tree.error?.code]).toEqual(["refused", "STORE_TREE_LINK_ESCAPES"]);
    expect([...file.artifacts, ...tree.artifacts]).toEqual([]);
  });

  attack("an output bomb, in one file, in many, and in the log", async () => {
    // Nothing defends: the disk takes it.
    expect(plain("head -c 3000000 /dev/zero > bomb; stat -c %s bomb; rm bomb", scene().directory)).toContain("3000000");
    const limits = "      limits: { output: 1MiB, time: 30s }\n";
    const big = await scene().run(
      scene().project("bomb", one('head -c 3000000 /dev/zero > "$TOUCHMARK_OUTPUT/bomb" || true', "", limits)),
    );
    expect(ends(big)).toEqual(["step output-limit"]);
    const many = await scene().run(
      scene().project(
        "bombs",
        one(
          'for i in 1 2 3 4 5 6 7 8; do head -c 300000 /dev/zero > "$TOUCHMARK_OUTPUT/$i"; done; sleep 5',
          "",
          limits,
        ),
      ),
    );
    expect(ends(many)).toEqual(["step output-limit"]);
    const log = await scene().run(
      scene().project(
        "noise",
        one(
          "yes 'a line that fills the log of this step with nothing at all' | head -c 150000000",
          "",
          "      limits: { time: 60s }\n",
        ),
      ),
    );
    const kept = await scene().factory.runs.readLog(log.run, "step", { maxBytes: 2 ** 30 });
    expect(kept.length).toBeLessThanOrEqual(100 * 2 ** 20);
    const [link] = await statementsOf(scene(), log.run, "link");
    if (link === undefined) throw new Error("the step has no link");
    const { bytes, digest } = (
      link.predicate["byproducts"] as unknown as { log: { bytes: number; digest: { sha256: string } } }
    ).log;
    expect(bytes).toBe(kept.length);
    expect(await scene().factory.content.has(`sha256:${digest.sha256}`)).toBe(true);
  });

  attack("a secret in the environment that a step prints or leaves is not in the evidence", async () => {
    const token = "npm_abcdefghijklmnopqrstuvwxyz0123456789";
    const leak = `env | grep -i -e token -e proxy; true`;
    // Nothing defends: a build's environment is its caller's.
    expect(plain(leak, "/", { NPM_TOKEN: token })).toContain(token);
    const project = scene().project("secret", one(leak));
    const done = await scene().run(project, { environment: { NPM_TOKEN: token, HTTPS_PROXY: "http://u:p@proxy:1" } });
    expect(Buffer.from(await scene().factory.runs.readLog(done.run, "step")).toString("utf8")).toBe("");
    expect(JSON.stringify(await scene().statements(await bundlesOf(scene(), done.run)))).not.toContain(token);
  });

  attack("output that draws on the reader's terminal", async () => {
    const evil = "\\033]0;owned\\007\\033[2J\\033[1;1Haccepted sha256:00\\r\\033[8m";
    // Nothing defends: printed as it came, it clears the screen and writes a verdict.
    expect(plain(`printf '${evil}'`, "/")).toContain("\u001b[2J");
    const project = scene().project(
      "drawing",
      one(`
      printf '${evil}\\n'
      : > "$TOUCHMARK_OUTPUT/$(printf 'x\\033[2Jy')" || true
      exit 1
    `),
    );
    process.env["TOUCHMARK_HOME"] = scene().home;
    try {
      for (const live of [false, true]) {
        const said = await say(["run", "--source", project.directory], { live, screen: true });
        expect(said.code).toBe(1);
        const drawn = (said.out + said.err).replaceAll(/\u001b\[\d+A\u001b\[J/g, "");
        expect(drawn).not.toContain("\u001b");
        expect(drawn).not.toContain("\r");
        expect(drawn).toContain("\\x1b[2J");
      }
      const logs = await say(["logs", "latest", "step"], { screen: true });
      expect(logs.out.replace(/\u001b\[0m$/, "").replaceAll(/\u001b\[[0-9;]*m/g, "")).not.toContain("\u001b");
    } finally {
      delete process.env["TOUCHMARK_HOME"];
    }
  });
});
