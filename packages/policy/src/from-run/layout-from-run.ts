import type { ArtifactRule, Functionary, Layout, LayoutStep } from "@touchmark/formats/policy";
import type { VerifiedStatement } from "@touchmark/verify";
import type { VerifiedChain } from "@touchmark/verify/chain";
import { linksOf, type StepLink } from "../layout/step-link.ts";

/** A good run: a verified chain for each of its artifacts, and the statements that they were made of. */
export interface GoodRun {
  readonly chains: readonly [VerifiedChain, ...VerifiedChain[]];
  readonly statements: readonly VerifiedStatement[];
}

const nothingElse: ArtifactRule = { rule: "DISALLOW", pattern: "*" };
const everythingMade: ArtifactRule = { rule: "CREATE", pattern: "*" };

/**
 * The layout that a run followed: its steps, who signed each, and what each took from which other one. Undefined where
 * no step's link names an artifact, as for images and directories: then no layout could speak of it.
 */
export function layoutFromRun({ chains, statements }: GoodRun, expires: string): Layout | undefined {
  const [chain] = chains;
  const links = linksByStep(chain, statements);
  const subjects = subjectsOf(chains);
  if (subjects === undefined || links.size !== chain.steps.length) return undefined;
  const steps = inOrder([...links.values()].map((link) => stepOf(link, subjects)));
  const startsAtSource = links.get(steps[0]?.name ?? "")?.materials.digests.has("source") === true;
  return {
    touchmark: "layout/v1",
    name: `${chain.project}-${chain.pipeline}`,
    version: 1,
    expires,
    description: `What run ${chain.run} did: each step, who may sign it, and what it may take from which other one.`,
    ...(startsAtSource ? { source: { uri: chain.source.uri } } : {}),
    functionaries: Object.fromEntries([...links.values()].map((link) => [nameOf(link.step), partyOf(link)])),
    steps,
    subjects: [...subjects].map(([step, products]) => ({ step, products })),
  };
}

/** The link of each step of the chain, by the step's name. */
function linksByStep(chain: VerifiedChain, statements: readonly VerifiedStatement[]): ReadonlyMap<string, StepLink> {
  const listed = new Set(chain.statements.map(({ digest }) => digest));
  const links = linksOf(statements).filter(
    (link) => listed.has(link.statement) && link.unusable === undefined && link.signer.kind === "certificate",
  );
  return new Map(links.map((link) => [link.step, link]));
}

/** Paths of artifacts by the step that made them; undefined when one is named by no link. */
function subjectsOf(chains: GoodRun["chains"]): ReadonlyMap<string, readonly string[]> | undefined {
  const subjects = new Map<string, string[]>();
  for (const { artifact, steps } of chains) {
    const step = steps.find(({ name }) => name === artifact.step);
    if (step?.products.get(artifact.path) !== artifact.digest) return undefined;
    subjects.set(artifact.step, [...(subjects.get(artifact.step) ?? []), artifact.path]);
  }
  return subjects;
}

function stepOf(link: StepLink, subjects: ReadonlyMap<string, readonly string[]>): LayoutStep {
  const materials = [...link.materials.digests.keys()].sort();
  const after = materials.filter((name) => name.startsWith("output/")).map((name) => name.slice("output/".length));
  return {
    name: link.step,
    ...(after.length === 0 ? {} : { after }),
    functionaries: [nameOf(link.step)],
    ...(link.command.length === 0 ? {} : { command: link.command }),
    materials: [...materials.map(takenFrom), nothingElse],
    products: [
      // A name, not a pattern.
      ...(subjects.get(link.step) ?? []).map((pattern): ArtifactRule => ({ rule: "REQUIRE", pattern })),
      everythingMade,
      nothingElse,
    ],
  };
}

function takenFrom(name: string): ArtifactRule {
  const from = name === "source" ? "source" : name.slice("output/".length);
  return { rule: "MATCH", pattern: literal(name), with: "products", from };
}

/** A path as a pattern that fits itself alone. */
function literal(path: string): string {
  return path.replaceAll(/[*?[]/g, "[$&]");
}

function partyOf({ signer }: StepLink): Functionary {
  if (signer.kind === "key") return { keys: [signer.key] };
  return { identities: [{ identity: signer.identity, issuer: signer.issuer }] };
}

/** A step's name as CEL can say it. */
function nameOf(step: string): string {
  return `step_${step.replaceAll(/[^A-Za-z0-9]/g, "_")}`.slice(0, 64);
}

/** Each after all that it takes from. */
function inOrder(steps: readonly LayoutStep[]): readonly LayoutStep[] {
  const left = [...steps].sort((one, other) => (one.name < other.name ? -1 : 1));
  const done: LayoutStep[] = [];
  while (left.length > 0) {
    const next = left.findIndex(({ after }) => (after ?? []).every((name) => done.some((step) => step.name === name)));
    done.push(...left.splice(Math.max(next, 0), 1));
  }
  return done;
}
