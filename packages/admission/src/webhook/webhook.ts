import { isFactoryError } from "@touchmark/core";
import { parseRegistryReference, registryReferenceText } from "@touchmark/formats/oci";
import type { CallerFacts } from "@touchmark/policy";
import type { AdmissionGate, AdmissionVerdict } from "../gate/types.ts";
import { reviewErrors } from "../review/errors.ts";
import { type ImageUse, imagesOf } from "../review/images.ts";
import { kindName, type PlacesOf } from "../review/places.ts";
import type { AdmissionRequest } from "../review/review.ts";
import { annotationPatch } from "./annotation.ts";
import { judged, type PatchOperation, passed, type ReviewAnswer, refused } from "./answer.ts";
import { askGate, pinnedDigest } from "./ask.ts";
import { questionErrors } from "./errors.ts";

/** What a webhook rests on. */
export interface WebhookParts {
  readonly gate: AdmissionGate;
  readonly placesOf: PlacesOf;
  /** Environment that the cluster is, for policies that match one. */
  readonly environment?: string;
  /** Tags are warned of instead of denied by the validating webhook. */
  readonly insecureAllowTags?: boolean;
}

/** How much time is left, and whether the caller still waits. */
export interface Patience {
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** `validating` answers yes or no; `mutating` writes digests in the place of tags, too, and tells the evidence. */
export type WebhookKind = "validating" | "mutating";

/** Answers a review: fails closed whatever happens. */
export async function answerReview(
  kind: WebhookKind,
  request: AdmissionRequest,
  parts: WebhookParts,
  patience: Patience,
): Promise<ReviewAnswer> {
  try {
    return await review(kind, request, parts, patience);
  } catch (error) {
    if (isFactoryError(error)) return refused(error);
    const message = `expected an answer, found ${error instanceof Error ? error.message : "another failure"}`;
    return refused(questionErrors.make("ADMISSION_GATE_FAILED", message.slice(0, 500), { cause: error }));
  }
}

async function review(
  kind: WebhookKind,
  request: AdmissionRequest,
  parts: WebhookParts,
  patience: Patience,
): Promise<ReviewAnswer> {
  const { object, oldObject } = request;
  const { operation } = request;
  if (operation === "DELETE" || (operation === "CONNECT" && object === undefined)) {
    return passed(`${operation} runs nothing`);
  }
  if (object === undefined) {
    throw reviewErrors.make("ADMISSION_OBJECT_MALFORMED", `expected the object of ${operation}, found none`);
  }
  const uses = imagesOf(object, request.kind, parts.placesOf);
  if (uses.length === 0) return passed(`${kindName(request.kind)} names no image`);
  const before = operation === "UPDATE" ? usesBefore(request, parts.placesOf) : new Set<string>();
  const kept = uses.filter((use) => before.has(useName(use)));
  const asked = uses.filter((use) => !before.has(useName(use)));
  const tags = asked.filter(({ reference }) => pinnedDigest(reference) === undefined);
  if (kind === "validating" && tags.length > 0 && parts.insecureAllowTags !== true) throw unpinned(tags);
  const verdicts = await askGate(
    parts.gate,
    asked.map(({ reference }) => reference),
    contextOf(request, parts, patience),
  );
  const answers = [...verdicts.values()];
  if (kind === "validating" || answers.some(({ result }) => result !== "allow")) {
    return withTagWarnings(asked.length === 0 ? passed("every image is as it was") : judged(answers, []), tags, kind);
  }
  const admitted = asked.map((use) => ({ use, ...pinned(use, verdicts) }));
  const images = admitted.flatMap(({ use, runsBy }): PatchOperation[] =>
    use.reference === runsBy ? [] : [{ op: "replace", path: use.pointer, value: runsBy }],
  );
  const isPod = kindName(request.kind) === "/Pod" && request.subResource === "";
  const patch = [...images, ...(isPod ? annotationPatch(object, oldObject, admitted, kept) : [])];
  return asked.length === 0 ? { ...passed("every image is as it was"), patch } : judged(answers, patch);
}

/** A use that an update leaves as it was: the same reference in a container or volume of the same role and name. */
function useName({ role, name, reference }: ImageUse): string {
  return `${role} ${name} ${reference}`;
}

/** What ran before goes on: evidence that ran out strands no label, no scaling and no clean-up. New pods are asked anew. */
function usesBefore({ oldObject, kind }: AdmissionRequest, placesOf: PlacesOf): ReadonlySet<string> {
  if (oldObject === undefined) return new Set();
  try {
    return new Set(imagesOf(oldObject, kind, placesOf).map(useName));
  } catch (error) {
    if (isFactoryError(error)) return new Set();
    throw error;
  }
}

function contextOf(request: AdmissionRequest, { environment }: WebhookParts, { withinMs, signal }: Patience) {
  const { namespace, dryRun, kind, operation, name, user, groups, resource, subResource } = request;
  return {
    ...(namespace === undefined ? {} : { namespace }),
    ...{ withinMs, signal, dryRun },
    facts: {
      ...{ operation, kind: kindName(kind), resource, subResource, name, user, groups, dryRun },
      ...(user === "" ? {} : { caller: callerFacts(user) }),
      namespace: namespace ?? null,
      environment: environment ?? null,
    },
  };
}

/** The API server knows its callers by their tokens; programs of a cluster have accounts that begin with `system:`. */
const callerFacts = (user: string): CallerFacts => ({
  name: user,
  kind: user.startsWith("system:") ? "service" : "person",
  authentication: "token",
});

function pinned(use: ImageUse, verdicts: ReadonlyMap<string, AdmissionVerdict>) {
  const verdict = verdicts.get(use.reference);
  if (verdict?.digest === undefined) {
    throw questionErrors.make("ADMISSION_GATE_FAILED", `found no digest of ${use.reference}`);
  }
  if (pinnedDigest(use.reference) !== undefined) return { runsBy: use.reference, verdict };
  const { registry, repository } = parseRegistryReference(use.reference);
  return { runsBy: registryReferenceText({ registry, repository, digest: verdict.digest }), verdict };
}

function unpinned(tags: readonly ImageUse[]): Error {
  const found = [...new Set(tags.map(({ reference }) => reference))].slice(0, 8).join(", ");
  return questionErrors.make("ADMISSION_TAG_UNPINNED", `expected HOST/NAME@sha256:…, found ${found}`);
}

function withTagWarnings(answer: ReviewAnswer, tags: readonly ImageUse[], kind: WebhookKind): ReviewAnswer {
  if (kind === "mutating" || tags.length === 0 || !answer.allowed) return answer;
  const warnings = tags.map(({ reference }) => `insecure: ${reference} is a tag, and may be another image tomorrow`);
  return { ...answer, warnings: [...answer.warnings, ...warnings] };
}
