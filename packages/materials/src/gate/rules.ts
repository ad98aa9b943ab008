import type { Digest } from "@touchmark/core";
import type { Ecosystem } from "@touchmark/formats/lockfiles";
import type { Upstream } from "../material.ts";
import type { UpstreamEvidence } from "./decision.ts";

/** What becomes of a package that is fetched but not locked. */
export type UnlockedMode = "refuse" | "signed" | "record";
/** How strictly a finding is taken. */
export type Strictness = "refuse" | "record" | "off";

/** What one rule lets pass for some packages, until a date. Comes from the user's own configuration alone. */
export interface GateException {
  readonly rule: string;
  /** Package URL pattern. */
  readonly packages: string;
  readonly reason: string;
  readonly approver: string;
  /** RFC 3339 UTC; from then on it counts no more. */
  readonly expires: string;
  /** SHA-256 over its canonical JSON; stands in results. */
  readonly digest: Digest;
}

/** Settings of every rule, complete: a rule whose setting is missing refuses. Package patterns are package URLs with `*`. */
export interface GateRules {
  /** Trusted repositories by ecosystem, in order of preference. */
  readonly upstreams: Readonly<Partial<Record<Ecosystem, readonly Upstream[]>>>;
  readonly unlocked: Readonly<Record<Ecosystem, UnlockedMode>>;
  /** `announced`: the digest of an index counts where the lockfile keeps none. */
  readonly lockedDigest: "lockfile" | "announced";
  readonly denied: readonly { readonly packages: string; readonly reason: string }[];
  /** RFC 3339 UTC. */
  readonly asOf?: string;
  readonly minimumAge: { readonly seconds: number; readonly except: readonly string[] };
  readonly lookalike: {
    readonly mode: Strictness;
    /** Names that the user knows: they pass, and others may not look like them. */
    readonly names: readonly string[];
    /** Names that others may not look like, and which do not pass for that. */
    readonly protected: readonly string[];
    readonly except: readonly string[];
  };
  readonly installScripts: { readonly mode: "refuse" | "list"; readonly allowed: readonly string[] };
  readonly requiredEvidence: readonly {
    readonly packages: string;
    readonly all: readonly UpstreamEvidence["kind"][];
  }[];
  readonly licence: { readonly allowed?: readonly string[]; readonly denied: readonly string[] };
  /** Severity from which a known vulnerability refuses; undefined: none is asked for. */
  readonly vulnerabilities?: "low" | "medium" | "high" | "critical";
  readonly newPublisher: "refuse" | "record";
  readonly vanishedEvidence: "refuse" | "record";
  readonly withdrawn: "refuse" | "record";
  readonly thirdPartyReview: {
    readonly required: "all" | "new" | "off";
    readonly parties: readonly ("first" | "second" | "third")[];
  };
  readonly chatter: "refuse" | "allow";
  readonly sizes: {
    readonly archiveBytes: number;
    readonly indexBytes: number;
    readonly unpackedBytes: number;
    readonly files: number;
    /** How many times larger the content may be than the archive. */
    readonly ratio: number;
  };
  readonly exceptions: readonly GateException[];
}

/** What holds when the user says nothing else. Upstreams have no default. */
export const defaultRules: Omit<GateRules, "upstreams"> = {
  unlocked: {
    npm: "refuse",
    pypi: "refuse",
    golang: "refuse",
    cargo: "refuse",
    maven: "refuse",
    deb: "signed",
    git: "refuse",
    generic: "refuse",
  },
  lockedDigest: "announced",
  denied: [],
  minimumAge: { seconds: 0, except: [] },
  lookalike: { mode: "refuse", names: [], protected: [], except: [] },
  installScripts: { mode: "list", allowed: [] },
  requiredEvidence: [],
  licence: { denied: [] },
  newPublisher: "record",
  vanishedEvidence: "refuse",
  withdrawn: "record",
  thirdPartyReview: { required: "off", parties: ["first", "second", "third"] },
  chatter: "refuse",
  sizes: {
    archiveBytes: 2 * 2 ** 30,
    indexBytes: 128 * 2 ** 20,
    unpackedBytes: 8 * 2 ** 30,
    files: 500_000,
    ratio: 400,
  },
  exceptions: [],
};
