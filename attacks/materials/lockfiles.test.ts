import { createHash } from "node:crypto";
import { posix } from "node:path";
import { conflictsBetween, type LockfileOptions, readLockfile } from "@touchmark/formats/lockfiles";
import { expect, test } from "vitest";
import { naiveParse } from "../../packages/formats/src/pipeline/naive-reader.fixture.ts";

const sri = (bytes: string): string => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;
const hex = (bytes: string): string => createHash("sha256").update(bytes).digest("hex");

interface NaiveEntry {
  readonly version?: string;
  readonly integrity?: string;
  readonly inBundle?: boolean;
}
const npmLock = (packages: Record<string, object>, more: object = {}): string =>
  JSON.stringify({ lockfileVersion: 3, ...more, packages: { "": { name: "shop" }, ...packages } });
/** What most scripts do with a lockfile: parse, and look at the members that they know. */
const naive = (text: string) => JSON.parse(text) as { packages: Record<string, NaiveEntry> };

function refused(name: string, text: string, code: string, options: LockfileOptions = {}): void {
  expect(() => readLockfile(name, text, options)).toThrow(expect.objectContaining({ code, nature: "refused" }));
}

test("a flag inBundle on a package that nothing bundles: npm fetches it, and nobody asks for its digest", () => {
  const text = npmLock({ "node_modules/evil": { version: "1.0.0", inBundle: true } });
  const unchecked = Object.entries(naive(text).packages).filter(([place, entry]) => place !== "" && !entry.inBundle);
  expect(unchecked).toEqual([]);
  refused("package-lock.json", text, "LOCKFILE_DIGEST_MISSING");
});

test("a second digest beside the right one: by the rules of SRI any of them may hold, so the attacker's bytes do", () => {
  const text = npmLock({ "node_modules/a": { version: "1.0.0", integrity: `${sri("good")} ${sri("evil")}` } });
  const accepted = naive(text).packages["node_modules/a"]?.integrity?.split(" ").includes(sri("evil"));
  expect(accepted).toBe(true);
  refused("package-lock.json", text, "LOCKFILE_DIGEST");
});

test("one package of one version locked twice with different digests: deep in the tree nobody looks", () => {
  const text = npmLock({
    "node_modules/a": { version: "1.0.0", integrity: sri("good") },
    "node_modules/b": { version: "1.0.0", integrity: sri("b"), dependencies: { a: "1.0.0" } },
    "node_modules/b/node_modules/a": { version: "1.0.0", integrity: sri("evil") },
  });
  const top = naive(text).packages["node_modules/a"];
  expect(top?.integrity).toBe(sri("good"));
  refused("package-lock.json", text, "LOCKFILE_DUPLICATE");
});

test("a lockfile with two truths: reviewers read the member of npm 6, npm installs the other", () => {
  const text = npmLock(
    { "node_modules/a": { version: "6.6.6", integrity: sri("evil") } },
    { lockfileVersion: 2, dependencies: { a: { version: "1.0.0", integrity: sri("good") } } },
  );
  const reviewed = JSON.parse(text) as { dependencies: Record<string, NaiveEntry> };
  expect(reviewed.dependencies["a"]?.version).toBe("1.0.0");
  const lockfile = readLockfile("package-lock.json", text);
  expect(lockfile.packages.map(({ version }) => version)).toEqual(["6.6.6"]);
  expect(lockfile.limits.join()).toContain("npm 6");
});

test("one key twice: readers disagree about which one counts", () => {
  const text = `{"lockfileVersion":3,"packages":{"":{},"node_modules/a":{"version":"1.0.0","integrity":"${sri("good")}"},"node_modules/a":{"version":"6.6.6","integrity":"${sri("evil")}"}}}`;
  expect(naive(text).packages["node_modules/a"]?.version).toBe("6.6.6");
  expect(/"version":"([^"]*)"/.exec(text)?.[1]).toBe("1.0.0");
  refused("package-lock.json", text, "LOCKFILE_DUPLICATE");
});

test("a name that climbs out of node_modules writes where it likes", () => {
  const place = "node_modules/../../.ssh";
  expect(posix.join("/work/source", place)).toBe("/work/.ssh");
  refused("package-lock.json", npmLock({ [place]: { version: "1.0.0", integrity: sri("x") } }), "LOCKFILE_NAME");
  const alias = npmLock({ "node_modules/a": { name: "../../.ssh", version: "1.0.0", integrity: sri("x") } });
  refused("package-lock.json", alias, "LOCKFILE_NAME");
  const version = npmLock({ "node_modules/a": { version: "../../../x", integrity: sri("x") } });
  refused("package-lock.json", version, "LOCKFILE_NAME");
  refused("requirements.txt", `a==1.0/../../x --hash=sha256:${hex("x")}\n`, "LOCKFILE_NAME");
});

test("a name in another script looks like the one that was reviewed", () => {
  const cyrillic = "rеact";
  expect(cyrillic).not.toBe("react");
  const text = npmLock({ [`node_modules/${cyrillic}`]: { version: "18.2.0", integrity: sri("evil") } });
  refused("package-lock.json", text, "LOCKFILE_NAME");
});

test("a key __proto__ changes every object of who merges it", () => {
  const text = `{"lockfileVersion":3,"packages":{"":{},"__proto__":{"inBundle":true}}}`;
  const merged: Record<string, NaiveEntry> = {};
  for (const [key, value] of Object.entries(naive(text).packages)) Object.assign((merged[key] ??= {}), value);
  try {
    expect(({} as NaiveEntry).inBundle).toBe(true);
  } finally {
    delete (Object.prototype as { inBundle?: boolean }).inBundle;
  }
  refused("package-lock.json", text, "LOCKFILE_MALFORMED");
});

test("billion laughs in pnpm-lock.yaml", () => {
  const laughs = ["a: &a [x, x, x, x, x, x, x, x, x]"];
  for (const [one, other] of ["ab", "bc", "cd", "de"]) {
    laughs.push(`${other}: &${other} [${Array.from({ length: 9 }, () => `*${one}`).join(", ")}]`);
  }
  expect(JSON.stringify(naiveParse(laughs.join("\n"), { maxAliasCount: -1 })).length).toBeGreaterThan(200_000);
  refused("pnpm-lock.yaml", `lockfileVersion: '9.0'\n${laughs.join("\n")}\n`, "LOCKFILE_SYNTAX_FORBIDDEN");
});

test("entities of Gradle's verification metadata: a file of the host, or a billion laughs", () => {
  const entities = ["x", ...Array.from({ length: 6 }, (_, i) => `&e${i};`.repeat(10))];
  const expand = (text: string): string =>
    text.replace(/&e(\d);/g, (_, i: string) => expand(entities[Number(i)] as string));
  expect(expand("&e5;").length).toBe(100_000);
  const types = entities.map((text, i) => `<!ENTITY e${i} "${text}">`).join("");
  for (const type of [types, `<!ENTITY e5 SYSTEM "file:///etc/passwd">`]) {
    const text = `<!DOCTYPE v [${type}]><verification-metadata>&e5;</verification-metadata>`;
    refused("verification-metadata.xml", text, "LOCKFILE_SYNTAX_FORBIDDEN");
  }
});

test("a hash that was taken away: pip without --require-hashes installs whatever is served", () => {
  const text = `click==8.1.7 --hash=sha256:${hex("click")}\nevil==1.0\n`;
  const names = text.split("\n").map((line) => /^([a-z]+)==/.exec(line)?.[1]);
  expect(names).toContain("evil");
  refused("requirements.txt", text, "LOCKFILE_DIGEST_MISSING");
});

test("a branch instead of a commit: tomorrow it is another tree", () => {
  const branch = npmLock({ "node_modules/a": { version: "1.0.0", resolved: "git+https://git.example/o/a.git#main" } });
  refused("package-lock.json", branch, "LOCKFILE_ADDRESS");
  refused("requirements.txt", "a @ git+https://git.example/o/a.git@main\n", "LOCKFILE_ADDRESS");
});

test("a password in an address would be fetched with, recorded and published", () => {
  const resolved = "https://ci:hunter2@registry.example/a/-/a-1.0.0.tgz";
  const text = npmLock({ "node_modules/a": { version: "1.0.0", integrity: sri("a"), resolved } });
  expect(() => readLockfile("package-lock.json", text)).toThrow(
    expect.objectContaining({ code: "LOCKFILE_ADDRESS", message: expect.not.stringContaining("hunter2") }),
  );
});

test("a requirements file that includes one outside the project reads the host", () => {
  const asked: string[] = [];
  const companion = (path: string): string => {
    asked.push(path);
    return `a==1.0 --hash=sha256:${hex("a")}\n`;
  };
  expect(posix.join("/work/source", "../../etc/passwd")).toBe("/etc/passwd");
  refused("requirements.txt", "-r ../../etc/passwd\n", "LOCKFILE_INCLUDE", { companion });
  refused("requirements.txt", "-r /etc/passwd\n", "LOCKFILE_PATH", { companion });
  refused("requirements.txt", "-r x/../../../etc/passwd\n", "LOCKFILE_PATH", { companion });
  expect(asked).toEqual([]);
});

test("a second lockfile beside the reviewed one: which one a build gets depends on the client", () => {
  const reviewed = readLockfile(
    "package-lock.json",
    npmLock({ "node_modules/a": { version: "2.0.0", integrity: sri("good") } }, {}).replace(
      '"name":"shop"',
      '"name":"shop","dependencies":{"a":"*"}',
    ),
  );
  const entry = `a@*:\n  version "1.0.0"\n  resolved "https://registry.example/a.tgz"\n  integrity ${sri("old")}\n`;
  const other = readLockfile("yarn.lock", `# yarn lockfile v1\n\n\n${entry}`);
  expect(other.packages).toHaveLength(1);
  expect(conflictsBetween([reviewed, other])).toEqual([
    expect.objectContaining({ kind: "version", name: "a", found: ["2.0.0", "1.0.0"] }),
  ]);
});
