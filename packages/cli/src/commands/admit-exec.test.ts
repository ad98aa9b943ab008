import { spawn } from "node:child_process";
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionScene, admissionScene } from "../admission/admission.fixture.ts";
import { ended, program, until } from "../fixture.ts";

const noLinux = process.platform !== "linux" ? "the host gate needs Linux" : null;
if (noLinux !== null) console.warn(`skipped: ${noLinux}`);

let scene: AdmissionScene;
let policy: string;
beforeAll(async () => {
  scene = await admissionScene();
  policy = scene.policy("policy.yaml");
});
afterAll(() => scene.close());

/** The command as a program, since executing replaces it. */
function gate(...words: readonly string[]) {
  return spawn(process.execPath, [program(), "admit", "--policy", policy, ...words], {
    cwd: scene.directory,
    env: { ...process.env, TOUCHMARK_HOME: scene.home, NO_COLOR: "1" },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

test.skipIf(noLinux !== null)(
  "X84: an admitted program is executed, with its words, environment and exit code",
  async () => {
    copyFileSync("/bin/sh", join(scene.directory, "shell"));
    await scene.check(scene.write("shell", readFileSync("/bin/sh"), 0o755), true);
    const done = await ended(
      gate("--exec", "--", "./shell", "-c", 'echo "$0 $1 $TOUCHMARK_HOME"; exit 7', "zero", "--json"),
    );
    expect(done).toMatchObject({ code: 7, out: `zero --json ${scene.home}\n` });
  },
);

test.skipIf(noLinux !== null)(
  "X84: a script is read by its interpreter from the bytes that were admitted",
  async () => {
    const script = '#!/bin/sh\necho "script $1"\nexit 3\n';
    await scene.check(scene.write("script.sh", script, 0o755), true);
    expect(await ended(gate("--exec", "--", "./script.sh", "a b"))).toMatchObject({ code: 3, out: "script a b\n" });
  },
);

test.skipIf(noLinux !== null)("X84: what is neither program nor script is said, and nothing is executed", async () => {
  await scene.check(scene.write("archive.tar", "no program", 0o755), true);
  const done = await ended(gate("--exec", "--", "./archive.tar"));
  expect(done).toMatchObject({
    code: 2,
    err: expect.stringContaining("CLI_USAGE: expected a program or a script, found ./archive.tar"),
  });
});

test.skipIf(noLinux !== null)("X84: what is denied is not executed", async () => {
  scene.write("evil.sh", "#!/bin/sh\necho executed\n", 0o755);
  const done = await ended(gate("--exec", "--", "./evil.sh"));
  expect(done.code).toBe(3);
  expect(done.out).toContain("POLICY_ATTESTATION_MISSING");
  expect(done.out).not.toContain("executed");
});

test.skipIf(noLinux !== null)(
  "X84: named files are admitted instead of the program, which reads the admitted bytes",
  async () => {
    await scene.check(scene.write("data.txt", "good data\n"), true);
    scene.write("other.txt", "other data\n");
    const done = await ended(gate("--exec", "--file", "data.txt", "--", "cat", "data.txt"));
    expect(done).toMatchObject({ code: 0, out: "good data\n" });
    expect((await ended(gate("--exec", "--file", "other.txt", "--", "cat", "other.txt"))).code).toBe(3);
  },
);

test.skipIf(noLinux !== null)(
  "X84: a file that is replaced or written after it was sealed changes nothing",
  async () => {
    const { sealCommand } = await import("../admission/host-gate.ts");
    const { sealFile } = await import("@touchmark/pipeline/admission");
    const path = join(scene.directory, "swap.sh");
    const digest = scene.write("swap.sh", "#!/bin/sh\necho good\n", 0o755);
    const terminal = { directory: scene.directory, environment: process.env } as never;
    const words = ["./swap.sh"];
    const sealed = await sealCommand(terminal, { words, files: [], directory: scene.factory.home.paths.work });
    const [own] = sealed.sealed;
    writeFileSync(path, "#!/bin/sh\necho evil\n");
    writeFileSync(`${path}.new`, "#!/bin/sh\necho evil\n");
    renameSync(`${path}.new`, path);
    expect(own?.file.digest).toBe(digest);
    expect(readFileSync(own?.file.descriptor as number, "utf8")).toBe("#!/bin/sh\necho good\n");
    sealed.close();
    const again = sealFile(path, scene.factory.home.paths.work);
    // Nobody can open the copy for writing through the descriptor that the program gets.
    expect(() => writeFileSync(again.descriptor, "x")).toThrow();
    again.close();
  },
);

test.skipIf(noLinux !== null)("X84: signals go to the program, and its end by one is told", async () => {
  const script = "#!/bin/sh\ntrap 'echo stopped; exit 0' TERM\necho ready\nwhile :; do sleep 0.05; done\n";
  await scene.check(scene.write("serve.sh", script, 0o755), true);
  const child = gate("--exec", "--", "./serve.sh");
  let out = "";
  child.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  await until(() => out.includes("ready"));
  child.kill("SIGTERM");
  const { code } = await ended(child);
  expect(code).toBe(0);
  expect(out).toBe("ready\nstopped\n");
});

test.skipIf(noLinux !== null)(
  "X84: what is no ordinary file, or nowhere, is refused before anything is asked",
  async () => {
    const codes = async (...words: readonly string[]) =>
      /[A-Z]+(?:_[A-Z]+)+/.exec((await ended(gate(...words))).err)?.[0];
    expect(await codes("--exec", "--", "/dev/zero")).toBe("HOST_GATE_UNREADABLE");
    expect(await codes("--exec", "--", "./absent")).toBe("HOST_GATE_UNREADABLE");
    expect(await codes("--exec", "--", "no-such-program-anywhere")).toBe("CLI_USAGE");
    const { sealFile } = await import("@touchmark/pipeline/admission");
    expect(() => sealFile(policy, "/proc")).toThrow(expect.objectContaining({ code: "HOST_GATE_UNSUPPORTED" }));
  },
);
