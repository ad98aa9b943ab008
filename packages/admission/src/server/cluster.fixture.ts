import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { TestAuthority } from "./authority.fixture.ts";
import { type Reply, send } from "./client.fixture.ts";

/** An API server with its own etcd, on this host, with nothing that runs pods. */
export interface Cluster {
  /** For kubectl. */
  readonly kubeconfig: string;
  /** Asks as an administrator. */
  call(method: string, path: string, body?: object): Promise<Reply>;
  /** Lines of the audit log about admission. */
  audit(): readonly string[];
  close(): Promise<void>;
}

/** Starts one in the directory of an authority. */
export async function startCluster(
  programs: { etcd: string; apiserver: string },
  pki: TestAuthority,
): Promise<Cluster> {
  const at = (name: string): string => join(pki.directory, name);
  const [client, peer, port] = [await freePort(), await freePort(), await freePort()];
  pki.issue("server", "kube-apiserver");
  const admin = pki.issue("admin", "admin", "system:masters");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(at("accounts.key"), privateKey.export({ format: "pem", type: "sec1" }), { mode: 0o600 });
  writeFileSync(at("audit.yaml"), "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n");
  const [clients, peers] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`];
  const etcd = run(programs.etcd, [
    ...["--name=test", `--data-dir=${at("etcd")}`, "--unsafe-no-fsync", "--log-level=error"],
    ...[`--listen-client-urls=${clients}`, `--advertise-client-urls=${clients}`],
    ...[`--listen-peer-urls=${peers}`, `--initial-advertise-peer-urls=${peers}`, `--initial-cluster=test=${peers}`],
  ]);
  const apiserver = run(programs.apiserver, [
    ...[`--etcd-servers=${clients}`, "--bind-address=127.0.0.1", `--secure-port=${port}`],
    // An address of this host alone can be no endpoint of a service, so none is kept.
    ...["--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", "--anonymous-auth=false"],
    ...[
      `--tls-cert-file=${at("server.crt")}`,
      `--tls-private-key-file=${at("server.key")}`,
      `--cert-dir=${pki.directory}`,
    ],
    ...[`--client-ca-file=${at("ca.crt")}`, "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16"],
    ...["--service-account-issuer=https://kubernetes.default.svc", `--service-account-key-file=${at("accounts.key")}`],
    ...[`--service-account-signing-key-file=${at("accounts.key")}`, "--feature-gates=ImageVolume=true"],
    ...[`--audit-policy-file=${at("audit.yaml")}`, `--audit-log-path=${at("audit.log")}`, "--audit-log-mode=blocking"],
  ]);
  const url = `https://127.0.0.1:${port}`;
  const close = async (): Promise<void> => {
    for (const one of [apiserver, etcd]) await one.stop();
  };
  const call: Cluster["call"] = (method, path, body) =>
    send(`${url}${path}`, {
      ...{ method, ca: pki.authority, cert: admin.certificate, key: admin.key },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      headers: { "content-type": method === "PATCH" ? "application/strategic-merge-patch+json" : "application/json" },
    });
  try {
    await untilReady(call, apiserver);
  } catch (error) {
    await close();
    throw error;
  }
  writeFileSync(at("kubeconfig"), kubeconfigOf(url, pki.directory));
  const audit = () =>
    readFileSync(at("audit.log"), "utf8")
      .split("\n")
      .filter((line) => line.includes("touchmark"));
  return { kubeconfig: at("kubeconfig"), call, audit, close };
}

async function untilReady(call: Cluster["call"], apiserver: Program): Promise<void> {
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  for (let waits = 0; ; waits++) {
    try {
      // Nothing makes the account that pods need but a controller, which is not there.
      if ((await call("GET", "/readyz")).status === 200) {
        const { status } = await call("POST", "/api/v1/namespaces/default/serviceaccounts", account);
        if (status === 201 || status === 409) return;
      }
    } catch {
      // It does not listen yet.
    }
    if (waits === 600 || apiserver.child.exitCode !== null)
      throw new Error(`the API server did not start: ${apiserver.log()}`);
    await sleep(100);
  }
}

interface Program {
  readonly child: ChildProcess;
  log(): string;
  stop(): Promise<void>;
}

function run(path: string, words: readonly string[]): Program {
  const child = spawn(path, words, { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4000);
  });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    child,
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended;
      clearTimeout(timer);
    },
  };
}

function kubeconfigOf(server: string, directory: string): string {
  const at = (name: string): string => join(directory, name);
  const user = { "client-certificate": at("admin.crt"), "client-key": at("admin.key") };
  return JSON.stringify({
    ...{ apiVersion: "v1", kind: "Config", "current-context": "test" },
    contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
    clusters: [{ name: "test", cluster: { server, "certificate-authority": at("ca.crt") } }],
    users: [{ name: "test", user }],
  });
}

/** A port that nobody listens at. */
export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
