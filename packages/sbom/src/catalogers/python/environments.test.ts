import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { markerHolds } from "./marker.ts";
import { cataloguePython, edgesOf, metadata, named } from "./tree.fixture.ts";

const site = "app/lib/python3.11/site-packages";
const dist = (name: string, requires: readonly string[] = [], at = site): Record<string, string> => ({
  [`${at}/${name}-1.0.dist-info/METADATA`]: metadata(
    name,
    "1.0",
    requires.map((one) => `Requires-Dist: ${one}`),
  ),
});

test("P3: requirements lead to what is installed in the same environment, where their markers hold", async () => {
  const found = await cataloguePython({
    ...dist("a", [
      "B.b (>=1)",
      "win; sys_platform == 'win32'",
      "old; python_version < '3.8'",
      "new; python_version >= '3.8' and os_name == 'posix'",
      "gone",
      "url @ https://example.test/url.whl ; python_version > '3'",
    ]),
    ...dist("b-b"),
    ...dist("win"),
    ...dist("old"),
    ...dist("new"),
    ...dist("url"),
    ...dist("b-b", [], "other/lib/python3.11/site-packages"),
  });
  expect(edgesOf(found, "a")).toEqual(["b-b", "new", "url"]);
  expect(found.roots.map((key) => /([^/]+)-1.0/.exec(key)?.[1]).sort()).toEqual(["a", "b-b", "old", "win"]);
});

test("P3: extras count where another distribution asks for them", async () => {
  const found = await cataloguePython({
    ...dist("web", ["server[Standard_x]>=1"]),
    ...dist("server", [
      "core",
      "fast ; extra == 'standard-x'",
      "deep[all]; extra == 'standard-x'",
      "test; extra == 'test'",
    ]),
    ...dist("deep", ["deeper; extra == 'all'", "server"]),
    ...["core", "fast", "deeper", "test"].map((name) => dist(name)).reduce((all, one) => ({ ...all, ...one })),
  });
  expect(edgesOf(found, "server")).toEqual(["core", "deep", "fast"]);
  expect(edgesOf(found, "deep")).toEqual(["deeper", "server"]);
});

test("P3: Debian's and the administrator's directories are one environment; somebody's request makes a root", async () => {
  const found = await cataloguePython({
    ...dist("a", ["b"], "usr/local/lib/python3.11/dist-packages"),
    ...dist("b", [], "usr/lib/python3/dist-packages"),
    "usr/lib/python3/dist-packages/b-1.0.dist-info/REQUESTED": "",
  });
  expect(edgesOf(found, "a")).toEqual(["b"]);
  expect(found.roots).toHaveLength(2);
  expect(named(found, "b").direct).toBe(true);
});

test("P6: a distribution inside another's files hangs below that one", async () => {
  const vendor = `${site}/setuptools/_vendor`;
  const found = await cataloguePython({
    ...dist("setuptools"),
    [`${site}/setuptools-1.0.dist-info/RECORD`]: "setuptools/_vendor/wheel-1.0.dist-info/METADATA,,\n",
    ...dist("wheel", ["shared"], vendor),
    [`${vendor}/wheel-1.0.dist-info/RECORD`]: "wheel-1.0.dist-info/METADATA,,\n",
    ...dist("shared"),
    ...dist("eggy", [], `${site}/host/inner`),
    [`${site}/host-1.0.egg-info/PKG-INFO`]: metadata("host", "1.0"),
    [`${site}/host-1.0.egg-info/top_level.txt`]: "host\n",
  });
  expect(edgesOf(found, "setuptools")).toEqual(["wheel"]);
  expect(edgesOf(found, "wheel")).toEqual(["shared"]);
  expect(edgesOf(found, "host")).toEqual(["eggy"]);
  expect(named(found, "wheel").properties).toEqual([{ name: "touchmark:vendored", value: "true" }]);
  expect(found.roots.some((key) => key.includes("wheel") || key.includes("eggy"))).toBe(false);
});

test("P3: markers are judged as their specification says, and what is not known holds", () => {
  const facts = { python: "3.11", system: "linux", extra: "" } as const;
  for (const [marker, holds] of [
    ["python_version >= '3.10'", true],
    ["python_version < '3.9'", false],
    ["'3.12' > python_version", true],
    ["python_version in '3.11, 3.12'", true],
    ["sys_platform not in 'win32'", true],
    ["python_version == '3.*'", true],
    ["python_full_version < '3.11.4'", false],
    ["platform_system != 'Windows' and (extra == 'x' or os_name == 'posix')", true],
    ["sys_platform == 'win32' or python_version ~= '3.8'", true],
    ["extra == 'x'", false],
    ["platform_machine == 'riscv64'", true],
    ["implementation_name == 'pypy'", false],
    ["platform_python_implementation != 'CPython'", false],
    ["nonsense !", true],
    ["(".repeat(5000), true],
  ] as const) {
    expect([marker, markerHolds(marker, facts)]).toEqual([marker, holds]);
  }
});

const headers = fc.array(
  fc.oneof(
    fc.constantFrom("Requires-Dist: a", "Requires-Dist: b[x]; extra == 'x'", "Name: other", "License: MIT", " folded"),
    fc.string({ maxLength: 30 }),
  ),
  { maxLength: 12 },
);

test("P8: metadata, records and origins of any text end in components or losses", async () => {
  await fc.assert(
    fc.asyncProperty(
      headers,
      fc.string(),
      fc.oneof(fc.json(), fc.string()),
      fc.string(),
      async (lines, record, url, requires) => {
        const found = await cataloguePython({
          [`${site}/a-1.0.dist-info/METADATA`]: metadata("a", "1.0", lines),
          [`${site}/a-1.0.dist-info/RECORD`]: record,
          [`${site}/a-1.0.dist-info/direct_url.json`]: url,
          [`${site}/b-1.0.egg-info/PKG-INFO`]: lines.join("\n"),
          [`${site}/b-1.0.egg-info/requires.txt`]: requires,
        });
        const keys = new Set(found.components.map(({ key }) => key));
        for (const { from, to } of found.edges) for (const key of [from, ...to]) expect(keys).toContain(key);
        for (const { code } of found.losses) expect(code).toMatch(/^SBOM_PYTHON_/);
      },
    ),
    { numRuns: 300 },
  );
});

test("P8: more requirements than are ever judged lose edges, and say so", async () => {
  const requires = Array.from({ length: 10_000 }, (_, at) => `a[x${at}]`);
  const found = await cataloguePython(dist("a", requires));
  expect(found.losses.map(({ code }) => code)).toEqual(["SBOM_PYTHON_TOO_MANY"]);
});

const python = spawnSync("python3", ["-c", "import venv, ensurepip"], { encoding: "utf8" });

test.skipIf(python.status !== 0)("P3: a real interpreter reads the same requirements from an environment", async () => {
  const scratch = mkdtempSync(join(tmpdir(), "touchmark-python-"));
  try {
    const venv = spawnSync("python3", ["-m", "venv", "--without-pip", join(scratch, "env")], { encoding: "utf8" });
    expect(venv.stderr).toBe("");
    const version = readdirSync(join(scratch, "env/lib"))[0] ?? "";
    const packages = join(scratch, "env/lib", version, "site-packages");
    const files = {
      ...dist("a", ["b[x]>=1", "c; python_version < '3'"]),
      ...dist("b", ["c; extra == 'x'"]),
      ...dist("c"),
    };
    for (const [path, text] of Object.entries(files)) {
      const target = join(packages, path.slice(site.length + 1));
      mkdirSync(join(target, ".."), { recursive: true });
      writeFileSync(target, text);
    }
    const program = [
      "import importlib.metadata as m, json, sys",
      "print(json.dumps(sorted([d.metadata['Name'], d.version, r] for d in m.distributions(path=[sys.argv[1]]) for r in (d.requires or []))))",
    ].join("\n");
    const listed = spawnSync(join(scratch, "env/bin/python"), ["-c", program, packages], { encoding: "utf8" });
    expect(JSON.parse(listed.stdout)).toEqual([
      ["a", "1.0", "b[x]>=1"],
      ["a", "1.0", "c; python_version < '3'"],
      ["b", "1.0", "c; extra == 'x'"],
    ]);
    const tree = readdirSync(packages).flatMap((name) =>
      name.endsWith(".dist-info")
        ? [[`${site}/${name}/METADATA`, readFileSync(join(packages, name, "METADATA"), "utf8")]]
        : [],
    );
    const found = await cataloguePython(Object.fromEntries(tree) as Record<string, string>);
    expect(edgesOf(found, "a")).toEqual(["b"]);
    expect(edgesOf(found, "b")).toEqual(["c"]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
});
