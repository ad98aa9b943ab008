import { mavenPackageUrl } from "../package-url-ecosystems.ts";
import type { XmlElement } from "../xml/index.ts";
import { assemble, checkCount, type Draft } from "./assemble.ts";
import { hexDigest, sortDigests } from "./digests.ts";
import { lockfileErrors } from "./errors.ts";
import type { AnnouncedDigest, LockedFile, Lockfile } from "./locked.ts";
import { checkName, checkVersion } from "./names.ts";
import type { LockfileText } from "./options.ts";
import { fileName } from "./python-files.ts";
import { shown } from "./shape.ts";
import { companionText } from "./text.ts";
import { readXml } from "./xml-reader.ts";

const algorithms = new Set(["md5", "sha1", "sha256", "sha512"]);

/** Reads gradle.lockfile or buildscript-gradle.lockfile; digests come from gradle/verification-metadata.xml. */
export function readGradleLock(file: LockfileText): Lockfile {
  const metadata = companionText(file, "gradle/verification-metadata.xml");
  const known = metadata === undefined ? new Map<string, LockedFile[]>() : verified(metadata);
  const packages: Draft[] = [];
  for (const [index, raw] of file.text.split("\n").entries()) {
    const line = raw.trim();
    const where = `line ${index + 1}`;
    if (line === "" || line.startsWith("#") || line.startsWith("empty=")) continue;
    const [, group = "", artifact = "", version = "", configurations = ""] =
      /^([^:=\s]+):([^:=\s]+):([^:=\s]+)=([\w.,-]*)$/.exec(line) ?? [];
    if (group === "") {
      throw lockfileErrors.make(
        "LOCKFILE_MALFORMED",
        `${where}: expected GROUP:NAME:VERSION=CONFIGURATIONS, found ${shown(line)}`,
      );
    }
    checkCount(packages.length);
    const files = known.get(`${group}:${artifact}:${version}`);
    packages.push({
      ...draftOf(group, artifact, version, where),
      ...(files !== undefined && { files }),
      scope: configurations.split(",").every((name) => /^test|^integrationTest/i.test(name))
        ? "development"
        : "runtime",
    });
  }
  const limits = ["gradle.lockfile says no dependency edges, and not what is direct"];
  const bare = packages.filter(({ files }) => files === undefined).length;
  if (bare > 0)
    limits.push(
      `${bare} packages have no digest: gradle.lockfile has none, and gradle/verification-metadata.xml not theirs`,
    );
  return assemble({ format: "gradle-lockfile-1", ecosystem: "maven", path: file.path, packages, limits });
}

/** Reads gradle/verification-metadata.xml. */
export function readVerificationMetadata(file: LockfileText): Lockfile {
  const packages = [...verified(file.text)].map(([key, files]): Draft => {
    const [group = "", artifact = "", version = ""] = key.split(":");
    return { ...draftOf(group, artifact, version, key), files };
  });
  const limits = [
    "verification metadata lists every file that any build used, without edges or scope",
    "trusted keys and trusted artifacts of the metadata are not followed",
  ];
  return assemble({ format: "gradle-verification-1", ecosystem: "maven", path: file.path, packages, limits });
}

function draftOf(group: string, artifact: string, version: string, where: string): Draft {
  const name = checkName("maven", `${group}:${artifact}`, where);
  checkVersion("maven", version, where);
  return {
    key: `${name}:${version}`,
    ecosystem: "maven",
    name,
    version,
    purl: mavenPackageUrl(group, artifact, version),
    from: { kind: "registry" },
    digests: [],
    scope: "runtime",
    dependencies: [],
    direct: false,
  };
}

function verified(text: string): Map<string, LockedFile[]> {
  const root = readXml(text);
  if (root.name !== "verification-metadata") {
    throw lockfileErrors.make(
      "LOCKFILE_MALFORMED",
      `expected the element verification-metadata, found ${shown(root.name)}`,
    );
  }
  const found = new Map<string, LockedFile[]>();
  for (const component of root.children
    .filter(({ name }) => name === "components")
    .flatMap(({ children }) => children)) {
    const [group, name, version] = ["group", "name", "version"].map((key) => required(component, key));
    const key = `${group}:${name}:${version}`;
    checkCount(found.size);
    if (found.has(key)) throw lockfileErrors.make("LOCKFILE_DUPLICATE", `the component ${shown(key)} stands twice`);
    const artifacts = component.children.filter((child) => child.name === "artifact");
    found.set(
      key,
      artifacts.map((artifact) => fileOf(artifact, key)).filter(({ digests }) => digests.length > 0),
    );
  }
  return found;
}

function fileOf(artifact: XmlElement, where: string): LockedFile {
  const digests = new Map<string, AnnouncedDigest>();
  for (const child of artifact.children.filter(({ name }) => algorithms.has(name))) {
    if (digests.has(child.name))
      throw lockfileErrors.make("LOCKFILE_DUPLICATE", `${where}: ${child.name} stands twice`);
    digests.set(child.name, hexDigest(child.name, required(child, "value"), where));
  }
  return { name: fileName(required(artifact, "name"), where), digests: sortDigests([...digests.values()]) };
}

function required({ name, attributes }: XmlElement, key: string): string {
  const value = attributes.get(key);
  if (value === undefined)
    throw lockfileErrors.make("LOCKFILE_MALFORMED", `${name}: expected an attribute ${key}, found none`);
  return value;
}
