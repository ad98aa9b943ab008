import { userInfo } from "node:os";
import { imageReferenceText, templatesOf } from "@touchmark/formats/pipeline";
import { nodeId } from "@touchmark/identity";
import type { CallerFacts, ImageFacts, RunRequestFacts } from "@touchmark/policy";
import { signatureFacts } from "../evidence/request-statements.ts";
import { type RunFacts, timeOf } from "../evidence/run-facts.ts";
import type { AdmittedImage } from "../images/admit-image.ts";
import type { RunImages } from "../images/run-images.ts";
import type { Plan } from "../plan.ts";

/** Who started this process, by the kernel. */
export function localCaller(): CallerFacts {
  const { username, uid } = userInfo();
  return { name: username, kind: "local-user", id: String(uid), authentication: "kernel" };
}

/** The facts of the point `request`: who starts what, from where, with which images. */
export function requestFacts(
  facts: RunFacts,
  plan: Plan,
  images: RunImages | undefined,
  signers: readonly string[] | undefined,
): RunRequestFacts {
  const { source, request, project, pipeline, pipelineFile } = facts;
  const { uri, revision, commit, workingTree, committedAt } = source;
  const { status, signer, key } = signatureFacts(source.signature);
  return {
    caller: localCaller(),
    cause: "command",
    project,
    pipeline: {
      ...{ name: pipeline, file: pipelineFile.path, digest: pipelineFile.digest },
      ...(signers === undefined ? {} : { signers }),
    },
    source: {
      ...{ uri, revision, commit, workingTree, committedAt: timeOf(committedAt) },
      signature: {
        status,
        ...(signer === undefined ? {} : { signer }),
        ...(key === undefined ? {} : { key }),
      },
    },
    parameters: { ...request.parameters },
    insecureOptions: [...request.insecureOptions],
    trusted: request.trusted !== false,
    steps: plan.steps.map(({ name, definition }) => ({
      name,
      network: definition.network,
      ...(definition.image === undefined ? {} : { image: definition.image }),
      script: definition.script !== undefined,
    })),
    images: (images?.admitted ?? []).map(imageFacts),
    templates: templatesOf(plan.pipeline),
    nodes: [nodeId(facts.trustDomain)],
  };
}

/** An image that was looked up and judged. */
export function imageFacts({ wanted, digest, vouchers, insecure }: AdmittedImage): ImageFacts {
  return {
    reference: imageReferenceText(wanted.reference),
    digest,
    pinned: wanted.reference.digest !== undefined,
    use: wanted.use,
    vouchers: vouchers.map(({ by }) => by),
    insecure,
  };
}
