import { type Json, parseJson } from "@touchmark/core";
import type { AdmissionVerdict } from "../gate/types.ts";
import type { ImageUse } from "../review/images.ts";
import { type JsonObject, member, pointerStep, textMember } from "../review/object.ts";
import type { PatchOperation } from "./answer.ts";

/** Annotation of pods: which image was admitted by which policies on which evidence. Told, and never believed again. */
export const evidenceAnnotation = "admission.touchmark.dev/evidence";

/** Annotations of an object may have 256 KiB together; what does not fit here is left out. */
const longestAnnotation = 32_000;

/** What is told of one image, under the reference by which it runs. */
interface ToldImage {
  /** As the author of the object wrote it. */
  readonly from: string;
  readonly policies: readonly string[];
  readonly evidence: readonly string[];
}

/** One admitted use: the reference as it came, the one by which it runs, and the verdict. */
export interface AdmittedUse {
  readonly use: ImageUse;
  readonly runsBy: string;
  readonly verdict: AdmissionVerdict;
}

/** The change that makes a pod's annotation true: admitted images are told, and of kept ones what was told before. */
export function annotationPatch(
  object: JsonObject,
  oldObject: JsonObject | undefined,
  admitted: readonly AdmittedUse[],
  kept: readonly ImageUse[],
): readonly PatchOperation[] {
  const before = toldBefore(oldObject);
  const told = new Map<string, Json>();
  for (const { reference } of kept) {
    const entry = member(before, reference);
    if (entry !== undefined) told.set(reference, entry);
  }
  for (const one of admitted) told.set(one.runsBy, { ...toldOf(one) });
  const text = annotationText(told);
  const metadata = member(object, "metadata");
  const annotations = member(metadata, "annotations");
  const found = textMember(annotations, evidenceAnnotation);
  if (found === text || (text === undefined && found === undefined)) return [];
  const path = `/metadata/annotations${pointerStep(evidenceAnnotation)}`;
  return [
    ...(metadata === undefined ? [{ op: "add", path: "/metadata", value: {} } as const] : []),
    ...(annotations === undefined ? [{ op: "add", path: "/metadata/annotations", value: {} } as const] : []),
    { op: "add", path, value: text ?? "{}" },
  ];
}

function toldOf({ use, verdict }: AdmittedUse): ToldImage {
  const inputs = verdict.decisions.map((decision) => decision.inputs);
  return {
    from: use.reference,
    policies: [...new Set(inputs.flatMap(({ policies }) => policies))],
    evidence: [...new Set(inputs.flatMap(({ evidence }) => evidence))],
  };
}

/** Undefined when there is nothing to tell. */
function annotationText(told: ReadonlyMap<string, Json>): string | undefined {
  if (told.size === 0) return undefined;
  const names = [...told.keys()].sort();
  const full = JSON.stringify(Object.fromEntries(names.map((name) => [name, told.get(name)])));
  return full.length <= longestAnnotation ? full : JSON.stringify({ omitted: names.length });
}

function toldBefore(oldObject: JsonObject | undefined): Json | undefined {
  const text = textMember(member(member(oldObject, "metadata"), "annotations"), evidenceAnnotation);
  if (text === undefined || text.length > longestAnnotation) return undefined;
  try {
    return parseJson(text, { maxDepth: 8 });
  } catch {
    return undefined;
  }
}
