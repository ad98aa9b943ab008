import type { Json } from "@touchmark/core";
import type { ImagePlace } from "../review/places.ts";

/** What the manifests of a cluster shall say. */
export interface ManifestWishes {
  /** Where the API server reaches the service: a service of the cluster, or an address beside it. */
  readonly reached:
    | { readonly namespace: string; readonly service: string; readonly port: number }
    | { readonly url: string };
  /** PEM certificates that the service's certificate is verified with. */
  readonly authority: string;
  /** 1 to 30. */
  readonly timeoutSeconds: number;
  /** Custom kinds beside the kinds of Kubernetes. */
  readonly places: readonly ImagePlace[];
  /** Images by digest whose pods start without the service, in its own namespace alone: its own image. */
  readonly components: readonly string[];
  /** True: without the webhook that writes digests. */
  readonly isValidatingOnly: boolean;
  /** Also Gatekeeper's Provider. */
  readonly hasProvider: boolean;
}

const label = "touchmark-admission";
const operations = ["CREATE", "UPDATE"] as const;

const rules: readonly { readonly [name: string]: Json }[] = [
  {
    apiGroups: [""],
    apiVersions: ["v1"],
    resources: ["pods", "pods/ephemeralcontainers", "replicationcontrollers", "podtemplates"],
  },
  { apiGroups: ["apps"], apiVersions: ["v1"], resources: ["deployments", "replicasets", "statefulsets", "daemonsets"] },
  { apiGroups: ["batch"], apiVersions: ["v1"], resources: ["jobs", "cronjobs"] },
];

/** The objects that register the service with a cluster, in the order in which they are applied. */
export function webhookManifests(wishes: ManifestWishes): readonly { readonly [name: string]: Json }[] {
  const configuration = (kind: string, path: string, more: { readonly [name: string]: Json }) => ({
    apiVersion: "admissionregistration.k8s.io/v1",
    kind,
    metadata: { name: label },
    webhooks: [
      {
        name: `${path}.admission.touchmark.dev`,
        clientConfig: clientConfig(wishes, path),
        ...{ rules: rulesOf(wishes), matchPolicy: "Equivalent", failurePolicy: "Fail", sideEffects: "NoneOnDryRun" },
        ...{ timeoutSeconds: wishes.timeoutSeconds, admissionReviewVersions: ["v1"], ...more },
        ...conditions(wishes),
      },
    ],
  });
  const mutating = configuration("MutatingWebhookConfiguration", "mutate", { reinvocationPolicy: "IfNeeded" });
  return [
    ...(wishes.isValidatingOnly ? [] : [mutating]),
    configuration("ValidatingWebhookConfiguration", "validate", {}),
    ...(wishes.hasProvider ? [provider(wishes)] : []),
  ];
}

function rulesOf({ places }: ManifestWishes): readonly Json[] {
  const custom = places.map(({ group, kind }) => ({
    ...{ apiGroups: [group], apiVersions: ["*"], resources: [pluralOf(kind.toLowerCase())] },
  }));
  return [...rules, ...custom].map((rule) => ({ ...rule, operations: [...operations], scope: "*" }));
}

/** Resources are called by the plural of their kind, as generators of custom resources make it. */
function pluralOf(kind: string): string {
  if (/[^aeiou]y$/.test(kind)) return `${kind.slice(0, -1)}ies`;
  return /(?:s|x|z|ch|sh)$/.test(kind) ? `${kind}es` : `${kind}s`;
}

function clientConfig({ reached, authority }: ManifestWishes, path: string): { readonly [name: string]: Json } {
  const caBundle = Buffer.from(authority).toString("base64");
  if ("url" in reached) return { url: `${reached.url.replace(/\/$/, "")}/${path}`, caBundle };
  const { namespace, service: name, port } = reached;
  return { service: { namespace, name, port, path: `/${path}` }, caBundle };
}

/**
 * The service cannot admit the pod that it shall run in. Instead of a namespace without checks, the cluster lets pods
 * of exactly these images pass, in the service's namespace, without asking.
 */
function conditions({ components, reached }: ManifestWishes): { readonly [name: string]: Json } {
  if (components.length === 0 || "url" in reached) return {};
  const images = `[${components.map((image) => JSON.stringify(image)).join(", ")}]`;
  const own = ["containers", "initContainers", "ephemeralContainers"]
    .map((name) => `(!has(object.spec.${name}) || object.spec.${name}.all(c, has(c.image) && c.image in ${images}))`)
    .join(" && ");
  const volumes = "(!has(object.spec.volumes) || object.spec.volumes.all(v, !has(v.image)))";
  const place = `request.namespace == ${JSON.stringify(reached.namespace)} && request.kind.group == "" && request.kind.kind == "Pod"`;
  return { matchConditions: [{ name: "not-its-own-pods", expression: `!(${place} && ${own} && ${volumes})` }] };
}

/** Gatekeeper's external-data provider. Gatekeeper keeps answers: a time to live of zero leaves verdicts uncached. */
function provider({ reached, authority, timeoutSeconds }: ManifestWishes): { readonly [name: string]: Json } {
  const base =
    "url" in reached
      ? reached.url.replace(/\/$/, "")
      : `https://${reached.service}.${reached.namespace}.svc:${reached.port}`;
  return {
    apiVersion: "externaldata.gatekeeper.sh/v1beta1",
    kind: "Provider",
    metadata: { name: label },
    spec: {
      url: `${base}/provider?timeout=${timeoutSeconds}s`,
      timeout: timeoutSeconds,
      caBundle: Buffer.from(authority).toString("base64"),
    },
  };
}
