import type { Members } from "../shape.ts";
import { xmlEscaped } from "./xml-text.ts";

/** An element to be written: text, or children. */
interface Node {
  readonly name: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly content: string | readonly Node[];
}

type Attributes = Node["attributes"];

/** The members of a CycloneDX document as XML, elements in the order that its schema demands. */
export function cycloneXml(document: Members, indent: number): string {
  const { specVersion, serialNumber, version, metadata, components, dependencies } = document;
  const bom: Node = {
    name: "bom",
    attributes: { xmlns: `http://cyclonedx.org/schema/bom/${String(specVersion)}`, serialNumber, version },
    content: [
      metadataNode(metadata as Members),
      wrapped("components", components, componentNode),
      wrapped("dependencies", dependencies, ({ ref, dependsOn }) => ({
        name: "dependency",
        attributes: { ref },
        content: ((dependsOn ?? []) as readonly string[]).map((each) => node("dependency", [], { ref: each })),
      })),
    ].flat(),
  };
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  write(bom, 0, indent, lines);
  return lines.join(indent === 0 ? "" : "\n");
}

function metadataNode({ timestamp, tools, component, properties }: Members): Node {
  const used = (tools as Members | undefined)?.["components"];
  return node("metadata", [
    ...plain("timestamp", timestamp),
    ...(used === undefined ? [] : [node("tools", wrapped("components", used, componentNode))]),
    componentNode(component as Members),
    ...wrapped("properties", properties, propertyNode),
  ]);
}

function componentNode(written: Members): Node {
  const supplier = written["supplier"] as Members | undefined;
  return node(
    "component",
    [
      ...(supplier === undefined ? [] : [node("supplier", plain("name", supplier["name"]))]),
      ...["group", "name", "version", "description", "scope"].flatMap((name) => plain(name, written[name])),
      ...wrapped("hashes", written["hashes"], ({ alg, content }) => node("hash", String(content), { alg })),
      ...wrapped("licenses", written["licenses"], licenceNode),
      ...["cpe", "purl"].flatMap((name) => plain(name, written[name])),
      ...wrapped("externalReferences", written["externalReferences"], ({ type, url }) =>
        node("reference", plain("url", url), { type }),
      ),
      ...wrapped("properties", written["properties"], propertyNode),
      ...evidenceNodes(written["evidence"] as Members | undefined),
    ],
    { type: written["type"], "bom-ref": written["bom-ref"] },
  );
}

function evidenceNodes(evidence: Members | undefined): readonly Node[] {
  if (evidence === undefined) return [];
  return [
    node("evidence", [
      ...wrapped("occurrences", evidence["occurrences"], ({ location, line, additionalContext }) =>
        node("occurrence", [
          ...plain("location", location),
          ...plain("line", line),
          ...plain("additionalContext", additionalContext),
        ]),
      ),
      ...wrapped("licenses", evidence["licenses"], licenceNode),
    ]),
  ];
}

function licenceNode({ license, expression, acknowledgement }: Members): Node {
  if (license === undefined) return node("expression", String(expression), { acknowledgement });
  const named = license as Members;
  return node("license", [...plain("id", named["id"]), ...plain("name", named["name"])], {
    acknowledgement: named["acknowledgement"],
  });
}

function propertyNode({ name, value }: Members): Node {
  return node("property", String(value), { name });
}

function node(name: string, content: Node["content"], attributes: Attributes = {}): Node {
  return { name, attributes, content };
}

function plain(name: string, value: unknown): readonly Node[] {
  return typeof value === "string" || typeof value === "number" ? [node(name, String(value))] : [];
}

function wrapped(name: string, items: unknown, each: (item: Members) => Node): readonly Node[] {
  return items === undefined ? [] : [node(name, (items as readonly Members[]).map(each))];
}

function write({ name, attributes, content }: Node, depth: number, indent: number, lines: string[]): void {
  const space = " ".repeat(depth * indent);
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${xmlEscaped(String(value))}"`)
    .join("");
  if (content.length === 0) lines.push(`${space}<${name}${written}/>`);
  else if (typeof content === "string") lines.push(`${space}<${name}${written}>${xmlEscaped(content)}</${name}>`);
  else {
    lines.push(`${space}<${name}${written}>`);
    for (const child of content) write(child, depth + 1, indent, lines);
    lines.push(`${space}</${name}>`);
  }
}
