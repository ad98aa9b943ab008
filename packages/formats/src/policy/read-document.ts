import { isUtf8 } from "node:buffer";
import { type Digest, sha256 } from "@touchmark/core";
import type { Position } from "../pipeline/definition.ts";
import { PipelineFileError } from "../pipeline/errors.ts";
import { nearestName } from "../pipeline/nearest.ts";
import { describe } from "../pipeline/problems.ts";
import { readYaml, type YamlPath, type YamlReading } from "../pipeline/yaml-reader.ts";
import { documentLimits, isBracketed } from "./document-limits.ts";
import { DocumentProblems } from "./document-problems.ts";
import { type PolicyDocumentCode, PolicyDocumentError } from "./errors.ts";
import { documentKinds, type PolicyDocumentKind, type PolicyDocuments, policyDocumentKinds } from "./kinds.ts";
import { checkReferences } from "./references.ts";
import { walkSchema } from "./schema-walk.ts";

/** A document that was read, with the digest of its bytes; `kind` tells which. */
export type PolicyReading<Kind extends PolicyDocumentKind = PolicyDocumentKind> = {
  readonly [K in Kind]: {
    readonly kind: K;
    readonly document: PolicyDocuments[K];
    readonly digest: Digest;
    /** Name for messages: the file's. */
    readonly name: string;
    /** Where a value stands, or its key. */
    readonly locate: (path: YamlPath, side?: "value" | "key") => Position;
  };
}[Kind];

/** What the reader is told. */
export interface ReadPolicyOptions<Kind extends PolicyDocumentKind> {
  /** Name for messages: the file's. */
  readonly name: string;
  /** The only kind that is taken. Default: any. */
  readonly kind?: Kind;
}

/**
 * Reads a policy, layout, exception, set or test, YAML or JSON, strictly: every problem with line, column, what was
 * expected and the nearest valid name.
 *
 * @throws PolicyDocumentError with one of the POLICY_DOCUMENT_ codes
 */
export function readPolicyDocument<Kind extends PolicyDocumentKind = PolicyDocumentKind>(
  bytes: Uint8Array,
  options: ReadPolicyOptions<Kind>,
): PolicyReading<Kind> {
  const { name } = options;
  const reading = open(bytes, name);
  const problems = new DocumentProblems(name, reading);
  const kind = kindOf(reading, problems);
  if (options.kind !== undefined && kind !== options.kind) {
    problems.add("POLICY_DOCUMENT_KIND", ["touchmark"], `expected ${options.kind}/v1, found ${kind}/v1`);
    problems.throwIfAny();
  }
  const { shape } = documentKinds[kind];
  walkSchema(reading.value, shape.schema, [], problems);
  problems.throwIfAny();
  shape.check(reading.value, kind);
  const found = { kind, document: reading.value } as { readonly kind: PolicyDocumentKind; readonly document: never };
  checkReferences(found, problems);
  problems.throwIfAny();
  return { ...found, digest: sha256(bytes), name, locate: reading.locate } as unknown as PolicyReading<Kind>;
}

const codes: Readonly<Record<string, PolicyDocumentCode>> = {
  PIPELINE_TOO_LARGE: "POLICY_DOCUMENT_TOO_LARGE",
  PIPELINE_TOO_COMPLEX: "POLICY_DOCUMENT_TOO_COMPLEX",
  PIPELINE_CHARACTER_FORBIDDEN: "POLICY_DOCUMENT_CHARACTER",
  PIPELINE_KEY_DUPLICATE: "POLICY_DOCUMENT_KEY_TWICE",
  PIPELINE_SCALAR_AMBIGUOUS: "POLICY_DOCUMENT_AMBIGUOUS",
  PIPELINE_NAME_INVALID: "POLICY_DOCUMENT_KEY_UNKNOWN",
  PIPELINE_VALUE_INVALID: "POLICY_DOCUMENT_VALUE",
};

function open(bytes: Uint8Array, name: string): YamlReading {
  const fail = (code: PolicyDocumentCode, message: string): never => {
    throw new PolicyDocumentError(name, [{ code, line: 1, column: 1, path: "", message }]);
  };
  if (bytes.length > documentLimits.bytes) {
    fail("POLICY_DOCUMENT_TOO_LARGE", `expected at most ${documentLimits.bytes} bytes, found ${bytes.length}`);
  }
  if (!isUtf8(bytes)) fail("POLICY_DOCUMENT_MALFORMED", "expected text in UTF-8");
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
  if (isBracketed(text)) fail("POLICY_DOCUMENT_TOO_COMPLEX", `expected at most ${documentLimits.depth} levels`);
  try {
    return readYaml(text, name, documentLimits);
  } catch (cause) {
    if (!(cause instanceof PipelineFileError)) throw cause;
    const [first, ...rest] = cause.problems.map((problem) => ({
      ...problem,
      code: codes[problem.code] ?? ("POLICY_DOCUMENT_MALFORMED" as const),
    }));
    if (first === undefined) throw cause;
    throw new PolicyDocumentError(name, [first, ...rest], { cause });
  }
}

function kindOf(reading: YamlReading, problems: DocumentProblems): PolicyDocumentKind {
  const { value } = reading;
  const versions = policyDocumentKinds.map((kind) => `${kind}/v1`);
  const found = typeof value === "object" && value !== null && !Array.isArray(value) ? value["touchmark"] : undefined;
  const kind = policyDocumentKinds.find((each) => found === `${each}/v1`);
  if (kind !== undefined) return kind;
  const near = typeof found === "string" ? nearestName(found, versions) : undefined;
  const named = policyDocumentKinds.find((each) => typeof found === "string" && found.startsWith(`${each}/`));
  const advice =
    named === undefined
      ? near === undefined
        ? ""
        : `; did you mean ${near}?`
      : `; this release reads version 1 of a ${named}, a newer one may know more`;
  const text =
    found === undefined
      ? `expected a key "touchmark" with ${versions.join(" | ")}, which is missing`
      : `expected ${versions.join(" | ")}, found ${describe(found)}${advice}`;
  problems.add("POLICY_DOCUMENT_VERSION", found === undefined ? [] : ["touchmark"], text);
  problems.throwIfAny();
  throw new TypeError("a problem was noted and not thrown");
}
