import fc from "fast-check";
import { expect, test } from "vitest";
import { catalogued, lost, sceneDirectory } from "../../catalogue/scene.fixture.ts";
import { openDirectoryTree } from "../../sources/directory-tree.ts";
import { distribution } from "./distribution.ts";
import { readOsRelease } from "./os-release.ts";

test("O1: os-release is read as a shell reads it", () => {
  const text = `# comment
NAME="Red Hat \\"Enterprise\\" Linux"
VERSION="9.4 (Plow)"
ID='rhel'
ID_LIKE="fedora centos"
VERSION_ID="9.4"
ANSI_COLOR=0;31
not an assignment
`;
  expect(readOsRelease(text)).toEqual({
    id: "rhel",
    version: "9.4",
    codename: "Plow",
    like: ["fedora", "centos"],
    name: 'Red Hat "Enterprise" Linux',
  });
  expect(readOsRelease("ID=debian\nVERSION_CODENAME=trixie\n")).toEqual({
    id: "debian",
    version: "",
    codename: "trixie",
  });
  for (const bad of ["", "NAME=x", "ID=", 'ID="a b"', `ID=${"x".repeat(100)}`])
    expect(readOsRelease(bad)).toBeUndefined();
});

test("O1: the administrator's file counts before the vendor's; older systems are known by files of their own", async () => {
  const of = async (scene: Record<string, string>) => {
    const sbom = await catalogued(openDirectoryTree(sceneDirectory(scene)), [distribution]);
    const { id, version } = sbom.distribution ?? { id: "none", version: "" };
    expect(sbom.components.filter(({ kind }) => kind === "operating-system")).toHaveLength(id === "none" ? 0 : 1);
    return `${id} ${version}`;
  };
  const vendor = "ID=alpine\nVERSION_ID=3.20.3\n";
  expect(await of({ "usr/lib/os-release": vendor, "etc/os-release": "ID=wolfi\nVERSION_ID=1\n" })).toBe("wolfi 1");
  expect(await of({ "usr/lib/os-release": vendor, "etc/os-release": "nothing" })).toBe("alpine 3.20.3");
  expect(await of({ "etc/alpine-release": "3.12.0\n" })).toBe("alpine 3.12.0");
  expect(await of({ "etc/debian_version": "12.5\n" })).toBe("debian 12.5");
  expect(await of({ "etc/debian_version": "trixie/sid\n" })).toBe("none ");
  expect(await of({ "etc/os-release": " ".repeat(100_000) + vendor })).toBe("none ");
});

test("O1: the system is known whichever catalogers are asked; systems in folders are components too", async () => {
  const scene = {
    "etc/os-release": "ID=debian\nVERSION_ID=12\n",
    "srv/root/etc/os-release": "ID=alpine\nVERSION_ID=3.19.1\n",
  };
  const root = sceneDirectory(scene);
  expect((await catalogued(openDirectoryTree(root), [])).distribution).toEqual({ id: "debian", version: "12" });
  const sbom = await catalogued(openDirectoryTree(root), [distribution]);
  expect(sbom.components.map(({ name, version }) => `${name} ${version}`)).toEqual([
    "alpine 3.19.1",
    "debian 12",
    "scene ",
  ]);
});

test("O9: a file of the distribution that cannot be read is a loss, and the scan goes on without it", async () => {
  const scene = { "etc/os-release": `ID=debian\n${" ".repeat(100_000)}`, "usr/lib/os-release": "ID=alpine\n" };
  const sbom = await catalogued(openDirectoryTree(sceneDirectory(scene)), [distribution]);
  expect(sbom.distribution?.id).toBe("alpine");
  expect(lost(sbom)).toEqual(["SBOM_FILE_TOO_LARGE etc/os-release"]);
});

test("O9: any text is a distribution or none", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
      (text) => void readOsRelease(`ID=${text}`),
    ),
  );
});
