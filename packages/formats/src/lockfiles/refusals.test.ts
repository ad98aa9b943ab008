import { expect, test } from "vitest";
import { isLockfileName, type LockfileOptions, lockfileNames, readLockfile } from "./index.ts";

const hex = "ab".repeat(32);
const sha = `sha256-${Buffer.from(hex, "hex").toString("base64")}`;
const other = `sha256-${Buffer.from("cd".repeat(32), "hex").toString("base64")}`;
const h1 = `h1:${Buffer.from(hex, "hex").toString("base64")}`;
const commit = "a".repeat(40);

function refused(name: string, content: string | Uint8Array, code: string, options: LockfileOptions = {}): void {
  const expected = expect.objectContaining({ code, nature: code === "LOCKFILE_UNKNOWN" ? "invalid" : "refused" });
  expect(() => readLockfile(name, content, options)).toThrow(expected);
}

const npm = (packages: Record<string, unknown>): string =>
  JSON.stringify({ lockfileVersion: 3, packages: { "": {}, ...packages } });
const pnpm = (packages: string, more = ""): string =>
  `lockfileVersion: '9.0'\nimporters:\n  .:\n    dependencies: {}\n${more}packages:\n${packages}`;
const yarn = (entry: string): string => `# yarn lockfile v1\n\n\n${entry}`;
const cargo = (packages: string, version = "4"): string => `version = ${version}\n${packages}`;
const crate = (name: string, more = `checksum = "${hex}"`): string =>
  `[[package]]\nname = "${name}"\nversion = "1.0.0"\nsource = "registry+https://registry.example/index"\n${more}\n`;
const uv = (packages: string): string => `version = 1\n${packages}`;
const wheel = (
  name: string,
  more = `hash = "sha256:${hex}"`,
  source = `registry = "https://r.example/simple"`,
): string =>
  `[[package]]\nname = "${name}"\nversion = "1.0"\nsource = { ${source} }\nwheels = [{ url = "https://f.example/${name}-1.0-py3-none-any.whl", ${more} }]\n`;
const gradle = (inside: string): string =>
  `<?xml version="1.0"?><verification-metadata>${inside}</verification-metadata>`;
const pinned = (name: string): string => `${name}==1.0 --hash=sha256:${hex}\n`;

test("J1: lockfiles are known by name, and by content where two share one", () => {
  for (const name of lockfileNames) expect(isLockfileName(`some/where/${name}`)).toBe(true);
  expect(isLockfileName("a/requirements-dev.txt")).toBe(true);
  expect(isLockfileName("pylock.docs.toml")).toBe(true);
  for (const name of ["package.json", "yarn.lock.bak", "constructor", "requirements.in", "CARGO.LOCK"]) {
    expect(isLockfileName(name)).toBe(false);
    refused(name, "{}", "LOCKFILE_UNKNOWN");
  }
  expect(readLockfile("yarn.lock", yarn("")).format).toBe("yarn-classic-1");
});

test.each([
  ["pnpm-lock.yaml", "lockfileVersion: 5.4\n"],
  ["pnpm-lock.yaml", "packages: {}\n"],
  ["yarn.lock", "__metadata:\n  version: 99\n"],
  ["Cargo.lock", crate("a")],
  ["Cargo.lock", cargo("", "2")],
  ["uv.lock", "version = 2\n"],
  ["poetry.lock", `[metadata]\nlock-version = "1.1"\n`],
  ["pylock.toml", `lock-version = "2.0"\n`],
  ["touchmark-materials.lock.json", `{"touchmark":"materials-lock/v2","packages":[]}`],
])("J1: %s: another version of the format is refused by name: %j", (name, content) => {
  refused(name, content, "LOCKFILE_VERSION");
});

test.each([
  ["npm", "package-lock.json", npm({ "node_modules/a": { version: "1.0.0" } })],
  ["pnpm", "pnpm-lock.yaml", pnpm("  a@1.0.0:\n    resolution: {}\n", "snapshots:\n  a@1.0.0: {}\n")],
  [
    "a tarball of pnpm",
    "pnpm-lock.yaml",
    pnpm(
      "  a@https://x.example/a.tgz:\n    resolution: {tarball: https://x.example/a.tgz}\n",
      "snapshots:\n  a@https://x.example/a.tgz: {}\n",
    ),
  ],
  ["yarn", "yarn.lock", yarn(`a@^1.0.0:\n  version "1.0.0"\n  resolved "https://r.example/a.tgz"\n`)],
  ["yarn without an address", "yarn.lock", yarn(`a@^1.0.0:\n  version "1.0.0"\n`)],
  ["pip", "requirements.txt", "a==1.0\n"],
  ["pip with an address", "requirements.txt", "a @ https://x.example/a-1.0.tar.gz\n"],
  ["uv", "uv.lock", uv(`[[package]]\nname = "a"\nversion = "1.0"\nsource = { registry = "https://r.example" }\n`)],
  ["a wheel of uv", "uv.lock", uv(wheel("a", "size = 1"))],
  ["Cargo", "Cargo.lock", cargo(crate("a", ""))],
  ["pylock", "pylock.toml", `lock-version = "1.0"\n[[packages]]\nname = "a"\nversion = "1.0"\n`],
  ["poetry", "poetry.lock", `[[package]]\nname = "a"\nversion = "1.0"\nfiles = []\n[metadata]\nlock-version = "2.1"\n`],
  [
    "ours",
    "touchmark-materials.lock.json",
    `{"touchmark":"materials-lock/v1","packages":[{"purl":"pkg:maven/g/a@1","files":[]}]}`,
  ],
])("J4: %s without a digest is refused", (_, name, content) => {
  refused(name, content, "LOCKFILE_DIGEST_MISSING");
});

test("J4: a module that go.mod requires has a hash in go.sum", () => {
  const companion = () => "module m\n\nrequire example.com/a v1.0.0\n";
  refused("go.sum", "", "LOCKFILE_DIGEST_MISSING", { companion });
  expect(readLockfile("go.sum", `example.com/a v1.0.0/go.mod ${h1}\n`, { companion }).packages).toHaveLength(1);
});

test.each([
  "a>=1.0 --hash=sha256:" + hex,
  "a==1.* --hash=sha256:" + hex,
  "a==1.0,>0.5 --hash=sha256:" + hex,
  "a --hash=sha256:" + hex,
])("J4: %s pins no version", (line) => {
  refused("requirements.txt", line, "LOCKFILE_UNPINNED");
});

test.each([
  ["npm", "package-lock.json", npm({ "node_modules/.hidden": { version: "1.0.0", integrity: sha } })],
  ["npm", "package-lock.json", npm({ "node_modules/a b": { version: "1.0.0", integrity: sha } })],
  ["npm", "package-lock.json", npm({ "node_modules/@s/": { version: "1.0.0", integrity: sha } })],
  ["npm", "package-lock.json", npm({ "node_modules/a": { name: "../../x", version: "1.0.0", integrity: sha } })],
  ["npm", "package-lock.json", npm({ "node_modules/a": { version: "1.0.0/../..", integrity: sha } })],
  ["npm", "package-lock.json", npm({ "node_modules/a": { version: "latest", integrity: sha } })],
  ["npm", "package-lock.json", npm({ "node_modules/a\u202e": { version: "1.0.0", integrity: sha } })],
  ["npm", "package-lock.json", npm({ "node_modules/а": { version: "1.0.0", integrity: sha } })],
  [
    "pnpm",
    "pnpm-lock.yaml",
    pnpm(`  '../x@1.0.0':\n    resolution: {integrity: ${sha}}\n`, "snapshots:\n  '../x@1.0.0': {}\n"),
  ],
  [
    "yarn",
    "yarn.lock",
    yarn(`"../x@1":\n  version "1.0.0"\n  resolved "https://r.example/a.tgz"\n  integrity ${sha}\n`),
  ],
  ["pip", "requirements.txt", pinned("a..b")],
  ["pip", "requirements.txt", `a==1.0/.. --hash=sha256:${hex}`],
  ["uv", "uv.lock", uv(wheel("-a"))],
  ["a file of uv", "uv.lock", uv(wheel("a").replace("a-1.0-py3", "%2e%2e%2fa-1.0-py3"))],
  ["Cargo", "Cargo.lock", cargo(crate("a/b"))],
  ["Cargo", "Cargo.lock", cargo(crate("a").replace("1.0.0", "1"))],
  ["go", "go.sum", `example.com/../a v1.0.0 ${h1}\n`],
  ["go", "go.sum", `example.com/a latest ${h1}\n`],
  ["gradle", "gradle.lockfile", "g:../a:1=compileClasspath\n"],
  [
    "ours",
    "touchmark-materials.lock.json",
    `{"touchmark":"materials-lock/v1","packages":[{"purl":"pkg:NPM/a@1.0.0","files":[{"sha256":"${hex}","name":"a"}]}]}`,
  ],
  [
    "ours",
    "touchmark-materials.lock.json",
    `{"touchmark":"materials-lock/v1","packages":[{"purl":"pkg:gem/a@1.0.0","files":[{"sha256":"${hex}","name":"a"}]}]}`,
  ],
  [
    "ours",
    "touchmark-materials.lock.json",
    `{"touchmark":"materials-lock/v1","packages":[{"purl":"pkg:maven/g/a@1","files":[{"sha256":"${hex}","name":"../a"}]}]}`,
  ],
])("J5: a name of %s that no registry allows (%s) is refused", (_, name, content) => {
  refused(name, content, "LOCKFILE_NAME");
});

test.each([
  ["npm", "package-lock.json", npm({ "packages/../x": { version: "1.0.0", integrity: sha } })],
  ["npm", "package-lock.json", npm({ "/etc": { version: "1.0.0" } })],
  ["a link of npm", "package-lock.json", npm({ "node_modules/a": { resolved: "/etc", link: true } })],
  [
    "a tarball of npm",
    "package-lock.json",
    npm({ "node_modules/a": { version: "1.0.0", resolved: "file:a/../../../x.tgz" } }),
  ],
  ["pnpm", "pnpm-lock.yaml", "lockfileVersion: '9.0'\nimporters:\n  /etc: {}\n"],
  ["yarn", "yarn.lock", yarn(`"a@file:/etc":\n  version "1.0.0"\n`)],
  ["pip", "requirements.txt", "-e /etc\n"],
  ["pip", "requirements.txt", "-r ../../x/../y.txt\n"],
  ["uv", "uv.lock", uv(`[[package]]\nname = "a"\nsource = { editable = "C:\\\\x" }\n`)],
  ["go.mod", "go.sum", ""],
])("J5: a path of %s (%s) that is absolute or not normalised is refused", (format, name, content) => {
  const companion = () => (format === "go.mod" ? "module m\nreplace example.com/a => ./x/../../y\n" : undefined);
  refused(name, content, "LOCKFILE_PATH", { companion });
});

test.each([
  [
    "npm with a password",
    "package-lock.json",
    npm({ "node_modules/a": { version: "1.0.0", integrity: sha, resolved: "https://u:p@r.example/a.tgz" } }),
  ],
  [
    "npm with another scheme",
    "package-lock.json",
    npm({ "node_modules/a": { version: "1.0.0", integrity: sha, resolved: "ftp://r.example/a.tgz" } }),
  ],
  [
    "a branch of npm",
    "package-lock.json",
    npm({ "node_modules/a": { version: "1.0.0", resolved: "git+https://h.example/a.git#main" } }),
  ],
  [
    "a short commit of pnpm",
    "pnpm-lock.yaml",
    pnpm(
      "  a@git+https://h.example/a.git#abc:\n    resolution: {type: git, repo: https://h.example/a.git, commit: abc}\n",
      "snapshots:\n  a@git+https://h.example/a.git#abc: {}\n",
    ),
  ],
  ["a branch of pip", "requirements.txt", "a @ git+https://h.example/a.git@main\n"],
  ["no revision of pip", "requirements.txt", "git+https://h.example/a.git#egg=a\n"],
  ["mercurial of pip", "requirements.txt", `hg+https://h.example/a@${commit}#egg=a\n`],
  ["a source of Cargo", "Cargo.lock", cargo(crate("a").replace("registry+", "svn+"))],
  [
    "a branch of Cargo",
    "Cargo.lock",
    cargo(
      crate("a", "").replace("registry+https://registry.example/index", "git+https://h.example/a?branch=main#main"),
    ),
  ],
  [
    "a local git repository",
    "Cargo.lock",
    cargo(crate("a", "").replace("registry+https://registry.example/index", `git+file:///srv/a#${commit}`)),
  ],
  ["a wheel of uv", "uv.lock", uv(wheel("a").replace("https://f.", "javascript:"))],
  [
    "another package",
    "package-lock.json",
    npm({ "node_modules/a": { version: "1.0.0", integrity: sha, resolved: "https://r.example/b/-/b-1.0.0.tgz" } }),
  ],
  [
    "another version",
    "package-lock.json",
    npm({
      "node_modules/@s/a": { version: "1.0.0", integrity: sha, resolved: "https://r.example/@s%2fa/-/a-0.9.0.tgz" },
    }),
  ],
  [
    "another package",
    "yarn.lock",
    yarn(`a@1:\n  version "1.0.0"\n  resolved "https://r.example/b/-/b-1.0.0.tgz"\n  integrity ${sha}\n`),
  ],
  [
    "another package",
    "pnpm-lock.yaml",
    pnpm(
      `  a@1.0.0:\n    resolution: {integrity: ${sha}, tarball: https://r.example/b/-/b-1.0.0.tgz}\n`,
      "snapshots:\n  a@1.0.0: {}\n",
    ),
  ],
  ["a wheel of another package", "uv.lock", uv(wheel("a").replace("f.example/a-", "f.example/aa-"))],
  [
    "an sdist of another package",
    "poetry.lock",
    `[[package]]\nname = "a"\nversion = "1.0"\nfiles = [{file = "b-1.0.tar.gz", hash = "sha256:${hex}"}]\n[metadata]\nlock-version = "2.1"\n`,
  ],
  [
    "a new line",
    "package-lock.json",
    npm({ "node_modules/a": { version: "1.0.0", integrity: sha, resolved: "https://r.example/a\n.tgz" } }),
  ],
])("J5: an address of %s (%s) is refused", (_, name, content) => {
  refused(name, content, "LOCKFILE_ADDRESS");
});

test.each([
  ["npm", "package-lock.json", npm({ "node_modules/a": { version: "1.0.0", integrity: "sha512-AAAA" } })],
  ["npm", "package-lock.json", npm({ "node_modules/a": { version: "1.0.0", integrity: "md6-AAAA" } })],
  [
    "two that may hold",
    "package-lock.json",
    npm({ "node_modules/a": { version: "1.0.0", integrity: `${sha} ${other}` } }),
  ],
  ["no words", "package-lock.json", npm({ "node_modules/a": { version: "1.0.0", integrity: " " } })],
  ["pip", "requirements.txt", `a==1.0 --hash=sha256:${hex.slice(2)}\n`],
  ["pip", "requirements.txt", `a==1.0 --hash=crc:${hex}\n`],
  ["pip", "requirements.txt", `a==1.0 --hash=${hex}\n`],
  ["yarn", "yarn.lock", yarn(`a@1:\n  version "1.0.0"\n  resolved "https://r.example/a.tgz#abc"\n`)],
  ["go", "go.sum", "example.com/a v1.0.0 h2:AAAA\n"],
  ["go", "go.sum", "example.com/a v1.0.0 h1:AAAA\n"],
  ["Cargo", "Cargo.lock", cargo(crate("a", `checksum = "${hex.slice(2)}"`))],
  [
    "gradle",
    "verification-metadata.xml",
    gradle(
      `<components><component group="g" name="a" version="1"><artifact name="a-1.jar"><sha256 value="x"/></artifact></component></components>`,
    ),
  ],
])("J5: a digest of %s (%s) that is none is refused: %s", (_, name, content) => {
  refused(name, content, "LOCKFILE_DIGEST");
});

test.each([
  ["npm", "package-lock.json", `{"lockfileVersion":3,"packages":{"":{},"":{}}}`],
  [
    "one package, two digests",
    "package-lock.json",
    npm({
      "node_modules/a": { version: "1.0.0", integrity: sha },
      "node_modules/b/node_modules/a": { version: "1.0.0", integrity: other },
    }),
  ],
  ["pnpm", "pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  a@1.0.0: {}\n  a@1.0.0: {}\n"],
  ["yarn", "yarn.lock", yarn(`a@1:\n  version "1.0.0"\na@1:\n  version "1.0.0"\n`)],
  ["a field of yarn", "yarn.lock", yarn(`a@1:\n  version "1.0.0"\n  version "1.0.1"\n`)],
  [
    "a group of yarn",
    "yarn.lock",
    yarn(`a@1:\n  version "1.0.0"\n  dependencies:\n    b "1"\n  dependencies:\n    c "1"\n`),
  ],
  [
    "two digests of yarn",
    "yarn.lock",
    yarn(
      `a@1:\n  version "1.0.0"\n  resolved "https://r.example/a.tgz#${"ab".repeat(20)}"\n  integrity sha1-${Buffer.alloc(20).toString("base64")}\n`,
    ),
  ],
  [
    "berry",
    "yarn.lock",
    `__metadata:\n  version: 8\n"a@npm:1, b@npm:1":\n  version: 1.0.0\n  resolution: "a@npm:1.0.0"\n"b@npm:1":\n  version: 1.0.0\n  resolution: "b@npm:1.0.0"\n`,
  ],
  ["pip", "requirements.txt", `${pinned("a")}a==1.0 --hash=sha256:${"cd".repeat(32)}\n`],
  ["go", "go.sum", `example.com/a v1.0.0 ${h1}\nexample.com/a v1.0.0 h1:${Buffer.alloc(32).toString("base64")}\n`],
  ["Cargo", "Cargo.lock", cargo(crate("a") + crate("a"))],
  ["attributes", "verification-metadata.xml", `<verification-metadata a="1" a="2"/>`],
  [
    "components",
    "verification-metadata.xml",
    gradle(`<components>${`<component group="g" name="a" version="1"/>`.repeat(2)}</components>`),
  ],
  [
    "digests",
    "verification-metadata.xml",
    gradle(
      `<components><component group="g" name="a" version="1"><artifact name="a.jar"><sha256 value="${hex}"/><sha256 value="${hex}"/></artifact></component></components>`,
    ),
  ],
  [
    "ours",
    "touchmark-materials.lock.json",
    `{"touchmark":"materials-lock/v1","packages":[{"purl":"pkg:maven/g/a@1","files":[{"sha256":"${hex}","name":"a"},{"sha256":"${hex}","name":"a"}]}]}`,
  ],
])("J7: what stands twice in %s (%s) is refused: %s", (_, name, content) => {
  refused(name, content, "LOCKFILE_DUPLICATE");
});

test.each([
  [
    "pnpm",
    "pnpm-lock.yaml",
    pnpm(
      `  a@1.0.0:\n    resolution: {integrity: ${sha}}\n`,
      "snapshots:\n  a@1.0.0:\n    dependencies:\n      b: 1.0.0\n",
    ),
  ],
  [
    "yarn",
    "yarn.lock",
    yarn(
      `a@1:\n  version "1.0.0"\n  resolved "https://r.example/a.tgz"\n  integrity ${sha}\n  dependencies:\n    b "^1.0.0"\n`,
    ),
  ],
  [
    "berry",
    "yarn.lock",
    `__metadata:\n  version: 8\n"s@workspace:.":\n  version: 0.0.0-use.local\n  resolution: "s@workspace:."\n  dependencies:\n    a: "npm:1"\n`,
  ],
  ["Cargo", "Cargo.lock", cargo(crate("a", `checksum = "${hex}"\ndependencies = ["b"]`))],
  ["uv", "uv.lock", uv(`${wheel("a")}dependencies = [{ name = "b" }]\n`)],
  [
    "poetry",
    "poetry.lock",
    `[[package]]\nname = "a"\nversion = "1.0"\nfiles = [{file = "a-1.0.tar.gz", hash = "sha256:${hex}"}]\n[package.dependencies]\nb = "*"\n[metadata]\nlock-version = "2.1"\n`,
  ],
  [
    "pylock",
    "pylock.toml",
    `lock-version = "1.0"\n[[packages]]\nname = "a"\ndirectory = { path = "." }\ndependencies = [{ name = "b" }]\n`,
  ],
])("J7: an edge of %s (%s) that leads nowhere is refused", (_, name, content) => {
  refused(name, content, "LOCKFILE_EDGE");
});

test("J8: includes are read through the caller, and nothing else is", () => {
  const files: Record<string, string> = { "sub/base.txt": `${pinned("b")}-r more.txt\n`, "sub/more.txt": pinned("c") };
  const companion = (path: string) => files[path];
  const lockfile = readLockfile("x/requirements.txt", `${pinned("a")}-r sub/base.txt\n`, { companion });
  expect(lockfile.packages.map(({ name }) => name)).toEqual(["a", "b", "c"]);
  refused("requirements.txt", "-r sub/base.txt\n", "LOCKFILE_INCLUDE");
  refused("requirements.txt", "-r gone.txt\n", "LOCKFILE_INCLUDE", { companion });
  refused("requirements.txt", "-r ../up.txt\n", "LOCKFILE_INCLUDE", { companion: () => pinned("a") });
  refused("requirements.txt", "-r a.txt\n", "LOCKFILE_INCLUDE", { companion: () => "--requirement a.txt\n" });
  refused("requirements.txt", "-r 0.txt\n", "LOCKFILE_INCLUDE", {
    companion: (path) => `-r ${Number.parseInt(path, 10) + 1}.txt\n`,
  });
});

test.each([
  ["an anchor", "pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages: &a {}\n"],
  ["an alias", "pnpm-lock.yaml", "lockfileVersion: &v '9.0'\nother: *v\n"],
  ["a tag", "pnpm-lock.yaml", "lockfileVersion: !!js/function '9.0'\n"],
  ["a directive", "pnpm-lock.yaml", "%YAML 1.1\n---\nlockfileVersion: '9.0'\n"],
  ["a document type", "verification-metadata.xml", `<!DOCTYPE a [<!ENTITY x "y">]><verification-metadata/>`],
  ["an entity", "verification-metadata.xml", gradle(`<a b="&x;"/>`)],
  ["a character", "verification-metadata.xml", gradle("&#65;")],
  ["CDATA", "verification-metadata.xml", gradle("<![CDATA[x]]>")],
  ["an instruction", "verification-metadata.xml", gradle("<?php x ?>")],
])("J6: %s (%s), which no client writes, is refused", (_, name, content) => {
  refused(name, content, "LOCKFILE_SYNTAX_FORBIDDEN");
});

test.each([
  ["package-lock.json", ""],
  ["package-lock.json", npm({ "node_modules/a": { version: 1 } })],
  ["package-lock.json", `{"lockfileVersion":3,"packages":{}}`],
  ["package-lock.json", `{"lockfileVersion":3,"packages":{"__proto__":{}}}`],
  ["package-lock.json", npm({ "node_modules/a": [] })],
  ["pnpm-lock.yaml", "lockfileVersion: '9.0'\n---\nlockfileVersion: '9.0'\n"],
  ["pnpm-lock.yaml", "lockfileVersion: '9.0'\npackages:\n  __proto__: {}\n"],
  ["pnpm-lock.yaml", pnpm("  a:\n    resolution: {}\n", "snapshots:\n  a: {}\n")],
  ["pnpm-lock.yaml", pnpm("  a@x:\n    resolution: {type: zip}\n", "snapshots:\n  a@x: {}\n")],
  ["yarn.lock", yarn("<<<<<<< HEAD\n")],
  ["yarn.lock", yarn("a@1:\n   version 1\n")],
  ["yarn.lock", yarn(`a@1:\n  version "\\u00"\n`)],
  ["yarn.lock", yarn(`a@1, b@1:\n  version "1.0.0"\n`)],
  ["yarn.lock", `__metadata:\n  version: 8\n`],
  ["Cargo.lock", "version = 4\n[[package]\n"],
  ["Cargo.lock", "version = 4\nversion = 4\n"],
  ["uv.lock", uv(wheel("a").replace("registry = ", "magic = "))],
  ["requirements.txt", `--frobnicate\n`],
  ["requirements.txt", "a==${VERSION} --hash=sha256:x\n"],
  ["requirements.txt", "a==1.0 \\"],
  ["requirements.txt", `a==1.0 --hash=sha256:${hex} --frobnicate\n`],
  ["go.sum", "example.com/a v1.0.0\n"],
  ["gradle.lockfile", "a:b\n"],
  ["verification-metadata.xml", "<a/>"],
  ["verification-metadata.xml", "<verification-metadata>"],
  ["verification-metadata.xml", "<verification-metadata></other>"],
  ["verification-metadata.xml", "<verification-metadata/><b/>"],
  ["verification-metadata.xml", "text<verification-metadata/>"],
  ["verification-metadata.xml", gradle(`<!-- -- -->`)],
  ["verification-metadata.xml", gradle(`<components><component group="g"/></components>`)],
  ["touchmark-materials.lock.json", `{"touchmark":"materials-lock/v1","packages":[],"more":1}`],
])("J6: %s that breaks its format is refused: %j", (name, content) => {
  refused(name, content, "LOCKFILE_MALFORMED");
});

test("J5: an address too long for a package URL is refused as one of ours", () => {
  const resolved = `git+https://h.example/${"%".repeat(2000)}#${commit}`;
  refused("package-lock.json", npm({ "node_modules/a": { version: "1.0.0", resolved } }), "LOCKFILE_NAME");
});

test("J6: a go.mod that breaks its format is refused", () => {
  for (const text of [
    "",
    "module m\nrequire (\n",
    "module m\nfrob x\n",
    "module m\nrequire a.b\n",
    'module "m\n',
    "module m\nreplace a.b\n",
  ]) {
    refused("go.sum", "", "LOCKFILE_MALFORMED", { companion: () => text });
  }
});

test("J6: what is too large or too deep is refused before it costs much", () => {
  refused("package-lock.json", new Uint8Array(64 * 1024 * 1024 + 1), "LOCKFILE_TOO_LARGE");
  refused("pnpm-lock.yaml", `lockfileVersion: '9.0'\n#${"x".repeat(8 * 1024 * 1024)}`, "LOCKFILE_TOO_LARGE");
  refused("Cargo.lock", `version = 4\n#${"x".repeat(16 * 1024 * 1024)}`, "LOCKFILE_TOO_LARGE");
  refused("requirements.txt", Buffer.from([0x61, 0xff]), "LOCKFILE_MALFORMED");
  refused("requirements.txt", "a\0b", "LOCKFILE_MALFORMED");
  const many = Object.fromEntries(Array.from({ length: 200_002 }, (_, i) => [`node_modules/a${i}`, {}]));
  refused("package-lock.json", npm(many), "LOCKFILE_TOO_LARGE");
  refused(
    "package-lock.json",
    `{"lockfileVersion":3,"packages":${"[".repeat(100)}${"]".repeat(100)}}`,
    "LOCKFILE_TOO_DEEP",
  );
  refused("package-lock.json", npm({ [`node_modules/a${"/node_modules/a".repeat(40)}`]: {} }), "LOCKFILE_TOO_DEEP");
  refused("pnpm-lock.yaml", `lockfileVersion: ${"[".repeat(30)}${"]".repeat(30)}`, "LOCKFILE_TOO_DEEP");
  refused("pnpm-lock.yaml", `a: ${"[".repeat(20_000)}`, "LOCKFILE_TOO_DEEP");
  refused("Cargo.lock", `version = ${"[".repeat(2_000)}`, "LOCKFILE_TOO_DEEP");
  refused("verification-metadata.xml", gradle("<a>".repeat(40)), "LOCKFILE_TOO_DEEP");
});
