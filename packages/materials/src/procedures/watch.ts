import { readFileSync } from "node:fs";
import { isFactoryError } from "@touchmark/core";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { EcosystemAdapter } from "../ecosystem.ts";
import type { Announcement, MaterialRecord, RequestFacts, Upstream } from "../material.ts";
import type { Mirror } from "../mirror/mirror.ts";
import { procedureErrors } from "./procedure-errors.ts";

/** What changed upstream about something that the mirror holds. */
export interface WatchFinding {
  readonly kind: /** The same file has other bytes now. */
    | "republished"
    /** The index no longer has this version or file. */
    | "vanished"
    /** Yanked or deprecated since. */
    | "withdrawn"
    /** A version since then is by somebody who published none before. */
    | "new-publisher"
    /** Attestations or signatures that were announced are gone. */
    | "evidence-vanished";
  /** Other bytes under one name are an attack until explained. */
  readonly alarm: boolean;
  readonly ecosystem: Ecosystem;
  readonly name: string;
  readonly version: string | null;
  readonly fileName: string | null;
  readonly message: string;
}

/** What the monitoring job found. */
export interface WatchReport {
  /** Alarms first. */
  readonly findings: readonly WatchFinding[];
  /** Packages whose index was asked. */
  readonly asked: number;
  /** Files of the mirror that were compared. */
  readonly compared: number;
  /** Packages whose upstream did not answer: nothing is known of them. */
  readonly unreachable: readonly { readonly ecosystem: Ecosystem; readonly name: string; readonly message: string }[];
  /** Files that cannot be compared, by reason. */
  readonly notCompared: Readonly<Record<string, number>>;
}

/** What the job needs. */
export interface WatchSettings {
  readonly mirror: Mirror;
  readonly upstreams: readonly Upstream[];
  readonly adapters: Readonly<Partial<Record<Ecosystem, EcosystemAdapter>>>;
  readonly get: (
    url: URL,
    headers: Readonly<Record<string, string>>,
  ) => Promise<{ readonly status: number; readonly bytes: Uint8Array }>;
  readonly signal?: AbortSignal;
  /** Told after each package, with the bytes of the indexes so far. */
  readonly onProgress?: (asked: number, of: number, bytes: number) => void;
}

/** One package of the mirror: its files, and the index that announced them. */
interface Watched {
  readonly files: MaterialRecord[];
  readonly indexes: Map<string, MaterialRecord>;
}

/** Exit code of a job: 3 when anything was found, 4 when something could not be asked, else 0. */
export function watchExitCode(report: WatchReport): 0 | 3 | 4 {
  if (report.findings.length > 0) return 3;
  return report.unreachable.length > 0 ? 4 : 0;
}

/**
 * Compares what the mirror holds with what its upstreams announce now. Indexes are asked again as the clients asked for
 * them; the mirror is not changed, and no package is downloaded. An index that cannot be read counts as not answered.
 * SPEC D2.
 */
export async function watchMirror(given: WatchSettings): Promise<WatchReport> {
  let bytes = 0;
  const settings: WatchSettings = {
    ...given,
    get: async (url, headers) => {
      const answer = await given.get(url, headers);
      bytes += answer.bytes.length;
      return answer;
    },
  };
  const { watched, earlier } = await collect(settings.mirror);
  const findings: WatchFinding[] = [];
  const unreachable: WatchReport["unreachable"][number][] = [];
  const notCompared: Record<string, number> = {};
  let [asked, compared] = [0, 0];
  for (const [key, { files, indexes }] of watched) {
    settings.signal?.throwIfAborted();
    const [ecosystem, name] = [files[0]?.facts.ecosystem ?? "generic", key.slice(key.indexOf(" ") + 1)];
    const leave = (reason: string): void => void (notCompared[reason] = (notCompared[reason] ?? 0) + files.length);
    const index = [...indexes.values()][0];
    const upstream = settings.upstreams.find((each) => each.name === index?.facts.upstream);
    if (index === undefined) leave(`no index of ${ecosystem} that names them is in the mirror`);
    else if (upstream === undefined) leave(`the upstream ${index.facts.upstream} is no longer configured`);
    else {
      try {
        const comparison = await compare(settings, files, index, upstream, earlier);
        if (comparison === undefined) leave(`indexes of ${ecosystem} announce no files with digests`);
        else {
          findings.push(...comparison);
          compared += files.length;
        }
      } catch (error) {
        if (!isFactoryError(error)) throw error;
        unreachable.push({ ecosystem, name, message: error.message });
      }
      asked++;
      settings.onProgress?.(asked, watched.size, bytes);
    }
  }
  findings.sort((a, b) => Number(b.alarm) - Number(a.alarm));
  return { findings, asked, compared, unreachable, notCompared };
}

async function collect(
  mirror: Mirror,
): Promise<{ readonly watched: Map<string, Watched>; readonly earlier: (url: URL) => Uint8Array | undefined }> {
  const watched = new Map<string, Watched>();
  const bodies = new Map<string, string>();
  for await (const record of mirror.records()) {
    const { ecosystem, kind, name } = record.facts;
    if (record.status !== 200) continue;
    if (kind === "index" && name === undefined) bodies.set(record.url, await mirror.body(record));
    if (name === undefined || (kind !== "archive" && kind !== "index")) continue;
    const key = `${ecosystem} ${name}`;
    const entry = watched.get(key) ?? { files: [], indexes: new Map<string, MaterialRecord>() };
    watched.set(key, entry);
    if (kind === "archive") entry.files.push(record);
    // Records come newest first.
    else if (!entry.indexes.has(record.url)) entry.indexes.set(record.url, record);
  }
  for (const [key, { files }] of watched) if (files.length === 0) watched.delete(key);
  const earlier = (url: URL): Uint8Array | undefined => {
    const path = bodies.get(url.href);
    return path === undefined ? undefined : readFileSync(path);
  };
  return { watched, earlier };
}

/** Undefined when this kind of index has nothing to compare with. Throws what cannot be asked. */
async function compare(
  settings: WatchSettings,
  files: readonly MaterialRecord[],
  index: MaterialRecord,
  upstream: Upstream,
  earlier: (url: URL) => Uint8Array | undefined,
): Promise<WatchFinding[] | undefined> {
  const adapter = settings.adapters[index.facts.ecosystem];
  const facts: RequestFacts = { ...index.facts, upstream };
  const url = new URL(index.url);
  const before = adapter?.announced(facts, readFileSync(await settings.mirror.body(index)), url, earlier) ?? [];
  if (adapter === undefined || before.length === 0) return undefined;
  const answer = await settings.get(url, index.variant ?? {});
  if (answer.status === 404 || answer.status === 410) {
    return files.map((file) => found("vanished", file, `the package is gone from ${upstream.name}`));
  }
  if (answer.status !== 200) {
    throw procedureErrors.make(
      "PROCEDURE_UPSTREAM_SILENT",
      `${url.pathname} was answered with status ${answer.status}`,
    );
  }
  const now = adapter.announced(facts, answer.bytes, url, earlier);
  return [...files.flatMap((file) => fileFindings(file, before, now)), ...publisherFindings(files, before, now)];
}

function found(kind: WatchFinding["kind"], file: MaterialRecord, message: string, alarm = false): WatchFinding {
  const { ecosystem, name = "", version, fileName } = file.facts;
  return { kind, alarm, ecosystem, name, version: version ?? null, fileName: fileName ?? null, message };
}

/** The announcement of a file: by its name and version, wherever it is served from now. */
function announcementOf(file: MaterialRecord, all: readonly Announcement[]): Announcement | undefined {
  const { version, fileName } = file.facts;
  return all.find((each) => each.kind === "archive" && each.version === version && each.fileName === fileName);
}

function fileFindings(
  file: MaterialRecord,
  before: readonly Announcement[],
  now: readonly Announcement[],
): WatchFinding[] {
  const [was, is] = [announcementOf(file, before), announcementOf(file, now)];
  if (is === undefined) return [found("vanished", file, "the index no longer announces it")];
  const known = new Map(file.expected.map((each) => [each.algorithm as string, each.value]));
  known.set("sha256", file.digest.slice("sha256:".length));
  const other = is.digests.find((each) => known.has(each.algorithm) && known.get(each.algorithm) !== each.value);
  const rows: WatchFinding[] = [];
  if (other !== undefined) {
    const message = `${other.algorithm} is ${known.get(other.algorithm)} in the mirror, and ${other.value} upstream`;
    rows.push(found("republished", file, message, true));
  }
  if (is.withdrawn !== undefined && was?.withdrawn === undefined) rows.push(found("withdrawn", file, is.withdrawn));
  for (const kind of ["attestations", "signatures"] as const) {
    if (has(was, kind) && !has(is, kind))
      rows.push(found("evidence-vanished", file, `its ${kind} are announced no more`));
  }
  return rows;
}

function has(announcement: Announcement | undefined, kind: "attestations" | "signatures"): boolean {
  const value = announcement?.[kind];
  return typeof value === "string" || (value?.length ?? 0) > 0;
}

/** Versions that came since: by whom, when that is nobody who published one before. */
function publisherFindings(
  files: readonly MaterialRecord[],
  before: readonly Announcement[],
  now: readonly Announcement[],
): WatchFinding[] {
  const known = new Set(before.flatMap((each) => each.publisher ?? []));
  const old = new Set(before.map((each) => each.version));
  const [file] = files;
  if (file === undefined || known.size === 0) return [];
  const fresh = new Map<string, string>();
  for (const { publisher, version } of now) {
    if (publisher === undefined || version === undefined || known.has(publisher)) continue;
    if (!fresh.has(publisher)) fresh.set(publisher, old.has(version) ? `${version}, which was another's` : version);
  }
  return [...fresh].map(([publisher, version]) => ({
    ...found("new-publisher", file, `${publisher} published ${version}; before: ${[...known].join(", ")}`),
    version: null,
    fileName: null,
  }));
}
