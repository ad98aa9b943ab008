import type { Digest, TreeEntry } from "@touchmark/core";
import { expect, test } from "vitest";
import { emptyContent } from "./content-index.ts";
import { reconcile } from "./reconcile.ts";
import type { DifferenceName, ReconcileInput, Reconciliation } from "./reconciliation.ts";
import { digestOf, fileContent, locked, lockfile, record, world } from "./world.fixture.ts";

const items = (result: Reconciliation, name: DifferenceName): readonly string[] =>
  result.differences.find((each) => each.name === name)?.items ?? [];
const file = (path: string, digest: Digest): TreeEntry => ({ path, kind: "file", size: 1, digest });
const read = (path: string, digest?: Digest) => ({ path, step: "build", ...(digest === undefined ? {} : { digest }) });
const usedOf = (result: Reconciliation, name: string): number | undefined =>
  result.packages.find((each) => each.package === name)?.usedFiles;
const two = (): ReconcileInput =>
  world([
    ["a", "1.0.0"],
    ["b", "2.0.0"],
  ]);

test("R3: content decides before place: a file that was moved is still its package's", () => {
  const input = two();
  const used = [read("/elsewhere/x.js", digestOf(fileContent("a", "1.0.0", 0)))];
  const result = reconcile({ ...input, used });
  expect([usedOf(result, "pkg:npm/a@1.0.0"), usedOf(result, "pkg:npm/b@2.0.0")]).toEqual([1, 0]);
  expect(items(result, "never-used")).toEqual(["pkg:npm/b@2.0.0"]);
  expect(result.accounted).toBe(true);
});

test("R3: of content that several packages have, the place says whose it is; without one it may be any", () => {
  const input = two();
  const licence = digestOf("licence").slice(7);
  const contents: ReconcileInput["contents"] = (archive) =>
    new Map([...(input.contents(archive) ?? []), ["package/LICENSE", licence]]);
  const placed = reconcile({ ...input, contents, used: [read("/w/node_modules/b/LICENSE", digestOf("licence"))] });
  expect([usedOf(placed, "pkg:npm/a@1.0.0"), usedOf(placed, "pkg:npm/b@2.0.0")]).toEqual([0, 1]);
  const anywhere = reconcile({ ...input, contents, used: [read("/w/LICENSE", digestOf("licence"))] });
  expect([usedOf(anywhere, "pkg:npm/a@1.0.0"), usedOf(anywhere, "pkg:npm/b@2.0.0")]).toEqual([1, 1]);
});

test("R4: what no archive has is the step's own: noted, and its place says whose it is", () => {
  const input = two();
  const made = [
    ...input.made,
    file("node_modules/a/build/addon.node", digestOf("compiled")),
    file("node_modules/.package-lock.json", digestOf("hidden")),
  ];
  const used = [
    ...input.used,
    read("/w/node_modules/a/build/addon.node", digestOf("compiled")),
    read("/w/node_modules/.package-lock.json", digestOf("hidden")),
  ];
  const result = reconcile({ ...input, made, used });
  expect(items(result, "made-by-the-step")).toEqual([
    "node_modules/.package-lock.json",
    "node_modules/a/build/addon.node",
  ]);
  expect(result.counts).toMatchObject({ outputFiles: 8, madeFiles: 2, usedByContent: 6, usedByPlace: 1, usedMade: 1 });
  expect(usedOf(result, "pkg:npm/a@1.0.0")).toBe(4);
  expect(result.accounted).toBe(true);
});

test("R4: what was read and is in no archive, no answer and not in the output ends the hermetic claim", () => {
  const input = two();
  const used = [
    ...input.used,
    read("/w/node_modules/a/lib/file-0.js", digestOf("changed since")),
    read("/w/node_modules/a/x"),
  ];
  const result = reconcile({ ...input, used });
  expect(result.differences).toMatchObject([{ name: "read-not-a-material", effect: "not-hermetic" }]);
  expect(items(result, "read-not-a-material")).toEqual([
    `/w/node_modules/a/lib/file-0.js (${digestOf("changed since")}), read by build`,
    "/w/node_modules/a/x (no digest), read by build",
  ]);
  expect(result.accounted).toBe(false);
});

test("R4: files of the step's own source, empty files, links and bodies that are kept as they came are nobody's making", () => {
  const input = two();
  const index = record("a", "1.0.0", { kind: "index" }, { digest: digestOf("index") });
  const made: TreeEntry[] = [
    ...input.made,
    file("src/main.ts", digestOf("source")),
    file("node_modules/a/empty", emptyContent),
    file("cache/a.tgz", digestOf("a@1.0.0")),
    file("cache/index.json", digestOf("index")),
    { path: "node_modules/.bin/a", kind: "symlink", size: 9, digest: digestOf("../a/x.js") },
  ];
  const used = [
    read("/w/src/main.ts", digestOf("source")),
    read("/w/node_modules/a/empty", emptyContent),
    read("/w/cache/index.json", digestOf("index")),
  ];
  const inputs = [file("src/main.ts", digestOf("source"))];
  const result = reconcile({ ...input, records: [...input.records, index], made, used, inputs });
  expect(result.counts).toMatchObject({ madeFiles: 0, usedFiles: 3, usedMade: 2, usedByPlace: 1 });
  expect(result.accounted).toBe(true);
});

test("R4: of a package whose archive cannot be read nobody says which files are its own", () => {
  const commit = "f".repeat(40);
  const entry = locked("g", "1.0.0", { from: { kind: "git", url: "https://git.example/g", commit }, digests: [] });
  const input: ReconcileInput = {
    ...world([]),
    lockfiles: [lockfile([entry])],
    records: [record("https://git.example/g", commit, { ecosystem: "git", kind: "git" })],
    made: [file("node_modules/g/index.js", digestOf("g")), file("node_modules/h/index.js", digestOf("h"))],
    used: [read("/w/node_modules/g/index.js", digestOf("g"))],
  };
  const result = reconcile(input);
  expect(items(result, "content-unknown")).toEqual(["pkg:npm/g@1.0.0"]);
  expect(items(result, "made-by-the-step")).toEqual(["node_modules/h/index.js"]);
  expect(usedOf(result, "pkg:npm/g@1.0.0")).toBe(1);
});

test("R3: two versions of one package are told apart by their places in the lockfile's tree", () => {
  const outer = locked("a", "1.0.0");
  const inner = locked("a", "2.0.0", { key: "node_modules/b/node_modules/a" });
  const input: ReconcileInput = {
    ...world([]),
    lockfiles: [lockfile([outer, inner, locked("b", "1.0.0")], { path: "web/package-lock.json" })],
    records: [record("a", "1.0.0"), record("a", "2.0.0"), record("b", "1.0.0")],
    made: [file("x", digestOf("x"))],
    used: [
      read("/work/web/node_modules/b/node_modules/a/x", digestOf("x")),
      read("/work/web/node_modules/b/node_modules/a/y", digestOf("x")),
      read("/work/web/node_modules/a/x", digestOf("x")),
    ],
  };
  const result = reconcile(input);
  expect(["a@1.0.0", "a@2.0.0", "b@1.0.0"].map((name) => usedOf(result, `pkg:npm/${name}`))).toEqual([1, 2, 0]);
});

test("R3: an alias is found by the name that the project uses", () => {
  const entry = locked("left-pad", "1.3.0", { key: "node_modules/pad", alias: "pad" });
  const input = {
    ...world([]),
    lockfiles: [lockfile([entry])],
    records: [record("left-pad", "1.3.0")],
    made: [file("x", digestOf("x"))],
  };
  const used = [read("/w/other/node_modules/pad/x.js", digestOf("x"))];
  expect(usedOf(reconcile({ ...input, used }), "pkg:npm/left-pad@1.3.0")).toBe(1);
});

test("R3: a compiled Python file is its wheel's; one that two wheels claim is nobody's", () => {
  const wheel = (name: string) => locked(name, "1.0", { ecosystem: "pypi" });
  const contents = new Map([
    [
      digestOf("one@1.0"),
      new Map([
        ["shared/__init__.py", "01"],
        ["one/mod.py", "02"],
        ["one-1.0.data/purelib/extra/x.py", "03"],
      ]),
    ],
    [
      digestOf("two@1.0"),
      new Map([
        ["shared/__init__.py", "04"],
        ["two/mod.py", "05"],
      ]),
    ],
  ]);
  const site = "/v/lib/python3.11/site-packages";
  const paths = [
    "one/__pycache__/mod.cpython-311.pyc",
    "one/other.py",
    "extra/y.py",
    "shared/__pycache__/__init__.cpython-311.pyc",
  ];
  const result = reconcile({
    ...world([]),
    lockfiles: [lockfile([wheel("one"), wheel("two")], { ecosystem: "pypi", path: "uv.lock" })],
    records: ["one", "two"].map((name) => record(name, "1.0", { ecosystem: "pypi" })),
    contents: (archive) => contents.get(archive),
    made: [file("made", digestOf("made"))],
    used: paths.map((path) => read(`${site}/${path}`, digestOf("made"))),
  });
  expect([usedOf(result, "pkg:pypi/one@1.0"), usedOf(result, "pkg:pypi/two@1.0")]).toEqual([3, 0]);
  expect(result.counts).toMatchObject({ usedByPlace: 3, usedMade: 1 });
});

test("R3: crates of one repository come as one body: a checkout counts for all of them", () => {
  const commit = "abcdef0123456789abcdef0123456789abcdef01";
  const crate = (name: string) =>
    locked(name, "0.1.0", {
      ecosystem: "cargo",
      from: { kind: "git", url: "https://git.example/m", commit },
      digests: [],
    });
  const result = reconcile({
    ...world([]),
    lockfiles: [lockfile([crate("m-core"), crate("m-cli")], { ecosystem: "cargo", path: "Cargo.lock" })],
    records: [record("https://git.example/m", commit, { ecosystem: "git", kind: "git" })],
    made: [file("x", digestOf("x"))],
    used: [read("/c/git/checkouts/m-00112233/abcdef0/core/lib.rs", digestOf("x"))],
  });
  expect(["m-core", "m-cli"].map((name) => usedOf(result, `pkg:cargo/${name}@0.1.0`))).toEqual([1, 1]);
  expect(result.counts).toMatchObject({ locked: 2, fetched: 2, neverUsed: 0 });
});

test("R3: an output that is itself the directory of packages is read as such", () => {
  const of = (
    ecosystem: "npm" | "golang" | "maven",
    name: string,
    version: string,
    path: string,
  ): number | undefined => {
    const result = reconcile({
      ...world([]),
      lockfiles: [lockfile([locked(name, version, { ecosystem })], { ecosystem })],
      records: [record(name, version, { ecosystem })],
      made: [file("x", digestOf("x"))],
      used: [read(path, digestOf("x"))],
    });
    return usedOf(result, `pkg:${ecosystem}/${name}@${version}`);
  };
  expect(of("npm", "@s/b", "1.0.0", "@s/b/build/addon.node")).toBe(1);
  expect(of("npm", "b", "1.0.0", "c/index.js")).toBe(0);
  expect(of("golang", "example.com/Mod", "v1.2.3", "example.com/!mod@v1.2.3/made.go")).toBe(1);
  expect(of("maven", "org.slf4j:slf4j-api", "2.0.7", "org/slf4j/slf4j-api/2.0.7/slf4j-api-2.0.7.jar.lastUpdated")).toBe(
    1,
  );
});
