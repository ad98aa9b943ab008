import type { Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { collected, contextOf } from "../collected.fixture.ts";
import { python } from "./python.ts";

/** What the cataloger finds in a tree that is given as text by path. */
export function cataloguePython(content: Readonly<Record<string, string>>): Promise<Found> {
  const files = Object.entries(content)
    .map(([path, text]) => collected(path, text))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  return Promise.resolve(
    python.catalogue(
      files.filter((file) => python.wants(file)),
      contextOf(files),
    ),
  );
}

/** METADATA with these headers beside name and version. */
export function metadata(name: string, version: string, headers: readonly string[] = []): string {
  return ["Metadata-Version: 2.1", `Name: ${name}`, `Version: ${version}`, ...headers, "", "Described: here"].join(
    "\n",
  );
}

export function edgesOf(found: Found, name: string): readonly string[] {
  const names = new Map(found.components.map((one) => [one.key, one.name]));
  const keys = new Set(found.components.filter((one) => one.name === name).map(({ key }) => key));
  return found.edges
    .filter(({ from }) => keys.has(from))
    .flatMap(({ to }) => to.map((key) => names.get(key) ?? `dangling ${key}`))
    .sort();
}

export function named(found: Found, name: string): FoundComponent {
  const all = found.components.filter((one) => one.name === name);
  if (all.length !== 1 || all[0] === undefined) throw new Error(`${all.length} components are called ${name}`);
  return all[0];
}
