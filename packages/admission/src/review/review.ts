import { isFactoryError, type Json, parseJson } from "@touchmark/core";
import { reviewErrors } from "./errors.ts";
import { isObject, type JsonObject, member, textMember } from "./object.ts";

/** A kind of the Kubernetes API. The core group is the empty text. */
export interface GroupKind {
  readonly group: string;
  readonly kind: string;
}

/** What a cluster asks (AdmissionRequest of admission.k8s.io/v1). */
export interface AdmissionRequest {
  readonly uid: string;
  readonly kind: GroupKind & { readonly version: string };
  readonly resource: string;
  /** `status`, `scale`, `ephemeralcontainers` …; empty for the object itself. */
  readonly subResource: string;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly user: string;
  readonly groups: readonly string[];
  readonly dryRun: boolean;
  /** Absent for DELETE. */
  readonly object: JsonObject | undefined;
  readonly oldObject: JsonObject | undefined;
}

/** Largest review that is read, in bytes. The API server takes objects of up to 3 MiB, etcd keeps less. */
export const maxReviewBytes = 3 * 2 ** 20;
/** Objects of custom kinds nest more deeply than pods; the API server bounds its own ones far above. */
const maxReviewDepth = 128;

const operations = ["CREATE", "UPDATE", "DELETE", "CONNECT"] as const;
const uidShape = /^[A-Za-z0-9-]{1,128}$/;

/** Reads one AdmissionReview. @throws ADMISSION_REVIEW_MALFORMED | ADMISSION_VERSION_UNSUPPORTED */
export function readAdmissionReview(bytes: Uint8Array): AdmissionRequest {
  const review = readJson(bytes);
  const version = textMember(review, "apiVersion");
  if (textMember(review, "kind") !== "AdmissionReview") throw malformed("kind AdmissionReview", member(review, "kind"));
  if (version !== "admission.k8s.io/v1") {
    throw reviewErrors.make(
      "ADMISSION_VERSION_UNSUPPORTED",
      `expected admission.k8s.io/v1, found ${shown(member(review, "apiVersion"))}`,
    );
  }
  const request = member(review, "request");
  if (!isObject(request)) throw malformed("an object as request", request);
  const uid = textMember(request, "uid") ?? "";
  if (!uidShape.test(uid)) throw malformed("a uid", member(request, "uid"));
  const kind = member(request, "kind");
  const user = member(request, "userInfo");
  return {
    uid,
    kind: { group: optionalText(kind, "group"), version: text(kind, "version"), kind: text(kind, "kind") },
    resource: text(member(request, "resource"), "resource"),
    subResource: optionalText(request, "subResource"),
    name: optionalText(request, "name"),
    namespace: optionalText(request, "namespace") || undefined,
    operation: operationOf(request),
    user: optionalText(user, "username"),
    groups: groupsOf(user),
    dryRun: flag(request, "dryRun"),
    object: objectOf(request, "object"),
    oldObject: objectOf(request, "oldObject"),
  };
}

function readJson(bytes: Uint8Array): Json {
  try {
    return parseJson(bytes, { maxBytes: maxReviewBytes, maxDepth: maxReviewDepth });
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw reviewErrors.make("ADMISSION_REVIEW_MALFORMED", cause.message, { cause });
  }
}

function operationOf(request: JsonObject): AdmissionRequest["operation"] {
  const found = operations.find((name) => name === member(request, "operation"));
  if (found === undefined) throw malformed(`one of ${operations.join(", ")}`, member(request, "operation"));
  return found;
}

function groupsOf(user: Json | undefined): readonly string[] {
  const groups = member(user, "groups") ?? [];
  if (!Array.isArray(groups) || !groups.every((group): group is string => typeof group === "string")) {
    throw malformed("a list of names as groups", groups);
  }
  return groups;
}

function objectOf(request: JsonObject, name: "object" | "oldObject"): JsonObject | undefined {
  const found = member(request, name);
  if (found !== undefined && !isObject(found)) throw malformed(`an object as ${name}`, found);
  return found;
}

function text(value: Json | undefined, name: string): string {
  const found = textMember(value, name);
  if (found === undefined || found === "") throw malformed(`a text as ${name}`, member(value, name));
  return found;
}

function optionalText(value: Json | undefined, name: string): string {
  const found = member(value, name) ?? "";
  if (typeof found !== "string") throw malformed(`a text as ${name}`, found);
  return found;
}

function flag(value: JsonObject, name: string): boolean {
  const found = member(value, name) ?? false;
  if (typeof found !== "boolean") throw malformed(`true or false as ${name}`, found);
  return found;
}

function malformed(expected: string, found: Json | undefined): Error {
  return reviewErrors.make("ADMISSION_REVIEW_MALFORMED", `expected ${expected}, found ${shown(found)}`);
}

function shown(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  return isObject(value) ? "an object" : JSON.stringify(value).slice(0, 80);
}
