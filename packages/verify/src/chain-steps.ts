import type { Digest } from "@touchmark/core";
import type { Release } from "@touchmark/formats/predicates";
import { chainErrors } from "./chain-errors.ts";
import { unaccountedFiles } from "./chain-hermetic.ts";
import { type ChainStatement, isOf, only, subjectDigest } from "./chain-statements.ts";

/** A step of a verified chain. */
export interface VerifiedStep {
  readonly name: string;
  /** Digest of the output tree. */
  readonly output: Digest;
  /** Run that performed it, when that was an earlier one. */
  readonly cachedFrom: string | undefined;
  readonly network: "none" | "proxy" | "open";
  /** True when the observer lost nothing. */
  readonly observed: boolean;
  readonly tier: string;
  /** The run that performed it. */
  readonly run: string;
  /** Files of others that it read, and that have no digest. */
  readonly unaccounted: number;
  /** Digest of the image whose files it saw; undefined: those of the host. */
  readonly image: string | undefined;
  /** Files that the link names one by one, by path; empty when it names the tree alone. */
  readonly products: ReadonlyMap<string, Digest>;
}

type ReleasedStep = Release["steps"][number];

/**
 * Checks every step of the manifest: its link, trace, storage and workload statement, that its inputs are the source or
 * the outputs of other steps, and that its product is the output which the manifest lists.
 */
export function checkSteps(statements: readonly ChainStatement[], release: ChainStatement<"release">): VerifiedStep[] {
  const { steps, source } = release.predicate;
  const names = new Set(steps.map((step) => step.name));
  if (names.size !== steps.length || names.has("source")) {
    throw chainErrors.make("CHAIN_STEP_MISMATCH", "the release manifest lists one step twice, or one named source");
  }
  const listed = new Set(steps.map((step) => step.link));
  const stray = statements.filter(isOf("link")).find((link) => !listed.has(link.digest));
  if (stray !== undefined) {
    throw chainErrors.make(
      "CHAIN_STEP_UNLISTED",
      `the link of ${stray.predicate.name} belongs to no step of the release`,
    );
  }
  const inputs = new Map<string, Digest>([
    ["source", source.treeDigest],
    ...steps.map((s) => [s.name, s.output] as const),
  ]);
  return steps.map((step) => checkStep(statements, release, step, inputs));
}

function checkStep(
  statements: readonly ChainStatement[],
  release: ChainStatement<"release">,
  step: ReleasedStep,
  inputs: ReadonlyMap<string, Digest>,
): VerifiedStep {
  const what = `step ${step.name}`;
  const link = only(statements, "link", (each) => each.digest === step.link, what);
  if (link.predicate.name !== step.name) {
    throw chainErrors.make(
      "CHAIN_STEP_MISMATCH",
      `expected the link of ${step.name}, found that of ${link.predicate.name}`,
    );
  }
  checkProduct(link, step);
  if (link.predicate.byproducts?.["return-value"] !== 0) {
    throw chainErrors.make("CHAIN_STEP_FAILED", `the command of step ${step.name} did not succeed`);
  }
  const materials = checkMaterials(link, step, inputs);
  const cachedFrom = link.run === release.run ? undefined : checkCacheHit(statements, release, step, link, materials);
  const trace = only(statements, "runtime-trace", (each) => each.digest === step.trace, `the trace of ${what}`);
  if (trace.predicate.monitoredProcess.event !== `run/${link.run}/step/${step.name}` || trace.run !== link.run) {
    throw chainErrors.make("CHAIN_STEP_MISMATCH", `the trace listed for step ${step.name} is of another step or run`);
  }
  checkProduct(trace, step);
  const ofStep = (row: { readonly step: string } | undefined) => row?.step === step.name;
  const mounts = only(
    statements,
    "mounts-and-network",
    (each) => each.run === link.run && each.predicate.steps.some(ofStep),
    `the storage of ${what}`,
  );
  const storage = mounts.predicate.steps.find(ofStep) as (typeof mounts.predicate.steps)[number];
  checkMounts(storage, step, materials);
  only(
    statements,
    "workload-attestation",
    (each) =>
      each.run === link.run && each.predicate.workloads.some((row) => ofStep(row) && row.spiffeId === link.signer),
    `the workload of ${what}`,
  );
  return {
    name: step.name,
    output: step.output,
    cachedFrom,
    network: storage.network.enforced,
    observed: trace.predicate.touchmark_trace?.complete === true,
    tier: trace.predicate.touchmark_trace?.tier ?? "none",
    run: link.run,
    unaccounted: unaccountedFiles(trace),
    image: imageOf(link),
    products: productsOf(link),
  };
}

function checkProduct(statement: ChainStatement, step: ReleasedStep): void {
  if (subjectDigest(statement, `output/${step.name}`) !== step.output) {
    throw chainErrors.make(
      "CHAIN_PRODUCT_MISMATCH",
      `a statement of ${statement.kind} has another output of step ${step.name} than the release manifest`,
    );
  }
}

function imageOf(link: ChainStatement<"link">): string | undefined {
  const image = link.predicate.environment?.["image"];
  if (image === undefined) return undefined;
  return typeof image === "string" ? image : "an image that is not named by a digest";
}

function productsOf(link: ChainStatement<"link">): Map<string, Digest> {
  const [, ...files] = link.verified.statement.subject;
  return new Map(files.map((file) => [file.name ?? "", `sha256:${file.digest["sha256"] ?? ""}`]));
}

function checkMaterials(
  link: ChainStatement<"link">,
  step: ReleasedStep,
  inputs: ReadonlyMap<string, Digest>,
): ReadonlyMap<string, Digest> {
  const materials = new Map<string, Digest>();
  for (const material of link.predicate.materials ?? []) {
    const name = material.name ?? "";
    const expected = inputs.get(name);
    const found = material.digest?.["sha256"];
    if (expected === undefined || `sha256:${found}` !== expected || name === step.name) {
      throw chainErrors.make(
        "CHAIN_MATERIAL_MISMATCH",
        `step ${step.name} used ${JSON.stringify(name.slice(0, 80))} with digest ${found}, expected ${expected ?? "no such input"}`,
      );
    }
    materials.set(name, expected);
  }
  return materials;
}

function checkMounts(
  storage: ChainStatement<"mounts-and-network">["predicate"]["steps"][number],
  step: ReleasedStep,
  materials: ReadonlyMap<string, Digest>,
): void {
  const mounted = new Map(
    storage.mounts.filter((mount) => mount.kind === "input").map((mount) => [mount.from ?? "", mount.digest]),
  );
  const same =
    mounted.size === materials.size && [...materials].every(([name, digest]) => mounted.get(name) === digest);
  if (!same || (storage.output.digest !== undefined && storage.output.digest !== step.output)) {
    throw chainErrors.make(
      "CHAIN_MOUNT_MISMATCH",
      `the mounts of step ${step.name} are not the inputs that its link lists`,
    );
  }
}

/** A step of an earlier run counts when a cache hit of this run names its link, inputs and output. */
function checkCacheHit(
  statements: readonly ChainStatement[],
  release: ChainStatement<"release">,
  step: ReleasedStep,
  link: ChainStatement<"link">,
  materials: ReadonlyMap<string, Digest>,
): string {
  const hit = only(
    statements,
    "cache-hit",
    (each) => each.run === release.run && each.predicate.step === step.name,
    `step ${step.name}, which another run performed`,
  );
  const { original, output, materials: listed, key } = hit.predicate;
  const fits =
    original.link === link.digest &&
    original.run === link.run &&
    original.functionary === link.signer &&
    output === step.output &&
    link.predicate.environment?.["key"] === key &&
    listed.length === materials.size &&
    listed.every((material) => materials.get(material.name) === material.digest);
  if (!fits) {
    throw chainErrors.make(
      "CHAIN_CACHE_MISMATCH",
      `the cache hit of step ${step.name} does not fit the link it rests on`,
    );
  }
  return original.run;
}
