import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isFactoryError } from "@touchmark/core";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOfFile } from "../file-digest.ts";
import { makeDemo, people, writeDemo } from "./demo.fixture.ts";
import { openInspector, verifyClassicLayout } from "./index.ts";
import { tamperings } from "./tampering.fixture.ts";

/* in-toto of Python, old and new, and of Go, and we: the same layouts, links and products, the same verdicts. */

const golang = findProgram("in-toto-golang");
const pythonRun = findProgram("in-toto-run");
const isNew =
  pythonRun !== undefined && spawnSync(pythonRun, ["--help"], { encoding: "utf8" }).stdout.includes("--signing-key");
const python = isNew ? findProgram("in-toto-verify") : undefined;
// Debian has the version before the keys changed.
const debian = "/usr/bin/in-toto-verify";
const old =
  existsSync(debian) && !spawnSync(debian, ["--help"], { encoding: "utf8" }).stdout.includes("--verification-keys")
    ? debian
    : undefined;
const sandbox = findProgram("bwrap");

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-layouts-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const tools: { readonly [tool: string]: { program: string | undefined; words: readonly string[] } } = {
  python: {
    program: python,
    words: ["-l", "../root.layout", "--verification-keys", "../owner.pem", "--link-dir", "../links"],
  },
  old: { program: old, words: ["-l", "../root.layout", "-k", "../owner.pem", "-t", "rsa", "--link-dir", "../links"] },
  golang: { program: golang, words: ["verify", "-l", "../root.layout", "-k", "../owner.pem", "-d", "../links"] },
};

function demoAt(change: (typeof tamperings)[number]["change"]): string {
  const scratch = mkdtempSync(join(directory, "scratch-"));
  const demo = makeDemo(scratch);
  change(demo, scratch);
  const at = mkdtempSync(join(directory, "demo-"));
  writeDemo(at, demo);
  return at;
}

/** What a peer says, in a copy: inspections leave things behind. */
function theirVerdict(tool: string, at: string): string {
  const copy = mkdtempSync(join(directory, "peer-"));
  cpSync(at, copy, { recursive: true });
  const { program = "", words } = tools[tool] ?? { program: "", words: [] };
  const { status, stdout, stderr } = spawnSync(program, words, { cwd: join(copy, "final"), encoding: "utf8" });
  return status === 0 ? "accepted" : `refused: ${stdout}${stderr}`;
}

async function ourVerdict(at: string): Promise<string> {
  const path = join(at, "final", "demo-project.tar.gz");
  const digest = digestOfFile(path);
  const inspector = openInspector({ artifact: { name: "demo-project.tar.gz", path }, digest });
  try {
    const { judgement } = await verifyClassicLayout({
      layout: readFileSync(join(at, "root.layout")),
      keys: [people.alice.key],
      file: (name) => (existsSync(join(at, "links", name)) ? readFileSync(join(at, "links", name)) : undefined),
      artifact: digest,
      parameters: new Map(),
      now: new Date("2027-06-01T00:00:00Z"),
      inspector,
    });
    return judgement.denials[0]?.code ?? "accepted";
  } catch (error) {
    if (isFactoryError(error)) return error.code;
    throw error;
  } finally {
    await inspector.close();
  }
}

for (const { what, expected, change } of tamperings) {
  test.skipIf(sandbox === undefined)(`IN1: ${what}: ${expected}`, async () => {
    expect(await ourVerdict(demoAt(change))).toBe(expected);
  });
}

for (const tool of Object.keys(tools)) {
  for (const { what, expected, otherwise, change } of tamperings) {
    test.skipIf(tools[tool]?.program === undefined)(
      `IN2: ${what}: in-toto (${tool}) ${otherwise ?? "says the same"}`,
      () => {
        const found = theirVerdict(tool, demoAt(change));
        const isAccepted = expected === "accepted" || otherwise !== undefined;
        expect(found).toMatch(isAccepted ? /^accepted$/ : /^refused/);
      },
      60_000,
    );
  }
}
