import { type Digest, isFactoryError, sha256 } from "@touchmark/core";
import {
  type ClassicKey,
  type ClassicLayout,
  classicLinkFileName,
  classicSigners,
  inTotoErrors,
  layoutFromClassic,
  readClassicLayout,
  readClassicLink,
  verifyClassicSignatures,
} from "@touchmark/formats/in-toto";
import type { Layout } from "@touchmark/formats/policy";
import {
  type InspectionResult,
  judgeLayout,
  type LayoutJudgement,
  type LayoutParameters,
  type StepLink,
  stepLinkOfClassic,
  substituteParameters,
} from "@touchmark/policy";
import { inspectionErrors } from "./errors.ts";
import type { InspectionRun, Inspector } from "./inspector.ts";

/** How deep layouts may delegate, and to how many in all. */
const MAX_DEPTH = 4;
const MAX_SUBLAYOUTS = 64;

/** What is verified, and against what. */
export interface ClassicQuestion {
  /** The layout's bytes. */
  readonly layout: Uint8Array;
  /** Each must have signed the layout. */
  readonly keys: readonly ClassicKey[];
  /** Bytes of a file of the links directory, by its path there; undefined when there is none. */
  readonly file: (path: string) => Uint8Array | undefined;
  readonly artifact: Digest;
  /** Step whose product the artifact must be; default: the last. */
  readonly subjectStep?: string | undefined;
  readonly parameters: LayoutParameters;
  readonly now: Date;
  readonly inspector: Inspector;
}

/** What came of it. */
export interface ClassicVerdict {
  readonly layout: ClassicLayout;
  readonly digest: Digest;
  readonly judgement: LayoutJudgement;
  readonly inspections: readonly InspectionRun[];
}

/**
 * Verifies an artifact against a classic in-toto layout, in the order of the specification (section 5.2): signatures,
 * expiry, parameters, links with their signatures and thresholds, sublayouts, artifact rules, and only then the
 * inspections. Nothing of a layout that is not signed by every key is ever run.
 * @throws INTOTO_* | LAYOUT_PARAMETER | LAYOUT_SUBLAYOUTS | LAYOUT_STEP_ABSENT | LAYOUT_INSPECTION_PRODUCT
 */
export async function verifyClassicLayout(question: ClassicQuestion): Promise<ClassicVerdict> {
  const budget = { left: MAX_SUBLAYOUTS };
  const { classic, judgement, inspections } = await verifyBelow(question, question.layout, question.keys, {
    directory: "",
    depth: 0,
    budget,
  });
  return { layout: classic, digest: sha256(question.layout), judgement, inspections };
}

interface Place {
  /** Directory of the links, below that of the question; empty, or ends with `/`. */
  readonly directory: string;
  readonly depth: number;
  readonly budget: { left: number };
}

interface Below {
  readonly classic: ClassicLayout;
  readonly judgement: LayoutJudgement;
  readonly inspections: readonly InspectionRun[];
}

async function verifyBelow(
  question: ClassicQuestion,
  bytes: Uint8Array,
  keys: readonly ClassicKey[],
  place: Place,
): Promise<Below> {
  const { layout: read, envelope } = readClassicLayout(bytes);
  verifyClassicSignatures(envelope, keys);
  const isTop = place.depth === 0;
  const classic = isTop ? substituteParameters(read, question.parameters) : read;
  const subjects = isTop ? [subjectStepOf(classic, question.subjectStep)] : [];
  const layout = ours(classic, bytes, subjects);
  const common = { subject: question.artifact, now: question.now, issuer: "", semantics: "in-toto" } as const;
  // An expired layout, or an empty one, is refused before anything that it names is read.
  const inspections: InspectionRun[] = [];
  const links: StepLink[] = [];
  if (question.now.getTime() < Date.parse(classic.expires)) {
    for (const step of classic.steps) {
      for (const keyid of new Set(step.pubkeys)) {
        const key = classic.keys[keyid];
        // Part of a file's name.
        if (key !== undefined && /^[0-9a-f]{8,128}$/i.test(keyid))
          links.push(...(await linksAt(question, step.name, keyid, key, place, inspections)));
      }
    }
  }
  const stepsAlone = judgeLayout({ ...common, layout: { ...layout, inspections: [] }, links });
  if (stepsAlone.verdict === "refused" || classic.inspections.length === 0) {
    return { classic, inspections, judgement: withNotes(stepsAlone, classic) };
  }
  const results = new Map<string, InspectionResult>();
  for (const { name, run } of classic.inspections) {
    const done = await question.inspector.run(name, run);
    inspections.push(done);
    results.set(name, done);
    if (done.exitCode !== 0) break;
  }
  const judgement = judgeLayout({ ...common, layout, links, inspections: results });
  return { classic, inspections, judgement: withNotes(judgement, classic) };
}

/** A classic layout as ours; one without steps stays so, to be refused as what it is. */
function ours(classic: ClassicLayout, bytes: Uint8Array, subjects: readonly string[]): Layout {
  const name = `in-toto.${sha256(bytes).slice(7, 19)}`;
  if (classic.steps.length === 0) {
    const { expires } = classic;
    return { touchmark: "layout/v1", name, version: 1, expires, functionaries: {}, steps: [], subjects: [] };
  }
  // Where keys may sign as well, they alone count.
  const steps = classic.steps.map(({ certificateConstraints, ...step }) =>
    certificateConstraints === undefined || step.pubkeys.length > 0 ? step : { ...step, certificateConstraints },
  );
  return { ...layoutFromClassic({ ...classic, steps }, { name }), subjects: subjects.map((step) => ({ step })) };
}

/** What is read and not counted is said. */
function withNotes(judgement: LayoutJudgement, classic: ClassicLayout): LayoutJudgement {
  const notes = classic.steps
    .filter((step) => (step.certificateConstraints ?? []).length > 0)
    .map((step) => `step ${step.name} also allows certificates, which are not counted: its keys alone are`);
  return { ...judgement, warnings: [...judgement.warnings, ...notes] };
}

function subjectStepOf(classic: ClassicLayout, wanted: string | undefined): string {
  const last = classic.steps.at(-1)?.name ?? "";
  if (wanted === undefined || classic.steps.some(({ name }) => name === wanted)) return wanted ?? last;
  throw inspectionErrors.make(
    "LAYOUT_STEP_ABSENT",
    `expected one of ${classic.steps.map(({ name }) => name).join(", ")}, found ${JSON.stringify(wanted.slice(0, 80))}`,
  );
}

/** The link that one key signed for one step, where its file is there. One that cannot count says why. */
async function linksAt(
  question: ClassicQuestion,
  step: string,
  keyid: string,
  key: ClassicKey,
  place: Place,
  inspections: InspectionRun[],
): Promise<StepLink[]> {
  const bytes = question.file(place.directory + classicLinkFileName(step, keyid));
  if (bytes === undefined) return [];
  try {
    const { link, envelope } = readClassicLink(bytes);
    const read = stepLinkOfClassic(step, link, bytes, key.digest);
    const isSigned = classicSigners(envelope, [key]).length === 1;
    return [isSigned ? read : { ...read, unusable: "its signature does not verify" }];
  } catch (error) {
    if (!isFactoryError(error)) throw error;
    if (error.code !== "INTOTO_TYPE_WRONG") return [unusable(step, key, bytes, `${error.code}: ${error.message}`)];
  }
  return [
    await delegated(question, step, key, bytes, inspections, {
      directory: `${place.directory}${classicLinkFileName(step, keyid).slice(0, -".link".length)}/`,
      depth: place.depth + 1,
      budget: place.budget,
    }),
  ];
}

/** A layout in the place of a link: the functionary delegated the step. What it comes to stands for the link. */
async function delegated(
  question: ClassicQuestion,
  step: string,
  key: ClassicKey,
  bytes: Uint8Array,
  inspections: InspectionRun[],
  place: Place,
): Promise<StepLink> {
  place.budget.left -= 1;
  if (place.depth > MAX_DEPTH || place.budget.left < 0) {
    throw inspectionErrors.make(
      "LAYOUT_SUBLAYOUTS",
      `expected at most ${MAX_DEPTH} levels and ${MAX_SUBLAYOUTS} sublayouts, found more at step ${step}`,
    );
  }
  let below: Below;
  try {
    below = await verifyBelow(question, bytes, [key], place);
  } catch (error) {
    if (!isFactoryError(error) || !Object.hasOwn(inTotoErrors.rows, error.code)) throw error;
    return unusable(step, key, bytes, `its sublayout: ${error.code}: ${error.message}`);
  }
  inspections.push(...below.inspections);
  const { judgement, classic } = below;
  const first = judgement.taken?.get(classic.steps[0]?.name ?? "");
  const last = judgement.taken?.get(classic.steps.at(-1)?.name ?? "");
  if (judgement.verdict === "refused" || first === undefined || last === undefined) {
    const why = judgement.denials[0];
    return unusable(step, key, bytes, `its sublayout is not followed: ${why?.code}: ${why?.message}`);
  }
  const summary = { name: step, command: [], materials: {}, products: {}, byproducts: {}, environment: {} };
  const link = stepLinkOfClassic(step, summary, bytes, key.digest);
  return { ...link, materials: first.materials, products: last.products };
}

function unusable(step: string, key: ClassicKey, bytes: Uint8Array, why: string): StepLink {
  const empty = { name: step, command: [], materials: {}, products: {}, byproducts: {}, environment: {} };
  return { ...stepLinkOfClassic(step, empty, bytes, key.digest), unusable: why };
}
