import type { Json } from "@touchmark/core";
import type { CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { fileMalformed, isObject, objectIn, readJsonObject } from "../json-object.ts";
import { readLibraries } from "./library-documents.ts";
import { linked } from "./linked.ts";

const suffix = ".deps.json";
/** What such a file may claim: libraries of .NET and of the system, and the one program that comes with its runtime. */
const libraryFile = /(?:\.(?:dll|exe|so(?:\.[0-9]+)*|dylib)|\/createdump)$/i;

/** `NAME.deps.json`, which lies beside a built program: its libraries, and the files that each brings. */
export function readRuntimeDependencies(file: CollectedFile): Found {
  const document = readJsonObject(file);
  if (!isObject(document["runtimeTarget"]) && !isObject(document["libraries"])) {
    throw fileMalformed("expected the libraries of a program");
  }
  const { components, links, targets } = readLibraries(file, document, "dotnet-deps");
  const edges = linked(links);
  const main = file.name.slice(0, -suffix.length).toLowerCase();
  const needed = new Set(edges.flatMap(({ to }) => to));
  const entries = targets.map(
    (target) => new Map(Object.entries(target).map(([name, entry]) => [name.toLowerCase(), entry])),
  );
  const found = [...components].map(([written, component]) => {
    const isMain = component.name.toLowerCase() === main && component.purl === undefined;
    const owns = filesOf(file, written, entries);
    return { ...component, ...(isMain && { kind: "application" as const }), ...(owns.length > 0 && { owns }) };
  });
  const project = found.find(({ kind }) => kind === "application");
  const direct = new Set(edges.find(({ from }) => from === project?.key)?.to);
  const roots = project === undefined ? found.filter(({ key }) => !needed.has(key)) : [project];
  return {
    components: found.map((one): FoundComponent => (direct.has(one.key) ? { ...one, direct: true } : one)),
    edges,
    roots: roots.map(({ key }) => key),
    losses: [],
  };
}

/** Files of a library where publishing puts them: assemblies beside the program, those of other platforms in folders. */
function filesOf(file: CollectedFile, written: string, targets: readonly ReadonlyMap<string, Json>[]): string[] {
  const folder = file.path.slice(0, -file.name.length);
  const paths = new Set<string>();
  for (const target of targets) {
    const entry = target.get(written);
    if (!isObject(entry)) continue;
    for (const member of ["runtime", "native"]) {
      for (const path of Object.keys(objectIn(entry, member)))
        paths.add(folder + path.slice(path.lastIndexOf("/") + 1));
    }
    for (const path of Object.keys(objectIn(entry, "runtimeTargets"))) paths.add(folder + path);
  }
  return [...paths].filter((path) => path.length < 4096 && libraryFile.test(path) && !path.split("/").includes(".."));
}
