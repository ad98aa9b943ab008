import type { Layout, LayoutStep } from "@touchmark/formats/policy";
import type { DenialCode } from "../decision.ts";
import { countParties, partiesOf } from "../engine/functionary.ts";
import type { ItemArtifacts } from "./artifact-rules.ts";
import { sameArtifacts } from "./artifacts.ts";
import { shownSigner } from "./functionary.ts";
import type { ConsideredLink } from "./judgement.ts";
import type { StepLink } from "./step-link.ts";

/** Links of one step that say the same and reach its threshold. */
export interface StepGroup extends ItemArtifacts {
  readonly functionaries: readonly string[];
  readonly commands: readonly (readonly string[])[];
  readonly links: readonly StepLink[];
}

/** What there is for one step. */
export interface StepEvidence {
  readonly step: LayoutStep;
  /** Each is enough; the one that most signed first. */
  readonly groups: readonly StepGroup[];
  readonly considered: readonly ConsideredLink[];
  /** Why there is none, where there is none. */
  readonly lack?: { readonly code: DenialCode; readonly message: string; readonly solution: string };
  readonly disagreement?: string;
}

/** A link with the functionaries of its step that its signer is. */
export interface SignedLink {
  readonly link: StepLink;
  readonly names: readonly string[];
}

/** Links by the steps of a layout; links of other steps are passed over. */
export function linksByStep(
  layout: Layout,
  links: readonly StepLink[],
  issuer: string,
): ReadonlyMap<string, readonly SignedLink[]> {
  const functionaries = new Map(layout.steps.map((step) => [step.name, step.functionaries]));
  const byStep = new Map<string, SignedLink[]>();
  for (const link of links) {
    const wanted = functionaries.get(link.step);
    if (wanted === undefined) continue;
    const found = byStep.get(link.step) ?? [];
    found.push({ link, names: partiesOf(link.signer, wanted, layout.functionaries, issuer) });
    byStep.set(link.step, found);
  }
  return byStep;
}

/** How links are looked at. */
export interface LinkView {
  readonly layout: Layout;
  readonly issuer: string;
  readonly linksByStep: ReadonlyMap<string, readonly SignedLink[]>;
  readonly semantics: "touchmark" | "in-toto";
  /** Why a link's run excludes it; undefined when it does not. */
  readonly foreign: (link: StepLink) => string | undefined;
}

/** Sorts the links of a step by what they say and who may say it. */
export function stepEvidence(step: LayoutStep, view: LinkView): StepEvidence {
  const considered: ConsideredLink[] = [];
  const counted: SignedLink[] = [];
  for (const { link, names } of view.linksByStep.get(step.name) ?? []) {
    const notCounted = link.unusable ?? whyNot(link, names, view);
    const row = { statement: link.statement, signer: shownSigner(link.signer) };
    if (notCounted === undefined) counted.push({ link, names });
    considered.push({
      ...row,
      ...(notCounted === undefined ? {} : { notCounted }),
      ...(names[0] === undefined ? {} : { functionary: names[0] }),
    });
  }
  const alike: SignedLink[][] = [];
  for (const each of counted) {
    const group = alike.find(([first]) => first !== undefined && saySame(first.link, each.link));
    if (group === undefined) alike.push([each]);
    else group.push(each);
  }
  const threshold = Math.max(1, step.threshold ?? 1);
  const disagreement =
    alike.length > 1 ? `links of step ${step.name} that may count have different artifacts` : undefined;
  const strict = view.semantics === "in-toto" && threshold > 1 && disagreement !== undefined;
  const groups = strict ? [] : alike.map(groupOf).filter((group) => group.functionaries.length >= threshold);
  groups.sort((one, other) => other.functionaries.length - one.functionaries.length);
  return {
    step,
    groups,
    considered,
    ...(disagreement === undefined ? {} : { disagreement }),
    ...(groups.length > 0 ? {} : { lack: lackOf(step, considered, strict ? disagreement : undefined) }),
  };
}

function whyNot(link: StepLink, names: readonly string[], view: LinkView): string | undefined {
  if (names.length === 0) return "its signer is no functionary of this step";
  if (view.semantics === "touchmark" && link.exitCode !== undefined && link.exitCode !== 0) {
    return `its command failed with ${link.exitCode}`;
  }
  return view.foreign(link);
}

function saySame(one: StepLink, other: StepLink): boolean {
  return sameArtifacts(one.materials, other.materials) && sameArtifacts(one.products, other.products);
}

function groupOf(members: readonly SignedLink[]): StepGroup {
  const claims = members.map(({ link, names }) => ({ signer: link.signer, parties: names }));
  const functionaries = countParties(claims).names;
  const links = members.map(({ link }) => link);
  const [first] = links as [StepLink];
  return {
    functionaries,
    links,
    commands: links.map(({ command }) => command),
    materials: first.materials,
    products: first.products,
  };
}

function lackOf(
  { name, functionaries, threshold }: LayoutStep,
  considered: readonly ConsideredLink[],
  disagreement: string | undefined,
): NonNullable<StepEvidence["lack"]> {
  const wanted = functionaries.join(", ");
  if (disagreement !== undefined) {
    return {
      code: "POLICY_THRESHOLD",
      message: disagreement,
      solution: `Have ${wanted} perform it on the same materials.`,
    };
  }
  if (considered.length === 0) {
    return {
      code: "POLICY_STEP_EVIDENCE_MISSING",
      message: `no link of step ${name} was found`,
      solution: `Present the link of step ${name}, signed by ${wanted}.`,
    };
  }
  if (considered.every((link) => link.functionary === undefined)) {
    return {
      code: "POLICY_STEP_FUNCTIONARY",
      message: `step ${name} is signed by ${considered[0]?.signer ?? "nobody"}, who may not perform it`,
      solution: `Have the step performed by ${wanted}.`,
    };
  }
  if (considered.every((link) => link.notCounted !== undefined)) {
    const first = considered.find((link) => link.functionary !== undefined);
    return {
      code: "POLICY_STEP_EVIDENCE_MISSING",
      message: `no link of step ${name} counts: ${first?.notCounted ?? ""}`,
      solution: `Present a link of step ${name} that belongs to the same run and succeeded.`,
    };
  }
  return {
    code: "POLICY_THRESHOLD",
    message: `step ${name} wants ${threshold ?? 1} of ${wanted} to agree on its artifacts, and fewer do`,
    solution: "Have further functionaries perform it on the same materials.",
  };
}
