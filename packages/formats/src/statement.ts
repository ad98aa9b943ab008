import { canonicalJson, type Json, parseJson } from "@touchmark/core";
import { formatsErrors } from "./errors.ts";
import { type MemberCodes, Members } from "./members.ts";

/** The statement type that this project writes (in-toto attestation framework v1). */
export const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";

/** The former type, which cosign still writes; read, never written. */
export const STATEMENT_TYPE_V0_1 = "https://in-toto.io/Statement/v0.1";

/** Digests of one artifact: algorithm to lower-case hexadecimal (in-toto "DigestSet"). */
export type DigestSet = { readonly [algorithm: string]: string };

/** What a statement speaks of (in-toto "ResourceDescriptor" with a digest). */
export interface Subject {
  readonly name?: string;
  readonly digest: DigestSet;
  readonly uri?: string;
  readonly mediaType?: string;
  readonly downloadLocation?: string;
  readonly content?: string;
  readonly annotations?: Json;
}

/** An in-toto statement: subjects and a predicate about them. */
export interface Statement<Predicate = Json> {
  readonly _type: string;
  readonly subject: readonly Subject[];
  readonly predicateType: string;
  readonly predicate: Predicate;
}

/** The bytes of a statement as this project signs it: canonical JSON (RFC 8785). @throws JSON_NOT_CANONICAL */
export function serializeStatement(statement: Statement<unknown>): Uint8Array {
  return Buffer.from(canonicalJson(statement));
}

const codes: MemberCodes = {
  malformed: "STATEMENT_MALFORMED",
  unknownField: "STATEMENT_UNKNOWN_FIELD",
  base64: "STATEMENT_MALFORMED",
  integer: "STATEMENT_MALFORMED",
};

/** Most subjects of one statement. */
const MAX_SUBJECTS = 100_000;

/**
 * Reads a statement strictly: known type, at least one subject, each with a digest, no unknown member.
 * The predicate is JSON without duplicate keys; its shape belongs to its own schema.
 * @throws STATEMENT_MALFORMED | STATEMENT_TYPE_UNKNOWN | STATEMENT_UNKNOWN_FIELD | JSON_MALFORMED | JSON_DUPLICATE_KEY | JSON_TOO_DEEP | JSON_TOO_LARGE
 */
export function parseStatement(bytes: Uint8Array): Statement {
  const top = new Members(parseJson(bytes, { maxDepth: 128 }), "statement", codes);
  const type = top.string("_type");
  if (type !== STATEMENT_TYPE && type !== STATEMENT_TYPE_V0_1) {
    throw formatsErrors.make(
      "STATEMENT_TYPE_UNKNOWN",
      `expected _type ${STATEMENT_TYPE}, found ${JSON.stringify(type.slice(0, 100))}`,
    );
  }
  const subject = top
    .list("subject", MAX_SUBJECTS)
    .map((each, index) => plainSubject(each) ?? readSubject(new Members(each, `statement.subject[${index}]`, codes)));
  if (subject.length === 0) throw top.malformed("expected at least one subject, found none");
  const predicateType = top.string("predicateType");
  if (predicateType === "") throw top.malformed("expected a predicate type, found an empty string");
  const predicate = top.optional("predicate") ?? null;
  top.end();
  return { _type: type, subject, predicateType, predicate };
}

/** Lengths in hexadecimal digits of the digests whose spelling is checked. */
const digestLengths: Readonly<Record<string, number>> = { sha256: 64, sha384: 96, sha512: 128 };

const sha256Shape = /^[0-9a-f]{64}$/;

/** The usual subject, a name and one SHA-256, without the cost of the general reader: releases have thousands. */
function plainSubject(value: Json): Subject | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { name, digest } = value as { readonly [key: string]: Json };
  if (typeof name !== "string" || typeof digest !== "object" || digest === null) return undefined;
  const { sha256 } = digest as { readonly [key: string]: Json };
  const usual = typeof sha256 === "string" && Object.keys(value).length === 2 && Object.keys(digest).length === 1;
  return usual && sha256Shape.test(sha256) ? { name, digest: digest as DigestSet } : undefined;
}

function readSubject(members: Members): Subject {
  const digest = members.required("digest");
  if (typeof digest !== "object" || digest === null || Array.isArray(digest) || Object.keys(digest).length === 0) {
    throw members.malformed(`expected at least one digest at ${members.path}`);
  }
  for (const [algorithm, value] of Object.entries(digest)) {
    if (typeof value !== "string" || value === "") {
      throw members.malformed(`expected a digest at ${members.path}.digest.${algorithm.slice(0, 40)}`);
    }
    const length = digestLengths[algorithm];
    if (length !== undefined && (value.length !== length || !/^[0-9a-f]+$/.test(value))) {
      throw members.malformed(
        `expected ${length} lower-case hexadecimal digits at ${members.path}.digest.${algorithm}`,
      );
    }
  }
  const optional: Record<string, Json> = {};
  for (const name of ["name", "uri", "mediaType", "downloadLocation", "content"]) {
    const value = members.optionalString(name);
    if (value !== undefined) optional[name] = value;
  }
  const annotations = members.optional("annotations");
  if (annotations !== undefined) optional["annotations"] = annotations;
  members.end();
  return { ...optional, digest: digest as DigestSet };
}
