import { readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { verifyArtifact } from "@touchmark/pipeline";
import { codeOf, pipelineFile, statementsOf } from "@touchmark/pipeline/fixture";
import { expect } from "vitest";
import { attack, attacksOnRuns, content, ends, plain, released, tamper } from "./scene.ts";

const compile = `
  steps:
    compile: { run: 'cat main.c > "$TOUCHMARK_OUTPUT/app"; sleep 0.3; cat main.c >> "$TOUCHMARK_OUTPUT/app"', inputs: { source: /work/source } }
    pack: { run: cp /work/compile/app "$TOUCHMARK_OUTPUT/app", inputs: { compile: /work/compile } }
  artifacts:
    app: { from: pack, path: app, kind: file }
`;

attacksOnRuns("attacks on the source of a run", (scene) => {
  attack("AT1: source swapped during the compilation and restored after it", async () => {
    const project = scene().project("at1", compile, { "main.c": "honest\n" });
    const file = join(project.directory, "main.c");
    // Nothing defends: the compiler reads what lies there at the moment, and afterwards nothing shows.
    const swap =
      "(sleep 0.1; echo evil > main.c; sleep 0.4; echo honest > main.c) & cat main.c > ../at1.out; sleep 0.3; cat main.c >> ../at1.out; wait; cat ../at1.out";
    expect(plain(swap, project.directory)).toBe("honest\nevil\n");
    expect(project.git("status", "--porcelain")).toBe("");
    // The intruder on the host swaps the files that the user sees, while the step runs.
    const swapped = await scene().run(project, {
      listener: (event) => {
        if (event.type === "step-started" && event.step === "compile") writeFileSync(file, "evil\n");
        if (event.type === "step-finished" && event.step === "compile") writeFileSync(file, "honest\n");
      },
    });
    expect(content(scene(), released(swapped))).toBe("honest\nhonest\n");
    // A step that runs beside the compilation has the same tree, read-only or a copy of its own.
    for (const access of ["read-only", "copy-on-write"]) {
      const evil = `    evil: { run: 'echo evil > main.c', inputs: { source: { at: /work/source, access: ${access} } } }\n    pack:`;
      project.write({ "touchmark.yaml": pipelineFile("at1", compile.replace("    pack:", evil)) });
      project.commit();
      const beside = await scene().run(project, { cache: false });
      expect(ends(beside)[0]).toBe("compile succeeded");
      expect(beside.steps.find((step) => step.name === "evil")?.status).toBe(
        access === "read-only" ? "failed" : "succeeded",
      );
      const output = beside.steps.find((step) => step.name === "compile")?.output;
      expect(readFileSync(join(scene().factory.trees.root(output as `sha256:${string}`), "app"), "utf8")).toBe(
        "honest\nhonest\n",
      );
    }
  });

  attack("AT1: the stored source swapped by the factory's own user while a step reads it, and restored", async () => {
    const slow = compile.replace("sleep 0.3", "sleep 0.9");
    const project = scene().project("at1-stored", slow, { "main.c": "honest\n" });
    const honest = await scene().run(project);
    const stored = join(scene().factory.trees.root(honest.source.treeDigest), "main.c");
    let swapped = false;
    const outcome = await scene().run(project, {
      cache: false,
      listener: (event) => {
        if (event.type !== "step-started" || event.step !== "compile") return;
        // The intruder has every right that the factory has, and puts the file back with its time.
        setTimeout(() => {
          tamper(stored, "evil!!\n");
          tamper(stored, "honest\n");
          swapped = true;
        }, 300);
      },
    });
    expect(swapped).toBe(true);
    expect(outcome.steps.find((step) => step.name === "compile")?.error?.code).toBe("INPUT_CHANGED");
    expect(outcome.artifacts).toEqual([]);
  });

  attack("AT2: a file edited outside git, its time reset", async () => {
    const project = scene().project("at2", compile, { "main.c": "honest\n" });
    const file = join(project.directory, "main.c");
    // Nothing defends: a comparison by size and time sees nothing, and the build takes the edited file.
    const before = plain("stat -c '%s %Y' main.c", project.directory);
    tamper(file, "evil!!\n");
    expect(plain("stat -c '%s %Y' main.c", project.directory)).toBe(before);
    expect(plain("cat main.c", project.directory)).toBe("evil!!\n");
    expect(await codeOf(scene().run(project))).toBe("SOURCE_WORKING_TREE_CHANGED");
    const commit = project.git("rev-parse", "HEAD");
    const done = await scene().run(project, { revision: commit });
    expect(content(scene(), released(done))).toBe("honest\nhonest\n");
    // The same in the factory's own stored tree: hashed again when the step starts, whatever its times say.
    const tree = join(scene().factory.trees.root(done.source.treeDigest), "main.c");
    const stored = await scene().run(project, {
      revision: commit,
      cache: false,
      listener: (event) => {
        if (event.type === "run-started") tamper(tree, "evil!!\n");
      },
    });
    expect(ends(stored)).toEqual(["compile INPUT_CHANGED", "pack skipped"]);
    expect(stored.artifacts).toEqual([]);
  });

  attack("AT12: a commit that impersonates a maintainer", async () => {
    const project = scene().project("at12", compile, { "main.c": "evil\n" });
    project.git("commit", "-q", "--allow-empty", "--author", "Maintainer <maintainer@example.org>", "-m", "fix");
    // Nothing defends: git shows whatever name the author typed.
    expect(project.git("log", "-1", "--format=%an")).toBe("Maintainer");
    const done = await scene().run(project);
    const [source] = await statementsOf(scene(), done.run, "source");
    // The name is there as a claim; what is known of the signer is that there is none.
    expect(source?.predicate["author"]).toContain("Maintainer");
    expect(source?.predicate["signature"]).toMatchObject({ status: "absent" });
    expect(source?.predicate["signature"]).not.toHaveProperty("signer");
    const { chain } = await verifyArtifact(scene().factory, { digest: released(done) });
    expect(chain.notChecked).toContain("whether the source was reviewed");
  });

  attack("AT19: a build that writes to its inputs", async () => {
    const script = "echo planted >> lib.js";
    const project = scene().project(
      "at19",
      `
  steps:
    infect: { run: '${script}', inputs: { source: /work/source } }
  artifacts: {}
`.replace("  artifacts: {}\n", ""),
      { "lib.js": "clean\n" },
    );
    // Nothing defends: the next build takes the planted line.
    const copy = scene().project("at19-plain", compile, { "lib.js": "clean\n" });
    plain(script, copy.directory);
    expect(plain("cat lib.js", copy.directory)).toBe("clean\nplanted\n");
    const done = await scene().run(project);
    expect(ends(done)).toEqual(["infect failed"]);
    expect(done.steps[0]?.lastLines?.join()).toContain("Read-only file system");
    const chain = scene().project(
      "at19-chain",
      `
  steps:
    make: { run: 'echo clean > "$TOUCHMARK_OUTPUT/lib.js"', inputs: { source: /work/source } }
    infect: { run: '${script}; cp lib.js "$TOUCHMARK_OUTPUT/seen"', inputs: { make: { at: /work/make, access: copy-on-write } } }
    use: { run: 'cp /work/make/lib.js "$TOUCHMARK_OUTPUT/lib.js"', inputs: { make: /work/make, infect: /work/infect } }
  artifacts:
    lib: { from: use, path: lib.js, kind: file }
`,
    );
    const passed = await scene().run(chain);
    // A private copy takes the line, and nobody after it does.
    expect(content(scene(), released(passed))).toBe("clean\n");
  });

  attack("a pipeline document in the working tree that differs from the revision's", async () => {
    const project = scene().project("document", compile, { "main.c": "x\n" });
    const evil = pipelineFile("document", compile.replace("cat main.c >", "echo evil >"));
    project.write({ "touchmark.yaml": evil });
    // Nothing defends: a runner that reads the file at hand runs the other commands.
    expect(readFileSync(join(project.directory, "touchmark.yaml"), "utf8")).toContain("echo evil");
    expect(await codeOf(scene().run(project))).toBe("SOURCE_WORKING_TREE_CHANGED");
    const done = await scene().run(project, { revision: project.git("rev-parse", "HEAD") });
    expect(content(scene(), released(done))).toBe("x\nx\n");
    utimesSync(join(project.directory, "touchmark.yaml"), 0, 0);
  });
});
