import { isFactoryError, parseJson, sha256 } from "@touchmark/core";
import { vexErrors } from "./errors.ts";
import { malformed, objectOf } from "./members.ts";
import { readCsaf } from "./read-csaf.ts";
import { readCycloneDxVex } from "./read-cyclonedx.ts";
import { readOpenVex } from "./read-openvex.ts";
import type { VexDocument } from "./statement.ts";

/** Largest document that is read. */
const maxBytes = 64 * 1024 * 1024;
const mostProducts = 1_000_000;

/**
 * Reads a VEX document: OpenVEX, CSAF 2.0 with the profile VEX, or a CycloneDX document with analyses, told apart by
 * what stands in it. @throws VEX_MALFORMED | VEX_STATEMENT_INCOMPLETE | VEX_TOO_LARGE
 */
export function readVex(bytes: Uint8Array, options: { readonly name?: string } = {}): VexDocument {
  const name = options.name ?? "a document";
  if (bytes.length > maxBytes) {
    throw vexErrors.make("VEX_TOO_LARGE", `${name}: expected at most ${maxBytes} bytes, found ${bytes.length}`);
  }
  let value: unknown;
  try {
    value = parseJson(bytes, { maxBytes, maxDepth: 128 });
  } catch (cause) {
    throw vexErrors.make("VEX_MALFORMED", `${name}: expected JSON: ${(cause as Error).message}`, { cause });
  }
  try {
    const document = readByKind(objectOf(value, "an object"));
    checkComplete(document);
    return { ...document, digest: sha256(bytes) };
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    throw vexErrors.make(error.code as "VEX_MALFORMED", `${name}: ${error.message}`, { cause: error });
  }
}

function readByKind(document: { readonly [name: string]: unknown }): Omit<VexDocument, "digest"> {
  const context = document["@context"];
  if (typeof context === "string" && context.startsWith("https://openvex.dev/ns")) return readOpenVex(document);
  if (document["bomFormat"] === "CycloneDX") return readCycloneDxVex(document);
  const head = document["document"];
  if (typeof head === "object" && head !== null && "csaf_version" in head) return readCsaf(document);
  throw malformed("a document of OpenVEX, CSAF or CycloneDX", Object.keys(document).slice(0, 5));
}

/** What the specifications demand of each label: without it a statement is no reason to look away. */
function checkComplete({ statements }: Omit<VexDocument, "digest">): void {
  let products = 0;
  for (const { status, justification, detail, vulnerability, products: named } of statements) {
    products += named.reduce((sum, each) => sum + each.ids.length + each.subcomponents.length, 0);
    if (products > mostProducts) {
      throw vexErrors.make("VEX_TOO_LARGE", `expected at most ${mostProducts} names of products, found more`);
    }
    if (status === "not_affected" && justification === undefined && detail === undefined) {
      throw vexErrors.make(
        "VEX_STATEMENT_INCOMPLETE",
        `expected a justification or an impact of ${vulnerability[0]}, which is said not to affect, found neither`,
      );
    }
  }
}
