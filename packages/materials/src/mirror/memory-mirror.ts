import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, canonicalJson, type Digest, rfc3339, sha256, systemClock } from "@touchmark/core";
import type { AnnouncedDigest } from "@touchmark/formats/lockfiles";
import type { MaterialRecord } from "../material.ts";
import { algorithmsOf, checkBody, hashBody } from "./body-check.ts";
import { recorded } from "./check-record.ts";
import { hasDigest, seenOf, withRecord, withSeen } from "./documents.ts";
import { mirrorErrors } from "./errors.ts";
import { IncomingFile } from "./incoming-file.ts";
import type { LeaseOptions } from "./lease.ts";
import type { Incoming, Mirror, SeenFile } from "./mirror.ts";

/** A mirror in memory: for tests. Bodies lie in files, since their readers want paths, until it is closed. */
export interface MemoryMirror extends Mirror {
  /** Replaces the bytes of a body without checking, as bad hardware would; deletes it when there are none. */
  corrupt(digest: Digest, bytes: Uint8Array | undefined): void;
}

/** Makes an empty mirror. */
export function memoryMirror(clock: Clock = systemClock): MemoryMirror {
  const histories = new Map<string, readonly MaterialRecord[]>();
  const bodies = new Map<Digest, Uint8Array>();
  const ledger = new Map<string, readonly SeenFile[]>();
  const lines = new Map<string, Promise<void>>();
  let directory: string | undefined;
  const place = () => {
    directory ??= mkdtempSync(join(tmpdir(), "touchmark-mirror-"));
    return directory;
  };

  return {
    incoming: () => IncomingFile.create(place()),
    commit: async (incoming: Incoming, given: MaterialRecord) => {
      const record = structuredClone(recorded(given));
      await incoming.close();
      checkBody(record, await hashBody(incoming.path, algorithmsOf(record.expected)));
      const bytes = readFileSync(incoming.path);
      const seen = seenOf(record, rfc3339(clock.now()));
      if (seen !== undefined) {
        const name = canonicalJson([seen.purl, seen.fileName]);
        ledger.set(name, withSeen(ledger.get(name) ?? [], seen));
      }
      bodies.set(record.digest, bytes);
      histories.set(record.key, withRecord(histories.get(record.key) ?? [], record));
      await incoming.discard();
    },
    find: async (key) => histories.get(key)?.[0],
    findByDigest: async (digest: AnnouncedDigest) => {
      const all = [...histories.values()].flat();
      return all.find((record) => hasDigest(record, digest) && bodies.has(record.digest));
    },
    body: async (record) => {
      const bytes = bodies.get(record.digest);
      if (bytes === undefined) {
        throw mirrorErrors.make(
          "MIRROR_BODY_MISSING",
          `expected the body ${record.digest} of ${record.url}, found none`,
        );
      }
      const found = sha256(bytes);
      if (found !== record.digest || bytes.length !== record.size) {
        bodies.delete(record.digest);
        throw mirrorErrors.make("MIRROR_BODY_CORRUPT", `expected ${record.digest} of ${record.url}, found ${found}`);
      }
      const algorithms = algorithmsOf(record.expected);
      const hashes = new Map(algorithms.map((name) => [name, createHash(name).update(bytes).digest("hex")]));
      checkBody(record, { hashes, size: bytes.length });
      const path = join(place(), record.digest.slice("sha256:".length));
      writeFileSync(path, bytes);
      return path;
    },
    seen: async (purl, fileName) => ledger.get(canonicalJson([purl, fileName])) ?? [],
    async *records() {
      for (const key of [...histories.keys()].sort()) yield* histories.get(key) ?? [];
    },
    lease: async (key: string, options: LeaseOptions = {}) => {
      const before = lines.get(key);
      let leave: () => void = () => {};
      const left = new Promise<void>((resolve) => {
        leave = resolve;
      });
      lines.set(
        key,
        (before ?? Promise.resolve()).then(() => left),
      );
      if (before !== undefined && !(await endsWithin(before, options.timeoutMs ?? 600_000))) {
        leave();
        throw mirrorErrors.make("MIRROR_LEASE_BUSY", `expected the download of ${key} to end, found it still going on`);
      }
      return { release: async () => leave() };
    },
    close: async () => {
      if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
      directory = undefined;
    },
    corrupt: (digest, bytes) => {
      if (bytes === undefined) bodies.delete(digest);
      else bodies.set(digest, bytes);
    },
  };
}

async function endsWithin(work: Promise<void>, milliseconds: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  const ended = await Promise.race([work.then(() => true), late]);
  clearTimeout(timer);
  return ended;
}
