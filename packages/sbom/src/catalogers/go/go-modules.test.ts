import fc from "fast-check";
import { expect, test } from "vitest";
import type { Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { collected, contextOf } from "../collected.fixture.ts";
import { goModules } from "./go-modules.ts";
import { readVendoredModules } from "./vendored-modules.ts";

function modulesIn(files: Readonly<Record<string, string>>): Found {
  const all = Object.entries(files).map(([path, content]) => collected(path, content));
  return goModules.catalogue(
    all.filter((file) => goModules.wants(file)),
    contextOf(all),
  ) as Found;
}

const shown = ({ purl, name, version }: FoundComponent): string =>
  purl?.replace(/^pkg:\w+\//, "") ?? `<${name}@${version}>`;
const codes = ({ losses }: Found): string[] => losses.map(({ code }) => code);
function edgesOf({ components, edges, roots }: Found): string[] {
  const names = new Map(components.map((one) => [one.key, shown(one)]));
  const lines = edges.flatMap(({ from, to }) => to.map((key) => `${names.get(from)} > ${names.get(key)}`));
  return [...lines, ...roots.map((key) => `> ${names.get(key)}`)].sort();
}

const hex = "ab".repeat(32);
const h1 = `h1:${Buffer.from(hex, "hex").toString("base64")}`;
const sum = (...names: readonly string[]): string =>
  names.map((name) => `${name.replace("@", " ")} ${h1}\n${name.replace("@", " ")}/go.mod ${h1}\n`).join("");
const mod = (path: string, more: string, go = "1.22"): string => `module ${path}\n\ngo ${go}\n\n${more}`;

test("G1: a go.mod has its whole build list, with the hashes of go.sum", () => {
  const found = modulesIn({
    "go.mod": mod(
      "example.org/app",
      "toolchain go1.22.3\nrequire (\n\texample.org/a v1.0.0\n\texample.org/B v1.2.0 // indirect\n)\ntool example.org/a/cmd\n",
    ),
    "go.sum": sum("example.org/a@v1.0.0", "example.org/B@v1.2.0", "example.org/stale@v0.1.0"),
  });
  expect(found.components.map((one) => [shown(one), one.direct ?? false, one.hashes?.[0]?.value ?? ""])).toEqual([
    ["example.org/app", false, ""],
    ["example.org/a@v1.0.0", true, hex],
    ["example.org/b@v1.2.0", false, hex],
  ]);
  const [project, first] = found.components;
  expect(first?.hashes?.[0]?.algorithm).toBe("h1");
  expect(first?.occurrences).toEqual([{ path: "go.mod", rule: "go-mod", line: 7 }]);
  expect(project?.properties).toEqual([
    { name: "touchmark:go-version", value: "1.22" },
    { name: "touchmark:go-toolchain", value: "go1.22.3" },
    { name: "touchmark:go-tool", value: "example.org/a/cmd" },
  ]);
  expect(edgesOf(found)).toEqual([
    "> example.org/app",
    "example.org/app > example.org/a@v1.0.0",
    "example.org/app > example.org/b@v1.2.0",
  ]);
  expect(found.losses).toEqual([]);
});

test("G2: replaced modules are what replaces them, excluded ones are left out", () => {
  const found = modulesIn({
    "go.mod": mod(
      "example.org/app",
      `require (\n example.org/a v1.0.0\n example.org/b v1.0.0\n example.org/c v1.0.0\n example.org/d v1.0.0\n example.org/e v1.0.0\n)
replace example.org/a => fork.example/a v1.0.1
replace example.org/b v1.0.0 => example.org/b v1.0.2
replace example.org/c => ./local/c
replace example.org/d => ../outside
exclude example.org/e v1.0.0\n`,
    ),
    "local/c/go.mod": mod("example.org/c", ""),
    "go.sum": sum("fork.example/a@v1.0.1", "example.org/b@v1.0.2"),
  });
  expect(edgesOf(found)).toEqual([
    "> example.org/app",
    "example.org/app > <example.org/d@v1.0.0>",
    "example.org/app > example.org/b@v1.0.2",
    // The directory is a project of the tree.
    "example.org/app > example.org/c",
    "example.org/app > fork.example/a@v1.0.1",
  ]);
  const property = (name: string) => found.components.find((one) => one.name === name)?.properties;
  expect(property("fork.example/a")).toEqual([{ name: "touchmark:replaces", value: "example.org/a@v1.0.0" }]);
  expect(property("example.org/d")).toEqual([{ name: "touchmark:replaced-by-directory", value: "../outside" }]);
});

test("G2: modules of a workspace are each other's, with the workspace's replacements and sums", () => {
  const found = modulesIn({
    "go.work": "go 1.22\n\nuse (\n\t./a\n\t./b\n)\n\nreplace example.org/x => example.org/y v2.0.0\n",
    "go.work.sum": sum("example.org/y@v2.0.0"),
    "a/go.mod": mod("example.org/a", "require (\n example.org/b v0.0.0\n example.org/x v1.0.0\n)\n"),
    "b/go.mod": mod("example.org/b", ""),
  });
  expect(edgesOf(found)).toEqual([
    "> example.org/a",
    "example.org/a > example.org/b",
    "example.org/a > example.org/y@v2.0.0",
  ]);
  expect(found.components.find(({ name }) => name === "example.org/y")?.hashes?.length).toBe(1);
});

test("G3: what modules require themselves is known where the module cache has their go.mod", () => {
  const cache = (path: string, version: string, more: string): Record<string, string> => ({
    [`root/go/pkg/mod/cache/download/${path}/@v/${version}.mod`]: more,
  });
  const app = {
    "src/go.mod": mod(
      "example.org/app",
      "require (\n example.org/A v1.0.0\n example.org/b v1.2.0 // indirect\n example.org/c v1.0.0 // indirect\n)\n",
    ),
    "src/go.sum": sum("example.org/A@v1.0.0", "example.org/b@v1.2.0", "example.org/c@v1.0.0"),
    // Sources of a dependency lock nothing.
    "root/go/pkg/mod/example.org/b@v1.2.0/go.mod": mod("example.org/b", "require example.org/phantom v1.0.0\n"),
    ...cache(
      "example.org/!a",
      "v1.0.0",
      mod("example.org/A", "require example.org/b v1.0.0\nrequire example.org/c v1.0.0 // indirect\n"),
    ),
    ...cache(
      "example.org/b",
      "v1.2.0",
      mod("example.org/b", "require (\n example.org/c v1.0.0\n example.org/pruned v1.0.0\n)\n"),
    ),
  };
  const known = edgesOf(modulesIn({ ...app, ...cache("example.org/c", "v1.0.0", mod("example.org/c", "")) }));
  expect(known).toEqual([
    "> example.org/app",
    "example.org/a@v1.0.0 > example.org/b@v1.2.0",
    "example.org/app > example.org/a@v1.0.0",
    "example.org/b@v1.2.0 > example.org/c@v1.0.0",
  ]);
  // One is missing: what it needs is not known, and the project keeps its edges to all.
  expect(edgesOf(modulesIn(app)).filter((line) => line.startsWith("example.org/app >")).length).toBe(3);
  expect(edgesOf(modulesIn({ ...app, ...cache("example.org/c", "v1.0.0", "garbage") })).length).toBe(6);
});

test("G4: what go.mod and go.sum do not say is a loss", () => {
  const old = mod("example.org/app", "require example.org/a v1.0.0\n", "1.16");
  const found = modulesIn({ "go.mod": old, "go.sum": sum("example.org/a@v1.0.0", "example.org/deep@v0.3.0") });
  expect(codes(found)).toEqual(["SBOM_GO_BUILD_LIST"]);
  expect(found.components.map((one) => [shown(one), one.scope])).toEqual([
    ["example.org/app", "runtime"],
    ["example.org/a@v1.0.0", "runtime"],
    ["example.org/deep@v0.3.0", "unknown"],
  ]);
  expect(codes(modulesIn({ "go.mod": mod("example.org/app", "require example.org/a v1.0.0\n") }))).toEqual([
    "SBOM_GO_SUM_MISSING",
  ]);
  expect(codes(modulesIn({ "go.mod": mod("example.org/app", "") }))).toEqual([]);
  const broken = modulesIn({
    "a/go.mod": "no go.mod",
    "b/go.mod": mod("example.org/b", "require example.org/a v1.0.0\n"),
    "b/go.sum": "no sum\n",
    "c/go.work": "use ./a ./b\n",
  });
  expect(codes(broken).sort()).toEqual(["LOCKFILE_MALFORMED", "LOCKFILE_MALFORMED", "LOCKFILE_MALFORMED"]);
  expect(broken.components.map(shown)).toContain("example.org/a@v1.0.0");
});

const vendor = `# example.org/a v1.0.0
## explicit; go 1.20
example.org/a/pkg
# example.org/b v1.0.0 => example.org/fork v1.0.1
## explicit
# example.org/c v1.0.0 => ./c
# example.org/d v0.1.0
example.org/d
# example.org/b => example.org/fork v1.0.1
`;

test("G5: a vendor folder tells what it holds, with and without a go.mod beside it", () => {
  const alone = modulesIn({ "srv/vendor/modules.txt": vendor });
  expect(alone.components.map((one) => [shown(one), one.direct, one.occurrences[0]?.line])).toEqual([
    ["example.org/a@v1.0.0", true, 1],
    ["example.org/fork@v1.0.1", true, 4],
    ["<example.org/c@v1.0.0>", false, 6],
    ["example.org/d@v0.1.0", false, 7],
  ]);
  expect(alone.roots.length).toBe(4);
  const beside = modulesIn({
    "vendor/modules.txt": vendor,
    "go.mod": mod("example.org/app", "require example.org/a v1.0.0\n"),
    "go.sum": sum("example.org/a@v1.0.0"),
  });
  expect(beside.roots).toEqual(["go.mod#"]);
  expect(codes(modulesIn({ "vendor/modules.txt": "# two words more\n" }))).toEqual(["SBOM_GO_VENDOR_MALFORMED"]);
  expect(() => readVendoredModules("\n".repeat(1_000_001), "m")).toThrow(
    expect.objectContaining({ code: "SBOM_GO_VENDOR_MALFORMED" }),
  );
});

test("G9: a vendor folder of many replacements is read in one pass", () => {
  const lines = Array.from({ length: 300_000 }, (_, at) => `# example.org/m${at} => ./x`).join("\n");
  expect(readVendoredModules(`${lines}\n${lines}`, "m").length).toBe(300_000);
});

test("G9: no text of Go's files does anything but answer, with losses", () => {
  const words = fc.constantFrom(
    ...'module|require|replace|use|(|)|=>|v1.0.0|example.org/a|example.org/b v1.0.0|// indirect|\n|./a|..|/|"|`|# |## explicit|h1:|go 1.16\n|exclude|\0'.split(
      "|",
    ),
  );
  const text = fc.array(fc.oneof({ weight: 6, arbitrary: words }, { weight: 1, arbitrary: fc.string() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(fc.array(text, { minLength: 4, maxLength: 4 }), (parts) => {
      const [a = "", b = "", c = "", d = ""] = parts.map((one) => one.join(" "));
      const found = modulesIn({
        "go.mod": `module m\n${a}`,
        "go.sum": b,
        "go.work": c,
        "vendor/modules.txt": d,
        "a/go.mod": a,
      });
      const keys = new Set(found.components.map(({ key }) => key));
      expect(keys.size).toBe(found.components.length);
      for (const key of found.roots) expect(keys).toContain(key);
      for (const { from, to } of found.edges) for (const key of [from, ...to]) expect(keys).toContain(key);
    }),
    { numRuns: 500 },
  );
});
