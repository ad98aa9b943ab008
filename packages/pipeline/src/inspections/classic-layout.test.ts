import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { sha256 } from "@touchmark/core";
import { type ClassicLayout, writeClassicLayout, writeClassicLink } from "@touchmark/formats/in-toto";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ClassicQuestion, verifyClassicLayout } from "./classic-layout.ts";
import { fileOf, linkOf, people } from "./demo.fixture.ts";
import { artifactsBelow } from "./directory-artifacts.ts";
import { type Inspector, openInspector } from "./inspector.ts";

const sandbox = findProgram("bwrap");
const { alice, bob } = people;
const product = "product\n";
const code = (expected: string) => expect.objectContaining({ code: expected });

let directory: string;
beforeAll(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-inspector-")));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function inspectorOf(content = product, expected = content): Inspector {
  const path = join(mkdtempSync(join(directory, "artifact-")), "app");
  writeFileSync(path, content);
  return openInspector({ artifact: { name: basename(path), path }, digest: sha256(expected), limits: { seconds: 20 } });
}

const nothing: Inspector = {
  run: () => Promise.reject(new Error("no inspection may run")),
  close: () => Promise.resolve(),
};

const layout = (change: Partial<ClassicLayout> = {}): ClassicLayout => ({
  expires: "2099-01-01T00:00:00Z",
  readme: "",
  keys: { [bob.key.keyid]: bob.key },
  steps: [{ name: "build", command: [], materials: [], products: [], threshold: 1, pubkeys: [bob.key.keyid] }],
  inspections: [],
  ...change,
});
const built = linkOf("build", {}, { app: { sha256: sha256(product).slice(7) } });

function ask(content: ClassicLayout, change: Partial<ClassicQuestion> = {}) {
  return verifyClassicLayout({
    layout: writeClassicLayout(content, [alice]),
    keys: [alice.key],
    file: (name) => (name === fileOf("build", bob) ? writeClassicLink(built, [bob]) : undefined),
    artifact: sha256(product),
    parameters: new Map(),
    now: new Date("2027-01-01T00:00:00Z"),
    inspector: nothing,
    ...change,
  });
}

test("IN5: the artifact is a product of the last step, or of the one that is named", async () => {
  const two = layout({
    steps: [...layout().steps, { ...layout().steps[0], name: "test" } as ClassicLayout["steps"][0]],
  });
  const links = new Map([
    [fileOf("build", bob), writeClassicLink(built, [bob])],
    [fileOf("test", bob), writeClassicLink(linkOf("test", {}, {}), [bob])],
  ]);
  const file = (name: string) => links.get(name);
  expect((await ask(two, { file })).judgement.denials).toMatchObject([{ code: "POLICY_SUBJECT_MISMATCH" }]);
  expect((await ask(two, { file, subjectStep: "build" })).judgement.denials).toEqual([]);
  await expect(ask(two, { file, subjectStep: "deploy" })).rejects.toThrow(code("LAYOUT_STEP_ABSENT"));
});

test("IN5: parameters are put in after the signatures were verified, and once", async () => {
  const [step] = layout().steps as [ClassicLayout["steps"][0]];
  const placed = layout({
    steps: [
      {
        ...step,
        products: [
          { rule: "ALLOW", pattern: "{file}" },
          { rule: "DISALLOW", pattern: "*" },
        ],
      },
    ],
  });
  const given = (value: string) => ask(placed, { parameters: new Map([["file", value]]) });
  expect((await given("app")).judgement.verdict).toBe("satisfied");
  expect((await given("{file}")).judgement.denials).toMatchObject([{ code: "POLICY_ARTIFACT_RULE" }]);
  await expect(ask(placed, { parameters: new Map([["other", "x"]]) })).rejects.toThrow(code("LAYOUT_PARAMETER"));
});

test("IN6: no inspection runs when steps are not shown, and no key is nobody's signature", async () => {
  const inspections = [{ name: "look", run: ["true"], materials: [], products: [] }];
  const { judgement } = await ask(layout({ inspections }), { file: () => undefined });
  expect(judgement.denials).toMatchObject([{ code: "POLICY_STEP_EVIDENCE_MISSING" }]);
  await expect(ask(layout({ inspections }), { keys: [] })).rejects.toThrow(code("INTOTO_SIGNATURE_MISSING"));
});

test("IN7: layouts that delegate in circles, or to ever more layouts, are refused", async () => {
  const below = writeClassicLayout(layout(), [bob]);
  const circle = (name: string) => (name.endsWith(".link") ? below : undefined);
  await expect(ask(layout(), { file: circle })).rejects.toThrow(code("LAYOUT_SUBLAYOUTS"));
});

test("IN7: a key whose name would lead out of the links directory is not looked for", async () => {
  const keyid = "../../../x";
  const [step] = layout().steps as [ClassicLayout["steps"][0]];
  const odd = layout({ keys: { [keyid]: { ...bob.key, keyid } }, steps: [{ ...step, pubkeys: [keyid] }] });
  const asked: string[] = [];
  const { judgement } = await ask(odd, { file: (name) => void asked.push(name) });
  expect(judgement.verdict).toBe("refused");
  expect(asked).toEqual([]);
});

test("IN5: certificates that a step allows beside keys are not counted, and that is said", async () => {
  const [step] = layout().steps as [ClassicLayout["steps"][0]];
  const constrained = { ...step, certificateConstraints: [{ common_name: "*" }] };
  expect((await ask(layout({ steps: [constrained] }))).judgement).toMatchObject({
    verdict: "satisfied",
    warnings: ["step build also allows certificates, which are not counted: its keys alone are"],
  });
  const alone = layout({ keys: {}, steps: [{ ...constrained, pubkeys: [] }] });
  await expect(ask(alone)).rejects.toThrow(code("INTOTO_NOT_REPRESENTABLE"));
});

test.skipIf(sandbox === undefined)(
  "IN8: an inspection is sealed: no network, no file of the host, the artifact alone",
  async () => {
    const inspector = inspectorOf();
    const secret = join(directory, "secret");
    writeFileSync(secret, "secret");
    try {
      const first = await inspector.run("look", [
        "sh",
        "-c",
        `ls; test ! -e ${secret} && wc -l < /proc/net/dev && echo more > new`,
      ]);
      expect(first.exitCode).toBe(0);
      expect(first.printed).toMatch(/^app\n3\n/);
      expect([...first.materials]).toEqual([["app", sha256(product)]]);
      expect([...first.products]).toEqual([
        ["app", sha256(product)],
        ["new", sha256("more\n")],
      ]);
      // The next works on what this one left, and the artifact itself was never touched.
      const second = await inspector.run("again", ["sh", "-c", "rm app; exit 3"]);
      expect(second).toMatchObject({ exitCode: 3 });
      expect([...second.materials.keys()]).toEqual(["app", "new"]);
      expect([...second.products.keys()]).toEqual(["new"]);
    } finally {
      await inspector.close();
    }
  },
);

test.skipIf(sandbox === undefined)("IN8: a command's words are never a line of a shell", async () => {
  const inspector = inspectorOf();
  try {
    const odd = await inspector.run("echo", ["echo", "$(id) ; `id` && exit 9", "'"]);
    expect(odd).toMatchObject({ exitCode: 0, printed: "$(id) ; `id` && exit 9 '\n" });
    expect((await inspector.run("gone", ["no-such-program"])).exitCode).not.toBe(0);
  } finally {
    await inspector.close();
  }
});

test("IN9: an artifact that was altered since it was judged is not inspected", async () => {
  const inspector = inspectorOf(product, "another");
  await expect(inspector.run("look", ["true"])).rejects.toThrow(code("LAYOUT_ARTIFACT_CHANGED"));
  await inspector.close();
});

test("IN10: links, special files and too many of them in what an inspection left", () => {
  const place = mkdtempSync(join(directory, "left-"));
  writeFileSync(join(place, "a"), "a");
  symlinkSync("a", join(place, "inner"));
  symlinkSync("/etc/hostname", join(place, "outer"));
  symlinkSync(".", join(place, "loop"));
  expect([...artifactsBelow(place)]).toEqual([
    ["a", sha256("a")],
    ["inner", sha256("a")],
    ["loop", sha256("link to .")],
    ["outer", sha256("link to /etc/hostname")],
  ]);
  expect(() => artifactsBelow(place, 3)).toThrow(code("LAYOUT_INSPECTION_PRODUCT"));
});

test.skipIf(process.getuid?.() === 0)("IN10: what cannot be read is refused", () => {
  const place = mkdtempSync(join(directory, "closed-"));
  mkdirSync(join(place, "d"));
  chmodSync(join(place, "d"), 0);
  expect(() => artifactsBelow(place)).toThrow(code("LAYOUT_INSPECTION_PRODUCT"));
});
