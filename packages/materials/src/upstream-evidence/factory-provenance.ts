import type { Json } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import { PIPELINE_BUILD_TYPE } from "@touchmark/formats/predicates";
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
import { hashOf } from "./file-hash.ts";
import { attestationsAddress } from "./npm-provenance.ts";
import { statementOf, verifyAttestation } from "./sigstore.ts";
import type { KindTrust } from "./trust.ts";
import { signersOf } from "./trust-rules.ts";

/** A package that a touchmark factory built, with what it was built of. */
export interface FactoryBuild {
  /** SHA-256 of the package, lower-case hexadecimal. */
  readonly digest: string;
  readonly name: string | undefined;
  /** Identity of the factory's builder, from its certificate. */
  readonly signer: string;
  readonly materials: readonly FactoryMaterial[];
}

/** One resolved dependency of a build. */
export interface FactoryMaterial {
  /** Package URL or address. */
  readonly uri: string | undefined;
  readonly digests: Readonly<Record<string, string>>;
  /** Its own build, where the evidence brings that along. */
  readonly build?: FactoryBuild;
}

const provenanceType = "https://slsa.dev/provenance/v1";
const limits = { bundles: 1000, materials: 20_000, depth: 8 } as const;

/** Ending of the file beside a package that holds the bundles of its factory: `{touchmark: evidence/v1, bundles: [...]}`. */
export const EVIDENCE_ENDING = ".touchmark.json";

/** Reads the bundles beside a package. @throws UPSTREAM_ANSWER_MALFORMED */
export function readFactoryEvidence(bytes: Uint8Array): Uint8Array[] {
  const document = jsonAnswer(bytes, "the evidence of a touchmark factory");
  if (textMember(document, "touchmark") !== "evidence/v1") {
    throw upstreamErrors.make("UPSTREAM_ANSWER_MALFORMED", "expected touchmark: evidence/v1");
  }
  return listMember(document, "bundles", limits.bundles).map((bundle) => Buffer.from(JSON.stringify(bundle)));
}

/**
 * Verifies the bundles that came with a package and puts together what it was built of: its own provenance, and that of
 * its materials where they are among the bundles. Undefined when none is provenance of our build type about the package.
 * @throws UPSTREAM_RECURSION_LIMIT | UPSTREAM_SIGNER_UNEXPECTED | what our verifier throws
 */
export function readFactoryBuild(
  bundles: readonly Uint8Array[],
  digest: string,
  trust: KindTrust,
  purl: string | undefined,
  now: Date,
): FactoryBuild | undefined {
  const known = new Map<string, { readonly statement: Statement; readonly signer: string }>();
  for (const bundle of bundles) {
    const attested = verifyAttestation(bundle, trust, purl, "unbound", now);
    const statement = statementOf(attested);
    if (statement.predicateType !== provenanceType) continue;
    if (textMember(member(statement.predicate, "buildDefinition"), "buildType") !== PIPELINE_BUILD_TYPE) continue;
    for (const subject of statement.subject) {
      const sha256 = subject.digest["sha256"];
      if (sha256 !== undefined && !known.has(sha256)) known.set(sha256, { statement, signer: attested.identity });
    }
  }
  let count = 0;
  const build = (sha256: string, above: readonly string[]): FactoryBuild | undefined => {
    const found = known.get(sha256);
    // What is said to be built of itself is not followed round.
    if (found === undefined || above.includes(sha256)) return undefined;
    if (above.length === limits.depth) throw tooMuch(`${limits.depth} levels`);
    const listed = resolvedDependencies(found.statement.predicate);
    count += listed.length;
    if (count > limits.materials) throw tooMuch(`${limits.materials} materials`);
    const materials = listed.map((each): FactoryMaterial => {
      const inner =
        each.digests["sha256"] === undefined ? undefined : build(each.digests["sha256"], [...above, sha256]);
      return inner === undefined ? each : { ...each, build: inner };
    });
    const name = found.statement.subject.find((subject) => subject.digest["sha256"] === sha256)?.name;
    return { digest: sha256, name, signer: found.signer, materials };
  };
  return build(digest, []);
}

function tooMuch(limit: string): Error {
  return upstreamErrors.make("UPSTREAM_RECURSION_LIMIT", `expected provenance of at most ${limit}`);
}

function resolvedDependencies(predicate: Json): Omit<FactoryMaterial, "build">[] {
  const definition = member(predicate, "buildDefinition");
  if (member(definition, "resolvedDependencies") === undefined) return [];
  return listMember(definition, "resolvedDependencies", limits.materials).map((each) => {
    const digest = member(each, "digest");
    const rows = typeof digest === "object" && digest !== null && !Array.isArray(digest) ? Object.entries(digest) : [];
    return {
      uri: textMember(each, "uri") ?? textMember(each, "name"),
      digests: Object.fromEntries(rows.filter((row): row is [string, string] => typeof row[1] === "string")),
    };
  });
}

/**
 * Evidence that a touchmark factory built this very file. Asked only for packages that a signer is named for, or for all
 * when none is named.
 * @throws what {@link readFactoryBuild} throws
 */
export async function checkFactoryProvenance(
  question: EvidenceQuestion,
  asking: Asking,
  trust: KindTrust,
  now: Date,
): Promise<Found | string> {
  const { purl } = question.facts;
  if (trust.rules.signers.length > 0 && signersOf(trust.rules, purl).length === 0) {
    return "no factory is named for this package";
  }
  const bundles = (await attestedBundles(question, asking)) ?? (await bundlesBeside(question, asking));
  if (bundles === undefined) return "no evidence of a factory lies beside this package";
  const build = readFactoryBuild(bundles, await hashOf(question, "sha256"), trust, purl, now);
  if (build === undefined) {
    throw upstreamErrors.make(
      "UPSTREAM_SUBJECT_MISMATCH",
      "expected provenance of this file beside it, found others alone",
    );
  }
  const inner = build.materials.filter((each) => each.build !== undefined).length;
  return {
    signer: build.signer,
    message: `built by a touchmark factory of ${build.materials.length} materials, ${inner} of which bring their own provenance`,
    says: { materials: String(build.materials.length), provenance: String(inner) },
  };
}

async function bundlesBeside(question: EvidenceQuestion, asking: Asking): Promise<Uint8Array[] | undefined> {
  const url = new URL(question.url);
  url.pathname += EVIDENCE_ENDING;
  const bytes = await asking.file(url);
  return bytes === undefined ? undefined : readFactoryEvidence(bytes);
}

/** Bundles of our build type among a registry's attestations. Choosing them is no verdict: each is verified afterwards. */
async function attestedBundles(question: EvidenceQuestion, asking: Asking): Promise<Uint8Array[] | undefined> {
  const { ecosystem, name, version } = question.facts;
  const address = question.announced.find((each) => each.name === name && each.version === version)?.attestations;
  if (ecosystem !== "npm" || address === undefined) return undefined;
  const bytes = await asking.file(attestationsAddress(address, question));
  if (bytes === undefined) return undefined;
  const listed = listMember(jsonAnswer(bytes, "a list of attestations"), "attestations", limits.bundles);
  const ours = listed.filter((each) => isOurs(textMember(member(member(each, "bundle"), "dsseEnvelope"), "payload")));
  return ours.length === 0 ? undefined : ours.map((each) => Buffer.from(JSON.stringify(member(each, "bundle"))));
}

function isOurs(payload: string | undefined): boolean {
  if (payload === undefined) return false;
  const statement = jsonAnswer(Buffer.from(payload, "base64"), "a statement");
  return textMember(member(member(statement, "predicate"), "buildDefinition"), "buildType") === PIPELINE_BUILD_TYPE;
}
