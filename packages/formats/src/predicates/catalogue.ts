import { advisoryDatabase } from "./advisory-database.ts";
import { analysis, licences } from "./analysis.ts";
import { nodeAttestation, workloadAttestation } from "./attestation.ts";
import { breakGlass } from "./break-glass.ts";
import { cacheHit } from "./cache-hit.ts";
import { composition, stepReport } from "./composition.ts";
import { controlTest } from "./control-test.ts";
import { credentialIssuance } from "./credential.ts";
import { environment } from "./environment.ts";
import { predicateErrors } from "./errors.ts";
import { drill, humanAnswer, repositoryControls, review, roleExport } from "./governance.ts";
import { image, workerImages } from "./image.ts";
import { keyEvent } from "./key-event.ts";
import { link } from "./link.ts";
import { materials, reconciliation } from "./materials.ts";
import { mountsAndNetwork } from "./mounts.ts";
import { approval, deployment, userEnrolment } from "./people.ts";
import { signedException, signedLayout, signedPolicy, signedPolicySet } from "./policy-documents.ts";
import { provenance } from "./provenance.ts";
import { release } from "./release.ts";
import { runtimeTrace } from "./runtime-trace.ts";
import type { Of, Shape } from "./shape.ts";
import { slimming } from "./slimming.ts";
import { source } from "./source.ts";
import { tagEvaluation } from "./tag-evaluation.ts";
import { thirdPartyReview } from "./third-party-review.ts";
import { trigger } from "./trigger.ts";
import { verificationSummary } from "./verification-summary.ts";
import { vexDecision } from "./vex-decision.ts";

/** One kind of predicate that this project reads and writes. */
interface Row<T> {
  readonly type: string;
  /** Own predicates are closed: an unknown member is refused. Standard ones are open, as their specifications demand. */
  readonly kind: "own" | "standard";
  /** Who may sign it: the factory while it runs, or `attest` for a person or tool as well. */
  readonly maker: "factory" | "anyone";
  readonly title: string;
  readonly shape: Shape<T>;
}

const own = <T>(name: string, maker: Row<T>["maker"], title: string, shape: Shape<T>): Row<T> => ({
  type: `https://touchmark.dev/predicates/${name}/v1`,
  kind: "own",
  maker,
  title,
  shape,
});
const standard = <T>(type: string, title: string, shape: Shape<T>): Row<T> => ({
  type,
  kind: "standard",
  maker: "factory",
  title,
  shape,
});

/** Every predicate with a schema, by its short name. */
export const predicates = {
  trigger: own("trigger", "factory", "Who asked for a run, when, with which parameters", trigger),
  source: own("source", "factory", "The source revision that a run started from", source),
  "node-attestation": own("node-attestation", "factory", "What is known of the machine", nodeAttestation),
  "workload-attestation": own("workload-attestation", "factory", "Which processes the steps were", workloadAttestation),
  "mounts-and-network": own("mounts-and-network", "factory", "Storage and network of each step", mountsAndNetwork),
  "cache-hit": own("cache-hit", "factory", "Why a step was not run again", cacheHit),
  materials: own("materials", "factory", "Everything that came into a step, and how it was admitted", materials),
  reconciliation: own(
    "reconciliation",
    "factory",
    "Declared, fetched and used materials of a run compared",
    reconciliation,
  ),
  environment: own("environment", "factory", "Machine and toolchain of a run", environment),
  release: own("release", "factory", "Every output and every bundle of a run", release),
  "credential-issuance": own("credential-issuance", "factory", "Certificates issued for a run", credentialIssuance),
  image: own("image", "factory", "Of what an image was put together", image),
  "worker-images": own("worker-images", "factory", "Images that a run used, and who vouches for them", workerImages),
  analysis: own("analysis", "factory", "What an artifact consists of, and what a gate says of it", analysis),
  licences: own("licences", "factory", "Licences of the components of an artifact", licences),
  composition: own("composition", "factory", "Composition analysis of what came into a step", composition),
  "step-report": own("step-report", "factory", "A report that a step wrote, as it says", stepReport),
  "advisory-database": own(
    "advisory-database",
    "anyone",
    "Of what a database of advisories was made, and when",
    advisoryDatabase,
  ),
  policy: own("policy", "anyone", "Somebody answers for a policy", signedPolicy),
  layout: own("layout", "anyone", "Somebody answers for a layout", signedLayout),
  exception: own("exception", "anyone", "Somebody lets rules of a policy not count for a while", signedException),
  "policy-set": own("policy-set", "anyone", "Somebody puts policies in force", signedPolicySet),
  "user-enrolment": own("user-enrolment", "factory", "Whose key stands for a user, or stands no more", userEnrolment),
  approval: own("approval", "factory", "A person approves an artifact in a role", approval),
  deployment: own("deployment", "factory", "An artifact was let into an environment", deployment),
  "break-glass": own("break-glass", "anyone", "Somebody lets an artifact run although policies deny it", breakGlass),
  "vex-decision": own("vex-decision", "anyone", "A person lets the statements of a VEX document count", vexDecision),
  review: own("review", "anyone", "Review of a change", review),
  "third-party-review": own("third-party-review", "anyone", "Decision about a component of others", thirdPartyReview),
  "tag-evaluation": own(
    "tag-evaluation",
    "anyone",
    "What was found of a new digest behind a followed tag",
    tagEvaluation,
  ),
  slimming: own("slimming", "anyone", "What was taken out of an image", slimming),
  "role-export": own("role-export", "anyone", "Roles and permissions as a system has them", roleExport),
  "repository-controls": own("repository-controls", "anyone", "Rules of a repository", repositoryControls),
  "key-event": own("key-event", "anyone", "One line of the key ledger", keyEvent),
  "control-test": own("control-test", "anyone", "Attacks on a pipeline, and what came of each", controlTest),
  drill: own("drill", "anyone", "An exercise and its measurements", drill),
  "human-answer": own("human-answer", "anyone", "A person's answer, with an expiry", humanAnswer),
  link: standard("https://in-toto.io/attestation/link/v0.3", "in-toto link of a step", link),
  "runtime-trace": standard(
    "https://in-toto.io/attestation/runtime-trace/v0.2",
    "in-toto runtime trace of a step",
    runtimeTrace,
  ),
  provenance: standard("https://slsa.dev/provenance/v1", "SLSA provenance of an artifact", provenance),
  "verification-summary": standard(
    "https://slsa.dev/verification_summary/v1",
    "SLSA verification summary: what a gate decided about an artifact",
    verificationSummary,
  ),
} as const;

/** Short name of a predicate. */
export type PredicateName = keyof typeof predicates;
/** TypeScript type of a predicate. */
export type PredicateOf<Name extends PredicateName> = Of<(typeof predicates)[Name]["shape"]>;

const byType = new Map<string, PredicateName>(
  (Object.keys(predicates) as PredicateName[]).map((name) => [predicates[name].type, name]),
);

/** Type URI of a predicate. */
export const predicateType = (name: PredicateName): string => predicates[name].type;

/** Short name of a type URI, or undefined for types without a schema here. */
export const predicateName = (type: string): PredicateName | undefined => byType.get(type);

/**
 * Reads a predicate by its schema.
 * @throws PREDICATE_MALFORMED | PREDICATE_UNKNOWN_FIELD
 */
export function readPredicate<Name extends PredicateName>(name: Name, value: unknown): PredicateOf<Name> {
  predicates[name].shape.check(value, "predicate");
  return value as PredicateOf<Name>;
}

/** Type URIs that only the factory may sign, exactly as spelled here. */
export const factoryPredicateTypes: readonly string[] = Object.values(predicates)
  .filter((row) => row.maker === "factory")
  .map((row) => row.type);

// Earlier and later versions say the same things, and verifiers elsewhere may accept them.
const reservedPrefixes = [
  "https://slsa.dev/provenance/",
  "https://slsa.dev/verification_summary/",
  "https://in-toto.io/provenance/",
  "https://in-toto.io/link/",
  "https://in-toto.io/attestation/link/",
  "https://in-toto.io/attestation/runtime-trace/",
];
const ownPrefix = "https://touchmark.dev/predicates/";

/**
 * Refuses a predicate type that `attest` may not sign: those of the factory in any version or spelling, verdicts of a
 * gate, and unknown ones of our own name space.
 * @throws PREDICATE_RESERVED | PREDICATE_TYPE_UNKNOWN
 */
export function assertMayAttest(type: string): void {
  const plain = plainSpelling(type);
  const reserved =
    reservedPrefixes.some((prefix) => `${plain}/`.startsWith(prefix)) ||
    factoryPredicateTypes.some((own) => `${plain}/`.startsWith(own.slice(0, own.lastIndexOf("/") + 1)));
  if (reserved) {
    throw predicateErrors.make("PREDICATE_RESERVED", `only the factory signs ${JSON.stringify(type.slice(0, 200))}`);
  }
  if (plain.startsWith(ownPrefix) && predicateName(type) === undefined) {
    throw predicateErrors.make(
      "PREDICATE_TYPE_UNKNOWN",
      `no schema is known for ${JSON.stringify(type.slice(0, 200))}`,
    );
  }
}

/** One spelling for what a careless comparison elsewhere may take for the same: lower case, https, no port or query. */
function plainSpelling(type: string): string {
  try {
    const url = new URL(type.trim());
    const path = decodeURIComponent(url.pathname).replace(/\/+/g, "/").replace(/\/$/, "");
    const scheme = url.protocol === "http:" ? "https:" : url.protocol;
    return `${scheme}//${url.hostname}${path}`.toLowerCase();
  } catch (cause) {
    const found = JSON.stringify(type.slice(0, 200));
    throw predicateErrors.make("PREDICATE_TYPE_UNKNOWN", `expected a type URI, found ${found}`, { cause });
  }
}
