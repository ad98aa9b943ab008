import type { Clock, Digest } from "@touchmark/core";
import { isTag } from "@touchmark/formats/oci";
import { type ImageReference, imageReferenceText } from "@touchmark/formats/pipeline";
import { predicateType } from "@touchmark/formats/predicates";
import { copyImage, type PublishedFile, publishArtifact } from "@touchmark/registry";
import type { RunArtifact, RunRecord } from "@touchmark/store";
import { artifactFileName } from "../evidence/artifact-name.ts";
import type { Factory } from "../factory.ts";
import { targetGate } from "../gates/target-gate.ts";
import { gatherEvidence } from "../gather.ts";
import type { PoliciesInForce } from "../policy/index.ts";
import { runImageErrors } from "./errors.ts";
import type { ImagePlaces } from "./image-places.ts";

/** What was published where. */
export interface Publication {
  readonly artifact: string;
  /** `HOST/NAME@DIGEST`: what to verify. */
  readonly reference: string;
  /** Of the manifest. */
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** Bundles beside it. */
  readonly bundles: number;
  /** Those among them that let it go there. */
  readonly decisions: readonly Digest[];
  /** Blobs that were sent; the others were there. */
  readonly sent: number;
}

/** Where an artifact goes. */
export interface PublicationTarget {
  readonly to: ImageReference;
  readonly tags: readonly string[];
  /** Those that decide whether it may go there. */
  readonly policies: PoliciesInForce;
}

/** Media types of artifacts by kind; others are bytes. */
const artifactMediaTypes: Readonly<Record<string, string>> = {
  directory: "application/x-tar",
  archive: "application/octet-stream",
  "npm-package": "application/vnd.npm.package.v1+gzip",
  "java-archive": "application/java-archive",
};

/** Type of artifacts that are no images. */
const ARTIFACT_TYPE = "application/vnd.touchmark.artifact.v1";

/**
 * Publishes an artifact of a run with every bundle that its verification needs, when the gate lets it go there: content,
 * manifest, bundles, the gate's decision, and the tags when all of it is there. What is there already is not sent again,
 * so that a broken one goes on where it was.
 * @throws GATE_REFUSED | EVIDENCE_MISSING | PUBLISH_EVIDENCE_MISSING | PUBLISH_TAG_INVALID and what the registry answers
 */
export async function publishRelease(
  factory: Factory,
  places: ImagePlaces,
  artifact: RunArtifact,
  { to, tags, policies }: PublicationTarget,
): Promise<Publication> {
  const wrong = tags.find((tag) => !isTag(tag));
  if (wrong !== undefined) {
    throw runImageErrors.make("PUBLISH_TAG_INVALID", `expected a tag, found ${JSON.stringify(wrong.slice(0, 80))}`);
  }
  const { run, bundles, missing } = await gatherEvidence(factory, artifact.digest);
  const [lost] = missing;
  if (lost !== undefined) {
    throw runImageErrors.make(
      "PUBLISH_EVIDENCE_MISSING",
      `run ${run.id} rests on the bundle ${lost}, which is not stored`,
    );
  }
  const { name, digest } = artifact;
  const place = imageReferenceText(placeOf(to));
  const decisions = await targetGate(factory, policies, { name, digest, place, tags });
  const target = await places.repository(to);
  const { repository } = (artifact.details ?? {}) as { readonly repository?: string };
  let sent = 0;
  let subject: Awaited<ReturnType<typeof publishArtifact>>["subject"] | undefined;
  if (artifact.kind === "image") {
    const own = (await places.own()).repository(repository ?? "");
    if (own.name !== target.name) {
      const report = await copyImage({ from: own, to: target, reference: artifact.digest, referrers: false });
      sent += report.blobs.sent;
    }
    subject = (await target.manifest(artifact.digest)).descriptor;
  }
  const report = await publishArtifact(target, {
    ...(subject === undefined ? { files: [fileOf(factory, artifact)], artifactType: ARTIFACT_TYPE } : { subject }),
    bundles: [
      ...bundles.map((each) => ({ bytes: each.bytes, predicateType: typeOf(run, each.digest) })),
      ...decisions.map(({ bytes }) => ({ bytes, predicateType: predicateType("verification-summary") })),
    ],
    // The time of the evidence, not of the push: done again, it gives the same digests.
    created: fixedClock(run),
  });
  for (const tag of tags) {
    const { bytes, descriptor } = await target.manifest(report.subject.digest);
    await target.putManifest(bytes, descriptor.mediaType, tag);
  }
  return {
    artifact: artifact.name,
    reference: imageReferenceText({ ...placeOf(to), digest: report.subject.digest }),
    digest: report.subject.digest,
    tags,
    bundles: bundles.length + decisions.length,
    decisions: decisions.map((each) => each.digest),
    sent: sent + report.sent,
  };
}

function placeOf({ registry, repository }: ImageReference): ImageReference {
  return { repository, ...(registry === undefined ? {} : { registry }) };
}

function fileOf(factory: Factory, artifact: RunArtifact): PublishedFile {
  const { path = "." } = (artifact.details ?? {}) as { readonly path?: string };
  const { name, kind, digest, size } = artifact;
  return {
    name: artifactFileName({ name, kind, path }),
    mediaType: artifactMediaTypes[kind] ?? "application/octet-stream",
    digest,
    size,
    open: () => factory.content.stream(digest),
  };
}

function typeOf(run: RunRecord, digest: Digest): string {
  return run.bundles.find((bundle) => bundle.digest === digest)?.predicateType ?? "";
}

function fixedClock(run: RunRecord): Clock {
  const at = new Date(Math.floor(Date.parse(run.startedAt) / 1000) * 1000);
  return { now: () => at };
}
