import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { catalogued, freshPlace, lost, type Scene, sceneDirectory } from "../../catalogue/scene.fixture.ts";
import { openDirectoryTree } from "../../sources/directory-tree.ts";
import { dpkg } from "./dpkg.ts";

const md5 = (text: string) => createHash("md5").update(text).digest("hex");
const record = (name: string, more = "", status = "install ok installed") =>
  `Package: ${name}\nStatus: ${status}\nArchitecture: amd64\nVersion: 1.0-1\n${more}\n`;
const system = { "etc/os-release": "ID=debian\nVERSION_ID=12\nVERSION_CODENAME=bookworm\n" };
const of = (scene: Scene) => catalogued(openDirectoryTree(sceneDirectory({ ...system, ...scene })), [dpkg]);
const debs = async (scene: Scene) => (await of(scene)).components.filter(({ type }) => type === "deb");

test("O2: packages that are there are components with source, architecture and distribution", async () => {
  const status = [
    record(
      "libssl3",
      "Source: openssl (3.0.11-1~deb12u2)\nMaintainer: Someone <a@example.com>\nDescription: one\n more\n .\n",
    ),
    record("gone", "", "deinstall ok config-files"),
    record("half", "", "install ok unpacked"),
    record("static", "Built-Using: go-x (= 1.2-3), other\nHomepage: https://example.com/\n"),
  ].join("\n");
  const found = await debs({ "var/lib/dpkg/status": status });
  expect(found.map(({ name }) => name)).toEqual(["half", "libssl3", "static"]);
  expect(found[1]).toMatchObject({
    ref: "pkg:deb/debian/libssl3@1.0-1?arch=amd64&distro=debian-12",
    version: "1.0-1",
    architecture: "amd64",
    sourcePackage: { name: "openssl", version: "3.0.11-1~deb12u2" },
    distribution: { id: "debian", version: "12", codename: "bookworm" },
    supplier: "Someone <a@example.com>",
    description: "one",
    occurrences: [{ path: "var/lib/dpkg/status", rule: "dpkg-status", line: 1 }],
  });
  expect(found[0]?.sourcePackage).toEqual({ name: "half", version: "1.0-1" });
  expect(found[2]?.properties).toEqual([
    { name: "touchmark:built-using", value: "go-x@1.2-3" },
    { name: "touchmark:built-using", value: "other" },
  ]);
});

test("O3: images without dpkg have a record for each package, with its files beside it", async () => {
  const plain = record("base-files").replace(/Status:.*\n/, "");
  const sbom = await of({
    "var/lib/dpkg/status.d/base": plain,
    "var/lib/dpkg/status.d/base.md5sums": `${md5("tool")}  usr/bin/tool\n${"0".repeat(32)}  usr/bin/none\n`,
    "usr/bin/tool": { content: "#!/bin/sh", mode: 0o755 },
    "usr/bin/evil": { content: "#!/bin/sh", mode: 0o755 },
  });
  expect(sbom.components[0]).toMatchObject({ name: "base-files", version: "1.0-1" });
  expect(sbom.components[0]?.occurrences.map(({ path, rule }) => `${rule} ${path}`)).toEqual([
    "dpkg-status-d var/lib/dpkg/status.d/base",
    "dpkg-info var/lib/dpkg/status.d/base.md5sums",
  ]);
  expect(sbom.unowned?.map(({ path }) => path)).toEqual(["usr/bin/evil"]);
});

test("O4: files are a package's by its list, through links of directories and diversions; changed ones are not", async () => {
  const script = (word: string) => ({ content: `#!/bin/sh\n${word}`, mode: 0o755 });
  const wants = { ...dpkg, wants: (file: Parameters<typeof dpkg.wants>[0]) => dpkg.wants(file) || file.mode === 0o755 };
  const scene: Scene = {
    "var/lib/dpkg/status": `${record("a")}\n${record("b")}`,
    "var/lib/dpkg/info/a.list": "/.\n/bin\n/bin/kept\n/bin/changed\n/bin/moved\n",
    "var/lib/dpkg/info/a.md5sums": `${md5("#!/bin/sh\nkept")}  bin/kept\n${md5("other")}  bin/changed\n`,
    "var/lib/dpkg/info/a.postinst": script(""),
    "var/lib/dpkg/info/b:amd64.list": "/bin/moved\n",
    "var/lib/dpkg/diversions": "/bin/moved\n/bin/moved.real\nb\n",
    bin: { link: "usr/bin" },
    "usr/bin/kept": script("kept"),
    "usr/bin/changed": script("changed"),
    "usr/bin/moved": script("of b"),
    "usr/bin/moved.real": script("of a"),
    "usr/bin/evil": script("evil"),
  };
  const sbom = await catalogued(openDirectoryTree(sceneDirectory(scene)), [wants]);
  expect(sbom.unowned?.map(({ path }) => path)).toEqual(["usr/bin/changed", "usr/bin/evil"]);
  expect(sbom.components[0]?.properties).toEqual([{ name: "touchmark:changed-file", value: "bin/changed" }]);
});

test("O5: of alternatives the first that is there counts; virtual packages are those that provide them", async () => {
  const status = [
    record("app", "Depends: none | libb (>= 1), mail-agent, missing, liba:any\nPre-Depends: liba\n"),
    record("liba"),
    record("libb"),
    record("post", "Provides: mail-agent (= 1), other\n"),
    record("alone"),
  ].join("\n");
  const scene = { "var/lib/dpkg/status": status };
  const short = (ref: string) => ref.replace(/^pkg:deb\/debian\/(.*)@.*/, "$1");
  const edges = async (scene: Scene) =>
    (await of(scene)).dependencies.map(({ from, to }) => `${short(from)} > ${to.map(short).join(" ")}`);
  expect(await edges(scene)).toEqual([
    "alone > ",
    "app > liba libb post",
    "liba > ",
    "libb > ",
    "post > ",
    "subject:scene > alone app",
  ]);
  const states =
    "Package: alone\nArchitecture: amd64\nAuto-Installed: 1\n\nPackage: post\nArchitecture: amd64\nAuto-Installed: 1\n";
  const roots = (await edges({ ...scene, "var/lib/apt/extended_states": states })).at(-1);
  expect(roots).toBe("subject:scene > alone app liba libb");
});

test("O2: packages of two architectures are two; a second record of one is a loss, and so is a broken one", async () => {
  const sbom = await of({
    "var/lib/dpkg/status": [
      record("a"),
      record("a").replace("amd64", "i386"),
      record("a"),
      "Package: Bad Name\nVersion: 1\n",
      "Package: b\nVersion: \u0001\n",
      "no field\nPackage: c\nVersion: 1:2-3\nArchitecture: all\n",
    ].join("\n"),
  });
  const names = sbom.components.flatMap(({ name, version, architecture, type }) =>
    type === "deb" ? [`${name} ${version} ${architecture}`] : [],
  );
  expect(names).toEqual(["a 1.0-1 amd64", "a 1.0-1 i386", "c 1:2-3 all"]);
  expect(lost(sbom)).toEqual(Array.from({ length: 4 }, () => "SBOM_FILE_MALFORMED var/lib/dpkg/status"));
});

test("O9: records of dpkg and apt that cannot be read are losses, and the packages stay", async () => {
  const sbom = await of({
    "var/lib/dpkg/status": record("a"),
    "var/lib/apt/extended_states": " ".repeat(17 * 2 ** 20),
    "var/lib/dpkg/info/a.list": Buffer.alloc(65 * 2 ** 20),
  });
  expect(sbom.components.filter(({ type }) => type === "deb")).toHaveLength(1);
  expect(lost(sbom)).toEqual([
    "SBOM_FILE_TOO_LARGE var/lib/apt/extended_states",
    "SBOM_FILE_TOO_LARGE var/lib/dpkg/info/a.list",
  ]);
});

test("O2: systems in folders have their own packages, distribution and files", async () => {
  const [found] = await debs({
    "srv/root/etc/os-release": 'ID=ubuntu\nVERSION_ID="24.04"\n',
    "srv/root/var/lib/dpkg/status": record("a"),
    "srv/root/var/lib/dpkg/info/a.list": "/bin/a\n",
  });
  expect(found?.ref).toBe("pkg:deb/ubuntu/a@1.0-1?arch=amd64&distro=ubuntu-24.04");
});

test("O6: a package has the licences of its copyright file, in a folder that it shares with another too", async () => {
  const found = await debs({
    "var/lib/dpkg/status": `${record("a")}\n${record("b")}`,
    "usr/share/doc/a/copyright": "Format: x\n\nFiles: *\nLicense: GPL-2+\n",
    "usr/share/doc/b": { link: "a" },
  });
  const licences = found.map(({ declaredLicences }) => declaredLicences.map(({ expression }) => expression).join());
  expect(licences).toEqual(["GPL-2.0-or-later", "GPL-2.0-or-later"]);
});

const query = findProgram("dpkg-query");
test.skipIf(query === undefined)(
  "O2: this machine's packages are those that dpkg-query lists (needs dpkg-query)",
  async () => {
    const root = freshPlace();
    mkdirSync(join(root, "var/lib/dpkg"), { recursive: true });
    cpSync("/var/lib/dpkg/status", join(root, "var/lib/dpkg/status"));
    const format = "${db:Status-Abbrev} ${Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\\n";
    const lines = execFileSync(query ?? "", ["-W", `--showformat=${format}`], { encoding: "utf8" })
      .trim()
      .split("\n");
    const truth = lines
      .filter((line) => /^.i/.test(line))
      .map((line) => line.replace(/^\S+ +/, ""))
      .sort();
    const sbom = await catalogued(openDirectoryTree(root), [dpkg]);
    const found = sbom.components.filter(({ type }) => type === "deb");
    expect(
      found
        .map(
          (one) =>
            `${one.name} ${one.version} ${one.architecture} ${one.sourcePackage?.name} ${one.sourcePackage?.version}`,
        )
        .sort(),
    ).toEqual(truth);
  },
);
