import { listOf, malformed, objectOf, oneOfText, optionalText, textOf, timeOf } from "./members.ts";
import { type VexDocument, type VexProduct, type VexStatement, vexJustifications } from "./statement.ts";

const statuses = ["not_affected", "affected", "fixed", "under_investigation"] as const;

/** OpenVEX 0.2.0 and its draft form 0.0.x, whose products are plain strings. @throws VEX_MALFORMED */
export function readOpenVex(document: { readonly [name: string]: unknown }): Omit<VexDocument, "digest"> {
  const documentAt = timeOf(document["timestamp"], "the time of the document");
  return {
    format: "openvex",
    id: textOf(document["@id"], "the document's @id"),
    author: textOf(document["author"], "the author"),
    losses: [],
    statements: listOf(document["statements"], "statements").map((each) => readStatement(each, documentAt)),
  };
}

function readStatement(value: unknown, documentAt: string): VexStatement {
  const statement = objectOf(value, "a statement");
  const status = oneOfText(statement["status"], statuses, "a status");
  const justification =
    statement["justification"] === undefined
      ? undefined
      : oneOfText(statement["justification"], vexJustifications, "a justification");
  const detail = optionalText(statement[status === "affected" ? "action_statement" : "impact_statement"], "a text");
  const products = listOf(statement["products"], "products").map(readProduct);
  return {
    vulnerability: readVulnerability(statement["vulnerability"]),
    products,
    status,
    at: statement["timestamp"] === undefined ? documentAt : timeOf(statement["timestamp"], "the time of a statement"),
    ...(justification === undefined ? {} : { justification }),
    ...(detail === undefined ? {} : { detail }),
  };
}

function readVulnerability(value: unknown): readonly string[] {
  if (typeof value === "string") return [textOf(value, "a vulnerability")];
  const { name, aliases, "@id": id } = objectOf(value, "a vulnerability");
  const names = [
    ...(name === undefined ? [] : [textOf(name, "a vulnerability's name")]),
    ...listOf(aliases, "aliases").map((each) => textOf(each, "an alias")),
    ...(id === undefined ? [] : [textOf(id, "a vulnerability's @id").split("/").at(-1) ?? ""]),
  ].filter((each) => each !== "");
  if (names.length === 0) throw malformed("a name of the vulnerability", value);
  return [...new Set(names)];
}

function readProduct(value: unknown): VexProduct {
  if (typeof value === "string") return { ids: [textOf(value, "a product")], subcomponents: [] };
  const product = objectOf(value, "a product");
  return {
    ids: idsOf(product),
    subcomponents: listOf(product["subcomponents"], "subcomponents").flatMap((each) =>
      typeof each === "string" ? [textOf(each, "a subcomponent")] : idsOf(objectOf(each, "a subcomponent")),
    ),
  };
}

function idsOf({ "@id": id, identifiers, hashes }: { readonly [name: string]: unknown }): readonly string[] {
  const further = identifiers === undefined ? [] : Object.values(objectOf(identifiers, "identifiers"));
  const digests = Object.entries(hashes === undefined ? {} : objectOf(hashes, "hashes")).flatMap(
    ([algorithm, digest]) =>
      /^sha-?256$/i.test(algorithm) ? [`sha256:${textOf(digest, "a digest").toLowerCase()}`] : [],
  );
  const ids = [...(id === undefined ? [] : [id]), ...further].map((each) => textOf(each, "an identifier"));
  if (ids.length + digests.length === 0) throw malformed("an @id, identifiers or hashes of a product", id);
  return [...new Set([...ids, ...digests])];
}
