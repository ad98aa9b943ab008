import { type JsonObject, listOf, malformed, objectOf, optionalText, textOf, timeOf } from "./members.ts";
import type { VexDocument, VexJustification, VexProduct, VexStatement, VexStatus } from "./statement.ts";

/** Lists of CSAF's product status (CSAF 2.0, 3.2.3.9) that a VEX uses, and what they mean. */
const lists: Readonly<Record<string, VexStatus>> = {
  known_not_affected: "not_affected",
  known_affected: "affected",
  fixed: "fixed",
  under_investigation: "under_investigation",
};
/** Labels of flags (CSAF 2.0, 3.2.3.5): OpenVEX has the same words. */
const flags: Readonly<Record<string, VexJustification>> = {
  component_not_present: "component_not_present",
  inline_mitigations_already_exist: "inline_mitigations_already_exist",
  vulnerable_code_cannot_be_controlled_by_adversary: "vulnerable_code_cannot_be_controlled_by_adversary",
  vulnerable_code_not_in_execute_path: "vulnerable_code_not_in_execute_path",
  vulnerable_code_not_present: "vulnerable_code_not_present",
};
const deepest = 64;

/** A CSAF 2.0 document of the profile VEX (section 4.5). @throws VEX_MALFORMED */
export function readCsaf(document: JsonObject): Omit<VexDocument, "digest"> {
  const head = objectOf(document["document"], "the member document");
  const tracking = objectOf(head["tracking"], "document.tracking");
  const publisher = objectOf(head["publisher"], "document.publisher");
  const at = timeOf(tracking["current_release_date"], "document.tracking.current_release_date");
  const products = productsOf(document["product_tree"]);
  const losses: string[] = [];
  const statements = listOf(document["vulnerabilities"], "vulnerabilities").flatMap((each) =>
    statementsOf(objectOf(each, "a vulnerability"), products, at, losses),
  );
  return {
    format: "csaf",
    id: textOf(tracking["id"], "document.tracking.id"),
    author: textOf(publisher["name"], "document.publisher.name"),
    statements,
    losses,
  };
}

function statementsOf(
  vulnerability: JsonObject,
  products: ReadonlyMap<string, VexProduct>,
  at: string,
  losses: string[],
): VexStatement[] {
  const cve = optionalText(vulnerability["cve"], "a CVE");
  const ids = listOf(vulnerability["ids"], "ids").map((each) => textOf(objectOf(each, "an id")["text"], "an id"));
  const names = [...(cve === undefined ? [] : [cve]), ...ids];
  if (names.length === 0) throw malformed("a CVE or an id of a vulnerability", vulnerability["title"]);
  const status = objectOf(vulnerability["product_status"] ?? {}, "product_status");
  return Object.entries(lists).flatMap(([list, meaning]) =>
    listOf(status[list], list).flatMap((value): VexStatement[] => {
      const id = textOf(value, "a product id");
      const product = products.get(id);
      if (product === undefined) {
        losses.push(`${names[0]}: ${id} is in no product tree, or has no package URL and no digest`);
        return [];
      }
      const justification = flagOf(vulnerability, id);
      const detail = textAbout(vulnerability, id, meaning === "affected" ? "remediations" : "threats");
      return [
        {
          vulnerability: names,
          products: [product],
          status: meaning,
          at,
          ...(justification === undefined ? {} : { justification }),
          ...(detail === undefined ? {} : { detail }),
        },
      ];
    }),
  );
}

function flagOf(vulnerability: JsonObject, product: string): VexJustification | undefined {
  for (const each of listOf(vulnerability["flags"], "flags")) {
    const flag = objectOf(each, "a flag");
    if (!listOf(flag["product_ids"], "product ids").includes(product)) continue;
    const label = textOf(flag["label"], "a flag's label");
    if (Object.hasOwn(flags, label)) return flags[label];
  }
  return undefined;
}

function textAbout(vulnerability: JsonObject, product: string, member: "remediations" | "threats"): string | undefined {
  for (const each of listOf(vulnerability[member], member)) {
    const row = objectOf(each, member);
    if (member === "threats" && row["category"] !== "impact") continue;
    const about = listOf(row["product_ids"], "product ids");
    if (about.length === 0 || about.includes(product)) return optionalText(row["details"], "details");
  }
  return undefined;
}

/** Products with their package URLs and digests, relations of one product in another included. */
function productsOf(value: unknown): ReadonlyMap<string, VexProduct> {
  const found = new Map<string, VexProduct>();
  if (value === undefined) return found;
  const tree = objectOf(value, "product_tree");
  const take = (each: unknown): void => {
    const product = objectOf(each, "a product");
    const id = textOf(product["product_id"], "a product id");
    const ids = identifiersOf(product["product_identification_helper"]);
    if (ids.length > 0) found.set(id, { ids, subcomponents: [] });
  };
  const walk = (branches: unknown, depth: number): void => {
    if (depth > deepest) throw malformed(`branches at most ${deepest} deep`, "deeper ones");
    for (const each of listOf(branches, "branches")) {
      const branch = objectOf(each, "a branch");
      if (branch["product"] !== undefined) take(branch["product"]);
      walk(branch["branches"], depth + 1);
    }
  };
  for (const each of listOf(tree["full_product_names"], "full_product_names")) take(each);
  walk(tree["branches"], 0);
  for (const each of listOf(tree["relationships"], "relationships")) {
    const relation = objectOf(each, "a relationship");
    const part = found.get(String(relation["product_reference"]));
    const whole = found.get(String(relation["relates_to_product_reference"]));
    const full = objectOf(relation["full_product_name"], "full_product_name");
    const id = textOf(full["product_id"], "a product id");
    if (part === undefined) continue;
    // A part of something that nothing names is meant wherever it is found.
    found.set(id, whole === undefined ? part : { ids: whole.ids, subcomponents: part.ids });
  }
  return found;
}

function identifiersOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const { purl, hashes } = objectOf(value, "product_identification_helper");
  const digests = listOf(hashes, "hashes").flatMap((each) =>
    listOf(objectOf(each, "hashes")["file_hashes"], "file_hashes").flatMap((row) => {
      const { algorithm, value: digest } = objectOf(row, "a file hash");
      return algorithm === "sha256" ? [`sha256:${textOf(digest, "a digest").toLowerCase()}`] : [];
    }),
  );
  return [...(purl === undefined ? [] : [textOf(purl, "a package URL")]), ...digests];
}
