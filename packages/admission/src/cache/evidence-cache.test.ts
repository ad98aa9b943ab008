import { type Digest, fixedClock, sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import type { VerifiedEvidence } from "../evidence-source.ts";
import { evidenceCacheErrors } from "./errors.ts";
import { type EvidenceCacheOptions, evidenceCache, placeOf } from "./evidence-cache.ts";

const root = sha256("root");
const place = "registry.example:5000/team/app";
const never = new AbortController().signal;
const code = (wanted: string) => expect.objectContaining({ code: wanted });

/** A source that answers when the test says so, and a cache before it. */
function scene(options: Partial<EvidenceCacheOptions> = {}) {
  const clock = fixedClock("2026-11-21T12:00:00Z");
  const asked: { digest: Digest; signal: AbortSignal }[] = [];
  let answer = async (digest: Digest): Promise<VerifiedEvidence> => evidence(digest);
  let trusted = root;
  const evidence = (digest: Digest, by = trusted): VerifiedEvidence => ({
    ...{ digest, trustRoot: by, statements: [], chains: [], refused: new Map(), bytes: 1000, at: clock.now() },
  });
  const cache = evidenceCache({
    source: {
      resolve: async () => sha256("resolved"),
      gather: (digest, _, signal) => {
        asked.push({ digest, signal });
        return answer(digest);
      },
    },
    trustRoot: () => trusted,
    clock,
    ...options,
  });
  const get = (name: string, signal = never, youngerThan?: Date) =>
    cache.evidence(sha256(name), `${place}:1`, { signal, ...(youngerThan === undefined ? {} : { youngerThan }) });
  return {
    ...{ cache, clock, asked, get, evidence },
    answers: (next: (digest: Digest) => Promise<VerifiedEvidence>) => {
      answer = next;
    },
    trusts: (next: Digest) => {
      trusted = next;
    },
  };
}

/** A promise that the test settles. */
function gate<T>() {
  let open: (value: T) => void = () => {};
  let fail: (error: Error) => void = () => {};
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}

const unreachable = () => evidenceCacheErrors.make("EVIDENCE_CACHE_BUSY", "unreachable");

test("C1: evidence is kept by digest, place and trust root", async () => {
  const { cache, asked, get, trusts } = scene();
  expect((await get("a")).isNew).toBe(true);
  expect((await get("a")).isNew).toBe(false);
  await cache.evidence(sha256("a"), "registry.example:5000/other/app:1", { signal: never });
  await cache.evidence(sha256("a"), undefined, { signal: never });
  expect(asked).toHaveLength(3);
  trusts(sha256("another root"));
  expect((await get("a")).evidence.trustRoot).toBe(sha256("another root"));
  expect(asked).toHaveLength(4);
  expect(cache.state()).toMatchObject({ entries: 4, gathered: 4, kept: 1 });
  expect([`${place}:1`, `${place}@${root}`, `${place}:1@${root}`, place].map(placeOf)).toEqual(Array(4).fill(place));
});

test("C2: eight questions about one digest cost one lookup, and a failure is shared but never kept", async () => {
  const { asked, get, answers, evidence } = scene();
  const slow = gate<VerifiedEvidence>();
  answers(() => slow.promise);
  const eight = Promise.all(Array.from({ length: 8 }, () => get("a")));
  await Promise.resolve();
  slow.open(evidence(sha256("a")));
  expect((await eight).every(({ isNew }) => isNew)).toBe(true);
  expect(asked).toHaveLength(1);
  answers(() => Promise.reject(new Error("once")));
  const failed = await Promise.allSettled([get("b"), get("b")]);
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(asked).toHaveLength(2);
  answers(async (digest) => evidence(digest));
  expect((await get("b")).isNew).toBe(true);
});

test("C2: who stops waiting leaves the others alone; when nobody waits, the lookup is ended", async () => {
  const { asked, get, answers, evidence } = scene();
  const slow = gate<VerifiedEvidence>();
  answers(() => slow.promise);
  const [one, two] = [new AbortController(), new AbortController()];
  const first = get("a", one.signal);
  const second = get("a", two.signal);
  const rejected = expect(first).rejects.toThrow("gone");
  await new Promise(setImmediate);
  one.abort(new Error("gone"));
  await rejected;
  expect(asked[0]?.signal.aborted).toBe(false);
  slow.open(evidence(sha256("a")));
  expect((await second).isNew).toBe(true);

  answers(() => gate<VerifiedEvidence>().promise);
  const alone = new AbortController();
  const last = get("b", alone.signal);
  const left = expect(last).rejects.toThrow("gone");
  await new Promise(setImmediate);
  alone.abort(new Error("gone"));
  await left;
  expect(asked[1]?.signal.aborted).toBe(true);
});

test("C3: lookups at once and waiting ones are bounded; one too many is refused by name", async () => {
  const { cache, asked, get, answers, evidence } = scene({ parallel: 2, waiting: 3 });
  const open: (() => void)[] = [];
  let most = 0;
  answers((digest) => {
    most = Math.max(most, cache.state().underWay);
    const each = gate<VerifiedEvidence>();
    open.push(() => each.open(evidence(digest)));
    return each.promise;
  });
  const five = ["a", "b", "c", "d", "e"].map((name) => get(name));
  await new Promise(setImmediate);
  expect(cache.state()).toMatchObject({ underWay: 2, waiting: 3 });
  await expect(get("f")).rejects.toThrow(code("EVIDENCE_CACHE_BUSY"));
  while (asked.length < 5 || open.length > 0) {
    open.shift()?.();
    await new Promise(setImmediate);
  }
  await Promise.all(five);
  expect(most).toBe(2);
  expect(cache.state()).toMatchObject({ underWay: 0, waiting: 0 });
});

test("C3: who stops waiting for a slot gives its place up", async () => {
  const { cache, get, answers } = scene({ parallel: 1 });
  answers(() => gate<VerifiedEvidence>().promise);
  const [first, second] = [new AbortController(), new AbortController()];
  const both = Promise.allSettled([get("a", first.signal), get("b", second.signal)]);
  await new Promise(setImmediate);
  expect(cache.state()).toMatchObject({ underWay: 1, waiting: 1 });
  second.abort(new Error("gone"));
  await new Promise(setImmediate);
  expect(cache.state().waiting).toBe(0);
  first.abort(new Error("gone"));
  await both;
  await new Promise(setImmediate);
  expect(cache.state().underWay).toBe(0);
});

test("C4: what is kept is bounded in number and bytes; the longest unused goes first", async () => {
  const { cache, get, asked } = scene({ entries: 3 });
  for (const name of ["a", "b", "c", "a", "d"]) await get(name);
  expect(cache.state().entries).toBe(3);
  expect((await get("a")).isNew).toBe(false);
  expect((await get("b")).isNew).toBe(true);
  const small = scene({ bytes: 12_000 });
  for (let i = 0; i < 500; i++) await small.get(`n${i}`);
  expect(small.cache.state().entries).toBe(2);
  expect(small.cache.state().bytes).toBeLessThanOrEqual(12_000);
  expect(asked).toHaveLength(5);
  const tiny = scene({ bytes: 100 });
  await tiny.get("a");
  expect(tiny.cache.state()).toMatchObject({ entries: 0, bytes: 0 });
});

test("C5: evidence that is too old is gathered anew, and so is what comes from the future", async () => {
  const { clock, get } = scene({ maxAgeMs: 60_000 });
  await get("a");
  clock.set("2026-11-21T12:01:00Z");
  expect((await get("a")).isNew).toBe(false);
  clock.set("2026-11-21T12:01:01Z");
  expect((await get("a")).isNew).toBe(true);
  clock.set("2026-11-21T11:00:00Z");
  expect((await get("a")).isNew).toBe(true);
});

test("C5: old evidence counts beside an unreachable source only as long as was asked for, and it is said", async () => {
  const strict = scene({ maxAgeMs: 60_000 });
  const lenient = scene({ maxAgeMs: 60_000, keepMs: 60_000 });
  for (const { get, clock, answers } of [strict, lenient]) {
    await get("a");
    clock.set("2026-11-21T12:01:30Z");
    answers(() => Promise.reject(unreachable()));
  }
  await expect(strict.get("a")).rejects.toThrow(code("EVIDENCE_CACHE_BUSY"));
  expect(await lenient.get("a")).toMatchObject({ isNew: false, staleBecause: "EVIDENCE_CACHE_BUSY" });
  lenient.clock.set("2026-11-21T12:02:01Z");
  await expect(lenient.get("a")).rejects.toThrow(code("EVIDENCE_CACHE_BUSY"));
  lenient.clock.set("2026-11-21T12:01:30Z");
  lenient.answers(() => Promise.reject(evidenceCacheErrors.make("EVIDENCE_CACHE_FOREIGN", "refused")));
  await expect(lenient.get("a")).rejects.toThrow(code("EVIDENCE_CACHE_FOREIGN"));
});

test("C6: a lookup that takes too long is refused by name and frees its slot", async () => {
  const { cache, asked, get, answers, evidence } = scene({ lookupMs: 5, parallel: 1 });
  answers(() => gate<VerifiedEvidence>().promise);
  await expect(get("a")).rejects.toThrow(code("EVIDENCE_CACHE_SLOW"));
  expect(asked[0]?.signal.aborted).toBe(true);
  expect(cache.state().underWay).toBe(0);
  answers(async (digest) => evidence(digest));
  expect((await get("a")).isNew).toBe(true);
});

test("C7: an answer about another digest or by another trust root is refused", async () => {
  const { get, answers, evidence } = scene();
  answers(async () => evidence(sha256("other")));
  await expect(get("a")).rejects.toThrow(code("EVIDENCE_CACHE_FOREIGN"));
  answers(async (digest) => evidence(digest, sha256("other root")));
  await expect(get("a")).rejects.toThrow(code("EVIDENCE_CACHE_FOREIGN"));
});

test("C1: what a reference stands for is asked every time, and shared only while it is asked", async () => {
  const { cache } = scene();
  let resolved = 0;
  const slow = gate<Digest>();
  const counting = evidenceCache({
    source: {
      resolve: () => {
        resolved++;
        return slow.promise;
      },
      gather: () => Promise.reject(new Error("not asked")),
    },
    trustRoot: () => root,
    clock: fixedClock("2026-11-21T12:00:00Z"),
  });
  const both = Promise.all([counting.resolve(`${place}:1`, never), counting.resolve(`${place}:1`, never)]);
  await new Promise(setImmediate);
  slow.open(sha256("x"));
  expect(await both).toEqual([sha256("x"), sha256("x")]);
  expect(resolved).toBe(1);
  await counting.resolve(`${place}:1`, never);
  expect(resolved).toBe(2);
  expect(await cache.resolve("r.example/a:1", never)).toBe(sha256("resolved"));
});
