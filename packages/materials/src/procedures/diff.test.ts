import type { LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { diffMaterials } from "./diff.ts";

const sha = (digit: string): string => digit.repeat(64);
const locked = (name: string, version: string, more: Partial<LockedPackage> = {}): LockedPackage => ({
  key: `${name}@${version}`,
  ecosystem: "npm",
  name,
  version,
  purl: `pkg:npm/${name}@${version}`,
  from: { kind: "registry" },
  digests: [{ algorithm: "sha256", value: sha("a") }],
  scope: "runtime",
  dependencies: [],
  direct: true,
  ...more,
});
const lockfile = (...packages: LockedPackage[]): Lockfile => ({
  format: "npm-package-lock-3",
  ecosystem: "npm",
  path: "package-lock.json",
  packages,
  limits: [],
});
const diff = (before: LockedPackage[], after: LockedPackage[]) =>
  diffMaterials([lockfile(...before)], [lockfile(...after)]);
const kinds = (before: LockedPackage[], after: LockedPackage[]) =>
  diff(before, after).findings.map(({ kind, name, alarm }) => `${kind} ${name}${alarm ? " !" : ""}`);

describe("D1: what two revisions of the lockfiles differ in", () => {
  test("D1: names that came, went and changed their versions", () => {
    const found = diff(
      [locked("gone", "1"), locked("kept", "1"), locked("moved", "1"), locked("twice", "1")],
      [locked("new", "1"), locked("kept", "1"), locked("moved", "2"), locked("twice", "1"), locked("twice", "2")],
    );
    expect(found.added.map(({ name }) => name)).toEqual(["new"]);
    expect(found.removed.map(({ name }) => name)).toEqual(["gone"]);
    expect(found.changed.map(({ name, before, after }) => [name, before, after])).toEqual([
      ["moved", ["1"], ["2"]],
      ["twice", ["1"], ["1", "2"]],
    ]);
    expect(found.findings).toEqual([]);
  });

  test("D1: another digest under the same version is an alarm and comes first", () => {
    const other = locked("one", "1", { digests: [{ algorithm: "sha256", value: sha("b") }] });
    expect(kinds([locked("one", "1")], [locked("two", "1", { installScripts: true }), other])).toEqual([
      "changed-digest one !",
      "new-install-scripts two",
    ]);
    const more = locked("one", "1", { digests: [...other.digests, ...locked("one", "1").digests] });
    expect(kinds([locked("one", "1")], [more])).toEqual([]);
    const strong = locked("one", "1", { digests: [{ algorithm: "sha512", value: "c".repeat(128) }] });
    expect(kinds([locked("one", "1")], [strong])).toEqual([]);
  });

  test("D1: files of a version are compared one by one", () => {
    const files = (...rows: [string, string][]) => ({
      digests: [],
      files: rows.map(([name, digit]) => ({ name, digests: [{ algorithm: "sha256" as const, value: sha(digit) }] })),
    });
    const before = locked("one", "1", files(["a.whl", "a"], ["b.whl", "b"]));
    expect(kinds([before], [locked("one", "1", files(["a.whl", "c"], ["c.whl", "c"]))])).toEqual([
      "changed-digest one !",
      "new-file one",
    ]);
  });

  test("D1: hosts, sources and install scripts that are new are named", () => {
    const url = (host: string): Partial<LockedPackage> => ({
      from: { kind: "registry", url: `https://${host}/one.tgz` },
    });
    expect(kinds([locked("one", "1", url("a.example"))], [locked("one", "2", url("b.example"))])).toEqual([
      "new-host one",
    ]);
    const git = { from: { kind: "git", url: "git+https://a.example/one", commit: "0".repeat(40) } } as const;
    expect(kinds([locked("one", "1", url("a.example"))], [locked("one", "1", git)])).toEqual(["new-source one"]);
    expect(kinds([locked("one", "1")], [locked("one", "2", { installScripts: true })])).toEqual([
      "new-install-scripts one",
    ]);
    const own = locked("own", "1", { from: { kind: "local", path: "own" }, installScripts: true });
    expect(diff([], [own]).added).toEqual([]);
  });

  test("D1: a publisher that no earlier version had is named; what is not known is said", () => {
    const version = (number: string, publisher: string) => ({
      ...{ version: number, publisher, admittedAt: "2026-01-01T00:00:00Z", upstream: "own" },
      evidence: [],
      installScripts: false,
    });
    const versions = [version("1", "ann"), version("2", "bob"), version("3", "ann")];
    const history = () => ({ package: "pkg:npm/one", versions });
    const to = (number: string) =>
      diffMaterials([lockfile(locked("one", "1"))], [lockfile(locked("one", number))], history);
    expect(to("2").findings.map(({ kind, message }) => [kind, message])).toEqual([
      ["new-publisher", "bob, before ann"],
    ]);
    expect(to("3").findings).toEqual([]);
    expect(to("4").limits).toEqual(["who published 1 new or changed versions is not known from earlier runs"]);
  });

  test("D1: nothing differs from itself, and two revisions without lockfiles are refused", () => {
    const arbitrary = fc.array(
      fc.record({ name: fc.constantFrom("a", "b", "c"), version: fc.constantFrom("1", "2"), scripts: fc.boolean() }),
    );
    fc.assert(
      fc.property(arbitrary, (rows) => {
        const packages = rows.map(({ name, version, scripts }) => locked(name, version, { installScripts: scripts }));
        const { added, removed, changed, findings } = diff(packages, packages);
        expect([added, removed, changed, findings]).toEqual([[], [], [], []]);
      }),
    );
    expect(() => diffMaterials([], [])).toThrow(expect.objectContaining({ code: "PROCEDURE_NO_LOCKFILE" }));
  });
});
