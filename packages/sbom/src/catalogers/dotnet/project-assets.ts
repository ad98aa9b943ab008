import type { CollectedFile, Found, FoundComponent } from "../../catalogue/cataloger.ts";
import { fileMalformed, isObject, type JsonObject, listIn, objectIn, readJsonObject, textIn } from "../json-object.ts";
import { readLibraries } from "./library-documents.ts";
import { linked } from "./linked.ts";

const rule = "dotnet-project-assets";

/** `project.assets.json`: what NuGet restored for a project, and what the project itself wants. */
export function readProjectAssets(file: CollectedFile): Found {
  const document = readJsonObject(file);
  if (!isObject(document["targets"]) || !isObject(document["libraries"])) {
    throw fileMalformed("expected targets and libraries");
  }
  const { components, links } = readLibraries(file, document, rule);
  const wanted = wantedNames(document);
  const direct = new Set(links.flatMap(({ keys }) => [...wanted].flatMap((name) => keys.get(name) ?? [])));
  const all = [...components.values()].map((one): FoundComponent => ({ ...one, direct: direct.has(one.key) }));
  const project = projectOf(file, objectIn(document, "project"));
  if (project === undefined) return { components: all, edges: linked(links), roots: [...direct], losses: [] };
  return {
    components: [project, ...all],
    edges: [{ from: project.key, to: [...direct] }, ...linked(links)],
    roots: [project.key],
    losses: [],
  };
}

/** `Newtonsoft.Json >= 13.0.3` for each framework. */
function wantedNames(document: JsonObject): ReadonlySet<string> {
  const groups = objectIn(document, "projectFileDependencyGroups");
  const lines = Object.keys(groups).flatMap((framework) => listIn(groups, framework));
  return new Set(
    lines.flatMap((line) => (typeof line === "string" ? (/^\S+/.exec(line)?.[0]?.toLowerCase() ?? []) : [])),
  );
}

function projectOf(file: CollectedFile, project: JsonObject): FoundComponent | undefined {
  const name = textIn(objectIn(project, "restore"), "projectName");
  if (name === undefined) return undefined;
  return {
    key: `${file.path}#`,
    kind: "application",
    name,
    version: textIn(project, "version") ?? "",
    type: "nuget",
    scope: "runtime",
    occurrences: [{ path: file.path, rule, ...(file.layer !== undefined && { layer: file.layer }) }],
  };
}
