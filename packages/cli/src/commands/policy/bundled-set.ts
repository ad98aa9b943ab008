import { type PolicyReading, type PolicySet, policyDocumentText, readPolicyDocument } from "@touchmark/formats/policy";
import { cliErrors } from "../../errors.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** A file and its bytes. */
export interface NamedBytes {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a set is to say. */
export interface SetRequest {
  readonly now: Date;
  readonly former?: NamedBytes;
  readonly name?: string;
  readonly version?: number;
  readonly threshold?: number;
  readonly expires?: Date;
  /** `NAME=IDENTITY`. */
  readonly trust: readonly string[];
}

/**
 * The set of all policies and layouts among the files; other documents of policy are passed over.
 * @throws CLI_USAGE | POLICY_DOCUMENT_…
 */
export function bundledSet(files: readonly NamedBytes[], request: SetRequest): PolicySet {
  const former =
    request.former === undefined
      ? undefined
      : readPolicyDocument(request.former.bytes, { name: request.former.name, kind: "policy-set" }).document;
  const members = membersOf(files, request.now);
  const name = request.name ?? former?.name;
  if (name === undefined) throw cliErrors.make("CLI_USAGE", "expected --name NAME, as there is no former version");
  if (former !== undefined && former.name !== name) {
    throw cliErrors.make("CLI_USAGE", `expected the name of the former version, ${former.name}, found ${name}`);
  }
  const version = request.version ?? (former?.version ?? 0) + 1;
  if (former !== undefined && version <= former.version) {
    const text = `expected a version after ${former.version}, found ${version}`;
    throw cliErrors.make("CLI_USAGE", text, { hint: "A set that is older than the one in force is refused." });
  }
  const expires = request.expires ?? new Date(request.now.getTime() + 180 * dayMs);
  const trust = request.trust.length === 0 ? former?.trust : Object.fromEntries(request.trust.map(trusted));
  // What the former threshold asked of others says nothing about these.
  const threshold = request.threshold ?? (request.trust.length === 0 ? former?.threshold : undefined);
  const set: PolicySet = {
    touchmark: "policy-set/v1",
    name,
    version,
    expires: expires.toISOString(),
    ...(former?.description === undefined ? {} : { description: former.description }),
    ...(former?.engine === undefined ? {} : { engine: former.engine }),
    members,
    ...(trust === undefined ? {} : { trust }),
    ...(threshold === undefined ? {} : { threshold }),
  };
  // What is written is what the reader takes.
  return readPolicyDocument(Buffer.from(policyDocumentText(set)), { name: "the set", kind: "policy-set" }).document;
}

function membersOf(files: readonly NamedBytes[], now: Date): PolicySet["members"] {
  const found: Extract<PolicyReading, { kind: "policy" | "layout" }>[] = [];
  for (const { name, bytes } of files) {
    if (!/^\s*\{?\s*"?touchmark"?\s*:/m.test(Buffer.from(bytes).toString("latin1"))) continue;
    const reading = readPolicyDocument(bytes, { name });
    if (reading.kind !== "policy" && reading.kind !== "layout") continue;
    if (Date.parse(reading.document.expires) <= now.getTime()) {
      throw cliErrors.make("CLI_USAGE", `expected documents that hold, ${name} expired on ${reading.document.expires}`);
    }
    found.push(reading);
  }
  if (found.length === 0) throw cliErrors.make("CLI_USAGE", "expected policies or layouts, found none");
  const digests = new Set(found.map(({ digest }) => digest));
  for (const reading of found) {
    if (reading.kind !== "policy" || reading.document.layout === undefined) continue;
    if (digests.has(reading.document.layout)) continue;
    const text = `expected the layout of ${reading.name}, ${reading.document.layout}, among the documents`;
    throw cliErrors.make("CLI_USAGE", text, { hint: "A policy names its layout by the digest of the file's bytes." });
  }
  return found
    .map(({ kind, digest, document }) => ({ kind, name: document.name, digest }))
    .toSorted((a, b) => (`${a.kind} ${a.name}` < `${b.kind} ${b.name}` ? -1 : 1));
}

function trusted(words: string): readonly [string, { readonly identities: readonly { readonly identity: string }[] }] {
  const at = words.indexOf("=");
  const identity = words.slice(at + 1);
  if (at > 0 && identity !== "") return [words.slice(0, at), { identities: [{ identity }] }];
  throw cliErrors.make("CLI_USAGE", `expected --trust NAME=IDENTITY, found ${JSON.stringify(words.slice(0, 80))}`);
}
