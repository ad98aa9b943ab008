import type { Advisory, AdvisoryDatabase, AffectedPackage } from "../advisory.ts";
import { type Affection, isAffected } from "./affected.ts";
import { entriesOfStream } from "./module-streams.ts";
import { ecosystemBase, lookupName } from "./names.ts";
import type { Target } from "./targets.ts";

/** An advisory that holds a component's version. */
export interface Hit {
  readonly advisory: Advisory;
  readonly affected: AffectedPackage;
  readonly affection: Extract<Affection, { outcome: "affected" }>;
  readonly target: Target;
}

/** What the database says of one target. */
export interface Judgement {
  readonly hits: readonly Hit[];
  /** Advisories that say expressly that this package of this ecosystem is not affected. */
  readonly cleared: readonly Advisory[];
  /** Advisories of the package whose ranges could not be evaluated. */
  readonly open: readonly { readonly advisory: string; readonly why: string }[];
}

/** Asks the database, remembering the answers: many packages of a distribution are built from one. */
export interface Evaluator {
  readonly database: AdvisoryDatabase;
  /** All targets of a component together; the same answer, as an object, for the same targets. */
  judge(targets: readonly Target[], architecture?: string): Judgement;
}

const mostRemembered = 100_000;
const mostPackages = 5000;

/** An evaluator for a point of time: advisories that were withdrawn by then say nothing. */
export function evaluator(database: AdvisoryDatabase, at: string): Evaluator {
  const known = new Map<string, Judgement>();
  const time = Date.parse(at);
  const records = new Map<string, readonly Advisory[]>();
  // Other versions of a package are judged soon after its own, for advice.
  const recordsOf = ({ ecosystem, name }: Target): readonly Advisory[] => {
    const key = `${ecosystem}\n${name}`;
    let found = records.get(key);
    if (found === undefined) {
      if (records.size >= mostPackages) records.clear();
      found = database.lookup(ecosystem, name);
      records.set(key, found);
    }
    return found;
  };
  return {
    database,
    judge(targets, architecture) {
      const key = [architecture ?? "", ...targets.flatMap((each) => Object.values(each) as readonly string[])].join(
        "\n",
      );
      let judgement = known.get(key);
      if (judgement === undefined) {
        if (known.size >= mostRemembered) known.clear();
        const [first, ...others] = targets.map((target) => judgeAll(recordsOf(target), target, time, architecture));
        judgement = others.length === 0 ? first : together(recordsOf, targets, [first, ...others]);
        judgement ??= { hits: [], cleared: [], open: [] };
        known.set(key, judgement);
      }
      return judgement;
    },
  };
}

function judgeAll(records: readonly Advisory[], target: Target, time: number, architecture?: string): Judgement {
  const hits: Hit[] = [];
  const cleared: Advisory[] = [];
  const open: { advisory: string; why: string }[] = [];
  for (const advisory of records) {
    // Not `>=`: a date that cannot be read withdraws nothing.
    if (advisory.withdrawn !== undefined && Date.parse(advisory.withdrawn) <= time) continue;
    const { hit, why, isCleared } = judgeOne(advisory, target, architecture);
    if (isCleared) cleared.push(advisory);
    if (hit !== undefined) hits.push(hit);
    else if (why !== undefined) open.push({ advisory: advisory.id, why });
  }
  return { hits, cleared, open };
}

/** What one advisory says of a target: all its entries for that package, together. */
export function judgeOne(advisory: Advisory, target: Target, architecture?: string) {
  let hit: Hit | undefined;
  let why: string | undefined;
  let isCleared = false;
  const entries = advisory.affected.filter((affected) => isAbout(affected, target, architecture));
  for (const affected of entriesOfStream(entries, target.version)) {
    const affection = isAffected(affected, target.version);
    if (affection.outcome === "affected") hit = nearer(hit, { advisory, affected, affection, target });
    else if (affection.outcome === "unknown") why ??= affection.why;
    else if (affected.state === "not-affected") isCleared = true;
  }
  return { hit, why, isCleared };
}

/** Of two entries of one advisory that both hold the version, the one that names a fix. */
function nearer(one: Hit | undefined, other: Hit): Hit {
  return one === undefined || (one.affection.fixed.length === 0 && other.affection.fixed.length > 0) ? other : one;
}

function isAbout(affected: AffectedPackage, target: Target, architecture: string | undefined): boolean {
  if (affected.ecosystem !== target.ecosystem) return false;
  if (lookupName(affected.ecosystem, affected.name) !== target.name) return false;
  if (affected.binary === true ? target.names === "source" : target.names === "binary") return false;
  const { architectures } = affected;
  if (architectures === undefined || architectures.length === 0 || architecture === undefined) return true;
  return architectures.some((each) => spelled(each) === spelled(architecture));
}

/** One spelling for the architectures that distributions and package managers name differently. */
function spelled(architecture: string): string {
  const known: Readonly<Record<string, string>> = { amd64: "x86_64", arm64: "aarch64", i386: "i686" };
  return known[architecture.toLowerCase()] ?? architecture.toLowerCase();
}

/** Judgements of all targets of a component; of Ubuntu's archives, the open one decides where it has an entry. */
function together(
  recordsOf: (target: Target) => readonly Advisory[],
  targets: readonly Target[],
  judgements: readonly (Judgement | undefined)[],
): Judgement {
  const hits: Hit[] = [];
  const spoken = new Set<string>();
  for (const [i, target] of targets.entries()) {
    const isPro = target.ecosystem.startsWith("Ubuntu:Pro:");
    for (const hit of judgements[i]?.hits ?? []) if (!isPro || !spoken.has(hit.advisory.id)) hits.push(hit);
    if (isPro || ecosystemBase(target.ecosystem) !== "Ubuntu") continue;
    for (const { id } of recordsOf(target)) spoken.add(id);
  }
  return {
    hits,
    cleared: judgements.flatMap((each) => each?.cleared ?? []),
    open: judgements.flatMap((each) => each?.open ?? []),
  };
}
