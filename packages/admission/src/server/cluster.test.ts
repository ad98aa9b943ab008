import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { imagePlaces, readImagePlace } from "../review/places.ts";
import { byDigest, byTag, podOf } from "../review/review.fixture.ts";
import { evidenceAnnotation } from "../webhook/annotation.ts";
import { type ScriptedGate, scriptedGate } from "../webhook/gate.fixture.ts";
import { yamlText } from "../webhook/manifest-text.ts";
import { type ManifestWishes, webhookManifests } from "../webhook/manifests.ts";
import { type TestAuthority, testAuthority } from "./authority.fixture.ts";
import { type Cluster, startCluster } from "./cluster.fixture.ts";
import { type AdmissionServer, admissionServer } from "./serve.ts";

const programs = ["etcd", "kube-apiserver", "kubectl", "openssl"] as const;
const [etcd, apiserver, kubectl, openssl] = programs.map(findProgram);
const missing = programs.filter((name) => findProgram(name) === undefined);
// `bench/peers/kubernetes.sh` builds what is missing.
const isMissing = missing.length > 0;

let directory: string;
let pki: TestAuthority;
let cluster: Cluster;
let gate: ScriptedGate;
let server: AdmissionServer;
const places = [readImagePlace("example.dev/Rollout=template:/spec/template")];
const pods = "/api/v1/namespaces/default/pods";

const wishes = (more: Partial<ManifestWishes> = {}): ManifestWishes => ({
  ...{ reached: { url: server.url }, authority: pki.authority, timeoutSeconds: 10, places, components: [] },
  ...{ isValidatingOnly: false, hasProvider: false },
  ...more,
});

/** Runs kubectl, beside the server of this process. */
function control(
  words: readonly string[],
  input = "",
): Promise<{ readonly code: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    const child = spawn(kubectl ?? "", ["--kubeconfig", cluster.kubeconfig, ...words]);
    let text = "";
    child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.once("close", (code) => resolve({ code, text }));
    child.stdin.end(input);
  });
}

/** Registers the webhooks as people do. */
async function register(more: Partial<ManifestWishes> = {}): Promise<void> {
  const manifests = webhookManifests(wishes(more));
  const said = await control(["apply", "-f", "-"], manifests.map((one) => `---${yamlText(one)}\n`).join(""));
  if (said.code !== 0) throw new Error(said.text);
}

const pod = (name: string, image: string, more: Parameters<typeof podOf>[1] = {}) => ({
  ...{ apiVersion: "v1", kind: "Pod", metadata: { name } },
  spec: podOf(image, { automountServiceAccountToken: false, ...more }),
});
const messageOf = ({ json }: { json: unknown }) => (json as { message?: string }).message ?? "";

beforeAll(async () => {
  if (isMissing) return;
  directory = mkdtempSync(join(tmpdir(), "touchmark-cluster-"));
  pki = testAuthority(openssl ?? "", directory);
  cluster = await startCluster({ etcd: etcd ?? "", apiserver: apiserver ?? "" }, pki);
  gate = scriptedGate();
  const tls = pki.issue("webhook");
  server = await admissionServer({ gate, placesOf: imagePlaces(places), listen: { host: "127.0.0.1", port: 0 }, tls });
  await register();
  // It is in force a moment after it was written.
  for (
    let waits = 0;
    waits < 600 && (await cluster.call("POST", `${pods}?dryRun=All`, pod("probe", byTag("bad")))).status === 201;
    waits++
  ) {
    await sleep(50);
  }
}, 120_000);
afterAll(async () => {
  await server?.close();
  await cluster?.close();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

test.skipIf(isMissing)(
  "W20: an API server creates what is admitted, and denies with our words what is not",
  async () => {
    expect((await cluster.call("POST", pods, pod("good", byDigest("good")))).status).toBe(201);
    const denied = await cluster.call("POST", pods, pod("bad", byDigest("bad")));
    expect([denied.status, messageOf(denied)]).toEqual([
      403,
      expect.stringContaining("POLICY_RULE_FAILED: not built here"),
    ]);
    expect(messageOf(denied)).toContain("built-here failed");
  },
);

test.skipIf(isMissing)(
  "W20: a tag becomes a digest, in containers and volumes, and the pod tells the evidence",
  async () => {
    const volumes = [{ name: "model", image: { reference: byTag("model"), pullPolicy: "IfNotPresent" } }];
    const created = await cluster.call("POST", pods, pod("tagged", byTag("tagged"), { volumes }));
    expect([created.status, created.json]).toMatchObject([
      201,
      {
        metadata: { annotations: { [evidenceAnnotation]: expect.stringContaining('"policies":["sha256:') } },
        spec: {
          containers: [{ image: expect.stringMatching(/^registry\.example\/team\/tagged@sha256:/) }],
          volumes: [{ image: { reference: expect.stringMatching(/^registry\.example\/team\/model@sha256:/) } }],
        },
      },
    ]);
    expect(cluster.audit().some((line) => line.includes('"validate.admission.touchmark.dev/verdict":"allow"'))).toBe(
      true,
    );
  },
);

const kinds = [
  ["PodTemplate", "/api/v1/namespaces/default/podtemplates", "v1"],
  ["ReplicationController", "/api/v1/namespaces/default/replicationcontrollers", "v1"],
  ["Deployment", "/apis/apps/v1/namespaces/default/deployments", "apps/v1"],
  ["ReplicaSet", "/apis/apps/v1/namespaces/default/replicasets", "apps/v1"],
  ["StatefulSet", "/apis/apps/v1/namespaces/default/statefulsets", "apps/v1"],
  ["DaemonSet", "/apis/apps/v1/namespaces/default/daemonsets", "apps/v1"],
  ["Job", "/apis/batch/v1/namespaces/default/jobs", "batch/v1"],
  ["CronJob", "/apis/batch/v1/namespaces/default/cronjobs", "batch/v1"],
] as const;

/** An object of a kind that an API server takes. */
function whole(kind: string, apiVersion: string, name: string, image: string, init: string) {
  const labels = { app: name };
  const restartPolicy = kind.endsWith("Job") ? "Never" : "Always";
  const template = {
    metadata: { labels },
    spec: podOf(image, { restartPolicy, initContainers: [{ name: "init", image: init }] }),
  };
  const selector = kind === "ReplicationController" ? labels : { matchLabels: labels };
  const about = { apiVersion, kind, metadata: { name } };
  if (kind === "PodTemplate") return { ...about, template };
  if (kind === "Job") return { ...about, spec: { template } };
  if (kind === "CronJob") return { ...about, spec: { schedule: "0 * * * *", jobTemplate: { spec: { template } } } };
  return { ...about, spec: { selector, template, ...(kind === "StatefulSet" ? { serviceName: name } : {}) } };
}

test.skipIf(isMissing)("W20: every kind that makes pods is reviewed", async () => {
  for (const [kind, path, version] of kinds) {
    const bad = await cluster.call("POST", path, whole(kind, version, "x", byDigest("good"), byDigest("bad")));
    expect([kind, bad.status, messageOf(bad)]).toEqual([kind, 403, expect.stringContaining("not built here")]);
    const good = await cluster.call("POST", path, whole(kind, version, "x", byTag("good"), byDigest("init")));
    expect([kind, good.status, good.text]).toEqual([
      kind,
      201,
      expect.stringContaining("registry.example/team/good@sha256:"),
    ]);
  }
});

test.skipIf(isMissing)(
  "W20: a deployment is updated and scaled; what it ran before goes on when its evidence runs out",
  async () => {
    const path = "/apis/apps/v1/namespaces/default/deployments";
    const made = await cluster.call(
      "POST",
      path,
      whole("Deployment", "apps/v1", "shop", byDigest("shop"), byDigest("init")),
    );
    expect(made.status).toBe(201);
    const image = (name: string) => ({
      spec: { template: { spec: { containers: [{ name: "app", image: byDigest(name) }] } } },
    });
    expect((await cluster.call("PATCH", `${path}/shop`, image("shop-2"))).status).toBe(200);
    expect((await cluster.call("PATCH", `${path}/shop`, image("bad"))).status).toBe(403);
    const before = gate.asked.length;
    expect((await cluster.call("PATCH", `${path}/shop`, { metadata: { labels: { a: "b" } } })).status).toBe(200);
    const scaled = await cluster.call("PATCH", `${path}/shop/scale`, { spec: { replicas: 3 } });
    expect([scaled.status, gate.asked.length]).toEqual([200, before]);
    expect((await cluster.call("GET", `${path}/shop`)).json).toMatchObject({ spec: { replicas: 3 } });
    expect((await cluster.call("DELETE", `${path}/shop`)).status).toBe(200);
  },
);

test.skipIf(isMissing)("W20: a container that is added later is reviewed", async () => {
  await cluster.call("POST", pods, pod("later", byDigest("later")));
  const add = (image: string) => ({
    spec: { ephemeralContainers: [{ name: "look", image, targetContainerName: "app" }] },
  });
  const denied = await cluster.call("PATCH", `${pods}/later/ephemeralcontainers`, add(byDigest("bad")));
  expect(denied.status).toBe(403);
  const allowed = await cluster.call("PATCH", `${pods}/later/ephemeralcontainers`, add(byTag("look")));
  expect([allowed.status, allowed.text]).toEqual([200, expect.stringContaining("registry.example/team/look@sha256:")]);
});

test.skipIf(isMissing)("W20: custom resources are reviewed where a declaration says that their pods are", async () => {
  const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  await cluster.call("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
    ...{ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
    metadata: { name: "rollouts.example.dev" },
    spec: {
      ...{ group: "example.dev", scope: "Namespaced", names: { plural: "rollouts", kind: "Rollout" } },
      versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
    },
  });
  const path = "/apis/example.dev/v1/namespaces/default/rollouts";
  const rollout = (name: string) => ({
    ...{ apiVersion: "example.dev/v1", kind: "Rollout", metadata: { name } },
    ...{ spec: { template: { spec: podOf(byDigest(name)) } } },
  });
  for (let waits = 0; waits < 600 && (await cluster.call("GET", path)).status === 404; waits++) await sleep(50);
  expect((await cluster.call("POST", path, rollout("bad"))).status).toBe(403);
  expect((await cluster.call("POST", path, rollout("good"))).status).toBe(201);
});

test.skipIf(isMissing)("W20: a dry run is one for the gate, too; a warning reaches the caller", async () => {
  const before = gate.asked.length;
  const said = await cluster.call("POST", `${pods}?dryRun=All`, pod("warned", byDigest("warn")));
  expect(said.status).toBe(201);
  expect(gate.asked.slice(before).map(({ context }) => context.dryRun)).toEqual([true, true]);
  const words = ["run", "warned", `--image=${byDigest("warn")}`, "--dry-run=server"];
  expect((await control(words)).text).toContain("Warning: tomorrow this will be denied");
});

test.skipIf(isMissing)(
  "W20: a late gate is a denial that the caller hears; a service that is gone lets nothing pass",
  async () => {
    const slow = scriptedGate(() => new Promise(() => undefined));
    const tls = pki.issue("slow");
    const other = await admissionServer({
      gate: slow,
      placesOf: imagePlaces([]),
      listen: { host: "127.0.0.1", port: 0 },
      tls,
    });
    await register({ reached: { url: other.url }, timeoutSeconds: 4 });
    for (let waits = 0; waits < 600 && slow.asked.length === 0; waits++) {
      await cluster.call("POST", `${pods}?dryRun=All`, pod("slow", byDigest("good")));
    }
    const late = await cluster.call("POST", pods, pod("slow", byDigest("good")));
    expect([late.status, messageOf(late)]).toEqual([403, expect.stringContaining("ADMISSION_TIMEOUT")]);
    await other.close();
    const gone = await cluster.call("POST", pods, pod("slow", byDigest("good")));
    expect([gone.status, messageOf(gone)]).toEqual([500, expect.stringContaining("failed calling webhook")]);
  },
);

test.skipIf(isMissing)(
  "W20: the service's own pods start without it, by their very image and in its namespace alone",
  async () => {
    const own = byDigest("touchmark");
    await register({ reached: { namespace: "default", service: "touchmark", port: 443 }, components: [own] });
    for (let waits = 0; waits < 600; waits++) {
      if ((await cluster.call("POST", `${pods}?dryRun=All`, pod("own", own))).status === 201) break;
      await sleep(50);
    }
    expect((await cluster.call("POST", pods, pod("own", own))).status).toBe(201);
    expect((await cluster.call("POST", pods, pod("other", byDigest("good")))).status).toBe(500);
    const beside = { initContainers: [{ name: "init", image: byDigest("good") }] };
    expect((await cluster.call("POST", pods, pod("own-2", own, beside))).status).toBe(500);
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "elsewhere" } };
    await cluster.call("POST", "/api/v1/namespaces", namespace);
    await cluster.call("POST", "/api/v1/namespaces/elsewhere/serviceaccounts", {
      ...{ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } },
    });
    expect((await cluster.call("POST", "/api/v1/namespaces/elsewhere/pods", pod("own", own))).status).toBe(500);
  },
);
