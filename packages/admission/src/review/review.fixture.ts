import { sha256 } from "@touchmark/core";
import type { JsonObject } from "./object.ts";

/** A reference by digest. */
export const byDigest = (name: string): string => `registry.example/team/${name}@${sha256(name)}`;
/** A reference by tag. */
export const byTag = (name: string): string => `registry.example/team/${name}:1`;

const groups = new Map<string, readonly [group: string, version: string]>(
  Object.entries({
    Pod: ["", "v1"],
    PodTemplate: ["", "v1"],
    ReplicationController: ["", "v1"],
    Job: ["batch", "v1"],
    CronJob: ["batch", "v1"],
    Scale: ["autoscaling", "v1"],
  }),
);

/** A pod's specification of one container. */
export const podOf = (image: string, more: JsonObject = {}) => ({
  containers: [{ name: "app", image }],
  ...more,
});

/** An object of a kind of Kubernetes with this pod specification. */
export function workload(kind: string, spec: JsonObject): JsonObject {
  const template = { metadata: {}, spec };
  const metadata = { name: "app" };
  if (kind === "Pod") return { metadata, spec };
  if (kind === "PodTemplate") return { metadata, template };
  return { metadata, spec: kind === "CronJob" ? { jobTemplate: { spec: { template } } } : { template } };
}

/** An AdmissionReview about an object, as an API server sends it. */
export function reviewOf(kind: string, object: object | undefined, more: object = {}) {
  const [group, version] = groups.get(kind) ?? ["apps", "v1"];
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group, version, kind },
      resource: { group, version, resource: `${kind.toLowerCase()}s` },
      ...{ name: "app", namespace: "shop", operation: "CREATE", dryRun: false },
      userInfo: { username: "ada", groups: ["system:authenticated"] },
      ...(object === undefined ? {} : { object }),
      ...more,
    },
  };
}

/** Its bytes. */
export const reviewBytesOf = (kind: string, object: object | undefined, more: object = {}): Buffer =>
  Buffer.from(JSON.stringify(reviewOf(kind, object, more)));
