import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeStrace } from "@touchmark/observer";
import { defaultHomePath } from "@touchmark/store";
import { backendWorker, chosenWorker, sandboxBackends } from "@touchmark/worker";

/** One line of the report. `weak`: it works, and something stronger would be possible. */
export interface DoctorRow {
  readonly name: string;
  readonly state: "good" | "weak" | "missing";
  readonly detail: string;
  readonly remedy?: string;
}

/** What a host can isolate and observe. */
export interface DoctorReport {
  readonly canRun: boolean;
  readonly home: string;
  readonly rows: readonly DoctorRow[];
}

/** Tries what this host can do, for real. Nothing is left behind. */
export async function inspectHost(environment: Readonly<Record<string, string | undefined>>): Promise<DoctorReport> {
  const home = defaultHomePath(environment);
  const rows: DoctorRow[] = [nodeRow(), gitRow()];
  let canRun = process.platform === "linux";
  if (!canRun)
    rows.push({
      name: "system",
      state: "weak",
      detail: `${process.platform}: building needs Linux; verifying, showing and proving work here`,
    });
  else {
    const scratch = mkdtempSync(join(tmpdir(), "touchmark-doctor-"));
    const worker = chosenWorker({ stateDirectory: scratch });
    const { probe, why } = await worker.choice();
    canRun = probe.tier !== null;
    rows.push({
      name: "sandbox",
      state: probe.tier === "sandbox-own-user" ? "good" : probe.tier === null ? "missing" : "weak",
      detail:
        probe.tier === null
          ? "no step can be isolated"
          : `${probe.backend} ${probe.backendVersion ?? ""}: ${probe.tier}; ${why}`,
    });
    for (const { name, why, remedy } of probe.missing) rows.push({ name, state: "missing", detail: why, remedy });
    for (const { code, detail } of probe.degraded)
      rows.push({ name: code.toLowerCase().replaceAll("_", " "), state: "weak", detail });
    rows.push(...(await otherBackends(scratch, probe.backend)));
    const observer = await probeStrace();
    rows.push({
      name: "observer",
      state: observer.tier === "none" ? "missing" : "good",
      detail:
        observer.tier === "none"
          ? `no observer: ${observer.reason ?? "strace is missing"}`
          : `strace ${observer.version ?? ""}: ${observer.tier}${observer.reason === undefined ? "" : ` (${observer.reason})`}`,
      ...(observer.tier === "none" ? { remedy: "apt-get install strace" } : {}),
    });
    await worker.close();
    rmSync(scratch, { recursive: true, force: true });
  }
  rows.push({ name: "home", state: "good", detail: existsSync(home) ? home : `${home} (made by the first run)` });
  return { canRun, home, rows };
}

/** The backends that were not taken: `touchmark run --worker` takes one that works. */
async function otherBackends(scratch: string, taken: string): Promise<DoctorRow[]> {
  const rows: DoctorRow[] = [];
  for (const backend of sandboxBackends.filter((each) => each !== taken)) {
    const worker = backendWorker(backend, join(scratch, backend));
    const { tier, backendVersion, missing } = await worker.probe();
    await worker.close();
    const [first] = missing;
    if (tier !== null) {
      const detail = `${backendVersion ?? ""}: ${tier}; taken with --worker ${backend}`;
      rows.push({ name: backend, state: "good", detail: detail.trim() });
    } else {
      const detail = `not needed; ${first?.why ?? "does not work here"}`;
      rows.push({ name: backend, state: "weak", detail, ...(first === undefined ? {} : { remedy: first.remedy }) });
    }
  }
  return rows;
}

function nodeRow(): DoctorRow {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const fits = major > 24 || (major === 24 && minor >= 15);
  return {
    name: "node",
    state: fits ? "good" : "missing",
    detail: process.versions.node,
    ...(fits ? {} : { remedy: "npm run setup brings Node 24" }),
  };
}

function gitRow(): DoctorRow {
  const answer = spawnSync("git", ["--version"], { encoding: "utf8" });
  if (answer.status === 0) return { name: "git", state: "good", detail: answer.stdout.trim() };
  return { name: "git", state: "missing", detail: "sources are fetched with git", remedy: "apt-get install git" };
}
