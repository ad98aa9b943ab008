import { type ForgedZipEntry, forgeZip } from "@touchmark/test-kit/archives";
import { expect } from "vitest";
import type { Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { collected, contextOf } from "../collected.fixture.ts";
import { javaArchives } from "./archives.ts";

/** Entries of Maven's record of an artifact. */
export function record(group: string, artifact: string, version: string, pom?: string): ForgedZipEntry[] {
  const folder = `META-INF/maven/${group}/${artifact}`;
  return [
    {
      name: `${folder}/pom.properties`,
      content: `#Created by Apache Maven\nversion=${version}\ngroupId=${group}\nartifactId=${artifact}\n`,
    },
    ...(pom === undefined ? [] : [{ name: `${folder}/pom.xml`, content: pom }]),
  ];
}

/** A manifest with these attributes. */
export function manifest(attributes: Readonly<Record<string, string>> = {}): ForgedZipEntry {
  const lines = Object.entries({ "Manifest-Version": "1.0", ...attributes }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return { name: "META-INF/MANIFEST.MF", content: `${lines.join("")}\r\n` };
}

/** A jar with a manifest and these entries. */
export function jar(...entries: readonly ForgedZipEntry[]): Buffer {
  return forgeZip([manifest(), ...entries]);
}

/** A pom of one artifact. */
export function pom(group: string, artifact: string, version: string, more = ""): string {
  return `<?xml version="1.0"?><project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${more}</project>`;
}

/** Dependencies as a pom lists them: `group:artifact[:version[:scope]]`. */
export function dependencies(...names: readonly string[]): string {
  const one = (name: string): string => {
    const [group, artifact, version, scope] = name.split(":");
    const texts = [
      ["groupId", group],
      ["artifactId", artifact],
      ["version", version],
      ["scope", scope],
    ].flatMap(([tag, text]) => (text === undefined || text === "" ? [] : [`<${tag}>${text}</${tag}>`]));
    return `<dependency>${texts.join("")}</dependency>`;
  };
  return `<dependencies>${names.map(one).join("")}</dependencies>`;
}

/** What the archives of a tree hold, which is always whole: unique keys, edges and roots between them. */
export function archivesIn(files: Readonly<Record<string, Uint8Array | string>>): Found {
  const all = Object.entries(files).map(([path, content]) => collected(path, content));
  const wanted = all.filter((file) => javaArchives.wants(file));
  const found = javaArchives.catalogue(wanted, contextOf(all)) as Found;
  const keys = new Set(found.components.map(({ key }) => key));
  expect(keys.size).toBe(found.components.length);
  for (const key of found.roots) expect(keys).toContain(key);
  for (const { from, to } of found.edges) for (const key of [from, ...to]) expect(keys).toContain(key);
  return found;
}

/** Package URLs, or names in angle brackets, by path of the first occurrence. */
export function byPath({ components }: Found): Record<string, string> {
  return Object.fromEntries(components.map((one) => [one.occurrences[0]?.path ?? "", shown(one)]));
}

/** Edges by package URL, `from > to`, sorted; from the root without `from`. */
export function edgesOf({ components, edges, roots }: Found): string[] {
  const names = new Map(components.map((one) => [one.key, shown(one)]));
  const lines = edges.flatMap(({ from, to }) => to.map((key) => `${names.get(from)} > ${names.get(key)}`));
  return [...lines, ...roots.map((key) => `> ${names.get(key)}`)].sort();
}

export function shown({ purl, name, version }: FoundComponent): string {
  return purl?.replace(/^pkg:\w+\//, "") ?? `<${name}@${version}>`;
}
