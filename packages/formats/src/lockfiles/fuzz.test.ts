import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type LockfileOptions, lockfileErrors, readLockfile } from "./index.ts";

const fixtures = join(import.meta.dirname, "../../testdata/lockfiles");
const gradle = `<?xml version="1.0"?>
<verification-metadata><components><component group="g" name="a" version="1">
<artifact name="a-1.jar"><sha256 value="${"ab".repeat(32)}" origin="x"/></artifact></component></components></verification-metadata>
`;
const own = JSON.stringify({
  touchmark: "materials-lock/v1",
  packages: [{ purl: "pkg:maven/g/a@1", files: [{ name: "a-1.jar", sha256: "ab".repeat(32) }] }],
});
const fixture = (path: string): string => readFileSync(join(fixtures, path), "utf8");
/** The beginning is enough to reach every branch of a reader, and leaves many runs in the time. */
const cases: readonly (readonly [string, string])[] = [
  ["package-lock.json", fixture("npm-3/package-lock.json")],
  ["package-lock.json", fixture("npm-bundled/package-lock.json")],
  ["pnpm-lock.yaml", fixture("pnpm-9/pnpm-lock.yaml")],
  ["pnpm-lock.yaml", fixture("pnpm-6/pnpm-lock.yaml")],
  ["yarn.lock", fixture("yarn-classic/yarn.lock")],
  ["yarn.lock", fixture("yarn-berry/yarn.lock").slice(0, 6000)],
  ["uv.lock", fixture("uv/uv.lock").slice(0, 8000)],
  ["poetry.lock", fixture("poetry/poetry.lock")],
  ["pylock.toml", fixture("pylock-pip/pylock.toml")],
  ["requirements.txt", fixture("uv/requirements.txt")],
  ["Pipfile.lock", JSON.stringify({ _meta: { "pipfile-spec": 6 }, default: { a: { version: "==1", git: "x" } } })],
  [
    "bun.lock",
    '{"lockfileVersion":1,"workspaces":{"":{"dependencies":{"a":"1"}}},"packages":{"a":["a@1.0.0","",{},""]}}',
  ],
  ["go.sum", fixture("go/go.sum")],
  ["Cargo.lock", fixture("cargo/Cargo.lock")],
  ["gradle.lockfile", "# x\ng:a:1=compileClasspath,testRuntimeClasspath\nempty=annotationProcessor\n"],
  ["verification-metadata.xml", gradle],
  ["touchmark-materials.lock.json", own],
];

/** Answers, or refuses with a code of its own. */
function holds(name: string, content: Uint8Array | string, companion?: (path: string) => string | undefined): void {
  judged(name, content, companion === undefined ? {} : { companion });
  judged(name, content, { ...(companion !== undefined && { companion }), tolerate: isKnown });
}

function isKnown({ code }: FactoryError): void {
  expect(Object.keys(lockfileErrors.rows)).toContain(code);
}

function judged(name: string, content: Uint8Array | string, options: LockfileOptions): void {
  try {
    const lockfile = readLockfile(name, content, options);
    const keys = new Set(lockfile.packages.map(({ key }) => key));
    expect(keys.size).toBe(lockfile.packages.length);
    for (const { dependencies } of lockfile.packages) for (const key of dependencies) expect(keys).toContain(key);
  } catch (error) {
    if (!(error instanceof FactoryError)) throw error;
    expect(Object.keys(lockfileErrors.rows)).toContain(error.code);
    expect(error.message.length).toBeLessThan(2000);
  }
}

const spice = fc.oneof(
  fc.string({ maxLength: 12, unit: "binary" }),
  fc.constantFrom(
    "__proto__",
    "constructor",
    "../",
    "\u202e",
    "\0",
    "{",
    "[",
    '"',
    ": ",
    "\n  ",
    "&a ",
    "*a",
    "!!x ",
    "#",
    "@",
    "%",
    "null",
    "1e999",
  ),
);

test.each(cases)("J6: a mutated %s is answered or refused", (name, text) => {
  const place = fc.nat(text.length - 1);
  fc.assert(
    fc.property(fc.array(fc.tuple(place, fc.nat(40), spice), { minLength: 1, maxLength: 3 }), (changes) => {
      let mutated = text;
      for (const [at, cut, put] of changes) mutated = mutated.slice(0, at) + put + mutated.slice(at + cut);
      holds(name, mutated);
    }),
    { numRuns: 60 },
  );
});

test.each(cases)("J6: a truncated %s is answered or refused, a flipped bit too", (name, text) => {
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.nat(bytes.length - 1), fc.nat(7), (length, at, bit) => {
      holds(name, bytes.subarray(0, length));
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      holds(name, flipped);
    }),
    { numRuns: 30 },
  );
});

/** Documents of the right outline with anything inside. */
const anything = fc.jsonValue({ maxDepth: 4 });

test("J6: JSON of any shape is answered or refused", () => {
  const entry = fc.dictionary(
    fc.constantFrom("version", "resolved", "integrity", "link", "dependencies", "name", "os", "bundleDependencies"),
    fc.oneof(anything, fc.constantFrom("1.0.0", "packages/a", "file:..", "git+ssh://x#y")),
  );
  const place = fc.oneof(
    fc.string(),
    fc.constantFrom("", "node_modules/a", "packages/a", "node_modules/a/node_modules/b", ".."),
  );
  fc.assert(
    fc.property(fc.dictionary(place, fc.oneof(entry, anything)), anything, (packages, more) => {
      holds("package-lock.json", JSON.stringify({ lockfileVersion: 3, packages: { "": {}, ...packages }, name: more }));
    }),
    { numRuns: 500 },
  );
});

test("J6: files beside a lockfile are as untrusted", () => {
  const mod = fixture("go/go.mod");
  fc.assert(
    fc.property(fc.nat(mod.length - 1), fc.nat(30), spice, (at, cut, put) => {
      holds("go.sum", fixture("go/go.sum"), () => mod.slice(0, at) + put + mod.slice(at + cut));
      holds("yarn.lock", fixture("yarn-classic/yarn.lock").slice(0, 900), () => put);
      holds("poetry.lock", fixture("poetry/poetry.lock").slice(0, 900), () => put);
      holds("Cargo.lock", "version = 4\n", () => put);
    }),
    { numRuns: 100 },
  );
});

test("J6: text of no shape at all is answered or refused", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...cases.map(([name]) => name)),
      fc.string({ maxLength: 200, unit: "binary" }),
      (name, text) => {
        holds(name, text);
        holds(name, `__metadata:\n  version: 8\n${text}`);
        holds(name, `version = 1\n${text}`);
      },
    ),
    { numRuns: 500 },
  );
});
