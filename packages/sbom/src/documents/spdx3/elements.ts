import type { ComponentScope } from "@touchmark/formats/sbom";
import type { ExtractedLicence } from "../licences.ts";
import type { Members } from "../shape.ts";

/** What the whole document says. */
interface DocumentFacts {
  readonly name: string;
  readonly root: string;
  /** Creation information as SPDX 2 has it: `created`, and `creators` as `Tool: NAME-VERSION`. */
  readonly creation: Members;
  readonly extension: Members;
}

const noCreation = "_:creationinfo";

/** Collects the elements of a graph, each once, with identifiers that their order gives. */
export class GraphElements {
  readonly creation = noCreation;
  readonly #space: string;
  readonly #packages: Members[] = [];
  readonly #relations: Members[] = [];
  readonly #others: Members[] = [];
  readonly #known = new Map<string, string>();

  constructor(space: string) {
    this.#space = space;
  }

  add(element: Members): void {
    this.#packages.push(element);
  }

  relate(from: string, relationshipType: string, to: readonly string[], more: Members = {}): void {
    this.#relations.push({
      type: "Relationship",
      spdxId: `${this.#space}Relationship-${this.#relations.length + 1}`,
      creationInfo: noCreation,
      from,
      relationshipType,
      to,
      ...more,
    });
  }

  /** Edges to components of one scope. */
  depend(from: string, to: readonly string[], scope: ComponentScope): void {
    if (scope === "optional") this.relate(from, "hasOptionalDependency", to, { completeness: "complete" });
    else if (scope === "unknown") this.relate(from, "dependsOn", to, { completeness: "complete" });
    else this.relate(from, "dependsOn", to, { type: "LifecycleScopedRelationship", completeness: "complete", scope });
  }

  organization(name: string): string {
    return this.#once(`Organization ${name}`, "Organization", { type: "Organization", name });
  }

  licence(expression: string, extracted: ReadonlyMap<string, ExtractedLicence>): string {
    const custom = [...extracted].map(([key, { text }]) => ({
      type: "DictionaryEntry",
      key,
      value: this.#once(`LicenceText ${key}`, "LicenseText", {
        type: "simplelicensing_SimpleLicensingText",
        name: key,
        simplelicensing_licenseText: text,
      }),
    }));
    return this.#once(`Licence ${expression}`, "License", {
      type: "simplelicensing_LicenseExpression",
      simplelicensing_licenseExpression: expression,
      ...(custom.length === 0 ? {} : { simplelicensing_customIdToUri: custom }),
    });
  }

  /** The whole graph: creation information, document, SBOM, then everything else. */
  document({ name, root, creation, extension }: DocumentFacts): readonly Members[] {
    const agent = this.#once("Agent", "Agent", { type: "SoftwareAgent", name: "touchmark" });
    const tools = (creation["creators"] as readonly string[]).map((creator) =>
      this.#once(`Tool ${creator}`, "Tool", { type: "Tool", name: creator.slice("Tool: ".length) }),
    );
    const content = [...this.#packages, ...this.#others, ...this.#relations];
    const ids = content.map((element) => element["spdxId"]);
    const sbom = `${this.#space}SBOM`;
    return [
      {
        type: "CreationInfo",
        "@id": noCreation,
        specVersion: "3.0.1",
        created: creation["created"],
        createdBy: [agent],
        createdUsing: tools,
      },
      {
        type: "SpdxDocument",
        spdxId: `${this.#space}Document`,
        creationInfo: noCreation,
        name,
        dataLicense: "https://spdx.org/licenses/CC0-1.0",
        profileConformance: ["core", "software", "simpleLicensing", "extension"],
        rootElement: [sbom],
        element: [sbom, ...ids],
        ...extension,
      },
      {
        type: "software_Sbom",
        spdxId: sbom,
        creationInfo: noCreation,
        software_sbomType: ["analyzed"],
        rootElement: [root],
        element: ids,
      },
      ...content,
    ];
  }

  #once(identity: string, kind: string, element: Members): string {
    const known = this.#known.get(identity);
    if (known !== undefined) return known;
    const spdxId = `${this.#space}${kind}-${this.#known.size + 1}`;
    this.#known.set(identity, spdxId);
    this.#others.push({ ...element, spdxId, creationInfo: noCreation });
    return spdxId;
  }
}
