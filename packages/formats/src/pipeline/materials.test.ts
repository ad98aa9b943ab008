import { describe, expect, test } from "vitest";
import { materialsSchema } from "./json-schema.ts";
import { parsePipelineFile } from "./parse.ts";

const commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
const sha256 = "a".repeat(64);

function parse(materials: string, network = "fetch", project = "{}") {
  const step = `{ command: [a], network: ${network}, materials: ${materials} }`;
  const text = `touchmark: pipeline/v1\nproject: p\nmaterials: ${project}\npipelines: { d: { steps: { s: ${step} } } }\n`;
  return parsePipelineFile(text, "touchmark.yaml");
}
const message = (...words: Parameters<typeof parse>): string => {
  try {
    parse(...words);
  } catch (error) {
    return (error as Error).message;
  }
  return "";
};

describe("Y10: materials of a step", () => {
  test("lockfiles, downloads and repositories", () => {
    const file = parse(
      `{ lockfiles: [a/package-lock.json], downloads: [{ url: "https://files.example.com/a.tgz", sha256: ${sha256}, at: a.tgz }], git: [{ url: "https://git.example.com/a.git", commit: ${commit} }] }`,
    );
    expect(file.pipelines.get("d")?.steps[0]?.materials).toEqual({
      lockfiles: ["a/package-lock.json"],
      downloads: [{ url: "https://files.example.com/a.tgz", sha256, at: "a.tgz" }],
      git: [{ url: "https://git.example.com/a.git", commit }],
    });
    const plain = parsePipelineFile(
      "touchmark: pipeline/v1\nproject: p\npipelines: { d: { steps: { s: { command: [a] } } } }\n",
      "touchmark.yaml",
    );
    expect(plain.materials).toEqual({});
    expect(plain.pipelines.get("d")?.steps[0]?.materials).toEqual({});
  });
  test.each([
    ['{ downloads: [{ url: "https://files.example.com/a" }] }', "a plain download needs a digest"],
    [`{ downloads: [{ url: "https://u:p@files.example.com/a", sha256: ${sha256} }] }`, "without user information"],
    [`{ downloads: [{ url: "https://@files.example.com/a", sha256: ${sha256} }] }`, "without user information"],
    [`{ downloads: [{ url: "file:///etc/passwd", sha256: ${sha256} }] }`, "expected an https address"],
    [`{ downloads: [{ url: "https://files.example.com/#a", sha256: ${sha256} }] }`, "without a fragment"],
    [`{ downloads: [{ url: "files", sha256: ${sha256} }] }`, "expected an absolute address"],
    ['{ downloads: [{ url: "https://files.example.com/a", sha256: abc }] }', "64 lower-case hexadecimal digits"],
    ['{ git: [{ url: "https://git.example.com/a", commit: main }] }', "expected a full commit id"],
    ["{ lockfiles: [../package-lock.json] }", "expected a path relative to the source"],
    ["{ lockfile: [package-lock.json] }", 'did you mean "lockfiles"'],
  ])("%s is refused", (materials, expected) => {
    expect(message(materials)).toContain(expected);
  });
  test("a step without network fetches nothing", () => {
    expect(message("{ lockfiles: [] }", "none")).toContain("expected a step with network: fetch");
  });
});

describe("Y10: materials of a project", () => {
  test("gate members, and no others", () => {
    const file = parse("{}", "fetch", "{ minimum-age: 7d, unlocked: { maven: refuse }, sizes: { archive: 1GiB } }");
    expect(file.materials).toEqual({ "minimum-age": "7d", unlocked: { maven: "refuse" }, sizes: { archive: "1GiB" } });
    expect(message("{}", "fetch", "{ minimum-agge: 7d }")).toContain('did you mean "minimum-age"');
    expect(message("{}", "fetch", "{ exceptions: [] }")).toContain("unknown key");
    expect(message("{}", "fetch", "{ required-evidence: [{ packages: left-pad, all: [npm-signature] }] }")).toContain(
      "expected a package URL pattern",
    );
    expect(message("{}", "fetch", "{ unlocked: { mavn: refuse } }")).toContain("mavn");
  });
});

test("Y10: the published schema of the user's configuration describes every key and refuses unknown ones", () => {
  const walk = (node: unknown, path: string): void => {
    if (typeof node !== "object" || node === null) return;
    const { properties, additionalProperties } = node as { properties?: object; additionalProperties?: unknown };
    if (properties !== undefined) {
      expect(additionalProperties, path).toBe(false);
      for (const [key, value] of Object.entries(properties)) {
        expect((value as { description?: unknown }).description, `${path}.${key}`).toBeTypeOf("string");
      }
    }
    for (const [key, value] of Object.entries(node)) walk(value, `${path}.${key}`);
  };
  walk(materialsSchema(), "");
});
