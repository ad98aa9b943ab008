import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256 } from "@touchmark/core";
import { type ClassicLayout, classicSigner, readClassicLink, writeClassicLayout } from "@touchmark/formats/in-toto";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { digestOfFile } from "../file-digest.ts";
import { makeDemo, people, updated } from "./demo.fixture.ts";
import { openInspector, verifyClassicLayout } from "./index.ts";

/* The demo performed with the tools themselves: their links, their signature on the layout, our verdict. */

const golang = findProgram("in-toto-golang");
const runner = findProgram("in-toto-run");
const isNew = runner !== undefined && help(runner).includes("--signing-key");
const signTool = findProgram("in-toto-sign");
const sandbox = findProgram("bwrap");

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-theirs-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function help(program: string): string {
  return spawnSync(program, ["--help"], { encoding: "utf8" }).stdout;
}

function run(program: string | undefined, words: readonly string[], cwd: string): void {
  const { status, stdout, stderr } = spawnSync(program ?? "", words, { cwd, encoding: "utf8" });
  expect(`${status} ${stdout}${stderr}`).toMatch(/^0 /);
}

type Tool = "python" | "golang";
interface Step {
  readonly name: string;
  readonly materials: readonly string[];
  readonly products: readonly string[];
  readonly command: readonly string[];
}

const update = `printf "${updated.replaceAll("\n", "\\n")}" > demo-project/foo.py`;
const steps: readonly Step[] = [
  { name: "clone", materials: [], products: ["demo-project"], command: ["cp", "-r", "upstream", "demo-project"] },
  { name: "update-version", materials: ["demo-project"], products: ["demo-project"], command: ["sh", "-c", update] },
  {
    name: "package",
    materials: ["demo-project"],
    products: ["demo-project.tar.gz"],
    command: ["tar", "czf", "demo-project.tar.gz", "demo-project"],
  },
];

function perform(tool: Tool, at: string, { name, materials, products, command }: Step): void {
  if (tool === "python") {
    const files = ["-m", ...materials, "-p", ...products].filter((word) => word !== "-m" || materials.length > 0);
    run(runner, ["-n", name, "--signing-key", "../key.pem", ...files, "--", ...command], at);
    return;
  }
  const files = [...materials.flatMap((each) => ["-m", each]), ...products.flatMap((each) => ["-p", each])];
  run(golang, ["run", "-n", name, "-k", "../key.pem", ...files, "--", ...command], at);
}

/** The demo, every step performed with a tool; the layout is ours, and signed by in-toto of Python where it is there. */
function performed(tool: Tool): string {
  const at = mkdtempSync(join(directory, `${tool}-`));
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(join(at, "key.pem"), privateKey.export({ format: "pem", type: "pkcs8" }).toString());
  const work = join(at, "work");
  mkdirSync(join(work, "upstream"), { recursive: true });
  writeFileSync(join(work, "upstream", "foo.py"), "print('hello')\n");
  for (const step of steps) perform(tool, work, step);
  mkdirSync(join(at, "links"));
  const links = readdirSync(work).filter((name) => name.endsWith(".link"));
  for (const name of links) renameSync(join(work, name), join(at, "links", name));
  const { envelope } = readClassicLink(readFileSync(join(at, "links", links[0] ?? "")));
  const keyid = envelope.signatures[0]?.keyid ?? "";
  const demo = makeDemo(mkdtempSync(join(directory, "scratch-"))).layout;
  const layout: ClassicLayout = {
    ...demo,
    keys: { [keyid]: { ...classicSigner(privateKey).key, keyid } },
    steps: demo.steps.map((step) => ({ ...step, pubkeys: [keyid] })),
  };
  writeFileSync(join(at, "root.layout"), writeClassicLayout(layout, [people.mallory]));
  if (isNew) run(signTool, ["-f", "root.layout", "-k", "key.pem"], at);
  else writeFileSync(join(at, "root.layout"), writeClassicLayout(layout, [classicSigner(privateKey)]));
  return at;
}

async function verdict(at: string): Promise<readonly string[]> {
  const path = join(at, "work", "demo-project.tar.gz");
  const digest = digestOfFile(path);
  const inspector = openInspector({ artifact: { name: "demo-project.tar.gz", path }, digest });
  const pem = readFileSync(join(at, "key.pem"));
  try {
    const { createPrivateKey } = await import("node:crypto");
    const { judgement } = await verifyClassicLayout({
      layout: readFileSync(join(at, "root.layout")),
      keys: [classicSigner(createPrivateKey(pem)).key],
      file: (name) => (existsSync(join(at, "links", name)) ? readFileSync(join(at, "links", name)) : undefined),
      artifact: digest,
      parameters: new Map(),
      now: new Date("2027-06-01T00:00:00Z"),
      inspector,
    });
    return judgement.denials.map(({ code }) => code);
  } finally {
    await inspector.close();
  }
}

for (const tool of ["python", "golang"] as const) {
  const isThere = tool === "python" ? isNew : golang !== undefined;
  test.skipIf(!isThere || sandbox === undefined)(
    `IN11: the demo performed with in-toto (${tool}) verifies here, and altered it does not`,
    async () => {
      const at = performed(tool);
      expect(await verdict(at)).toEqual([]);
      const links = readdirSync(join(at, "links"));
      const update = join(at, "links", links.find((name) => name.startsWith("update-version")) ?? "");
      const text = readFileSync(update, "utf8");
      writeFileSync(update, text.replaceAll(sha256(updated).slice(7), sha256("evil").slice(7)));
      expect(await verdict(at)).toEqual(["POLICY_STEP_EVIDENCE_MISSING"]);
      writeFileSync(update, text);
      writeFileSync(join(at, "work", "demo-project.tar.gz"), "evil");
      expect(await verdict(at)).toEqual(["POLICY_SUBJECT_MISMATCH"]);
    },
    60_000,
  );
}
