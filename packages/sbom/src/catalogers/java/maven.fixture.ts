import { expect } from "vitest";
import type { Found } from "../../catalogue/cataloger.ts";
import { collected, contextOf } from "../collected.fixture.ts";
import { shown } from "./jar.fixture.ts";
import { mavenProjects } from "./maven-projects.ts";

/** What the poms of a tree hold, which is always whole: unique keys, edges and roots between them. */
export function projectsIn(files: Readonly<Record<string, string | Uint8Array>>): Found {
  const all = Object.entries(files).map(([path, content]) => collected(path, content));
  const wanted = all.filter((file) => mavenProjects.wants(file));
  const found = mavenProjects.catalogue(wanted, contextOf(all)) as Found;
  const keys = new Set(found.components.map(({ key }) => key));
  expect(keys.size).toBe(found.components.length);
  for (const key of found.roots) expect(keys).toContain(key);
  for (const { from, to } of found.edges) for (const key of [from, ...to]) expect(keys).toContain(key);
  return found;
}

/** Codes of the losses, in their order. */
export const codes = ({ losses }: Found): string[] => losses.map(({ code }) => code);
/** Scopes by package URL. */
export const scopesOf = ({ components }: Found): Record<string, string> =>
  Object.fromEntries(components.map((one) => [shown(one), one.scope]));
/** A dependencyManagement with these inside. */
export const managed = (inside: string): string => `<dependencyManagement>${inside}</dependencyManagement>`;
/** The parent element of a pom. */
export const parent = (group: string, artifact: string, version: string, path?: string): string =>
  `<parent><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version>${path === undefined ? "" : `<relativePath>${path}</relativePath>`}</parent>`;
/** A pom that names only its artifact. */
export const child = (artifact: string, more: string): string =>
  `<project>${more}<artifactId>${artifact}</artifactId></project>`;
/** The properties of a pom. */
export const properties = (...pairs: readonly [string, string][]): string =>
  `<properties>${pairs.map(([name, value]) => `<${name}>${value}</${name}>`).join("")}</properties>`;
