import { createHash } from "node:crypto";
import type { Digest, TreeEntry } from "@touchmark/core";
import type { Ecosystem, LockedPackage, Lockfile } from "@touchmark/formats/lockfiles";
import type { MaterialRecord } from "../material.ts";
import type { ReconcileInput, UsedFile } from "./reconciliation.ts";

/** SHA-256 of a text, in hex. */
export const hex = (text: string): string => createHash("sha256").update(text).digest("hex");
export const digestOf = (text: string): Digest => `sha256:${hex(text)}`;

/** A locked package of npm's registry, with an archive whose SHA-256 is that of `NAME@VERSION`. Used by tests only. */
export function locked(name: string, version: string, more: Partial<LockedPackage> = {}): LockedPackage {
  const ecosystem: Ecosystem = more.ecosystem ?? "npm";
  return {
    key: `node_modules/${name}`,
    ecosystem,
    name,
    version,
    purl: `pkg:${ecosystem}/${name}@${version}`,
    from: { kind: "registry" },
    digests: [{ algorithm: "sha256", value: hex(`${name}@${version}`) }],
    scope: "runtime",
    dependencies: [],
    direct: false,
    ...more,
  };
}

export function lockfile(packages: readonly LockedPackage[], more: Partial<Lockfile> = {}): Lockfile {
  return { format: "npm-package-lock-3", ecosystem: "npm", path: "package-lock.json", packages, limits: [], ...more };
}

/** The record of a package's archive; what is given replaces the facts. */
export function record(
  name: string,
  version: string,
  facts: Partial<MaterialRecord["facts"]> = {},
  more: Partial<MaterialRecord> = {},
): MaterialRecord {
  const ecosystem = facts.ecosystem ?? "npm";
  const fileName = `${name.replace(/^.*\//, "")}-${version}.tgz`;
  return {
    key: hex(`key ${name}@${version} ${facts.fileName ?? ""}`),
    method: "GET",
    url: `https://registry.example/${name}/-/${fileName}`,
    redirects: [],
    status: 200,
    headers: {},
    digest: digestOf(`${name}@${version}`),
    size: 100,
    expected: [],
    fetchedAt: "2026-01-02T03:04:05Z",
    ...more,
    facts: {
      ...{ ecosystem, kind: "archive", upstream: "public", name, version, fileName, immutable: true },
      purl: `pkg:${ecosystem}/${name}@${version}`,
      ...facts,
    },
  };
}

/** Content of a file of a package; no two files have the same. */
export const fileContent = (name: string, version: string, index: number): string => `${name}@${version} file ${index}`;

/** A fetch that went as it should: all packages locked, fetched, unpacked and read. */
export function world(packages: readonly (readonly [name: string, version: string])[], files = 3): ReconcileInput {
  const contents = new Map<Digest, ReadonlyMap<string, string>>();
  const made: TreeEntry[] = [];
  const used: UsedFile[] = [];
  for (const [name, version] of packages) {
    const members = new Map<string, string>();
    for (let index = 0; index < files; index += 1) {
      const digest = digestOf(fileContent(name, version, index));
      const path = `node_modules/${name}/lib/file-${index}.js`;
      members.set(`package/lib/file-${index}.js`, digest.slice(7));
      made.push({ path, kind: "file", size: 10, digest });
      used.push({ path: `/work/source/${path}`, digest, step: "build" });
    }
    contents.set(digestOf(`${name}@${version}`), members);
  }
  return {
    lockfiles: [lockfile(packages.map(([name, version]) => locked(name, version)))],
    records: packages.map(([name, version]) => record(name, version)),
    refused: [],
    used,
    made,
    contents: (archive) => contents.get(archive),
  };
}
