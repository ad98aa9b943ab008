import type { LockedPackage } from "@touchmark/formats/lockfiles";
import {
  type Announcement,
  type Candidate,
  decide,
  defaultRules,
  type GateDecision,
  type GateRules,
  gateRefusal,
  type Upstream,
} from "@touchmark/materials";

/** The organisation's own repository, first; then the one where everybody publishes. */
export const own: Upstream = {
  name: "own",
  ecosystem: "npm",
  url: "https://own.example.com/",
  exclusive: ["@acme/*", "acme-*"],
  order: 0,
};
export const everybody: Upstream = {
  name: "everybody",
  ecosystem: "npm",
  url: "https://everybody.example.com/",
  exclusive: [],
  order: 1,
};

const sha256 = "1".repeat(64);

export const rules = (changes: Partial<GateRules> = {}): GateRules => ({
  ...defaultRules,
  upstreams: { npm: [own, everybody], pypi: [{ ...everybody, ecosystem: "pypi" }], generic: [] },
  ...changes,
});

/** What a step asks for, and what the world says of it. */
export interface Scene {
  readonly ecosystem?: "npm" | "pypi" | "generic";
  readonly name: string;
  readonly version: string;
  readonly from?: Upstream;
  readonly locked?: readonly Partial<LockedPackage>[];
  readonly announced?: Partial<Announcement>;
  readonly more?: Partial<Candidate>;
}

/** The package with its bytes here, locked as it is unless the scene says otherwise. */
export function candidate({ ecosystem = "npm", name, version, from, locked, announced, more }: Scene): Candidate {
  const fileName = `${name}-${version}.tgz`;
  const entry: LockedPackage = {
    key: name,
    ecosystem,
    name,
    version,
    from: { kind: "registry" },
    digests: [{ algorithm: "sha256", value: sha256 }],
    scope: "runtime",
    dependencies: [],
    direct: true,
  };
  return {
    phase: "arrival",
    facts: {
      ecosystem,
      kind: ecosystem === "generic" ? "download" : "archive",
      upstream: { ...(from ?? everybody), ecosystem },
      name,
      version,
      purl: `pkg:${ecosystem}/${name}@${version}`,
      fileName,
      immutable: true,
    },
    step: "fetch",
    now: new Date("2026-06-01T00:00:00Z"),
    locked: (locked ?? [{}]).map((each) => ({ ...entry, ...each })),
    announced:
      announced === undefined
        ? []
        : [
            {
              url: "https://everybody.example.com/x",
              ecosystem,
              kind: "archive",
              name,
              version,
              fileName,
              digests: [],
              ...announced,
            },
          ],
    seen: [],
    evidence: [],
    archive: { format: "tar.gz", files: 2, unpackedBytes: 100, installScripts: [], digests: new Map(), faults: [] },
    size: 90,
    hashes: { sha256 },
    history: { package: `pkg:${ecosystem}/${name}`, versions: [] },
    ...more,
  };
}

/** Codes of everything that refuses; empty: admitted. */
export function refusals(wanted: GateRules, scene: Scene): string[] {
  return judged(wanted, scene).results.flatMap((each) => (each.outcome === "refused" ? [each.code ?? "none"] : []));
}

export function judged(wanted: GateRules, scene: Scene): GateDecision {
  return decide(wanted, candidate(scene));
}

/** What the person reads. */
export const told = (wanted: GateRules, scene: Scene): string => gateRefusal(judged(wanted, scene))?.message ?? "";

/** What a client does that asks every repository and takes the highest version. */
export function highest(offers: readonly { readonly version: string; readonly from: Upstream }[]) {
  return [...offers].sort((a, b) => b.version.localeCompare(a.version, undefined, { numeric: true }))[0];
}
