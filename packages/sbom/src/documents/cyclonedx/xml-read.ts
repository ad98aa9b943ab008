import { childNamed, childrenNamed, localName, readXml, type XmlElement, xmlText } from "@touchmark/formats/xml";
import { documentLimits } from "../limits.ts";
import { optional } from "../record.ts";
import type { Members } from "../shape.ts";

const namespace = /^https?:\/\/cyclonedx\.org\/schema\/bom\/([0-9.]{1,12})$/;
const known: ReadonlySet<string> = new Set(["metadata", "components", "services", "dependencies"]);

/** The members of a CycloneDX document in XML, as JSON would have them; undefined for other XML. */
export function cycloneMembers(bytes: Uint8Array): Members | undefined {
  const bom = readXml(xmlText(bytes), {
    characters: documentLimits.bytes,
    depth: documentLimits.depth,
    nodes: documentLimits.relations,
  });
  const prefix = bom.name.includes(":") ? `xmlns:${bom.name.slice(0, bom.name.indexOf(":"))}` : "xmlns";
  const specVersion = namespace.exec(bom.attributes.get(prefix) ?? "")?.[1];
  if (localName(bom.name) !== "bom" || specVersion === undefined) return undefined;
  const metadata = childNamed(bom, "metadata");
  const services = childNamed(bom, "services");
  const others = bom.children.map((child) => localName(child.name)).filter((name) => !known.has(name));
  return {
    ...Object.fromEntries(others.map((name) => [name, []])),
    bomFormat: "CycloneDX",
    specVersion,
    ...(services === undefined ? {} : { services: childrenNamed(services, "service").map(serviceOf) }),
    ...optional("serialNumber", bom.attributes.get("serialNumber")),
    ...(metadata === undefined ? {} : { metadata: metadataOf(metadata) }),
    components: inside(bom, "components", "component").map(componentOf),
    dependencies: inside(bom, "dependencies", "dependency").map((entry) => ({
      ...attributes(entry, "ref"),
      dependsOn: childrenNamed(entry, "dependency").map((to) => to.attributes.get("ref")),
    })),
  };
}

function metadataOf(metadata: XmlElement): Members {
  const tools = childNamed(metadata, "tools");
  const component = childNamed(metadata, "component");
  return {
    ...texts(metadata, "timestamp"),
    ...(tools === undefined ? {} : { tools: toolsOf(tools) }),
    ...(component === undefined ? {} : { component: componentOf(component) }),
    properties: propertiesOf(metadata),
  };
}

function serviceOf(service: XmlElement): Members {
  return { ...attributes(service, "bom-ref"), services: inside(service, "services", "service").map(serviceOf) };
}

function toolsOf(tools: XmlElement): unknown {
  const former = childrenNamed(tools, "tool");
  if (former.length > 0) return former.map((tool) => texts(tool, "vendor", "name", "version"));
  return {
    components: inside(tools, "components", "component").map(componentOf),
    services: inside(tools, "services", "service").map((service) => ({
      ...texts(service, "name", "version"),
      ...named(service, "provider"),
    })),
  };
}

function componentOf(element: XmlElement): Members {
  const evidence = childNamed(element, "evidence");
  return {
    ...attributes(element, "type", "bom-ref"),
    ...texts(element, "author", "publisher", "group", "name", "version", "description", "scope", "cpe", "purl"),
    ...named(element, "supplier"),
    ...named(element, "manufacturer"),
    authors: inside(element, "authors", "author").map((author) => texts(author, "name")),
    hashes: inside(element, "hashes", "hash").map((hash) => ({ ...attributes(hash, "alg"), content: textOf(hash) })),
    licenses: licencesOf(element),
    externalReferences: inside(element, "externalReferences", "reference").map((reference) => ({
      ...attributes(reference, "type"),
      ...texts(reference, "url"),
    })),
    properties: propertiesOf(element),
    components: inside(element, "components", "component").map(componentOf),
    ...(evidence === undefined ? {} : { evidence: evidenceOf(evidence) }),
  };
}

function evidenceOf(evidence: XmlElement): Members {
  return {
    occurrences: inside(evidence, "occurrences", "occurrence").map((occurrence) => {
      const line = childNamed(occurrence, "line");
      return {
        ...texts(occurrence, "location", "additionalContext"),
        ...(line === undefined || !/^\d{1,15}$/.test(textOf(line)) ? {} : { line: Number(textOf(line)) }),
      };
    }),
    licenses: licencesOf(evidence),
  };
}

function licencesOf(element: XmlElement): readonly Members[] {
  return (childNamed(element, "licenses")?.children ?? []).map((choice) => {
    const said = attributes(choice, "acknowledgement");
    const name = localName(choice.name);
    if (name === "expression-detailed") return { ...attributes(choice, "expression"), ...said };
    return name === "expression"
      ? { expression: textOf(choice), ...said }
      : { license: { ...texts(choice, "id", "name"), ...said } };
  });
}

function propertiesOf(element: XmlElement): readonly Members[] {
  return inside(element, "properties", "property").map((property) => ({
    ...attributes(property, "name"),
    value: textOf(property),
  }));
}

function named(element: XmlElement, name: string): Members {
  const child = childNamed(element, name);
  return child === undefined ? {} : { [name]: texts(child, "name") };
}

function inside(element: XmlElement, list: string, item: string): readonly XmlElement[] {
  const found = childNamed(element, list);
  return found === undefined ? [] : childrenNamed(found, item);
}

function attributes(element: XmlElement, ...names: readonly string[]): Members {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = element.attributes.get(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function texts(element: XmlElement, ...names: readonly string[]): Members {
  return Object.fromEntries(
    names.flatMap((name) => {
      const child = childNamed(element, name);
      return child === undefined ? [] : [[name, textOf(child)]];
    }),
  );
}

function textOf(element: XmlElement): string {
  return element.text.trim();
}
