/**
 * What verifying costs, beside the verifiers of the field: cold commands on three bundles, verifications a second in one
 * process, and `--help`. `node bench/verify/verify.ts [--json]`; BENCH_SHORT=1 for a smoke run. Peers that are not
 * installed (bench/peers/install.sh cosign sigstore-js sigstore-go) are left out, and named.
 */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { type Contestant, interleave, median, pairRatio, type Timing } from "../interleave.ts";
import { isShort } from "../machine.ts";
import { type Cases, makeCases } from "./cases.ts";

const repository = join(import.meta.dirname, "..", "..");
const here = import.meta.dirname;
const scratch = mkdtempSync(join(tmpdir(), "touchmark-bench-verify-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

const peers = process.env["TOUCHMARK_PEERS"] ?? join(homedir(), ".cache", "touchmark-peers");
const cosign = findProgram("cosign");
const sigstoreGo = findProgram("sigstore-go-bench");
const sigstoreJs = existsSync(join(peers, "node", "node_modules", "@sigstore", "verify"));
const missing = [
  ...(cosign === undefined ? ["cosign"] : []),
  ...(sigstoreJs ? [] : ["sigstore-js"]),
  ...(sigstoreGo === undefined ? ["sigstore-go"] : []),
];

/**
 * The command bundled from the sources as they are now, with none to look for: as an installed package has it, or with
 * the verify command prepared for this Node, as a build in a clone does.
 */
function install(name: string, ...options: string[]): string {
  const root = join(scratch, name);
  const words = [join(repository, "tools", "build.ts"), "--out", join(root, "dist"), ...options];
  const built = spawnSync(process.execPath, words, { encoding: "utf8" });
  if (built.status !== 0) throw new Error(`the command cannot be bundled: ${built.stderr}`);
  cpSync(join(repository, "bin"), join(root, "bin"), { recursive: true });
  writeFileSync(join(root, "package.json"), '{"name":"touchmark","type":"module"}\n');
  for (const name of [".tools", "node_modules"]) {
    if (existsSync(join(repository, name))) symlinkSync(join(repository, name), join(root, name));
  }
  return join(root, "bin", "touchmark");
}

function contestants(cases: Cases, bundle: string): Contestant[] {
  const { artifact, trustRoot, identity, issuer } = cases;
  const environment = { ...process.env, HOME: scratch, TOUCHMARK_PEERS: peers };
  const words = ["verify", artifact, "--bundle", bundle, "--trust-root", trustRoot];
  const ours = [...words, "--identity", identity, "--issuer", issuer];
  const all: Contestant[] = [
    { name: "touchmark", argv: [touchmark, ...ours], environment },
    { name: "touchmark as packed", argv: [packed, ...ours], environment },
  ];
  if (cosign !== undefined) {
    const options = ["--insecure-ignore-sct", "--use-signed-timestamps", "--type", "slsaprovenance1"];
    const demands = ["--certificate-identity", identity, "--certificate-oidc-issuer", issuer];
    const words = ["verify-blob-attestation", "--bundle", bundle, "--trusted-root", trustRoot, ...demands, ...options];
    all.push({ name: "cosign", argv: [cosign, ...words, artifact], environment });
  }
  if (sigstoreGo !== undefined) {
    const argv = [sigstoreGo, trustRoot, artifact, identity, issuer, "0", bundle];
    all.push({ name: "sigstore-go", argv, environment });
  }
  if (sigstoreJs) {
    const argv = [process.execPath, join(here, "sigstore-js.mjs"), trustRoot, identity, issuer, "0", bundle];
    all.push({ name: "@sigstore/verify", argv, environment });
  }
  return all;
}

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

function rowsOf(timings: readonly Timing[]): object[] {
  const [ours] = timings;
  return timings.map((timing) => ({
    name: timing.name,
    rounds: timing.wallMs.length,
    medianMs: round(median(timing.wallMs), 1),
    minimumMs: round(Math.min(...timing.wallMs), 1),
    peakMiB: timing.peakMiB,
    ...(ours === undefined || timing === ours ? {} : { ratio: round(pairRatio(ours, timing), 2) }),
  }));
}

interface Rate {
  readonly perSecond: number;
  readonly peakMiB?: number;
}

/** Verifications a second, each library in a process of its own, in turn; medians of the rounds. */
function rates(cases: Cases, rounds: number, seconds: string): object[] {
  const { artifact, trustRoot, identity, issuer, distinct } = cases;
  const programs: (readonly [string, string, readonly string[]])[] = [
    ["touchmark", process.execPath, [join(here, "touchmark.ts"), trustRoot, artifact, identity, issuer, seconds]],
  ];
  if (sigstoreGo !== undefined) {
    programs.push(["sigstore-go", sigstoreGo, [trustRoot, artifact, identity, issuer, seconds]]);
  }
  if (sigstoreJs) {
    const words = [join(here, "sigstore-js.mjs"), trustRoot, identity, issuer, seconds];
    programs.push(["@sigstore/verify", process.execPath, words]);
  }
  const measured = programs.map((): Rate[] => []);
  for (let n = 0; n < rounds; n++) {
    for (const [i, [name, program, words]] of programs.entries()) {
      const ended = spawnSync(program, [...words, ...distinct], {
        encoding: "utf8",
        env: { ...process.env, TOUCHMARK_PEERS: peers },
      });
      if (ended.status !== 0) throw new Error(`${name} ended with ${ended.status}: ${ended.stderr.slice(-400)}`);
      measured[i]?.push(JSON.parse(ended.stdout) as Rate);
    }
  }
  return programs.map(([name], i) => {
    const own = measured[i] ?? [];
    const ratio = median((measured[0] ?? []).map((rate, n) => rate.perSecond / (own[n]?.perSecond ?? Number.NaN)));
    const peak = own[0]?.peakMiB;
    return {
      name,
      perSecond: Math.round(median(own.map((rate) => rate.perSecond))),
      ...(peak === undefined ? {} : { peakMiB: Math.round(peak) }),
      ...(i === 0 ? {} : { ratio: round(ratio, 1) }),
    };
  });
}

const cases = makeCases(join(scratch, "cases"), isShort ? 20 : 200);
const packed = install("package");
const touchmark = install("clone", "--prepare");
const result: Record<string, unknown> = { short: isShort, missing };
const rounds = isShort ? 3 : 25;
for (const [name, bundle] of Object.entries(cases.bundles)) {
  console.error(`verify: cold, ${name}`);
  const count = name === "predicate" ? Math.ceil(rounds / 3) : rounds;
  result[name] = rowsOf(await interleave(contestants(cases, bundle), count));
}
console.error("verify: --help");
result["help"] = rowsOf(
  await interleave(
    [
      { name: "touchmark --help", argv: [touchmark, "--help"] },
      { name: "node, empty program", argv: [process.execPath, "-e", "0"] },
      ...(cosign === undefined ? [] : [{ name: "cosign --help", argv: [cosign, "--help"] }]),
    ],
    rounds,
  ),
);
console.error("verify: verifications a second");
result["rate"] = rates(cases, isShort ? 1 : 5, isShort ? "0.5" : "2");
console.log(JSON.stringify(result, undefined, process.argv.includes("--json") ? undefined : 2));
