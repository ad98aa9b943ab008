import fc from "fast-check";
import { expect, test } from "vitest";
import type { Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { collected, contextOf } from "../collected.fixture.ts";
import { cargo } from "./cargo.ts";

function cratesIn(files: Readonly<Record<string, string>>): Found {
  const all = Object.entries(files).map(([path, content]) => collected(path, content));
  return cargo.catalogue(
    all.filter((file) => cargo.wants(file)),
    contextOf(all),
  ) as Found;
}

const shown = ({ purl, name, version }: FoundComponent): string =>
  purl?.replace(/^pkg:\w+\//, "") ?? `<${name}@${version}>`;
const codes = ({ losses }: Found): string[] => losses.map(({ code }) => code);
const scopesOf = ({ components }: Found): Record<string, string> =>
  Object.fromEntries(components.map((one) => [shown(one), one.scope]));
function edgesOf({ components, edges, roots }: Found): string[] {
  const names = new Map(components.map((one) => [one.key, shown(one)]));
  const lines = edges.flatMap(({ from, to }) => to.map((key) => `${names.get(from)} > ${names.get(key)}`));
  return [...lines, ...roots.map((key) => `> ${names.get(key)}`)].sort();
}

const hex = "ab".repeat(32);
const registry = `source = "registry+https://registry.example/index"\nchecksum = "${hex}"\n`;
const crate = (name: string, version: string, needs: readonly string[] = [], more = registry): string =>
  `[[package]]\nname = "${name}"\nversion = "${version}"\n${more}dependencies = [${needs.map((one) => `"${one}"`).join(", ")}]\n\n`;
const lock = (...crates: readonly string[]): string => `version = 4\n\n${crates.join("")}`;

test("G6: a Cargo.lock has its crates with checksums, edges and root", () => {
  const found = cratesIn({
    "Cargo.lock": lock(crate("app", "1.0.0", ["serde"], ""), crate("serde", "1.0.1", ["itoa"]), crate("itoa", "1.0.0")),
    "Cargo.toml": `[package]\nname = "app"\nversion = "1.0.0"\nlicense = "MIT/Apache-2.0"\ndescription = "Does\\n things"\nrepository = "https://example.org/app"\n[dependencies]\nserde = "1"\n`,
    "vendor/serde/Cargo.toml": `[package]\nname = "serde"\nversion = "1.0.1"\nlicense = "MIT OR Apache-2.0"\n`,
    "vendor/serde/Cargo.lock": lock(crate("phantom", "1.0.0")),
    "vendor/serde/.cargo-checksum.json": "{}",
  });
  expect(edgesOf(found)).toEqual(
    ["> cargo/app@1.0.0", "app@1.0.0 > serde@1.0.1", "serde@1.0.1 > itoa@1.0.0"].map((line) =>
      line.replace("cargo/", ""),
    ),
  );
  const [app, itoa, serde] = [...found.components].sort((a, b) => (a.name < b.name ? -1 : 1));
  expect(app).toMatchObject({ kind: "application", description: "Does things", homepage: "https://example.org/app" });
  expect(app?.declaredLicences?.map(({ expression }) => expression)).toEqual(["MIT OR Apache-2.0"]);
  expect(app?.occurrences.map(({ path, rule }) => `${path} ${rule}`)).toEqual([
    "Cargo.lock cargo-lock",
    "Cargo.toml cargo-manifest",
  ]);
  expect(serde?.declaredLicences?.[0]?.path).toBe("vendor/serde/Cargo.toml");
  expect(serde?.direct).toBe(true);
  expect(itoa?.hashes).toEqual([{ algorithm: "sha256", value: hex }]);
  expect(found.losses).toEqual([]);
});

test("G7: manifests of a workspace tell what a crate is needed for", () => {
  const found = cratesIn({
    "w/Cargo.lock": lock(
      crate("core", "1.0.0", ["renamed", "maybe", "old"], ""),
      crate("cli", "1.0.0", ["core", "tester", "builder", "both", "linux"], ""),
      crate("renamed", "1.0.0", ["below"]),
      crate("below", "1.0.0"),
      crate("maybe", "1.0.0", ["under-maybe"]),
      crate("under-maybe", "1.0.0"),
      crate("tester", "1.0.0", ["under-test", "below"]),
      crate("under-test", "1.0.0"),
      crate("builder", "1.0.0"),
      crate("both", "1.0.0"),
      crate("linux", "1.0.0"),
      crate("old", "1.0.0"),
    ),
    "w/Cargo.toml": `[workspace]\nmembers = ["core", "cli"]\n[workspace.dependencies]\nshort = { package = "renamed", version = "1" }\n`,
    "w/core/Cargo.toml": `[package]\nname = "core"\nversion.workspace = true\npublish = false\n[dependencies]\nshort.workspace = true\nmaybe = { version = "1", optional = true }\n[dev_dependencies]\nold = "1"\n`,
    "w/cli/Cargo.toml": `[package]\nname = "cli"\nversion = "1.0.0"\n[dependencies]\ncore = { path = "../core" }\nboth = "1"\n[dev-dependencies]\nt = { package = "tester", version = "1" }\nboth = "1"\n[build-dependencies]\nbuilder = "1"\n[target.'cfg(unix)'.dependencies]\nlinux = "1"\n`,
  });
  expect(scopesOf(found)).toEqual({
    // Never published: whatever has its name in a registry is another.
    "<core@1.0.0>": "runtime",
    "cli@1.0.0": "runtime",
    "renamed@1.0.0": "runtime",
    "below@1.0.0": "runtime",
    "maybe@1.0.0": "optional",
    "under-maybe@1.0.0": "optional",
    "tester@1.0.0": "development",
    "under-test@1.0.0": "development",
    "builder@1.0.0": "build",
    "both@1.0.0": "runtime",
    "linux@1.0.0": "runtime",
    "old@1.0.0": "development",
  });
  expect(edgesOf(found).filter((line) => line.startsWith(">"))).toEqual(["> cli@1.0.0"]);
  expect(found.components.find(({ name }) => name === "core")?.kind).toBe("library");
});

test("G8: older lockfiles are read, each with what it says", () => {
  const name = "checksum a 1.0.0 (registry+https://registry.example/index)";
  const first = `[root]\nname = "app"\nversion = "1.0.0"\ndependencies = ["a 1.0.0 (registry+https://registry.example/index)"]\n\n[[package]]\nname = "a"\nversion = "1.0.0"\nsource = "registry+https://registry.example/index"\n\n[metadata]\n"${name}" = "${hex}"\n`;
  const second = `${crate("app", "1.0.0", ["a"], "")}${crate("a", "1.0.0")}`;
  for (const text of [first, second]) {
    const found = cratesIn({ "Cargo.lock": text });
    expect(found.losses).toEqual([]);
    expect(edgesOf(found)).toEqual(["> app@1.0.0", "app@1.0.0 > a@1.0.0"]);
    expect(found.components.find((one) => one.name === "a")?.hashes).toEqual([{ algorithm: "sha256", value: hex }]);
  }
});

test("G8: what nothing locks, or is wrong, is a loss, and the rest is read", () => {
  const alone = cratesIn({ "lib/Cargo.toml": `[package]\nname = "lib"\nversion = "0.1.0"\n[dependencies]\na = "1"\n` });
  expect([codes(alone), alone.components.map(shown)]).toEqual([["SBOM_RUST_LOCK_MISSING"], ["lib@0.1.0"]]);
  expect(codes(cratesIn({ "Cargo.toml": "not toml" }))).toEqual(["SBOM_RUST_MANIFEST_MALFORMED"]);
  expect(codes(cratesIn({ "Cargo.lock": "version = 9\n" }))).toEqual(["LOCKFILE_VERSION"]);
  const part = cratesIn({
    "Cargo.lock": lock(
      crate("app", "1.0.0", ["a", "missing"], ""),
      crate("a", "1.0.0", [], registry.replace(/checksum.*/, "")),
      crate("b", "1.0.0", [], registry.replace(hex, "xyz")),
      crate("../c", "1.0.0"),
    ),
  });
  expect(codes(part).sort()).toEqual(["LOCKFILE_DIGEST", "LOCKFILE_DIGEST_MISSING", "LOCKFILE_EDGE", "LOCKFILE_NAME"]);
  expect(part.components.map(shown)).toEqual(["app@1.0.0", "a@1.0.0", "b@1.0.0"]);
  const many = lock(
    ...Array.from({ length: 1100 }, (_, at) => crate("same", `1.0.${at}`)),
    crate("app", "1.0.0", ["same 1.0.1"], ""),
  );
  expect(codes(cratesIn({ "Cargo.lock": many }))).toEqual(["LOCKFILE_EDGE"]);
});

test("G9: no text of Cargo's files does anything but answer, with losses", () => {
  const words = fc.constantFrom(
    ...`[[package]]|[package]|[dependencies]|[workspace]|name = "a"|name = 1|version = "1.0.0"|version = 3|dependencies = ["a", "b 1.0.0"]|dependencies = "a"|a = { optional = true }|[target.x]|publish = []|[root]|[metadata]|source = "git+https://x.example/y#${"a".repeat(40)}"|__proto__ = 1|"\\u0000" = 2`.split(
      "|",
    ),
  );
  const text = fc.array(fc.oneof({ weight: 8, arbitrary: words }, { weight: 1, arbitrary: fc.string() }), {
    maxLength: 16,
  });
  fc.assert(
    fc.property(text, text, (a, b) => {
      const found = cratesIn({ "Cargo.lock": a.join("\n"), "Cargo.toml": b.join("\n"), "m/Cargo.toml": a.join("\n") });
      const keys = new Set(found.components.map(({ key }) => key));
      for (const key of found.roots) expect(keys).toContain(key);
      for (const { from, to } of found.edges) for (const key of [from, ...to]) expect(keys).toContain(key);
    }),
    { numRuns: 500 },
  );
});
