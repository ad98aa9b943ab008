import fc from "fast-check";
import { expect, test } from "vitest";
import { catalogued, lost, type Scene, sceneDirectory } from "../../catalogue/scene.fixture.ts";
import { openDirectoryTree } from "../../sources/directory-tree.ts";
import { apk } from "./apk.ts";
import { readApkDatabase } from "./installed-database.ts";

const database = `C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=
P:musl
V:1.2.5-r0
A:x86_64
S:383459
I:622592
T:the musl c library
U:https://example.com/musl
L:MIT
o:musl
m:Someone <a@example.com>
p:so:libc.musl-x86_64.so.1=1
F:lib
R:ld-musl-x86_64.so.1
a:0:0:755
Z:Q1vBrWIYXOhyXrgdBTyWAKHVKXDhs=

P:libssl3
V:3.3.2-r1
A:x86_64
L:Apache-2.0
o:openssl
D:so:libc.musl-x86_64.so.1 !libressl
p:so:libssl.so.3=3
F:usr/lib
R:libssl.so.3

P:app
V:1-r0
L:custom thing
D:so:libssl.so.3>=3 cmd:none /lib/ld-musl-x86_64.so.1 other~1
F:
R:app
F:usr/bin
R:app

P:other
V:1_rc1-r2
`;
const system = { "etc/os-release": "ID=alpine\nVERSION_ID=3.20.3\n" };
const of = (scene: Scene) => catalogued(openDirectoryTree(sceneDirectory({ ...system, ...scene })), [apk]);
const short = (ref: string) => ref.replace(/^pkg:apk\/alpine\/(.*)@.*/, "$1");

test("O7: packages have origin, licence, architecture and distribution, and what apk knows them by", async () => {
  const { components } = await of({ "lib/apk/db/installed": database });
  expect(components.map(({ name, version }) => `${name} ${version}`)).toEqual([
    "app 1-r0",
    "libssl3 3.3.2-r1",
    "musl 1.2.5-r0",
    "other 1_rc1-r2",
    "scene ",
  ]);
  expect(components[1]?.sourcePackage).toEqual({ name: "openssl", version: "3.3.2-r1" });
  expect(components[0]?.declaredLicences).toEqual([
    { text: "custom thing", path: "lib/apk/db/installed", confidence: 1 },
  ]);
  expect(components[2]).toMatchObject({
    ref: "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3",
    supplier: "Someone <a@example.com>",
    homepage: "https://example.com/musl",
    description: "the musl c library",
    declaredLicences: [{ expression: "MIT", confidence: 1 }],
    properties: [{ name: "touchmark:apk-identity", value: "sha1:a8a719fa3db7c6cb005e681086438ef1d1e76d6c" }],
    occurrences: [{ path: "lib/apk/db/installed", rule: "apk-installed", line: 1 }],
  });
});

test("O7: files are the package's that lists them", async () => {
  const program = { content: "#!/bin/sh", mode: 0o755 };
  const sbom = await of({
    "usr/lib/apk/db/installed": database,
    lib: { link: "usr/lib" },
    "usr/lib/ld-musl-x86_64.so.1": program,
    app: program,
    "usr/bin/app": program,
    "usr/bin/evil": program,
  });
  expect(sbom.unowned?.map(({ path }) => path)).toEqual(["usr/bin/evil"]);
});

test("O8: edges lead to what provides a name or has a file; roots are those of world", async () => {
  const edges = async (scene: Scene) =>
    (await of(scene)).dependencies.map(({ from, to }) => `${short(from)} > ${to.map(short).join(" ")}`);
  expect(await edges({ "lib/apk/db/installed": database })).toEqual([
    "app > libssl3 musl other",
    "libssl3 > musl",
    "musl > ",
    "other > ",
    "subject:scene > app",
  ]);
  const world = await edges({ "lib/apk/db/installed": database, "etc/apk/world": "app\nmusl>=1\n!no\nmissing\n" });
  expect(world.at(-1)).toBe("subject:scene > app musl");
});

test("O9: lines and packages that cannot be read are losses, and the others are read", async () => {
  const sbom = await of({
    "lib/apk/db/installed": `nonsense\nP:a\nV:1\n\nP:\nV:1\n\nP:b\nV:1 2\n\nP:a\nV:2\n\n${"junk\n".repeat(1000)}`,
  });
  expect(sbom.components.map(({ name, version }) => `${name} ${version}`)).toEqual(["a 2", "scene "]);
  expect(new Set(lost(sbom))).toEqual(new Set(["SBOM_FILE_MALFORMED lib/apk/db/installed"]));
  expect(sbom.losses.length).toBeLessThan(30);
});

test("O9: a world that cannot be read is a loss, and the packages stay", async () => {
  const sbom = await of({ "lib/apk/db/installed": database, "etc/apk/world": " ".repeat(2_000_000) });
  expect(sbom.components).toHaveLength(5);
  expect(lost(sbom)).toEqual(["SBOM_FILE_TOO_LARGE etc/apk/world"]);
});

test("O9: any text is packages or words about it", () => {
  const line = fc.oneof(
    fc.constantFrom(...database.split("\n")),
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 60 }), (lines) => {
      for (const { name, version } of readApkDatabase(lines.join("\n")).packages) {
        expect(`${name} ${version}`).toMatch(/^[!-~]+ [!-~]+$/);
      }
    }),
  );
});
