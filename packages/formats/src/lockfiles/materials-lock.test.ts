import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { type MaterialsLock, materialsLockSchema, readLockfile, writeMaterialsLock } from "./index.ts";

const path = "touchmark-materials.lock.json";
const sha256 = "ab".repeat(32);
const commit = "c".repeat(40);
const packages: MaterialsLock["packages"] = [
  {
    purl: "pkg:maven/org.example/a@1.0",
    files: [
      { name: "a-1.0.jar", sha256 },
      { name: "a-1.0.pom", sha256 },
    ],
  },
  { purl: "pkg:deb/debian/libx@1:2-3?arch=amd64", files: [{ name: "libx_2-3_amd64.deb", sha256 }] },
  { purl: "pkg:generic/tool@1.0", files: [{ url: "https://files.example/tool-1.0.tgz", sha256 }] },
  {
    purl: `pkg:generic/repo@${commit}?vcs_url=git%2Bhttps://git.example/o/repo%40${commit}`,
    files: [],
    git: { url: "https://git.example/o/repo", commit },
  },
];

test("J10: what is written is read, in one spelling whatever the order", () => {
  const text = writeMaterialsLock(packages);
  expect(writeMaterialsLock([...packages].reverse())).toBe(text);
  const lockfile = readLockfile(path, text);
  expect(lockfile.format).toBe("touchmark-materials-1");
  expect(Object.fromEntries(lockfile.packages.map(({ name, ecosystem }) => [name, ecosystem]))).toEqual({
    libx: "deb",
    "org.example:a": "maven",
    repo: "git",
    tool: "generic",
  });
  const byName = new Map(lockfile.packages.map((one) => [one.name, one]));
  expect(byName.get("repo")?.from).toEqual({ kind: "git", url: "https://git.example/o/repo", commit });
  expect(byName.get("tool")).toMatchObject({
    version: "1.0",
    from: { kind: "url", url: "https://files.example/tool-1.0.tgz" },
    digests: [{ algorithm: "sha256", value: sha256 }],
    files: [{ name: "tool-1.0.tgz" }],
  });
  expect(byName.get("org.example:a")).toMatchObject({
    digests: [],
    files: [{ name: "a-1.0.jar" }, { name: "a-1.0.pom" }],
  });
});

test("J10: the published schema and the reader accept the same documents", () => {
  const schema = z.fromJSONSchema(materialsLockSchema());
  const good = { touchmark: "materials-lock/v1", packages };
  expect(schema.safeParse(good).success).toBe(true);
  const wrongs: unknown[] = [
    { ...good, more: 1 },
    { ...good, touchmark: "materials-lock/v2" },
    { touchmark: good.touchmark },
    { ...good, packages: [{ ...packages[0], more: 1 }] },
    { ...good, packages: [{ purl: "pkg:maven/g/a@1", files: [{ name: "a", sha256: "AB".repeat(32) }] }] },
    { ...good, packages: [{ ...packages[3], git: { url: "https://git.example/x", commit: "main" } }] },
  ];
  for (const wrong of wrongs) {
    expect(schema.safeParse(wrong).success).toBe(false);
    expect(() => readLockfile(path, JSON.stringify(wrong))).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^LOCKFILE_(?:MALFORMED|VERSION)$/) }),
    );
  }
});

test("J10: any set of files comes back from what was written", () => {
  const hex = fc.stringMatching(/^[0-9a-f]{64}$/);
  const file = fc.record({ name: fc.stringMatching(/^[a-z][a-z0-9.-]{0,12}$/), sha256: hex });
  const files = fc.uniqueArray(file, { minLength: 1, maxLength: 4, selector: ({ name }) => name });
  const one = fc.record({ purl: fc.stringMatching(/^pkg:maven\/[a-z]{1,6}\/[a-z]{1,6}@[0-9]{1,3}$/), files });
  fc.assert(
    fc.property(fc.uniqueArray(one, { selector: ({ purl }) => purl, maxLength: 5 }), (given) => {
      const lockfile = readLockfile(path, writeMaterialsLock(given));
      const back = lockfile.packages.map(({ purl, files = [] }) => [
        purl,
        files.map(({ name, digests }) => [name, digests[0]?.value]),
      ]);
      const wanted = given.map(({ purl, files }) => [purl, files.map(({ name, sha256 }) => [name, sha256])] as const);
      expect(back.map(([purl]) => purl)).toEqual(wanted.map(([purl]) => purl).sort());
      for (const [purl, all] of wanted) {
        const same = back.find(([name]) => name === purl)?.[1] as [string, string][];
        expect(Object.fromEntries(same)).toEqual(Object.fromEntries(all as [string, string][]));
      }
    }),
  );
});
