import {
  childNamed,
  childrenNamed,
  childText,
  localName,
  readXml,
  type XmlElement,
  xmlText,
} from "@touchmark/formats/xml";
import { javaErrors } from "./errors.ts";

/** What a pom says of one artifact that it depends on, or manages; values may hold `${...}`. */
export interface PomDependency {
  readonly group: string;
  readonly artifact: string;
  readonly version?: string;
  readonly scope?: string;
  readonly type?: string;
  readonly classifier?: string;
  readonly optional?: string;
  /** `group:artifact` of what is left out below it. */
  readonly exclusions: readonly string[];
  readonly line: number;
}

/** A pom as it is written: nothing inherited, nothing interpolated. */
export interface Pom {
  readonly group?: string;
  readonly artifact: string;
  readonly version?: string;
  readonly packaging?: string;
  readonly name?: string;
  readonly description?: string;
  readonly url?: string;
  readonly organisation?: string;
  readonly licences: readonly string[];
  readonly parent?: {
    readonly group: string;
    readonly artifact: string;
    readonly version: string;
    readonly path?: string;
  };
  readonly properties: ReadonlyMap<string, string>;
  readonly modules: readonly string[];
  readonly dependencies: readonly PomDependency[];
  readonly managed: readonly PomDependency[];
  /** Those of profiles that are active by default. */
  readonly profiles: readonly {
    readonly id: string;
    readonly byDefault: boolean;
    readonly properties: ReadonlyMap<string, string>;
    readonly dependencies: readonly PomDependency[];
    readonly managed: readonly PomDependency[];
  }[];
}

const limits = { characters: 16 * 1024 * 1024, depth: 64, nodes: 1_000_000 };

/**
 * Reads a pom.xml of model version 4.0.0. The element's namespace is not looked at: Maven itself reads poms without.
 * @throws SBOM_JAVA_POM_MALFORMED, and codes of `xmlErrors`
 */
export function readPom(bytes: Uint8Array, where: string): Pom {
  const project = readXml(xmlText(bytes), limits);
  const artifact = childText(project, "artifactId");
  if (localName(project.name) !== "project" || artifact === undefined) {
    throw javaErrors.make(
      "SBOM_JAVA_POM_MALFORMED",
      `${where}: expected a project with an artifactId, found ${JSON.stringify(project.name.slice(0, 80))}`,
    );
  }
  const parent = childNamed(project, "parent");
  const organisation = childNamed(project, "organization");
  return {
    ...texts(project, { group: "groupId", version: "version", packaging: "packaging" }),
    ...texts(project, { name: "name", description: "description", url: "url" }),
    artifact,
    ...(organisation !== undefined && texts(organisation, { organisation: "name" })),
    licences: listed(project, "licenses", "license").flatMap((licence) => {
      const text = childText(licence, "name") ?? childText(licence, "url");
      return text === undefined ? [] : [text];
    }),
    ...(parent !== undefined && { parent: parentOf(parent) }),
    ...blocks(project),
    modules: listed(project, "modules", "module").map(({ text }) => text.trim()),
    profiles: listed(project, "profiles", "profile").map((profile) => {
      const activation = childNamed(profile, "activation");
      return {
        id: childText(profile, "id") ?? "",
        byDefault: activation !== undefined && childText(activation, "activeByDefault") === "true",
        ...blocks(profile),
      };
    }),
  };
}

/** What a project and a profile have alike. */
function blocks(element: XmlElement) {
  const management = childNamed(element, "dependencyManagement");
  const properties = childNamed(element, "properties");
  return {
    properties: new Map((properties?.children ?? []).map(({ name, text }) => [name, text.trim()])),
    dependencies: listed(element, "dependencies", "dependency").flatMap(dependencyOf),
    managed: management === undefined ? [] : listed(management, "dependencies", "dependency").flatMap(dependencyOf),
  };
}

function parentOf(element: XmlElement): NonNullable<Pom["parent"]> {
  const path = childNamed(element, "relativePath");
  return {
    group: childText(element, "groupId") ?? "",
    artifact: childText(element, "artifactId") ?? "",
    version: childText(element, "version") ?? "",
    // An empty one says that the parent is not beside the project.
    ...(path !== undefined && { path: path.text.trim() }),
  };
}

function dependencyOf(element: XmlElement): PomDependency[] {
  const [group, artifact] = [childText(element, "groupId"), childText(element, "artifactId")];
  if (group === undefined || artifact === undefined) return [];
  return [
    {
      group,
      artifact,
      ...texts(element, { version: "version", scope: "scope", type: "type" }),
      ...texts(element, { classifier: "classifier", optional: "optional" }),
      exclusions: listed(element, "exclusions", "exclusion").map(
        (one) => `${childText(one, "groupId") ?? "*"}:${childText(one, "artifactId") ?? "*"}`,
      ),
      line: element.line,
    },
  ];
}

function listed(element: XmlElement, list: string, item: string): readonly XmlElement[] {
  const found = childNamed(element, list);
  return found === undefined ? [] : childrenNamed(found, item);
}

/** Texts of children, by other names; without those that are missing. */
function texts<Key extends string>(
  element: XmlElement,
  names: Readonly<Record<Key, string>>,
): Partial<Record<Key, string>> {
  const found: Partial<Record<Key, string>> = {};
  for (const [key, name] of Object.entries<string>(names)) {
    const text = childText(element, name);
    if (text !== undefined) found[key as Key] = text;
  }
  return found;
}
