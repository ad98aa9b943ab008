import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cataloguePython, edgesOf, metadata, named } from "./tree.fixture.ts";

const fixtures = join(import.meta.dirname, "../../../../formats/testdata/lockfiles");
const fixture = (path: string): string => readFileSync(join(fixtures, path), "utf8");
const site = "usr/lib/python3.11/site-packages";

test("P1: lockfiles of Poetry, uv, pip and PEP 751 give components, edges and a root where they say one", async () => {
  for (const [folder, file, rule, beside] of [
    ["poetry", "poetry.lock", "poetry-lock", ["pyproject.toml"]],
    ["uv", "uv.lock", "uv-lock", []],
    ["pip-compile", "requirements.txt", "requirements", []],
    ["pylock-uv", "pylock.toml", "pylock", []],
  ] as const) {
    const others = Object.fromEntries(beside.map((name) => [`app/${name}`, fixture(`${folder}/${name}`)]));
    const found = await cataloguePython({ [`app/${file}`]: fixture(`${folder}/${file}`), ...others });
    expect(found.losses).toEqual([]);
    const packages = found.components.filter(({ purl }) => purl !== undefined);
    expect(packages.length).toBeGreaterThan(3);
    expect(new Set(found.components.flatMap(({ occurrences }) => occurrences.map((one) => one.rule)))).toEqual(
      new Set([rule]),
    );
    // What pip and uv write into pylock.toml has no edges.
    expect(found.edges.some(({ to }) => to.length > 0)).toBe(rule !== "pylock");
    expect(found.roots.length).toBeGreaterThan(0);
    const isNamed = folder === "poetry" || folder === "uv";
    expect(found.components.some(({ kind }) => kind === "application")).toBe(isNamed);
  }
});

test("P1: Pipfile.lock, and requirements for work on the project", async () => {
  const pipfile = {
    _meta: { "pipfile-spec": 6 },
    default: { a: { version: "==1.0" } },
    develop: { b: { version: "==2.0" } },
  };
  const found = await cataloguePython({
    "Pipfile.lock": JSON.stringify(pipfile),
    Pipfile: '[packages]\na = "*"\n[dev-packages]\nb = "*"\n',
    "requirements-dev.txt": "c==1.0\n",
    "requirements/prod.txt": "d==1.0\n",
    "lib/site-packages/x/requirements.txt": "phantom==1.0\n",
  });
  expect(found.components.map(({ name, version, scope }) => [name, version, scope])).toEqual([
    ["a", "1.0", "runtime"],
    ["b", "2.0", "development"],
    ["c", "1.0", "development"],
    ["d", "1.0", "runtime"],
  ]);
});

test("P1: any one of several archives may be the one: each is stated, and none is the component's hash", async () => {
  const [one, two] = [`sha256:${"1".repeat(64)}`, `sha256:${"2".repeat(64)}`];
  const found = await cataloguePython({ "requirements.txt": `a==1.0 --hash=${one} --hash=${two}\n` });
  expect(named(found, "a").hashes).toEqual([]);
  expect(named(found, "a").properties).toEqual([
    { name: "touchmark:archive", value: one },
    { name: "touchmark:archive", value: two },
  ]);
});

test("P7: a requirement of no one version is a component without version, with what it asks for, and a loss", async () => {
  const found = await cataloguePython({ "requirements.txt": "flask>=2,<3 ; python_version > '3'\n" });
  expect(named(found, "flask")).toMatchObject({
    version: "",
    purl: "pkg:pypi/flask",
    properties: [
      { name: "touchmark:marker", value: "python_version > '3'" },
      { name: "touchmark:requirement", value: ">=2,<3" },
    ],
  });
  expect(found.losses).toHaveLength(1);
});

test("P2: an installed distribution is what its metadata says", async () => {
  const found = await cataloguePython({
    [`${site}/Foo_Bar-1.0.dist-info/METADATA`]: metadata("Foo.Bar", "1.0", [
      "Summary: does",
      "\tthings",
      "Author-email: =?utf-8?q?J=C3=BCrgen?= <j@example.test>",
      "License: BSD 3-Clause",
      "Classifier: License :: OSI Approved :: BSD License",
      "Project-URL: Source, https://example.test/source",
      "Project-URL: Homepage, https://example.test",
    ]),
    [`${site}/expression-2.0.dist-info/METADATA`]: metadata("expression", "2.0", [
      "License-Expression: MIT OR Apache-2.0",
      "License: see the expression",
    ]),
    [`${site}/long-3.0.dist-info/METADATA`]: metadata("long", "3.0", [
      `License: ${"all rights and words ".repeat(20)}`,
      "Classifier: License :: OSI Approved :: MIT License",
    ]),
  });
  expect(found.losses).toEqual([]);
  expect(named(found, "Foo.Bar")).toMatchObject({
    version: "1.0",
    purl: "pkg:pypi/foo-bar@1.0",
    scope: "unknown",
    supplier: "Jürgen <j@example.test>",
    homepage: "https://example.test",
    description: "does things",
    declaredLicences: [{ expression: "BSD-3-Clause" }],
    occurrences: [{ path: `${site}/Foo_Bar-1.0.dist-info/METADATA`, rule: "python-dist-info" }],
  });
  expect(named(found, "expression").declaredLicences).toMatchObject([{ expression: "MIT OR Apache-2.0" }]);
  expect(named(found, "long").declaredLicences).toMatchObject([{ expression: "MIT" }]);
});

test("P2: egg-info as a directory, as a file and in an egg", async () => {
  const found = await cataloguePython({
    [`${site}/one-1.0-py3.11.egg-info/PKG-INFO`]: metadata("one", "1.0"),
    [`${site}/one-1.0-py3.11.egg-info/requires.txt`]: "two>=1\n\n[extra]\nthree\n\n[:python_version < '3']\nthree\n",
    [`${site}/one-1.0-py3.11.egg-info/top_level.txt`]: "one\n_one\n../evil\n",
    [`${site}/two-1.0.egg-info`]: metadata("two", "1.0"),
    [`${site}/three-1.0-py3.11.egg/EGG-INFO/PKG-INFO`]: metadata("three", "1.0"),
    [`${site}/four-1.0.egg-info/PKG-INFO`]: metadata("four", "1.0"),
    [`${site}/four-1.0.egg-info/installed-files.txt`]: "../four/__init__.py\n../../../../bin/four\nPKG-INFO\n",
  });
  expect(found.losses).toEqual([]);
  expect(edgesOf(found, "one")).toEqual(["two"]);
  expect(named(found, "one").ownsBelow).toEqual([`${site}/one-1.0-py3.11.egg-info`, `${site}/one`, `${site}/_one`]);
  expect(named(found, "three").ownsBelow).toEqual([`${site}/three-1.0-py3.11.egg`]);
  expect(named(found, "four").owns).toEqual([
    `${site}/four/__init__.py`,
    "usr/bin/four",
    `${site}/four-1.0.egg-info/PKG-INFO`,
  ]);
});

test("P2: what the metadata does not say, the directory's name may; else it is a loss", async () => {
  const found = await cataloguePython({
    [`${site}/named-1.5.dist-info/METADATA`]: "Metadata-Version: 2.1\n\n",
    [`${site}/nothing.dist-info/METADATA`]: "garbage",
    [`${site}/large-1.0.dist-info/METADATA`]: `X: ${"x".repeat(1024 * 1024 + 10)}`,
  });
  expect(found.components.map(({ name, version }) => `${name}@${version}`)).toEqual(["large@1.0", "named@1.5"]);
  expect(new Set(found.losses.map(({ code }) => code))).toEqual(new Set(["SBOM_PYTHON_METADATA"]));
});

test("P4: files belong to the distribution whose RECORD lists them; what lies outside of the tree is a loss", async () => {
  const at = `${site}/a-1.0.dist-info`;
  const record = `a/__init__.py,sha256=x,1\r\n"a/b,""c"".py",,\n../../../bin/a,,\n../../../../../../etc/passwd,,\n${at}/RECORD,,\n`;
  const found = await cataloguePython({
    [`${at}/METADATA`]: metadata("a", "1.0"),
    [`${at}/RECORD`]: record.replace(`${at}/`, "a-1.0.dist-info/"),
    [`${site}/b-1.0.dist-info/METADATA`]: metadata("b", "1.0"),
    [`${site}/b-1.0.dist-info/RECORD`]: '"unclosed\n',
  });
  expect(named(found, "a").owns).toEqual([`${site}/a/__init__.py`, `${site}/a/b,"c".py`, "usr/bin/a", `${at}/RECORD`]);
  expect(found.losses.map(({ path, code }) => [path, code])).toEqual([
    [`${at}/RECORD`, "SBOM_PYTHON_RECORD"],
    [`${site}/b-1.0.dist-info/RECORD`, "SBOM_PYTHON_RECORD"],
  ]);
});

test("P5: a distribution from a commit, an archive or a directory says so, without credentials", async () => {
  const direct = (name: string, content: unknown): Record<string, string> => ({
    [`${site}/${name}-1.0.dist-info/METADATA`]: metadata(name, "1.0"),
    [`${site}/${name}-1.0.dist-info/direct_url.json`]: JSON.stringify(content),
  });
  const hash = "0".repeat(64);
  const url = "https://user:secret@example.test/x.git";
  const found = await cataloguePython({
    ...direct("git", { url, vcs_info: { vcs: "git", commit_id: "abc123" } }),
    ...direct("archive", { url: "https://example.test/a.whl", archive_info: { hash: `sha256=${hash}` } }),
    ...direct("own", { url: "file:///src/own", dir_info: { editable: true } }),
    ...direct("wrong", []),
    [`${site}/broken-1.0.dist-info/METADATA`]: metadata("broken", "1.0"),
    [`${site}/broken-1.0.dist-info/direct_url.json`]: "{",
  });
  expect(named(found, "git").purl).toBe("pkg:pypi/git@1.0?vcs_url=git%2Bhttps://example.test/x.git%40abc123");
  expect(named(found, "archive")).toMatchObject({
    downloadLocation: "https://example.test/a.whl",
    hashes: [{ algorithm: "sha256", value: hash }],
  });
  expect(named(found, "own").properties).toEqual([
    { name: "touchmark:editable", value: "true" },
    { name: "touchmark:local-path", value: "/src/own" },
  ]);
  expect(found.losses.map(({ code }) => code)).toEqual(["SBOM_PYTHON_ORIGIN", "SBOM_PYTHON_ORIGIN"]);
  expect(JSON.stringify(found)).not.toContain("secret");
});

test("P9: a project whose packages nothing tells is a loss; a lockfile above it or an environment tells", async () => {
  const asks = '[project]\nname = "x"\ndependencies = ["Flask>=2", "requests[socks]; python_version > \'3\'"]\n';
  const found = await cataloguePython({
    "alone/pyproject.toml": asks,
    "poetry/pyproject.toml": '[tool.poetry.dependencies]\npython = "^3.9"\nflask = "*"\nother = "*"\n',
    "locked/requirements.txt": "flask==2.0\n",
    "locked/inner/pyproject.toml": asks,
    "broken/pyproject.toml": "[",
    "plain/pyproject.toml": "[build-system]\n",
    [`${site}/flask-2.0.dist-info/METADATA`]: metadata("Flask", "2.0"),
  });
  expect(
    found.losses.filter(({ path }) => path.endsWith("pyproject.toml")).map(({ path, code }) => [path, code]),
  ).toEqual([
    ["alone/pyproject.toml", "SBOM_PYTHON_UNLOCKED"],
    ["broken/pyproject.toml", "LOCKFILE_MALFORMED"],
    ["poetry/pyproject.toml", "SBOM_PYTHON_UNLOCKED"],
  ]);
});
