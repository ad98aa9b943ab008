import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { bridgeProgram } from "./bridge-program.ts";
import { workerErrors } from "./errors.ts";
import type { HeldStep, StepBridge } from "./job.ts";
import type { BridgeFacts } from "./result.ts";
import type { SandboxHost } from "./sandbox-host.ts";
import { type SystemCall, systemCallNumber } from "./system-calls.ts";

/** Connections of one step at one time; further ones wait in the kernel until one ends. */
const mostConnections = 256;

/** Longest time from the start of a bridge until it listens, in milliseconds; it takes about ten. */
const patienceMs = 30_000;

/** A bridge that listens (SPEC W14). */
export interface Bridge {
  readonly facts: BridgeFacts;
  /** Ends it; resolves when both its processes are gone. */
  close(): Promise<void>;
}

/**
 * Starts the bridge of a held sandbox and resolves when it listens. Nobody else listens in the namespace then, and it
 * has no interface but the loopback: both are read from the kernel, not taken from the sandbox program.
 *
 * @param user whom the bridge becomes, as root; null: it stays our own
 * @throws SANDBOX_FAILED when it cannot enter the namespace, reach the socket or listen, or when the namespace has
 *   another interface
 */
export async function startBridge(
  host: Pick<SandboxHost, "perl" | "architecture" | "bridgeFilterFile">,
  bridge: StepBridge,
  held: HeldStep,
  user: { readonly user: number; readonly group: number } | null,
): Promise<Bridge> {
  const words = [
    ...[process.pid, held.pid, held.namespaces.net ?? "", bridge.port, bridge.socket, mostConnections],
    ...[user?.user ?? "", user?.group ?? "", host.bridgeFilterFile],
    calls.map((call) => `${call}=${systemCallNumber(host.architecture, call)}`).join(","),
  ];
  const child = spawn(host.perl, ["-e", bridgeProgram, ...words.map(String)], {
    stdio: ["pipe", "pipe", "pipe"],
    env: {},
    cwd: "/",
    detached: true,
  });
  let complaint = "";
  child.stdin.on("error", () => {});
  child.stderr.on("data", (chunk: Buffer) => {
    complaint = `${complaint}${chunk.toString()}`.slice(0, 500);
  });
  // Both processes hold standard error, so its end is the end of both.
  const gone = new Promise<void>((resolve) => {
    child.once("close", () => resolve());
    child.once("error", (cause) => {
      complaint = cause.message;
      resolve();
    });
  });
  const close = async (): Promise<void> => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // Both have ended.
    }
    await gone;
  };
  const timer = setTimeout(() => void close(), patienceMs);
  const ready = new Promise<true>((resolve) => child.stdout.once("data", () => resolve(true)));
  const listens = await Promise.race([ready, gone.then(() => false)]);
  clearTimeout(timer);
  if (!listens) {
    throw workerErrors.make(
      "SANDBOX_FAILED",
      `expected a bridge into the sandbox, found: ${complaint.trim() || "none"}`,
    );
  }
  try {
    return { facts: { port: bridge.port, ...readNetwork(held.pid), connections: mostConnections }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

const calls: readonly SystemCall[] = [
  ...(["prctl", "capset", "landlock_create_ruleset", "landlock_restrict_self", "seccomp", "close_range"] as const),
  ...(["setns", "setgroups", "setresgid", "setresuid", "sendmsg", "recvmsg"] as const),
];

/** Interfaces and local addresses in the network namespace of a process. */
function readNetwork(pid: number): Pick<BridgeFacts, "interfaces" | "addresses"> {
  const read = (name: string): string[] => readFileSync(`/proc/${pid}/net/${name}`, "latin1").split("\n");
  const interfaces = read("dev").flatMap((line) => /^\s*([^\s|]+):/.exec(line)?.[1] ?? []);
  if (interfaces.length !== 1 || interfaces[0] !== "lo") {
    throw workerErrors.make("SANDBOX_FAILED", `expected the loopback alone, found ${interfaces.join(", ") || "none"}`);
  }
  const addresses = new Set<string>();
  let address = "";
  for (const line of read("fib_trie")) {
    address = /(?:\|--|\+--) ([\d.]+)/.exec(line)?.[1] ?? address;
    if (/\/32 host LOCAL/.test(line)) addresses.add(address);
    const network = /\/(\d+) host LOCAL/.exec(line)?.[1];
    if (network !== undefined && network !== "32") addresses.add(`${address}/${network}`);
  }
  for (const line of readIfThere(() => read("if_inet6"))) {
    const [hex] = line.split(/\s+/);
    if (hex?.length !== 32) continue;
    addresses.add(hex === `${"0".repeat(31)}1` ? "::1" : (hex.match(/.{4}/g) ?? []).join(":"));
  }
  return { interfaces, addresses: [...addresses] };
}

/** A kernel without IPv6 has no such list. */
function readIfThere(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}
