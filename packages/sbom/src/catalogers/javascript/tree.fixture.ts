import type { CatalogueContext, CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { collected, contextOf } from "../collected.fixture.ts";
import { javascript } from "./javascript.ts";

/** What the cataloger finds in a tree that is given as content by path; objects are written as JSON. */
export function catalogueTree(content: Readonly<Record<string, string | object>>): Promise<Found> {
  const { files, context } = filesOf(content);
  return Promise.resolve(
    javascript.catalogue(
      files.filter((file) => javascript.wants(file)),
      context,
    ),
  );
}

export function filesOf(content: Readonly<Record<string, string | object>>): {
  readonly files: readonly CollectedFile[];
  readonly context: CatalogueContext;
} {
  const files = Object.entries(content)
    .map(([path, text]) => collected(path, typeof text === "string" ? text : JSON.stringify(text)))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return { files, context: contextOf(files) };
}

/** `name@version` of what a component depends on, sorted. */
export function edgesOf(found: Found, name: string): readonly string[] {
  const spelled = new Map(found.components.map((one) => [one.key, `${one.name}@${one.version}`]));
  const keys = new Set(found.components.filter((one) => one.name === name).map(({ key }) => key));
  return found.edges
    .filter(({ from }) => keys.has(from))
    .flatMap(({ to }) => to.map((key) => spelled.get(key) ?? `dangling ${key}`))
    .sort();
}

export function named(found: Found, name: string): FoundComponent {
  const all = found.components.filter((one) => one.name === name);
  if (all.length !== 1 || all[0] === undefined) throw new Error(`${all.length} components are called ${name}`);
  return all[0];
}
