import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, startCluster, testAuthority } from "@touchmark/admission/fixture";
import type { Digest } from "@touchmark/core";
import { findProgram, type PeerRegistry, startPeerRegistry } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionScene, admissionScene } from "../../admission/admission.fixture.ts";
import { ended, start } from "../../fixture.ts";

const programs = ["etcd", "kube-apiserver", "kubectl", "openssl", "docker-registry", "crane", "tar"] as const;
const isMissing = programs.some((name) => findProgram(name) === undefined);

let scene: AdmissionScene;
let cluster: Cluster;
let registry: PeerRegistry;
let service: ReturnType<typeof start>;
let control: readonly string[];
const image = (name: string): string => `${registry.host}/team/${name}`;

/** Runs a program; gives how it ended, and what it said. */
async function run(name: (typeof programs)[number], words: readonly string[], input = "") {
  const child = spawn(findProgram(name) ?? "", words, { cwd: scene.directory });
  child.stdin.end(input);
  return ended(child);
}
const kubectl = (words: readonly string[], input?: string) => run("kubectl", [...control, ...words], input);

beforeAll(async () => {
  if (isMissing) return;
  scene = await admissionScene();
  scene.write("hello.txt", "hello");
  await run("tar", ["-cf", "layer.tar", "hello.txt"]);
  registry = await startPeerRegistry("docker-registry");
  for (const name of ["good", "bad"]) {
    await run("crane", ["append", "--insecure", "--oci-empty-base", "-f", "layer.tar", "-t", `${image(name)}:1`]);
  }
  await run("crane", ["mutate", "--insecure", `${image("bad")}:1`, "--label", "a=b", "-t", `${image("bad")}:1`]);
  const { out } = await run("crane", ["digest", "--insecure", `${image("good")}:1`]);
  await scene.check(out.trim() as Digest, true);

  const directory = join(scene.directory, "cluster");
  mkdirSync(directory);
  const pki = testAuthority(findProgram("openssl") ?? "", directory);
  cluster = await startCluster(
    { etcd: findProgram("etcd") ?? "", apiserver: findProgram("kube-apiserver") ?? "" },
    pki,
  );
  control = ["--kubeconfig", cluster.kubeconfig];

  const address = ["--listen", "127.0.0.1:0", "--tls-name", "admission.internal", "--json"];
  const more = ["--policy", scene.policy("policy.yaml"), "--insecure-plain-http", registry.host];
  service = start(scene.home, scene.directory, ["admission", "serve", ...address, ...more]);
  let line = "";
  service.stdout?.on("data", (chunk: Buffer) => (line += chunk.toString()));
  while (!line.includes("\n") && service.stdout !== null) await once(service.stdout, "data");
  const { url } = JSON.parse(line) as { url: string };
  const manifests = await scene.say("admission", "manifests", "--url", url);
  const applied = await kubectl(["apply", "-f", "-"], manifests.out);
  if (applied.code !== 0) throw new Error(applied.err);
  const probe = ["run", "probe", `--image=${image("bad")}:1`, "--dry-run=server"];
  // It is in force a moment after it was written.
  for (let tries = 0; tries < 200 && (await kubectl(probe)).code === 0; tries++);
}, 180_000);

afterAll(async () => {
  if (isMissing) return;
  const gone = service === undefined ? undefined : ended(service);
  service?.kill("SIGTERM");
  await gone;
  await cluster?.close();
  await registry?.close();
  await scene.close();
});

test.skipIf(isMissing)(
  "X85: a cluster runs by digest what this factory's policies admit, and says why not otherwise",
  async () => {
    const created = await kubectl([
      "run",
      "good",
      `--image=${image("good")}:1`,
      "-o",
      "jsonpath={.spec.containers[0].image}",
    ]);
    expect([created.code, created.err]).toEqual([0, ""]);
    expect(created.out).toMatch(/\/team\/good@sha256:[0-9a-f]{64}$/);
    const denied = await kubectl(["create", "deployment", "bad", `--image=${image("bad")}:1`]);
    expect(denied.code).toBe(1);
    expect(denied.err).toContain("POLICY_ATTESTATION_MISSING");
    expect(denied.err).toContain("what to do");
  },
);
