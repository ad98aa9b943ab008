import { canonicalJson, sha256 } from "@touchmark/core";
import type { VexJustification, VexStatement } from "./statement.ts";

/** Forms that are written. */
export const vexFormats = ["openvex", "csaf", "cyclonedx"] as const;
export type VexFormat = (typeof vexFormats)[number];

/** What a document is made from. */
export interface VexDraft {
  readonly author: string;
  /** RFC 3339. */
  readonly at: string;
  readonly statements: readonly VexStatement[];
}

/** A document in one of the forms; its id comes from its content, so that the same statements give the same bytes. */
export function writeVex(draft: VexDraft, format: VexFormat): Uint8Array {
  const hex = sha256(canonicalJson(JSON.parse(JSON.stringify(draft)))).slice("sha256:".length);
  const document = { openvex: openVex, csaf, cyclonedx }[format](draft, hex);
  return new TextEncoder().encode(`${JSON.stringify(document, undefined, 2)}\n`);
}

function openVex({ author, at, statements }: VexDraft, hex: string) {
  return {
    "@context": "https://openvex.dev/ns/v0.2.0",
    "@id": `https://touchmark.dev/vex/${hex}`,
    author,
    timestamp: at,
    version: 1,
    statements: statements.map((statement) => {
      const [name = "", ...aliases] = statement.vulnerability;
      const { status, justification, detail } = statement;
      return {
        vulnerability: { name, ...(aliases.length === 0 ? {} : { aliases }) },
        timestamp: statement.at,
        products: statement.products.map(({ ids, subcomponents }) => ({
          ...productOf(ids),
          ...(subcomponents.length === 0 ? {} : { subcomponents: subcomponents.map((id) => ({ "@id": id })) }),
        })),
        status,
        ...(justification === undefined ? {} : { justification }),
        ...(detail === undefined ? {} : { [status === "affected" ? "action_statement" : "impact_statement"]: detail }),
      };
    }),
  };
}

function productOf(ids: readonly string[]) {
  const digest = ids.find((id) => id.startsWith("sha256:"));
  const purl = ids.find((id) => id.startsWith("pkg:"));
  const [first = ""] = ids;
  return {
    "@id": first,
    ...(purl === undefined ? {} : { identifiers: { purl } }),
    ...(digest === undefined ? {} : { hashes: { "sha-256": digest.slice("sha256:".length) } }),
  };
}

const csafLists = {
  not_affected: "known_not_affected",
  affected: "known_affected",
  fixed: "fixed",
  under_investigation: "under_investigation",
} as const;

function csaf({ author, at, statements }: VexDraft, hex: string) {
  const products = new Map<
    string,
    { readonly id: string; readonly ids: readonly string[]; readonly part: readonly string[] }
  >();
  const idOf = (ids: readonly string[], part: readonly string[]): string => {
    const key = JSON.stringify([ids, part]);
    const known = products.get(key) ?? { id: `P${products.size + 1}`, ids, part };
    products.set(key, known);
    return known.id;
  };
  const vulnerabilities = statements.map(({ vulnerability, products: named, status, justification, detail }) => {
    const [name = "", ...aliases] = vulnerability;
    const about = named.map(({ ids, subcomponents }) => idOf(ids, subcomponents));
    const cve = [name, ...aliases].find((id) => /^CVE-\d{4}-\d{4,}$/.test(id));
    const others = [name, ...aliases].filter((id) => id !== cve);
    return {
      ...(cve === undefined ? {} : { cve }),
      ...(others.length === 0 ? {} : { ids: others.map((text) => ({ system_name: "id", text })) }),
      notes: [{ category: "description", text: detail ?? justification ?? status }],
      product_status: { [csafLists[status]]: about },
      ...(justification === undefined ? {} : { flags: [{ label: justification, product_ids: about }] }),
      ...(detail === undefined
        ? {}
        : status === "affected"
          ? { remediations: [{ category: "mitigation", details: detail, product_ids: about }] }
          : { threats: [{ category: "impact", details: detail, product_ids: about }] }),
    };
  });
  const helper = (ids: readonly string[]) => {
    const purl = ids.find((id) => id.startsWith("pkg:"));
    const digest = ids.find((id) => id.startsWith("sha256:"));
    const value = digest?.slice("sha256:".length);
    return {
      ...(purl === undefined ? {} : { purl }),
      ...(value === undefined ? {} : { hashes: [{ filename: ids[0], file_hashes: [{ algorithm: "sha256", value }] }] }),
    };
  };
  const full = [...products.values()].flatMap(({ id, ids, part }) =>
    part.length === 0
      ? [{ name: ids[0], product_id: id, product_identification_helper: helper(ids) }]
      : [
          { name: ids[0], product_id: `${id}-WHOLE`, product_identification_helper: helper(ids) },
          { name: part[0], product_id: `${id}-PART`, product_identification_helper: helper(part) },
        ],
  );
  const relationships = [...products.values()].flatMap(({ id, ids, part }) =>
    part.length === 0
      ? []
      : [
          {
            category: "default_component_of",
            product_reference: `${id}-PART`,
            relates_to_product_reference: `${id}-WHOLE`,
            full_product_name: { name: `${part[0]} in ${ids[0]}`, product_id: id },
          },
        ],
  );
  return {
    document: {
      category: "csaf_vex",
      csaf_version: "2.0",
      publisher: { category: "vendor", name: author, namespace: "https://touchmark.dev" },
      title: "Statements about vulnerabilities",
      tracking: {
        current_release_date: at,
        id: hex,
        initial_release_date: at,
        revision_history: [{ date: at, number: "1", summary: "first" }],
        status: "final",
        version: "1",
      },
    },
    product_tree: {
      full_product_names: full,
      ...(relationships.length === 0 ? {} : { relationships }),
    },
    vulnerabilities,
  };
}

const cycloneStates = {
  not_affected: "not_affected",
  affected: "exploitable",
  fixed: "resolved",
  under_investigation: "in_triage",
} as const;
const cycloneJustifications: Readonly<Record<VexJustification, string>> = {
  component_not_present: "requires_dependency",
  vulnerable_code_not_present: "code_not_present",
  vulnerable_code_not_in_execute_path: "code_not_reachable",
  vulnerable_code_cannot_be_controlled_by_adversary: "requires_configuration",
  inline_mitigations_already_exist: "protected_by_mitigating_control",
};

function cyclonedx({ author, at, statements }: VexDraft, hex: string) {
  const uuid = `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  const refs = [...new Set(statements.flatMap(({ products }) => products.flatMap(refsOf)))];
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuid}`,
    version: 1,
    metadata: { timestamp: at, authors: [{ name: author }] },
    components: refs.map((ref) => ({
      type: "library",
      "bom-ref": ref,
      name: ref,
      ...(ref.startsWith("pkg:") ? { purl: ref } : {}),
    })),
    vulnerabilities: statements.map((statement) => {
      const [id = "", ...aliases] = statement.vulnerability;
      const { status, justification, detail, products } = statement;
      return {
        id,
        ...(aliases.length === 0
          ? {}
          : { references: aliases.map((alias) => ({ id: alias, source: { name: "alias" } })) }),
        analysis: {
          state: cycloneStates[status],
          ...(justification === undefined ? {} : { justification: cycloneJustifications[justification] }),
          ...(detail === undefined ? {} : { detail }),
          lastUpdated: statement.at,
        },
        affects: products.flatMap(refsOf).map((ref) => ({ ref })),
      };
    }),
  };
}

/** CycloneDX names one component; of a product with parts, the parts. */
function refsOf({ ids, subcomponents }: VexStatement["products"][number]): readonly string[] {
  return subcomponents.length > 0 ? subcomponents : ids.slice(0, 1);
}
