import { localName, walkXml, type XmlLimits } from "@touchmark/formats/xml";

/** A criterion that a definition asks for. */
export interface OvalCriterion {
  readonly test: string;
  readonly comment: string;
}

/** A definition of an OVAL document (5.10), with what advisories are made from. */
export interface OvalDefinition {
  readonly id: string;
  readonly kind: string;
  title: string;
  description: string;
  severity: string;
  issued: string;
  platform: string;
  readonly references: { readonly source: string; readonly id: string; readonly address: string }[];
  readonly criteria: OvalCriterion[];
}

/** A document, read once from its beginning to its end. */
export interface OvalDocument {
  readonly definitions: readonly OvalDefinition[];
  /** When it was made, as written. */
  readonly made: string;
  /** Names of packages and the version below which they are affected, by the id of a test. */
  packagesOf(test: string): { readonly names: readonly string[]; readonly below?: string };
}

const limits: Partial<XmlLimits> = { characters: 512 << 20, nodes: 40_000_000, depth: 64 };

/** @throws XML_* */
export function readOval(text: string): OvalDocument {
  const definitions: OvalDefinition[] = [];
  const tests = new Map<string, { object?: string; state?: string }>();
  const objects = new Map<string, { name?: string; variable?: string }>();
  const states = new Map<string, string>();
  const variables = new Map<string, string[]>();
  let made = "";
  let definition: OvalDefinition | undefined;
  // Id of the test, object, state or variable that is open.
  let inside = "";
  let buffer = "";
  const path: string[] = [];
  walkXml(
    text,
    {
      open(written, attributes) {
        const element = localName(written);
        path.push(element);
        buffer = "";
        const id = attributes.get("id") ?? "";
        const at = (name: string): string => attributes.get(name) ?? "";
        if (element === "definition") {
          definition = {
            ...{ id, kind: at("class"), title: "", description: "", severity: "", issued: "", platform: "" },
            ...{ references: [], criteria: [] },
          };
        } else if (definition !== undefined) {
          if (element === "reference") {
            const address = at("ref_url") || at("url");
            definition.references.push({ source: at("source"), id: at("ref_id"), address });
          } else if (element === "issued") definition.issued = at("date");
          else if (element === "criterion" && at("negate") !== "true") {
            definition.criteria.push({ test: at("test_ref"), comment: at("comment") });
          }
        } else if (/_(?:test|object|state)$|^constant_variable$/.test(element)) {
          inside = id;
          if (element === "dpkginfo_test") tests.set(id, {});
          else if (element === "dpkginfo_object") objects.set(id, {});
          else if (element === "constant_variable") variables.set(id, []);
        } else if (element === "object") {
          const test = tests.get(inside);
          if (test !== undefined) test.object = at("object_ref");
        } else if (element === "state") {
          const test = tests.get(inside);
          if (test !== undefined) test.state = at("state_ref");
        } else if (element === "name") {
          const object = objects.get(inside);
          if (object !== undefined && at("var_ref") !== "") object.variable = at("var_ref");
        }
      },
      text(value) {
        buffer += value;
      },
      close() {
        const element = path.pop() ?? "";
        const value = buffer.trim();
        buffer = "";
        if (element === "timestamp" && made === "") made = value;
        if (element === "definition" && definition !== undefined) {
          definitions.push(definition);
          definition = undefined;
        } else if (definition !== undefined) {
          if (element === "title") definition.title = value;
          else if (element === "description") definition.description = value;
          else if (element === "severity") definition.severity = value;
          else if (element === "platform" && definition.platform === "") definition.platform = value;
          else if (element === "public_date" || element === "issued") definition.issued ||= value;
        } else if (element === "evr") states.set(inside, value);
        else if (element === "value") variables.get(inside)?.push(value);
        else if (element === "name" && value !== "") {
          const object = objects.get(inside);
          if (object !== undefined) object.name = value;
        } else if (/_(?:test|object|state)$|^constant_variable$/.test(element)) inside = "";
      },
    },
    limits,
  );
  return {
    definitions,
    made,
    packagesOf: (id) => {
      const test = tests.get(id);
      const object = objects.get(test?.object ?? "");
      const below = states.get(test?.state ?? "");
      const names = object?.name === undefined ? (variables.get(object?.variable ?? "") ?? []) : [object.name];
      return { names: [...new Set(names)], ...(below === undefined ? {} : { below }) };
    },
  };
}
