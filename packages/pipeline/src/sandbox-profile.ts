import { readFileSync, statSync } from "node:fs";
import { release } from "node:os";
import { delimiter, join } from "node:path";
import { canonicalJson, type Digest, isDigest, sha256 } from "@touchmark/core";
import { probeStrace } from "@touchmark/observer";
import { readIfPresent, writeFileAtomically } from "@touchmark/store";
import type { SandboxBackend, Worker } from "@touchmark/worker";
import { pipelineErrors } from "./errors.ts";
import type { Factory } from "./factory.ts";

/** The sandbox of this host: tried before the first step that needs it, remembered for runs that need none. */
export interface SandboxProfile {
  /** What decides a step beside its definition: kind, version and strength of the sandbox. */
  digest(): Promise<Digest>;
  /** The worker, after trying it for real. @throws ISOLATION_BELOW_DEMAND */
  ready(): Promise<Worker>;
  /** True when an earlier run on this very host said what `digest` would answer. */
  readonly isRemembered: boolean;
}

/** Steps without a sandbox have a key of their own kind; they are never cached. */
export const unsealedProfile: Digest = sha256(canonicalJson({ backend: "insecure-process" }));

/**
 * Remembers the profile as long as the sandbox program, the kernel, its boot and the user stay the same. It only
 * decides where the cache is looked into: what counts there is signed evidence, which states its own sandbox.
 */
export function sandboxProfile(factory: Factory, worker: Worker, backend?: SandboxBackend): SandboxProfile {
  const path = join(factory.home.paths.cache, "sandbox-profile.json");
  const host = hostFingerprint(backend ?? "bubblewrap");
  let known = host === undefined ? undefined : recalled(path, host);
  let tried: Promise<Worker> | undefined;
  const attempt = async (): Promise<Worker> => {
    // The observer's own trial goes on beside the sandbox's; what it finds, the first observer says.
    void probeStrace();
    const { backend, backendVersion, tier, missing } = await worker.probe();
    if (tier === null) {
      const [first] = missing;
      throw pipelineErrors.make(
        "ISOLATION_BELOW_DEMAND",
        `no sandbox can be made here: ${first?.name ?? "unknown"}: ${first?.why ?? ""}`,
        first === undefined ? {} : { hint: first.remedy },
      );
    }
    const found = sha256(canonicalJson({ backend, version: backendVersion, tier }));
    if (found !== known && host !== undefined) {
      writeFileAtomically(path, `${canonicalJson({ host, profile: found })}\n`, { durable: false });
    }
    known = found;
    return worker;
  };
  const ready = (): Promise<Worker> => {
    if (tried === undefined) {
      tried = attempt();
      // Begun early, and awaited by the first step: until then nobody listens.
      tried.catch(() => undefined);
    }
    return tried;
  };
  return {
    isRemembered: known !== undefined,
    ready,
    async digest() {
      if (known === undefined) await ready();
      if (known === undefined) throw new TypeError("a sandbox that is ready has a profile");
      return known;
    },
  };
}

function recalled(path: string, host: Digest): Digest | undefined {
  try {
    const text = readIfPresent(path)?.toString("utf8") ?? "null";
    const row = JSON.parse(text) as { host?: unknown; profile?: unknown } | null;
    const profile = typeof row?.profile === "string" ? row.profile : "";
    return row?.host === host && isDigest(profile) ? profile : undefined;
  } catch {
    // A damaged hint is no hint.
    return undefined;
  }
}

/** Undefined where there is no sandbox program to speak of. */
function hostFingerprint(backend: SandboxBackend): Digest | undefined {
  try {
    const program = (process.env["PATH"] ?? "")
      .split(delimiter)
      .map((directory) => join(directory, backend === "bubblewrap" ? "bwrap" : backend))
      .find((candidate) => statSync(candidate, { throwIfNoEntry: false })?.isFile() === true);
    if (program === undefined) return undefined;
    const { dev, ino, size, mtimeMs } = statSync(program);
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const user = process.geteuid?.() ?? null;
    return sha256(
      canonicalJson({ program, file: [dev, ino, size, Math.floor(mtimeMs)], boot, user, kernel: release() }),
    );
  } catch {
    return undefined;
  }
}
