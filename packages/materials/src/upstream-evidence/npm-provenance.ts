import type { Json } from "@touchmark/core";
import { parseBundle, type Statement } from "@touchmark/formats/evidence";
import { checkSubject } from "./attested-subject.ts";
import { upstreamErrors } from "./errors.ts";
import {
  type Asking,
  type EvidenceQuestion,
  type Found,
  jsonAnswer,
  listMember,
  member,
  textMember,
} from "./evidence.ts";
import {
  type Attested,
  byAnyRoot,
  plainRepository,
  sameRepository,
  statementOf,
  verifyAttestation,
} from "./sigstore.ts";
import type { KindTrust } from "./trust.ts";

const provenanceTypes: readonly string[] = ["https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2"];
/** The registry's own attestation that it published this version, whoever hosts its specification. */
const publishType = /\/specs\/publish\/v0\.\d$/;
const maxAttestations = 16;

/**
 * Verifies the attestations of an npm package: SLSA provenance by the builder's certificate, and the registry's publish
 * attestation by its key. One that does not hold refuses the package.
 * @throws UPSTREAM_* | what our verifier throws
 */
export async function checkNpmProvenance(
  question: EvidenceQuestion,
  asking: Asking,
  trust: KindTrust,
  now: Date,
): Promise<Found | string> {
  const { name, version } = question.facts;
  const address = question.announced.find((each) => each.name === name && each.version === version)?.attestations;
  if (address === undefined) return "the registry announces no attestations of this version";
  const bytes = await asking.file(attestationsAddress(address, question));
  if (bytes === undefined) return "the registry has no attestations of this version";
  let provenance: Attested | undefined;
  const notes: string[] = [];
  for (const each of listMember(jsonAnswer(bytes, "a list of attestations"), "attestations", maxAttestations)) {
    const type = textMember(each, "predicateType") ?? "";
    const bundle = bundleOf(each);
    if (provenanceTypes.includes(type)) {
      provenance = verifyAttestation(bundle, trust, question.facts.purl, "unbound", now);
      const statement = statementOf(provenance);
      checkType(statement, type);
      await checkSubject(statement, question, (subject) => isPackage(subject, question));
      checkRepository(statement, provenance);
    } else if (publishType.test(type)) {
      notes.push(await checkPublish(bundle, type, question, trust, now));
    }
  }
  if (provenance === undefined) return "the registry's attestations of this version hold no provenance";
  const says = saysOf(statementOf(provenance), provenance);
  const source = says["repository"] === undefined ? "" : `, built from ${says["repository"]}`;
  const named = provenance.rule === undefined ? "; no signer is named for this package" : "";
  return { signer: provenance.identity, message: ["provenance holds", source, named, ...notes].join(""), says };
}

/** Attestations are asked of the upstream that served the package, also where its index names another host. */
export function attestationsAddress(address: string, { facts }: EvidenceQuestion): URL {
  const announced = new URL(address);
  const base = new URL(facts.upstream.url);
  if (announced.origin === base.origin) return announced;
  const path = /\/(-\/npm\/v1\/attestations\/[^?#]+)$/.exec(announced.pathname)?.[1];
  if (path !== undefined) return new URL(path, base);
  throw upstreamErrors.make(
    "UPSTREAM_ANSWER_MALFORMED",
    `expected attestations of this registry, found ${announced.pathname}`,
  );
}

function bundleOf(attestation: Json): Uint8Array {
  const bundle = member(attestation, "bundle");
  if (bundle === undefined)
    throw upstreamErrors.make("UPSTREAM_ANSWER_MALFORMED", "expected a bundle in an attestation");
  return Buffer.from(JSON.stringify(bundle));
}

function checkType(statement: Statement, type: string): void {
  if (statement.predicateType === type) return;
  throw upstreamErrors.make(
    "UPSTREAM_PREDICATE_UNEXPECTED",
    `expected the predicate ${type}, found ${statement.predicateType.slice(0, 200)}`,
  );
}

/** Subjects are package URLs; their scope is spelled with and without encoding. */
function isPackage(subject: string | undefined, { facts }: EvidenceQuestion): boolean {
  return subject?.replace(/^pkg:npm\/%40/i, "pkg:npm/@") === `pkg:npm/${facts.name}@${facts.version}`;
}

/** Repository, commit and builder as provenance of either version has them. */
function saysOf(statement: Statement, { repository, issuer }: Attested): Record<string, string> {
  const definition = member(statement.predicate, "buildDefinition");
  const workflow = member(member(definition, "externalParameters"), "workflow");
  const source = member(member(statement.predicate, "invocation"), "configSource");
  const builder = member(member(member(statement.predicate, "runDetails") ?? statement.predicate, "builder"), "id");
  const stated = textMember(workflow, "repository") ?? textMember(source, "uri");
  const said: Record<string, string | undefined> = {
    builder: typeof builder === "string" ? builder : undefined,
    buildType: textMember(definition, "buildType") ?? textMember(statement.predicate, "buildType"),
    issuer,
    repository: stated === undefined ? repository : plainRepository(stated),
  };
  return Object.fromEntries(Object.entries(said).filter((row): row is [string, string] => row[1] !== undefined));
}

/** What provenance says of its source must be what the certificate says of the signer's, and what the user expects. */
function checkRepository(statement: Statement, attested: Attested): void {
  const stated = saysOf(statement, { ...attested, repository: undefined })["repository"];
  for (const expected of [attested.rule?.repository, stated === undefined ? undefined : attested.repository]) {
    if (expected === undefined || (stated !== undefined && sameRepository(expected, stated))) continue;
    throw upstreamErrors.make(
      "UPSTREAM_REPOSITORY_MISMATCH",
      `expected provenance of ${plainRepository(expected)}, found ${stated ?? "none"}`,
    );
  }
}

async function checkPublish(
  bundle: Uint8Array,
  type: string,
  question: EvidenceQuestion,
  trust: KindTrust,
  now: Date,
): Promise<string> {
  if (trust.registryKeys.length === 0) return "; the publish attestation was not checked, no registry key is named";
  const { keyMaterial } = parseBundle(bundle);
  const hint = keyMaterial.kind === "publicKey" ? keyMaterial.hint : undefined;
  const key = trust.registryKeys.find(({ keyId }) => keyId === hint);
  if (key === undefined || hint === undefined) {
    throw upstreamErrors.make(
      "UPSTREAM_KEY_UNKNOWN",
      `expected a publish attestation by a trusted key, found ${hint ?? "none"}`,
    );
  }
  const verified = byAnyRoot(bundle, trust.roots, {
    artifact: "unbound",
    key: key.pem,
    keyHint: hint,
    ...(key.expires === undefined ? {} : { keyValidUntil: key.expires }),
    allowLogTime: true,
    now,
  });
  if (verified.kind !== "statement") {
    throw upstreamErrors.make(
      "UPSTREAM_PREDICATE_UNEXPECTED",
      "expected a publish attestation, found a bare signature",
    );
  }
  const { statement } = verified;
  checkType(statement, type);
  await checkSubject(statement, question, (subject) => isPackage(subject, question));
  const { name, version } = question.facts;
  if (textMember(statement.predicate, "name") !== name || textMember(statement.predicate, "version") !== version) {
    throw upstreamErrors.make("UPSTREAM_SUBJECT_MISMATCH", `expected a publish attestation about ${name}@${version}`);
  }
  return "; published by the registry's own word";
}
