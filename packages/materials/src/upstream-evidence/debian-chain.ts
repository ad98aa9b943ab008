import { readFileSync } from "node:fs";
import type { Keyring } from "@touchmark/formats/openpgp";
import { openRelease, type Release, type ReleaseBytes } from "./debian-release.ts";
import { upstreamErrors } from "./errors.ts";
import type { Asking, EvidenceQuestion, Found } from "./evidence.ts";
import type { SeenState } from "./seen-state.ts";
import type { KindTrust } from "./trust.ts";

/** What the chain of a Debian repository is checked with. */
export interface DebianTrust {
  /** The user's keyring, or keyrings by address. */
  readonly trust: Pick<KindTrust, "keyring" | "sources">;
  readonly seen: SeenState;
  readonly now: () => Date;
}

/**
 * Evidence about a file of a Debian repository. A Release file is verified by its signature; whatever it lists, and
 * what those list, by the digests that were announced from there on: the session calls those a signed index.
 * @throws OPENPGP_* | UPSTREAM_*
 */
export async function checkDebian(
  question: EvidenceQuestion,
  asking: Asking,
  trust: DebianTrust,
): Promise<Found | string> {
  const name = question.facts.fileName ?? question.url.pathname.split("/").at(-1) ?? "";
  if (name !== "InRelease" && name !== "Release") return checkAnnounced(question);
  const keyring = keyringFor(question.url, trust.trust);
  if (keyring === undefined) return "no keyring is named for this archive";
  if (name === "Release") {
    const signature = await asking.file(new URL(`${question.url.href}.gpg`));
    if (signature === undefined) return "the Release file has no signature beside it";
    return checkRelease(question, { release: readFileSync(question.path), signature }, keyring, trust);
  }
  return checkRelease(question, { inRelease: readFileSync(question.path) }, keyring, trust);
}

/** The user's own keyring speaks for every archive; the host's for those of their sources, the longest address first. */
function keyringFor(url: URL, { keyring, sources = [] }: DebianTrust["trust"]): Keyring | undefined {
  if (keyring !== undefined) return keyring;
  const fitting = sources.filter(({ address }) => url.href.startsWith(address));
  return fitting.sort((a, b) => b.address.length - a.address.length)[0]?.keyring;
}

function checkRelease(question: EvidenceQuestion, bytes: ReleaseBytes, keyring: Keyring, trust: DebianTrust): Found {
  const release = openRelease(bytes, keyring, trust.now());
  checkSuite(release, question.url);
  checkAge(release, question.url, trust.seen);
  const suite = release.codename ?? release.suite ?? "a repository without suites";
  const { primaryFingerprint, userId } = release.signer;
  return {
    signer: primaryFingerprint.toUpperCase(),
    message: `Release of ${suite}, dated ${release.date.toISOString()}, signed by ${userId ?? "an unnamed key"}`,
  };
}

/** Path of the suite in an address: `bookworm` of `…/dists/bookworm/InRelease`; undefined for flat repositories. */
function suiteOf(url: URL): string | undefined {
  return /\/dists\/(.+)\/(?:InRelease|Release)$/.exec(decodeURI(url.pathname))?.[1];
}

/** A signed Release of one suite must not be served as that of another: `testing` for `stable`, or an old release. */
function checkSuite(release: Release, url: URL): void {
  const asked = suiteOf(url);
  if (asked === undefined) return;
  const names = [release.suite, release.codename].filter((name) => name !== undefined);
  // `stable/updates` was the path of what calls itself `stable`.
  if (names.some((name) => asked === name || asked === `${name}/updates`)) return;
  throw upstreamErrors.make(
    "UPSTREAM_RELEASE_SUITE",
    `expected a Release of ${asked}, found one of ${names.join(" or ") || "no suite"}`,
  );
}

/** Refuses a Release that is older than one that was seen at the same address, and remembers the newest. */
function checkAge(release: Release, url: URL, seen: SeenState): void {
  const name = `deb ${url.origin}${url.pathname.replace(/\/[^/]*$/, "/")}`;
  const before = seen.read(name);
  const newest = before === undefined ? undefined : Date.parse(before.trim());
  if (newest !== undefined && Number.isNaN(newest)) {
    throw upstreamErrors.make("UPSTREAM_STATE_DAMAGED", `expected the date of a Release for ${name}`);
  }
  if (newest !== undefined && release.date.getTime() < newest) {
    throw upstreamErrors.make(
      "UPSTREAM_RELEASE_ROLLED_BACK",
      `expected a Release from ${new Date(newest).toISOString()} on, found one of ${release.date.toISOString()}`,
    );
  }
  if (newest === undefined || release.date.getTime() > newest) seen.write(name, `${release.date.toISOString()}\n`);
}

/** A file below a Release: what a signed index announced must hold, and something must have been announced. */
function checkAnnounced(question: EvidenceQuestion): Found | string {
  const signed = question.announced
    .filter((each) => each.url === question.url.href)
    .flatMap((each) => each.digests)
    .filter((each) => each.source === "signed-index");
  const strong = signed.filter((each) => each.algorithm === "sha256" || each.algorithm === "sha512");
  if (strong.length === 0) return "no signed index announces this file";
  for (const { algorithm, value, from } of strong) {
    const found = question.hashes[algorithm];
    if (found === undefined && algorithm !== "sha256") continue;
    if (found !== value) {
      throw upstreamErrors.make(
        "UPSTREAM_DIGEST_MISMATCH",
        `expected ${algorithm} ${value} as ${from} says, found ${found}`,
      );
    }
  }
  const from = strong[0]?.from ?? "";
  return { message: `listed with this digest by ${from}, which a signed Release leads to` };
}
