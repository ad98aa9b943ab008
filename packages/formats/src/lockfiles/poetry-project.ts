import { pypiName } from "../package-url-types.ts";
import type { LockfileOptions } from "./options.ts";
import { list, type Members, optionalMembers, optionalText, text } from "./shape.ts";
import { companionText } from "./text.ts";
import { readToml } from "./toml-reader.ts";

/** What the pyproject.toml beside a poetry.lock asks for. */
export interface PoetryProject {
  readonly name: string | undefined;
  readonly version: string | undefined;
  /** Normalised names, of every group and extra. */
  readonly asksFor: ReadonlySet<string>;
}

/** Reads pyproject.toml, when there is one. @throws LOCKFILE_MALFORMED */
export function poetryProject(options: LockfileOptions): PoetryProject | undefined {
  const content = companionText(options, "pyproject.toml");
  if (content === undefined) return undefined;
  const where = "pyproject.toml";
  const document = readToml(content, where);
  const project = optionalMembers(document["project"], where);
  const poetry = optionalMembers(optionalMembers(document["tool"], where)["poetry"], where);
  const asksFor = new Set<string>();
  const addRequirements = (value: unknown): void => {
    for (const item of list(value, where)) {
      // Dependency groups may include each other: `{include-group = "…"}`.
      if (typeof item !== "string") continue;
      const name = /^\s*([A-Za-z0-9][A-Za-z0-9._-]*)/.exec(text(item, where))?.[1];
      if (name !== undefined) asksFor.add(pypiName(name));
    }
  };
  const addTable = (value: unknown): void => {
    for (const name of Object.keys(optionalMembers(value, where))) if (name !== "python") asksFor.add(pypiName(name));
  };
  addRequirements(project["dependencies"]);
  const each = (value: unknown): Members[string][] => Object.values(optionalMembers(value, where));
  for (const extra of each(project["optional-dependencies"])) addRequirements(extra);
  for (const group of each(document["dependency-groups"])) addRequirements(group);
  addTable(poetry["dependencies"]);
  addTable(poetry["dev-dependencies"]);
  for (const group of each(poetry["group"])) addTable(optionalMembers(group, where)["dependencies"]);
  return {
    name: optionalText(project["name"] ?? poetry["name"], where),
    version: optionalText(project["version"] ?? poetry["version"], where),
    asksFor,
  };
}
