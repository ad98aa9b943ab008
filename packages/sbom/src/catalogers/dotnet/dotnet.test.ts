import fc from "fast-check";
import { expect, test } from "vitest";
import { collected, contextOf } from "../collected.fixture.ts";
import { dotnet } from "./dotnet.ts";

const sha512 = Buffer.alloc(64, 7).toString("base64");
const hashes = [{ algorithm: "sha512", value: "07".repeat(64) }];

async function found(files: Readonly<Record<string, unknown>>) {
  const all = Object.entries(files).map(([path, json]) =>
    collected(path, typeof json === "string" ? json : JSON.stringify(json)),
  );
  return dotnet.catalogue(
    all.filter((file) => dotnet.wants(file)),
    contextOf(all),
  );
}

const packagesLock = {
  version: 1,
  dependencies: {
    "net8.0": {
      "Serilog.Sinks.File": {
        type: "Direct",
        requested: "[5.0.0, )",
        resolved: "5.0.0",
        contentHash: sha512,
        dependencies: { serilog: "2.10.0" },
      },
      Serilog: { type: "Transitive", resolved: "2.10.0", contentHash: sha512 },
      lib: { type: "Project", dependencies: { Serilog: "[2.10.0, )" } },
    },
    "net8.0/linux-x64": { Serilog: { type: "Transitive", resolved: "2.10.0", contentHash: sha512 } },
  },
};

test("R9: packages.lock.json gives packages with hashes and edges of all frameworks", async () => {
  const { components, edges, roots, losses } = await found({ "src/packages.lock.json": packagesLock });
  expect(losses).toEqual([]);
  expect(components.map(({ purl, direct }) => [purl, direct])).toEqual([
    ["pkg:nuget/Serilog.Sinks.File@5.0.0", true],
    ["pkg:nuget/Serilog@2.10.0", false],
    [undefined, true],
  ]);
  expect(components[1]?.hashes).toEqual(hashes);
  const [sink, serilog, project] = components.map(({ key }) => key);
  expect(edges).toEqual([
    { from: sink, to: [serilog] },
    { from: serilog, to: [] },
    { from: project, to: [serilog] },
  ]);
  expect(roots).toEqual([sink, project]);
});

const program = {
  runtimeTarget: { name: ".NETCoreApp,Version=v8.0", signature: "" },
  targets: {
    ".NETCoreApp,Version=v8.0": {
      "app/1.2.0": {
        dependencies: { "Newtonsoft.Json": "13.0.3", "Microsoft.Data.Sqlite": "8.0.0" },
        runtime: { "app.dll": {} },
      },
      "Newtonsoft.Json/13.0.3": { runtime: { "lib/net6.0/Newtonsoft.Json.dll": { assemblyVersion: "13.0.0.0" } } },
      "Microsoft.Data.Sqlite/8.0.0": {
        dependencies: { "newtonsoft.json": "13.0.3" },
        runtimeTargets: { "runtimes/linux-x64/native/libe_sqlite3.so": { rid: "linux-x64" }, "../../etc/passwd": {} },
      },
      "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": { native: { "libcoreclr.so": {} } },
    },
  },
  libraries: {
    "app/1.2.0": { type: "project", serviceable: false, sha512: "" },
    "Newtonsoft.Json/13.0.3": {
      type: "package",
      serviceable: true,
      sha512: `sha512-${sha512}`,
      path: "newtonsoft.json/13.0.3",
    },
    "Microsoft.Data.Sqlite/8.0.0": { type: "package", sha512: "sha512-short" },
    "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/8.0.1": { type: "runtimepack", sha512: "" },
  },
};

test("R9: a built program's deps.json gives its libraries, and the files that each brings", async () => {
  const text = `\ufeff${JSON.stringify(program)}`;
  const { components, edges, roots, losses } = await found({ "opt/app/App.deps.json": text });
  expect(losses).toEqual([]);
  expect(components.map(({ purl, kind, owns }) => [purl, kind, owns])).toEqual([
    [undefined, "application", ["opt/app/app.dll"]],
    ["pkg:nuget/Newtonsoft.Json@13.0.3", "library", ["opt/app/Newtonsoft.Json.dll"]],
    ["pkg:nuget/Microsoft.Data.Sqlite@8.0.0", "library", ["opt/app/runtimes/linux-x64/native/libe_sqlite3.so"]],
    ["pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.1", "library", ["opt/app/libcoreclr.so"]],
  ]);
  expect(components.map(({ hashes: all }) => all?.length)).toEqual([0, 1, 0, 0]);
  const [app, json, sqlite] = components.map(({ key }) => key);
  expect(roots).toEqual([app]);
  expect(edges.slice(0, 3)).toEqual([
    { from: app, to: [json, sqlite] },
    { from: json, to: [] },
    { from: sqlite, to: [json] },
  ]);
  expect(components.map(({ direct }) => direct)).toEqual([undefined, true, true, undefined]);
});

const assets = {
  version: 3,
  targets: {
    "net8.0": {
      "Serilog/2.10.0": { type: "package", compile: {} },
      "Serilog.Sinks.File/5.0.0": { type: "package", dependencies: { Serilog: "2.10.0" } },
    },
    "net6.0": {
      "Serilog/2.9.0": { type: "package" },
      "Serilog.Sinks.File/5.0.0": { type: "package", dependencies: { Serilog: "2.9.0" } },
    },
  },
  libraries: {
    "Serilog/2.10.0": { sha512, type: "package", path: "serilog/2.10.0" },
    "Serilog/2.9.0": { sha512, type: "package" },
    "Serilog.Sinks.File/5.0.0": { sha512, type: "package" },
  },
  projectFileDependencyGroups: { "net8.0": ["Serilog.Sinks.File >= 5.0.0"], "net6.0": ["Serilog.Sinks.File >= 5.0.0"] },
  project: { version: "1.0.0", restore: { projectName: "App" } },
};

test("R9: project.assets.json gives what was restored for each framework, and the project", async () => {
  const { components, edges, roots } = await found({ "src/obj/project.assets.json": assets });
  const key = (name: string) => `src/obj/project.assets.json#${name}`;
  expect(components.map(({ name, version, direct }) => [name, version, direct])).toEqual([
    ["App", "1.0.0", undefined],
    ["Serilog", "2.10.0", false],
    ["Serilog", "2.9.0", false],
    ["Serilog.Sinks.File", "5.0.0", true],
  ]);
  expect(roots).toEqual([key("")]);
  expect(edges[0]).toEqual({ from: key(""), to: [key("serilog.sinks.file/5.0.0")] });
  expect(edges.find(({ from }) => from === key("serilog.sinks.file/5.0.0"))?.to).toEqual([
    key("serilog/2.10.0"),
    key("serilog/2.9.0"),
  ]);
  const { project: _, ...nameless } = assets;
  expect((await found({ "project.assets.json": nameless })).roots).toHaveLength(1);
});

test("R9: packages.config gives packages without edges", async () => {
  const text =
    '<?xml version="1.0"?><packages><package id="NUnit" version="3.5.0" targetFramework="net45" /><package id="StyleCop" version="1.0.0" developmentDependency="true" /></packages>';
  const { components, edges, roots } = await found({ "src/packages.config": text });
  expect(components.map(({ purl, scope }) => [purl, scope])).toEqual([
    ["pkg:nuget/NUnit@3.5.0", "runtime"],
    ["pkg:nuget/StyleCop@1.0.0", "development"],
  ]);
  expect([edges, roots.length]).toEqual([[], 2]);
});

test.each([
  ["packages.config", "<others/>"],
  ["packages.config", '<packages><package id="a"/></packages>'],
  ["packages.lock.json", {}],
  ["packages.lock.json", { version: 1, dependencies: { "net8.0": [] } }],
  ["packages.lock.json", { version: 1, dependencies: { "net8.0": { a: "1" } } }],
  ["packages.app.lock.json", { version: 1, dependencies: { "net8.0": { "a b": { type: "Direct", resolved: "1" } } } }],
  ["packages.lock.json", { version: 1, dependencies: { "net8.0": { a: { type: "Direct" } } } }],
  ["a.deps.json", {}],
  ["a.deps.json", { libraries: { "a/1": "x" } }],
  ["a.deps.json", { libraries: { "a/": { type: "package" } } }],
  ["project.assets.json", {}],
  ["project.assets.json", { targets: {}, libraries: { "a/..": { type: "package" } } }],
])("R10: a file %s of %j is a loss", async (name, json) => {
  const { components, losses } = await found({ [`a/${name}`]: json, "b/packages.lock.json": packagesLock });
  expect(components).toHaveLength(3);
  expect(losses).toEqual([expect.objectContaining({ path: `a/${name}`, code: "SBOM_FILE_MALFORMED" })]);
});

test("R10: a file in which everything needs everything is a loss", async () => {
  const names = Array.from({ length: 1010 }, (_, index) => `a${index}`);
  const dependencies = Object.fromEntries(names.map((name) => [name, "1"]));
  const framework = Object.fromEntries(names.map((name) => [name, { type: "Direct", resolved: "1", dependencies }]));
  const { losses } = await found({ "packages.lock.json": { version: 1, dependencies: { "net8.0": framework } } });
  expect(losses).toMatchObject([{ code: "SBOM_FILE_MALFORMED" }]);
});

test("R10: no JSON makes the cataloger do anything but answer or lose", async () => {
  const whole = [packagesLock, program, assets].map((json) => JSON.stringify(json));
  const names = ["packages.lock.json", "a.deps.json", "project.assets.json"];
  const change = fc.tuple(fc.nat(), fc.constantFrom("{}", "[]", '"x"', "1", "null", "", ",", '"a/1"'));
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: 2 }),
      fc.nat({ max: 2 }),
      fc.array(change, { maxLength: 3 }),
      async (which, name, changes) => {
        let text = whole[which] ?? "";
        for (const [at, word] of changes) {
          // A value or a sign is replaced: most results are JSON still.
          const places = [...text.matchAll(/"[^"]*"|[{}[\],:]/g)];
          const place = places[at % places.length];
          if (place !== undefined) text = text.slice(0, place.index) + word + text.slice(place.index + place[0].length);
        }
        const { losses } = await found({ [names[name] ?? ""]: text });
        for (const { code } of losses) expect(code).toMatch(/^(?:SBOM_FILE_|PACKAGE_URL_|JSON_)/);
      },
    ),
    { numRuns: 800 },
  );
});
