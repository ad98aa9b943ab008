import {
  type AdvisoryPlace,
  type AdvisoryUpdate,
  advisoryDatabasePredicate,
  advisoryPlace,
  type UpdateOptions,
} from "@touchmark/advisories";
import { exitCodes, isDigest, systemClock } from "@touchmark/core";
import { type Home, openHome } from "@touchmark/store";
import type { Terminal } from "../../terminal.ts";
import { oneLine } from "../../terminal.ts";

/** The advisories of a home, for one command that changes them. */
export interface AdvisoryWork {
  readonly home: Home;
  readonly place: AdvisoryPlace;
  readonly options: UpdateOptions;
}

/** Runs with the advisories of TOUCHMARK_HOME locked, so that two commands never write a state over each other. */
export async function withAdvisories<T>(
  terminal: Terminal,
  create: boolean,
  work: (work: AdvisoryWork) => Promise<T>,
): Promise<T> {
  const home = await openHome(undefined, { create });
  try {
    const lock = await home.lock("advisories");
    try {
      const place = advisoryPlace(home.path);
      const options: UpdateOptions = {
        ...{ place, clock: systemClock, signal: terminal.signal },
        onProgress: ({ source, state }) => terminal.note(terminal.style.dim(`${oneLine(source)}: ${state}`)),
      };
      return await work({ home, place, options });
    } finally {
      lock.release();
    }
  } finally {
    await home.close();
  }
}

/** Reads the place of the advisories of TOUCHMARK_HOME, for a command that only looks. */
export async function readAdvisories<T>(work: (place: AdvisoryPlace) => T): Promise<T> {
  const home = await openHome();
  try {
    return work(advisoryPlace(home.path));
  } finally {
    await home.close();
  }
}

/**
 * Signs the statement about a database with the identity of the home's factory, and logs it; undefined where the home
 * has none yet, and databases are pinned by digest alone.
 */
export async function statementSigner(): Promise<((statement: Uint8Array) => Promise<Uint8Array>) | undefined> {
  const pipeline = await import("@touchmark/pipeline");
  if (!(await hasIdentity(pipeline))) return undefined;
  return async (statement) => {
    const { subject, predicate } = JSON.parse(Buffer.from(statement).toString()) as {
      readonly subject: readonly { readonly digest: { readonly sha256: string } }[];
      readonly predicate: unknown;
    };
    const digest = `sha256:${subject[0]?.digest.sha256}`;
    if (!isDigest(digest)) throw new TypeError("a statement about a database has its digest");
    const factory = await pipeline.openFactory();
    try {
      const { bytes } = await pipeline.attestArtifact(factory, {
        ...{ artifact: { digest }, type: advisoryDatabasePredicate },
        predicate: Buffer.from(JSON.stringify(predicate)),
      });
      return bytes;
    } finally {
      await factory.close();
    }
  };
}

async function hasIdentity(pipeline: typeof import("@touchmark/pipeline")): Promise<boolean> {
  const factory = await pipeline.openFactory();
  try {
    factory.names();
    return true;
  } catch {
    return false;
  } finally {
    await factory.close();
  }
}

const shownChanges = 20;

/** Shows what an update did; the exit code tells of sources that were not taken. */
export function reportUpdate(
  { database, changes, failures }: AdvisoryUpdate,
  asJson: boolean,
  terminal: Terminal,
): number {
  const { style } = terminal;
  if (asJson) {
    const { digest, isNew, facts } = database;
    terminal.print(JSON.stringify({ digest, isNew, facts, changes, failures }, undefined, 2));
  } else {
    for (const { source, id, change } of changes.advisories.slice(0, shownChanges)) {
      const mark = { added: style.warn("+"), removed: style.good("-"), changed: style.warn("~") }[change];
      terminal.print(`${mark} ${oneLine(id)} (${oneLine(source)})`);
    }
    if (changes.advisories.length > shownChanges) {
      terminal.print(style.dim(`  and ${changes.advisories.length - shownChanges} more`));
    }
    for (const { source, code, message } of failures) {
      terminal.print(`${style.bad("not taken")} ${oneLine(source)}: ${code}: ${oneLine(message)}`);
    }
    const state = database.isNew ? `${style.good("compiled")} ${database.digest}` : `unchanged ${database.digest}`;
    terminal.print(
      `${state}: ${database.facts.advisories} advisories of ${database.facts.sources.length} sources; ${changes.advisories.length} changed, about ${changes.packages.length} packages`,
    );
  }
  return failures.length === 0 ? 0 : codeOf(failures.map(({ code }) => code));
}

/** Refused, when anything was; else unavailable or invalid, as with any error. */
function codeOf(codes: readonly string[]): number {
  if (codes.some((code) => /ROLLBACK|SHRUNK/.test(code))) return exitCodes.refused;
  return codes.includes("ADVISORY_FEED_UNREACHABLE") ? exitCodes.unavailable : exitCodes.invalid;
}
