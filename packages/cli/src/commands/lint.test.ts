import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { afterEach, beforeEach, expect, test } from "vitest";
import { say } from "../fixture.ts";

let directory: string;

beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-lint-")));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(path: string, text: string): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
}

const lint = (...words: string[]) => say(["lint", ...words], { directory });
interface Report {
  readonly files: readonly { readonly path: string; readonly kind: string }[];
  readonly findings: readonly { readonly file: string; readonly rule: string; readonly suppressed?: string }[];
  readonly errors: number;
  readonly suppressed: number;
}
const json = async (...words: string[]) => {
  const { code, out } = await lint("--json", ...words);
  return { code, report: JSON.parse(out) as Report };
};
const pin = `@sha256:${"ab".repeat(32)}`;
const good = `FROM debian:12${pin}\nLABEL org.opencontainers.image.source=a org.opencontainers.image.revision=b org.opencontainers.image.licenses=c\nUSER 1\n`;
const pipeline =
  "touchmark: pipeline/v1\nproject: p\npipelines: { default: { steps: { s: { command: [x], limits: { time: 1m } } } } }\n";

test("X31: without a path everything below is looked at; exit 3 when one finding is an error", async () => {
  write("touchmark.yaml", pipeline);
  write("images/Dockerfile", good);
  write("deploy/web.yaml", "apiVersion: v1\nkind: Pod\nspec: { containers: [{ image: web:1 }] }\n");
  write("notes.yaml", "a: b\n");
  write("node_modules/x/Dockerfile", "FROM debian\n");
  const { code, report } = await json();
  expect(report.files.map(({ path, kind }) => `${kind} ${path}`)).toEqual([
    "pipeline touchmark.yaml",
    "kubernetes deploy/web.yaml",
    "recipe images/Dockerfile",
  ]);
  expect([code, report.errors]).toEqual([3, 1]);
  expect(report.findings.map(({ file, rule }) => `${file} ${rule}`)).toEqual([
    "touchmark.yaml no-artifact",
    "deploy/web.yaml image-without-digest",
  ]);
  expect((await lint("images")).code).toBe(0);
  expect((await lint("images/Dockerfile")).out).toBe("1 file: nothing found\n");
});

test("X31: text says place, rule and remedy; what is suppressed is shown with its reason", async () => {
  write(
    "Dockerfile",
    `# touchmark-ignore: from-without-digest,latest-tag a sample\nFROM debian\nRUN apt-get upgrade\n`,
  );
  const { code, out } = await lint();
  expect(code).toBe(3);
  expect(out).toContain('Dockerfile:3:5 error os-upgrade: "apt-get upgrade" replaces');
  expect(out).toContain("  what to do: Take a newer base image by its digest.");
  expect(out).toMatch(/Dockerfile:2:6 suppressed from-without-digest: .*\(a sample\)/);
  expect(out).toContain("1 file: 1 errors, 2 warnings, 0 notes, 2 suppressed");
});

test("X31: SARIF goes to a file or to the output, with rules and suppressions", async () => {
  write("Dockerfile", "# touchmark-ignore: from-without-digest,latest-tag a sample\nFROM debian\n");
  const { out } = await lint("--format", "sarif");
  expect((await lint("--format", "sarif", "--output", "lint.sarif")).out).toBe("");
  const text = readFileSync(join(directory, "lint.sarif"), "utf8");
  expect(text).toBe(out);
  const [run] = (
    JSON.parse(text) as {
      runs: {
        tool: { driver: { rules: { id: string }[] } };
        results: { ruleId: string; ruleIndex: number; suppressions?: unknown[] }[];
      }[];
    }
  ).runs;
  for (const { ruleId, ruleIndex } of run?.results ?? []) expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
  expect(run?.results.filter(({ suppressions }) => suppressions !== undefined)).toHaveLength(2);
  expect((await lint("--output", "no/such/place")).err).toContain("CLI_FILE_UNWRITABLE");
});

test("X31: a broken file is named and hides no other; a file that is named is read, or the command says why not", async () => {
  write("touchmark.yaml", "touchmark: pipeline/v1\nproject: [\n");
  write("Dockerfile", "FROM debian\n");
  write("broken.Dockerfile", "FROM a\nNONSENSE\n");
  const { code, report } = await json();
  expect(code).toBe(3);
  expect(report.findings.filter(({ rule }) => rule === "file-unread").map(({ file }) => file)).toEqual([
    "touchmark.yaml",
    "broken.Dockerfile",
  ]);
  expect(report.findings.some(({ file, rule }) => file === "Dockerfile" && rule === "latest-tag")).toBe(true);
  // Alone, a broken pipeline file is what it was before: invalid input.
  expect(await lint("touchmark.yaml")).toMatchObject({
    code: 2,
    err: expect.stringContaining("PIPELINE_YAML_MALFORMED"),
  });
  write("notes.txt", "x");
  expect(await lint("notes.txt")).toMatchObject({ code: 2, err: expect.stringContaining("CONTAINER_FILE_UNKNOWN") });
  expect(await lint("none")).toMatchObject({ code: 2, err: expect.stringContaining("CLI_FILE_UNREADABLE") });
  mkdirSync(join(directory, "empty"));
  expect(await lint("empty")).toMatchObject({ code: 2, err: expect.stringContaining("found none") });
});

test("X31: links are not followed, and names that act on a screen are shown as they are", async () => {
  write("outside/Dockerfile", "FROM debian\n");
  write("inside/Dockerfile", good);
  symlinkSync(join(directory, "outside"), join(directory, "inside", "more"));
  symlinkSync(join(directory, "outside", "Dockerfile"), join(directory, "inside", "x.Dockerfile"));
  expect((await json("inside")).report.files.map(({ path }) => path)).toEqual(["inside/Dockerfile"]);
  write("inside/\u001b[31m.Dockerfile", "FROM debian\n");
  expect((await lint("inside")).out).not.toContain("\u001b");
});

const git = findProgram("git");
test.skipIf(git === undefined)(
  "X31: in a repository what git tracks or does not ignore is looked at, and nothing of its configuration is started",
  async () => {
    const run = (...words: string[]) => execFileSync("git", ["-C", directory, ...words], { stdio: "ignore" });
    run("init", "-q");
    write("Dockerfile", "FROM debian\n");
    write("kept/Dockerfile", "FROM debian\n");
    write("made/Dockerfile", "FROM debian\n");
    write(".gitignore", "made/\nkept/\n");
    run("add", "-f", "Dockerfile", "kept/Dockerfile", ".gitignore");
    const marker = join(directory, "started");
    write("hook.sh", `#!/bin/sh\ntouch ${marker}\n`);
    execFileSync("chmod", ["+x", join(directory, "hook.sh")]);
    run("config", "core.fsmonitor", join(directory, "hook.sh"));
    const paths = (await json()).report.files.map(({ path }) => path);
    expect(paths).toEqual(["Dockerfile", "hook.sh", "kept/Dockerfile"]);
    expect(existsSync(marker)).toBe(false);
  },
);
