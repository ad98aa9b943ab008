import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import type { ArrivedAnswer, StoredAnswer } from "../door.ts";
import type { Candidate, GateDecision, GatePhase, UpstreamEvidence } from "../gate/decision.ts";
import type { MaterialRecord } from "../material.ts";
import { announce } from "./announce.ts";
import { fetchAside } from "./aside.ts";
import type { AdmittedMaterial } from "./ledger.ts";
import { withPassingVersion } from "./passing-version.ts";
import type { Asked, SessionContext } from "./settings.ts";

/** What the gate is asked about, as far as it is known. */
export async function candidateOf(
  { settings, ledger }: SessionContext,
  asked: Asked,
  phase: GatePhase,
): Promise<Candidate> {
  const { facts, announced } = asked.route;
  const isFile = facts.purl !== undefined && facts.fileName !== undefined && facts.kind === "archive";
  return {
    phase,
    facts,
    step: settings.step,
    now: settings.clock.now(),
    locked: asked.locked,
    announced,
    seen: isFile ? await settings.mirror.seen(facts.purl, facts.fileName) : [],
    evidence: [],
    absentFrom: facts.name === undefined ? [] : ledger.absentFrom(facts.ecosystem, facts.name),
    ...(await settings.context(facts)),
  };
}

/** The gate's decision. @throws GATE_* when it refuses, with the version that would pass where one is known */
export async function judge(context: SessionContext, candidate: Candidate): Promise<GateDecision> {
  const { settings } = context;
  const decision = settings.decide(candidate);
  if (decision.verdict === "admitted") return decision;
  throw settings.refusal(await withPassingVersion(context, candidate, decision), candidate);
}

/** Digests of an archive that its ecosystem computes, when any is expected. */
export async function ownDigests(
  { settings }: SessionContext,
  asked: Asked,
  path: string,
): Promise<readonly AnnouncedDigest[]> {
  const { facts } = asked.route;
  const adapter = settings.adapters[facts.ecosystem];
  if (!asked.expected.some((each) => each.algorithm === "h1")) return [];
  return (await adapter?.digestsOf?.(facts, path)) ?? [];
}

/** Where a verified body came from. */
export interface Origin {
  readonly mirrored: boolean;
  readonly hashes?: ArrivedAnswer["hashes"];
  /** What it announces is known already. */
  readonly announced?: boolean;
}

/** The last word on a body that is here and has its digests: inspection, evidence, gate; then it is announced and recorded. */
export async function admitBody(
  context: SessionContext,
  asked: Asked,
  record: MaterialRecord,
  path: string,
  origin: Origin,
): Promise<StoredAnswer> {
  const { settings, ledger } = context;
  const { facts } = asked.route;
  const isFound = record.status === 200;
  const archive = isFound && facts.kind === "archive" ? await settings.inspect(record, path) : undefined;
  const evidence = isFound ? await evidenceOf(context, asked, record, path, origin) : [];
  const decision = await judge(context, {
    ...(await candidateOf(context, asked, "arrival")),
    hashes: { ...origin.hashes, ...heldHashes(record) },
    evidence,
    size: record.size,
    ...(archive === undefined ? {} : { archive }),
  });
  if (isFound && origin.announced !== true) await announce(context, asked, path, evidence);
  if (record.status === 404 || record.status === 410) ledger.absent(facts);
  const material: AdmittedMaterial = {
    record,
    announced: asked.route.announced,
    locked: asked.locked.length > 0 || facts.kind === "download",
    mirrored: origin.mirrored,
    decision,
    evidence,
    ...(archive === undefined ? {} : { archive }),
  };
  ledger.admit(material);
  if (isFound && facts.kind === "archive") await settings.admitted(material);
  const { status, headers, size, digest } = record;
  return { kind: "stored", status, headers, body: { path, size, digest } };
}

/** Hashes that a record's body is known to have. */
function heldHashes(record: MaterialRecord): Candidate["hashes"] {
  return {
    ...Object.fromEntries(record.expected.map((each) => [each.algorithm, each.value])),
    sha256: record.digest.slice(7),
  };
}

async function evidenceOf(
  context: SessionContext,
  asked: Asked,
  record: MaterialRecord,
  path: string,
  origin: Origin,
): Promise<readonly UpstreamEvidence[]> {
  const { gather } = context.settings;
  const { facts, url, announced } = asked.route;
  const isSignedIndex = facts.ecosystem === "deb" && facts.kind === "index";
  if (gather === undefined || (facts.kind !== "archive" && !isSignedIndex)) return [];
  return gather({
    facts,
    url,
    announced,
    path,
    hashes: origin.hashes ?? { sha256: record.digest.slice(7) },
    size: record.size,
    get: (aside) => fetchAside(context, aside, facts),
  });
}
