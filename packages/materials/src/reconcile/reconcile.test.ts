import fc from "fast-check";
import { expect, test } from "vitest";
import { reconcile } from "./reconcile.ts";
import type { DifferenceName, ReconcileInput, Reconciliation } from "./reconciliation.ts";
import { digestOf, locked, lockfile, record, world } from "./world.fixture.ts";

const names = (result: Reconciliation): DifferenceName[] => result.differences.map((each) => each.name);
const items = (result: Reconciliation, name: DifferenceName): readonly string[] =>
  result.differences.find((each) => each.name === name)?.items ?? [];
const two = (): ReconcileInput =>
  world([
    ["a", "1.0.0"],
    ["@s/b", "2.0.0"],
  ]);
const packages = (input: ReconcileInput) => input.lockfiles[0]?.packages ?? [];

test("R1: a fetch as it should be has no difference, and everything that was read is a package's", () => {
  const result = reconcile(two());
  expect(result.differences).toEqual([]);
  expect(result.accounted).toBe(true);
  expect(result.counts).toMatchObject({
    locked: 2,
    fetched: 2,
    unknown: 0,
    usedFiles: 6,
    usedByContent: 6,
    madeFiles: 0,
  });
  expect(result.packages).toEqual([
    {
      package: "pkg:npm/@s/b@2.0.0",
      locked: true,
      fetched: true,
      digests: [digestOf("@s/b@2.0.0")],
      usedFiles: 3,
      usedBy: ["build"],
    },
    {
      package: "pkg:npm/a@1.0.0",
      locked: true,
      fetched: true,
      digests: [digestOf("a@1.0.0")],
      usedFiles: 3,
      usedBy: ["build"],
    },
  ]);
});

test("R1: a package counts once, in however many places and lockfiles it stands", () => {
  const input = two();
  const again = lockfile([locked("a", "1.0.0", { key: "node_modules/@s/b/node_modules/a" })], {
    path: "tools/package-lock.json",
  });
  const result = reconcile({ ...input, lockfiles: [...input.lockfiles, again, ...input.lockfiles] });
  expect([result.counts.locked, result.counts.fetched]).toEqual([2, 2]);
  expect(result.differences).toEqual([]);
});

test("R1: bundled and local packages and aliases are counted apart, and nothing is missed for them", () => {
  const input = two();
  const more = [
    locked("inner", "1.0.0", {
      key: "node_modules/a/node_modules/inner",
      from: { kind: "bundled", within: "node_modules/a" },
    }),
    locked("deeper", "1.0.0", {
      key: "node_modules/a/node_modules/inner/node_modules/deeper",
      from: { kind: "bundled", within: "node_modules/a/node_modules/inner" },
    }),
    locked("workspace", "", { key: "packages/w", from: { kind: "local", path: "packages/w" } }),
  ];
  const aliased = packages(input).map((each) => (each.name === "a" ? { ...each, alias: "alpha" } : each));
  const read = [
    ...input.used,
    {
      path: "/work/node_modules/a/node_modules/inner/node_modules/deeper/made.js",
      digest: digestOf("made"),
      step: "test",
    },
  ];
  const made = [
    ...input.made,
    {
      path: "node_modules/a/node_modules/inner/node_modules/deeper/made.js",
      kind: "file" as const,
      size: 4,
      digest: digestOf("made"),
    },
  ];
  const result = reconcile({ ...input, lockfiles: [lockfile([...more, ...aliased])], used: read, made });
  expect(result.counts).toMatchObject({ locked: 2, fetched: 2, bundled: 2, local: 1, aliases: 1, usedByPlace: 1 });
  expect(result.packages.find((each) => each.package === "pkg:npm/a@1.0.0")?.usedBy).toEqual(["build", "test"]);
  expect(names(result)).toEqual(["made-by-the-step"]);
});

test("R2: fetched and not locked: refused, and by name", () => {
  const input = two();
  const result = reconcile({ ...input, records: [...input.records, record("evil", "6.6.6")] });
  expect(result.differences.filter((each) => each.effect !== "note")).toEqual([
    { name: "fetched-not-locked", effect: "refuse", items: ["pkg:npm/evil@6.6.6"] },
  ]);
  expect([result.counts.unknown, result.accounted]).toEqual([1, false]);
});

test("R2: what no lockfile names may be allowed by rule for its ecosystem, or by the pipeline for itself", () => {
  const deb = record("zlib1g", "1.2.13", { ecosystem: "deb" });
  const base = { ...two(), records: [...two().records, deb] };
  expect(names(reconcile(base))).toContain("fetched-not-locked");
  const signed = reconcile({ ...base, policy: { unlocked: { deb: "signed" } } });
  expect(items(signed, "fetched-unlocked")).toEqual(["pkg:deb/zlib1g@1.2.13"]);
  expect([signed.counts.unlocked, signed.counts.unknown, signed.accounted]).toEqual([1, 0, true]);
  const expected = [{ algorithm: "sha256" as const, value: "00", source: "pipeline" as const, from: "touchmark.yaml" }];
  const download = record(
    "data",
    "",
    { ecosystem: "generic", kind: "download", purl: "pkg:generic/data" },
    { expected },
  );
  expect(reconcile({ ...two(), records: [...two().records, download] }).counts.unknown).toBe(0);
  const commit = "c".repeat(40);
  const git = record("https://git.example/x", commit, { ecosystem: "git", kind: "git" });
  const pinned = { ...two(), records: [...two().records, git] };
  expect(reconcile(pinned).counts.unknown).toBe(1);
  expect(reconcile({ ...pinned, commits: [commit] }).counts.unknown).toBe(0);
});

test("R2: other bytes than the lockfile says: refused, with both", () => {
  const input = two();
  const wrong = record("a", "1.0.0", {}, { digest: digestOf("other") });
  const result = reconcile({ ...input, records: [wrong, ...input.records.slice(1)] });
  const [item] = items(result, "locked-digest-differs");
  expect(item).toContain("pkg:npm/a@1.0.0");
  expect(item).toContain(digestOf("other"));
  expect(result.accounted).toBe(false);
});

test("R2: a wheel that is none of those that the lockfile lists is other bytes", () => {
  const file = (name: string) => ({
    name,
    digests: [{ algorithm: "sha256" as const, value: digestOf(name).slice(7) }],
  });
  const entry = locked("some-pkg", "1.0", { ecosystem: "pypi", digests: [], files: [file("a.whl"), file("b.whl")] });
  const python = [lockfile([entry], { ecosystem: "pypi", path: "uv.lock" })];
  const got = (fileName: string, content: string) =>
    reconcile({
      ...world([]),
      lockfiles: python,
      records: [
        record(
          "Some.Pkg",
          "1.0",
          { ecosystem: "pypi", fileName, purl: "pkg:pypi/some-pkg@1.0" },
          { digest: digestOf(content) },
        ),
      ],
    });
  expect(got("b.whl", "b.whl").counts).toMatchObject({ locked: 1, fetched: 1, unknown: 0 });
  expect(names(got("b.whl", "else"))).toContain("locked-digest-differs");
  expect(names(got("c.whl", "c.whl"))).toContain("locked-digest-differs");
});

test("R2: a digest that the lockfile gives and nobody compared is a difference; one that held by another algorithm is none", () => {
  const sha512 = "ab".repeat(64);
  const entry = locked("a", "1.0.0", { digests: [{ algorithm: "sha512", value: sha512 }] });
  const of = (expected: readonly { algorithm: "sha512"; value: string }[]) =>
    reconcile({
      ...world([]),
      lockfiles: [lockfile([entry])],
      records: [
        record("a", "1.0.0", {}, { expected: expected.map((each) => ({ ...each, source: "lockfile", from: "x" })) }),
      ],
    });
  expect(names(of([]))).toContain("locked-digest-unchecked");
  expect(of([]).accounted).toBe(false);
  expect(of([{ algorithm: "sha512", value: sha512 }]).accounted).toBe(true);
  expect(names(of([{ algorithm: "sha512", value: "cd".repeat(64) }]))).toContain("locked-digest-differs");
});

test("R2: a lockfile without digests is said so", () => {
  const result = reconcile({
    ...two(),
    lockfiles: [lockfile(packages(two()).map((each) => ({ ...each, digests: [] })))],
  });
  expect(items(result, "locked-without-digest")).toEqual(["pkg:npm/@s/b@2.0.0", "pkg:npm/a@1.0.0"]);
  expect(result.accounted).toBe(true);
});

test("R2: one name and version with two contents: refused, both named; so is a second that the gate refused", () => {
  const input = two();
  const mirror = record("a", "1.0.0", {}, { digest: digestOf("other"), url: "https://mirror.example/a.tgz" });
  const twice = items(reconcile({ ...input, records: [...input.records, mirror] }), "same-name-other-bytes");
  expect(twice).toEqual([expect.stringContaining(digestOf("other"))]);
  const refused = [{ url: "https://mirror.example/a.tgz", code: "GATE_BYTES_CHANGED", purl: "pkg:npm/a@1.0.0" }];
  expect(names(reconcile({ ...input, refused }))).toEqual(["same-name-other-bytes"]);
});

test("R2: what was asked for, not locked and not let in ends the hermetic claim, and fails nothing", () => {
  const refused = [
    { url: "https://registry.example/evil", code: "GATE_NOT_LOCKED", purl: "pkg:npm/evil" },
    { url: "https://git.example/x", code: "SESSION_COMMIT_UNPINNED" },
    { url: "https://registry.example/odd", code: "SESSION_REQUEST_UNKNOWN" },
  ];
  const result = reconcile({ ...two(), refused });
  expect(result.differences).toEqual([
    {
      name: "asked-not-locked",
      effect: "not-hermetic",
      items: ["https://git.example/x (refused: SESSION_COMMIT_UNPINNED)", "pkg:npm/evil (refused: GATE_NOT_LOCKED)"],
    },
  ]);
  expect([result.counts.unknown, result.accounted]).toEqual([0, false]);
});

test("R2: two lockfiles that disagree about one package: refused", () => {
  const input = two();
  const other = lockfile([locked("a", "1.0.0", { digests: [{ algorithm: "sha256", value: "0".repeat(64) }] })], {
    path: "b/package-lock.json",
  });
  const result = reconcile({ ...input, lockfiles: [...input.lockfiles, other] });
  expect(names(result)).toEqual(["lockfiles-disagree"]);
});

test("R2: what is locked and not fetched is told apart: other platforms, optional, refused, missing", () => {
  const input = two();
  const more = [
    locked("for-aix", "1.0.0", { platform: { os: ["aix"] }, scope: "optional" }),
    locked("maybe", "1.0.0", { scope: "optional" }),
    locked("peer", "1.0.0", { scope: "peer" }),
    locked("missing", "1.0.0"),
    locked("denied", "1.0.0"),
  ];
  const refused = [{ url: "https://registry.example/denied", code: "GATE_DENIED", purl: "pkg:npm/denied@1.0.0" }];
  const result = reconcile({ ...input, lockfiles: [lockfile([...packages(input), ...more])], refused });
  expect(result.counts).toMatchObject({ locked: 7, fetched: 2, otherPlatforms: 1, optional: 2, notFetched: 2 });
  expect(names(result)).toEqual([
    "locked-not-fetched",
    "other-platform-not-fetched",
    "optional-not-fetched",
    "locked-refused",
  ]);
  expect(result.accounted).toBe(true);
});

test("R2: what only packages for other platforms lead to is for other platforms too", () => {
  const input = two();
  const others = [
    locked("wasm", "1.0.0", { key: "wasm", platform: { cpu: ["wasm32"] }, dependencies: ["runtime"], direct: false }),
    locked("runtime", "1.0.0", { key: "runtime", dependencies: ["tslib"], direct: false }),
    locked("tslib", "1.0.0", { key: "tslib", dependencies: ["runtime"], direct: false }),
    locked("shared", "1.0.0", { key: "shared", direct: false }),
  ];
  const [wasm, ...rest] = others;
  if (wasm === undefined) throw new Error("no entry");
  const leading = { ...wasm, dependencies: ["runtime", "shared"] };
  const host = locked("host", "1.0.0", { key: "host", dependencies: ["shared"], direct: true });
  const result = reconcile({ ...input, lockfiles: [lockfile([...packages(input), leading, ...rest, host])] });
  expect(result.counts).toMatchObject({ locked: 7, fetched: 2, otherPlatforms: 3, notFetched: 2 });
  expect(items(result, "locked-not-fetched")).toEqual(["pkg:npm/host@1.0.0", "pkg:npm/shared@1.0.0"]);
});

test("R2: packages from git and from addresses are matched by commit, repository and address", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const url = "https://files.example/x/tool.tgz";
  const entries = [
    locked("from-git", "1.0.0", {
      from: { kind: "git", url: "git+ssh://git@git.example/o/r.git", commit },
      digests: [],
      purl: "pkg:generic/r",
    }),
    locked("from-url", "1.0.0", { from: { kind: "url", url }, digests: [], purl: "pkg:generic/tool" }),
  ];
  const facts = { ecosystem: "git", kind: "git" } as const;
  const one = record("https://git.example/o/r", commit, facts);
  const several = record("https://git.example/o/r", "x", facts);
  const { version: _, ...unversioned } = several.facts;
  const generic = record(
    url,
    "",
    { ecosystem: "generic", kind: "download" },
    { url: "https://cdn.example/1", redirects: [url] },
  );
  for (const git of [one, { ...several, facts: unversioned }]) {
    const result = reconcile({ ...world([]), lockfiles: [lockfile(entries)], records: [git, generic] });
    expect(result.counts).toMatchObject({ locked: 2, fetched: 2, unknown: 0 });
    expect(items(result, "locked-without-digest")).toEqual(["pkg:generic/tool"]);
    expect(items(result, "content-unknown")).toEqual(["pkg:generic/r", "pkg:generic/tool"]);
  }
});

test("R2: answers that bring no package in are no packages: indexes, HEAD, 404", () => {
  const input = two();
  const none = [
    record("x", "1.0.0", { kind: "index" }),
    record("y", "1.0.0", {}, { method: "HEAD" }),
    record("z", "1.0.0", {}, { status: 404 }),
  ];
  expect(reconcile({ ...input, records: [...input.records, ...none] }).differences).toEqual([]);
});

test("R2: modules of which only the go.mod is wanted are no packages until one is fetched", () => {
  const h1 = [{ algorithm: "h1" as const, value: "00" }];
  const entry = locked("example.com/m", "v1.0.0", {
    ecosystem: "golang",
    digests: [],
    files: [{ name: "v1.0.0.mod", digests: h1 }],
  });
  const result = reconcile({ ...world([]), lockfiles: [lockfile([entry], { ecosystem: "golang", path: "go.sum" })] });
  expect([result.counts.locked, result.differences, result.packages]).toEqual([0, [], []]);
});

test("R5: rules can make an effect stronger, never weaker", () => {
  const input = { ...two(), used: [] };
  expect(reconcile(input).differences).toMatchObject([{ name: "never-used", effect: "note" }]);
  const strict = reconcile({ ...input, policy: { effects: { "never-used": "refuse" } } });
  expect([strict.differences[0]?.effect, strict.accounted]).toEqual(["refuse", false]);
  const unknown = { ...input, records: [...input.records, record("evil", "6.6.6")] };
  const loose = reconcile({ ...unknown, policy: { effects: { "fetched-not-locked": "note" } } });
  expect(loose.differences[0]).toMatchObject({ name: "fetched-not-locked", effect: "refuse" });
});

const packageName = fc.stringMatching(/^(@[a-z]{1,3}\/)?[a-z]{1,4}$/);
const version = fc.constantFrom("1.0.0", "1.2.3", "2.0.0");
const some = fc.uniqueArray(fc.tuple(packageName, version), {
  minLength: 1,
  maxLength: 12,
  selector: ([name]) => name,
});

test("R1: every locked package is fetched or left out for one reason, whatever is missing", () => {
  fc.assert(
    fc.property(some, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (list, kept) => {
      const input = world(list);
      const { counts, accounted } = reconcile({ ...input, records: input.records.filter((_, index) => kept[index]) });
      expect(counts.locked).toBe(list.length);
      expect(counts.fetched + counts.otherPlatforms + counts.optional + counts.notFetched).toBe(counts.locked);
      expect(counts.usedByContent + counts.usedByPlace + counts.usedMade).toBe(counts.usedFiles);
      expect(accounted).toBe(true);
    }),
  );
});

test("R1: the order of what is given changes nothing", () => {
  fc.assert(
    fc.property(some, some, (list, others) => {
      const input = world([...list]);
      const records = [...input.records, ...others.map(([name, at]) => record(name, at))];
      const turned = {
        ...input,
        lockfiles: input.lockfiles.map((each) => ({ ...each, packages: [...each.packages].reverse() })),
        records: [...records].reverse(),
        used: [...input.used].reverse(),
        made: [...input.made].reverse(),
      };
      expect(reconcile(turned)).toEqual(reconcile({ ...input, records }));
    }),
  );
});

test("R2: whatever single package loses its lock entry, exactly it is unknown", () => {
  fc.assert(
    fc.property(some, fc.nat(), (list, pick) => {
      const input = world(list);
      const lost = packages(input)[pick % list.length];
      const kept = packages(input).filter((each) => each !== lost);
      const result = reconcile({ ...input, lockfiles: [lockfile(kept)] });
      expect(items(result, "fetched-not-locked")).toEqual([lost?.purl]);
      expect(result.counts.unknown).toBe(1);
    }),
  );
});

test("R2: whatever single archive has other bytes, exactly it differs", () => {
  fc.assert(
    fc.property(some, fc.nat(), (list, pick) => {
      const input = world(list);
      const at = pick % list.length;
      const records = input.records.map((each, index) =>
        index === at ? { ...each, digest: digestOf("forged") } : each,
      );
      const result = reconcile({ ...input, records });
      expect(items(result, "locked-digest-differs").length).toBe(1);
      expect(items(result, "locked-digest-differs")[0]).toContain(`${input.records[at]?.facts.purl}:`);
    }),
  );
});
