import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { canonicalJson, type Json, sha256 } from "@touchmark/core";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { StepDefinition } from "@touchmark/formats/pipeline";
import {
  allClientSettings,
  type ClientSettings,
  ecosystemAdapters,
  gateRules,
  javaKeyStore,
  LockIndex,
  type MaterialsSession,
  openSession,
  startProxy,
  type Upstream,
} from "@touchmark/materials";
import type { ProvidedFile, StepBridge } from "@touchmark/worker";
import type { FetchReport } from "./fetch-report.ts";
import type { StepLockfile } from "./lockfiles-of-step.ts";
import type { RunMaterials } from "./run-materials.ts";

/** What a fetch step has in place of a network. */
export interface FetchNetwork {
  readonly environment: Readonly<Record<string, string>>;
  readonly provided: readonly ProvidedFile[];
  readonly bridge: StepBridge;
  progress: MaterialsSession["progress"];
  /** Ends it; nothing enters any more. */
  close(): Promise<FetchReport>;
}

/** Where a step finds its proxy, on its own loopback. */
const PORT = 3128;
/** Inside the sandbox. */
const PLACE = "/run/touchmark/materials";
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const HOME = "/home/builder";
/** A longer path is no address of a Unix socket. */
const MAX_SOCKET_PATH = 100;

/** What the network of a step depends on, beside its lockfiles. */
export interface FetchingStep {
  readonly name: string;
  readonly definition: Pick<StepDefinition, "materials">;
}

/** Opens the recording proxy of one step. Nothing but what its session admits comes through. */
export async function openFetchNetwork(
  materials: RunMaterials,
  step: FetchingStep,
  lockfiles: readonly StepLockfile[],
  scratch: string,
): Promise<FetchNetwork> {
  const { gate } = materials.configuration;
  const upstreams = Object.values(gate.upstreams).flat();
  const { downloads = [], git = [] } = step.definition.materials;
  const session = openSession({
    step: step.name,
    clock: materials.clock,
    offline: materials.offline,
    upstreams,
    locks: new LockIndex(
      lockfiles,
      downloads.map(({ url, sha256: short, sha512 }) => ({
        url,
        digests: [
          ...(short === undefined ? [] : [{ algorithm: "sha256" as const, value: short }]),
          ...(sha512 === undefined ? [] : [{ algorithm: "sha512" as const, value: sha512 }]),
        ],
      })),
      git,
    ),
    adapters: ecosystemAdapters,
    mirror: materials.mirror,
    ...materials.session(step.name),
  });
  const socket = socketPlace(scratch);
  const proxy = await startProxy({
    socketPath: socket.path,
    door: session,
    clock: materials.clock,
    upstream: materials.upstreamSettings,
  });
  const directory = join(scratch, "provided");
  const settings = clientSettings(upstreams);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  write(directory, { ...settings.files, "authority.pem": proxy.authorityPem });
  writeFileSync(join(directory, "authority.jks"), javaKeyStore(proxy.authorityDer), { mode: 0o644 });
  return {
    environment: settings.environment,
    provided: [
      { host: directory, at: PLACE },
      { host: join(directory, "authority.pem"), at: CERTIFICATES },
      ...placed(scratch, settings.placed ?? {}),
    ],
    bridge: { port: PORT, socket: socket.path },
    progress: () => session.progress(),
    close: async () => {
      await proxy.close();
      await session.kept();
      socket.remove();
      return {
        session: session.report(),
        lockfiles,
        upstreams,
        offline: materials.offline,
        step: step.name,
        commits: git.map((each) => each.commit),
        unlocked: gate.unlocked,
        gate: gateRules.map((rule) => rule.id),
        credentials: materials.credentials.uses().filter((use) => use.step === step.name),
        rules: sha256(canonicalJson(JSON.parse(JSON.stringify(gate)) as Json)),
      };
    },
  };
}

/** What all clients that the user has upstreams for must be told. */
function clientSettings(upstreams: readonly Upstream[]): ClientSettings {
  const wanted = new Set<Ecosystem>([...upstreams.map((each) => each.ecosystem), "git"]);
  return allClientSettings(
    [...wanted].flatMap((ecosystem) => ecosystemAdapters[ecosystem] ?? []),
    {
      proxy: `http://127.0.0.1:${PORT}`,
      proxyPort: PORT,
      authorityPem: `${PLACE}/authority.pem`,
      authorityKeystore: `${PLACE}/authority.jks`,
      directory: PLACE,
      home: HOME,
      upstreams,
    },
  );
}

function write(directory: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(join(path, ".."), { recursive: true, mode: 0o755 });
    writeFileSync(path, text, { mode: 0o644 });
  }
}

/** Files for clients that look in one place of the home only. */
function placed(scratch: string, files: Readonly<Record<string, string>>): ProvidedFile[] {
  const directory = join(scratch, "placed");
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  return Object.entries(files).map(([at, text], index) => {
    const host = join(directory, String(index));
    writeFileSync(host, text, { mode: 0o644 });
    return { host, at };
  });
}

/** A private directory for the socket, near the scratch where the path allows. */
function socketPlace(scratch: string): { readonly path: string; remove(): void } {
  const near = join(scratch, "proxy");
  if (`${near}/s`.length <= MAX_SOCKET_PATH) {
    mkdirSync(near, { recursive: true, mode: 0o700 });
    return { path: join(near, "s"), remove: () => rmSync(near, { recursive: true, force: true }) };
  }
  const far = mkdtempSync(join(tmpdir(), "touchmark-"));
  return { path: join(far, "s"), remove: () => rmSync(far, { recursive: true, force: true }) };
}
