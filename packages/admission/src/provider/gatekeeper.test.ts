import { type ChildProcess, spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { imagePlaces } from "../review/places.ts";
import { byDigest, byTag, podOf, reviewOf, workload } from "../review/review.fixture.ts";
import { type TestAuthority, testAuthority } from "../server/authority.fixture.ts";
import { type Reply, send } from "../server/client.fixture.ts";
import { type Cluster, freePort, startCluster } from "../server/cluster.fixture.ts";
import { type AdmissionServer, admissionServer } from "../server/serve.ts";
import { scriptedGate } from "../webhook/gate.fixture.ts";
import { webhookManifests } from "../webhook/manifests.ts";

const programs = ["etcd", "kube-apiserver", "kubectl", "openssl", "gatekeeper"] as const;
const [etcd, apiserver, kubectl, openssl, gatekeeper] = programs.map(findProgram);
const missing = programs.filter((name) => findProgram(name) === undefined);
// `bench/peers/kubernetes.sh kubernetes gatekeeper` builds what is missing.
const isMissing = missing.length > 0;

let directory: string;
let pki: TestAuthority;
let cluster: Cluster;
let server: AdmissionServer;
let child: ChildProcess;
let webhook: string;
let log = "";
const gate = scriptedGate();

function control(words: readonly string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const ran = spawn(kubectl ?? "", ["--kubeconfig", cluster.kubeconfig, ...words]);
    let text = "";
    for (const stream of [ran.stderr, ran.stdout]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    ran.once("close", (code) => (code === 0 ? resolve(text) : reject(new Error(text))));
    ran.stdin.end(input);
  });
}
/** Applies objects as soon as the cluster knows their kinds. */
async function apply(...objects: readonly object[]): Promise<void> {
  const list = JSON.stringify({ apiVersion: "v1", kind: "List", items: objects });
  for (let waits = 0; ; waits++) {
    try {
      await control(["apply", "-f", "-"], list);
      return;
    } catch (error) {
      if (waits === 100) throw error;
      await sleep(200);
    }
  }
}

const rego = `package touchmarkadmitted
response := external_data({"provider": "touchmark-admission", "keys": [i | i := input.review.object.spec.containers[_].image]})
violation[{"msg": msg}] { msg := response.errors[_][1] }
violation[{"msg": msg}] { response.system_error != ""; msg := response.system_error }
`;
const template = {
  ...{ apiVersion: "templates.gatekeeper.sh/v1", kind: "ConstraintTemplate", metadata: { name: "touchmarkadmitted" } },
  spec: {
    crd: { spec: { names: { kind: "TouchmarkAdmitted" } } },
    targets: [{ target: "admission.k8s.gatekeeper.sh", rego }],
  },
};
const constraint = {
  ...{ apiVersion: "constraints.gatekeeper.sh/v1beta1", kind: "TouchmarkAdmitted", metadata: { name: "images" } },
  spec: { match: { kinds: [{ apiGroups: [""], kinds: ["Pod"] }] } },
};
const digests = {
  ...{ apiVersion: "mutations.gatekeeper.sh/v1", kind: "Assign", metadata: { name: "digests" } },
  spec: {
    applyTo: [{ groups: [""], versions: ["v1"], kinds: ["Pod"] }],
    location: "spec.containers[name:*].image",
    parameters: {
      assign: {
        externalData: { provider: "touchmark-admission", dataSource: "ValueAtLocation", failurePolicy: "Fail" },
      },
    },
  },
};

beforeAll(async () => {
  if (isMissing) return;
  directory = mkdtempSync(join(tmpdir(), "touchmark-gatekeeper-"));
  pki = testAuthority(openssl ?? "", directory);
  cluster = await startCluster({ etcd: etcd ?? "", apiserver: apiserver ?? "" }, pki);
  const tls = pki.issue("provider");
  const listen = { host: "127.0.0.1", port: 0 };
  server = await admissionServer({ gate, placesOf: imagePlaces([]), listen, tls, callers: pki.authority });
  const resources = join(dirname(gatekeeper ?? ""), "..", "gatekeeper");
  await control(["apply", "--server-side", "-f", resources]);
  const namespace = (name: string) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  await apply(namespace("gatekeeper-system"), namespace("shop"));
  const certificates = join(directory, "gatekeeper");
  mkdirSync(certificates);
  pki.issue("tls", "gatekeeper");
  for (const name of ["tls.crt", "tls.key", "ca.crt"]) copyFileSync(join(directory, name), join(certificates, name));
  const [port, health, figures] = [await freePort(), await freePort(), await freePort()];
  webhook = `https://127.0.0.1:${port}`;
  child = spawn(
    gatekeeper ?? "",
    [
      ...["--debug-use-fake-pod", `--kubeconfig=${cluster.kubeconfig}`, "--host=127.0.0.1", `--port=${port}`],
      ...["--disable-cert-rotation", `--cert-dir=${certificates}`, `--health-addr=127.0.0.1:${health}`],
      ...[`--prometheus-port=${figures}`, "--external-data-provider-response-cache-ttl=0s"],
      ...[
        "--operation=webhook",
        "--operation=mutation-webhook",
        "--operation=mutation-controller",
        "--operation=status",
      ],
      ...["--operation=generate", "--default-create-vap-for-templates=false", "--enable-k8s-native-validation=false"],
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  child.stderr?.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-20_000);
  });
  const manifests = webhookManifests({
    ...{ reached: { url: server.url }, authority: pki.authority, timeoutSeconds: 5, places: [], components: [] },
    ...{ isValidatingOnly: true, hasProvider: true },
  });
  await apply(...manifests.filter(({ kind }) => kind === "Provider"), template, digests);
  await apply(constraint);
}, 180_000);
afterAll(async () => {
  const ended = child === undefined ? undefined : new Promise((resolve) => child.once("close", resolve));
  child?.kill("SIGKILL");
  await ended;
  await server?.close();
  await cluster?.close();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

/** Asks Gatekeeper's webhook until what was applied is in force. */
async function ask(path: string, image: string, until: (reply: Reply) => boolean): Promise<Reply> {
  const pod = { apiVersion: "v1", kind: "Pod", ...workload("Pod", podOf(image)) };
  const body = JSON.stringify(reviewOf("Pod", pod));
  for (let waits = 0; ; waits++) {
    try {
      const reply = await send(`${webhook}${path}`, { body, ca: pki.authority });
      if (until(reply) || waits >= 300) return reply;
    } catch (error) {
      if (waits >= 300) throw new Error(log, { cause: error });
    }
    await sleep(100);
  }
}

test.skipIf(isMissing)(
  "W11: Gatekeeper itself denies by the provider's errors, and lets pass what has none",
  async () => {
    const denied = await ask("/v1/admit", byDigest("bad"), ({ text }) => text.includes("[images]"));
    expect(denied.text).toContain("POLICY_RULE_FAILED: not built here");
    const allowed = await ask("/v1/admit", byDigest("good"), ({ text }) => text.includes('"allowed":true'));
    expect(allowed.text).toContain('"allowed":true');
    expect(gate.asked.some(({ references }) => references.includes(byDigest("bad")))).toBe(true);
  },
);

test.skipIf(isMissing)(
  "W11: Gatekeeper itself writes the digests that the provider gives in the place of tags",
  async () => {
    const changed = await ask("/v1/mutate", byTag("a"), ({ text }) => text.includes('"patch":'));
    const { response } = JSON.parse(changed.text) as { response: { patch?: string } };
    expect(Buffer.from(response.patch ?? changed.text, "base64").toString()).toMatch(
      /registry\.example\/team\/a@sha256:[0-9a-f]{64}/,
    );
  },
);
