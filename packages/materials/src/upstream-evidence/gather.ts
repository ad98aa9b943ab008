import type { Clock } from "@touchmark/core";
import type { UpstreamEvidence } from "../gate/decision.ts";
import { checkDebian } from "./debian-chain.ts";
import { type Asking, type EvidenceQuestion, evidenceOf, type Found, type GatheredEvidence } from "./evidence.ts";
import { checkFactoryProvenance } from "./factory-provenance.ts";
import { checkGoDatabase } from "./go-checksum-database.ts";
import { checkMavenBundle, checkMavenSignature } from "./maven-signature.ts";
import { checkNpmProvenance } from "./npm-provenance.ts";
import { checkNpmSignature } from "./npm-signature.ts";
import { checkPypiAttestation } from "./pypi-attestation.ts";
import type { SeenState } from "./seen-state.ts";
import type { EvidenceTrust } from "./trust.ts";

/** What evidence is gathered with. */
export interface EvidenceSettings {
  readonly trust: EvidenceTrust;
  /** What was seen of logs and suites before; kept between runs. */
  readonly seen: SeenState;
  readonly clock: Clock;
}

type Kind = UpstreamEvidence["kind"];

/** Kinds that an ecosystem may have, in the order in which they are asked for. */
const kindsOf: Readonly<Partial<Record<string, readonly Kind[]>>> = {
  npm: ["npm-signature", "npm-provenance", "touchmark-provenance"],
  pypi: ["pypi-attestation", "touchmark-provenance"],
  golang: ["go-checksum-database"],
  maven: ["maven-pgp", "maven-sigstore", "touchmark-provenance"],
  deb: ["debian-chain"],
  cargo: ["touchmark-provenance"],
  generic: ["touchmark-provenance"],
};

/**
 * Asks for everything that others say of one file, of the kinds that the user trusts somebody for. Never throws for what
 * an upstream does: that is an outcome. The files that were fetched on the way went through `question.get`.
 * SPEC U1-U9.
 */
export async function gatherEvidence(
  question: EvidenceQuestion,
  settings: EvidenceSettings,
): Promise<readonly GatheredEvidence[]> {
  const rows: GatheredEvidence[] = [];
  for (const kind of kindsOf[question.facts.ecosystem] ?? []) {
    if (settings.trust[kind] === undefined || !isAskedFor(kind, question)) continue;
    rows.push(await evidenceOf(kind, question.get, (asking) => check(kind, question, asking, settings)));
  }
  return rows;
}

/** Indexes of Debian are evidence themselves; everything else is about packages. */
function isAskedFor(kind: Kind, { facts }: EvidenceQuestion): boolean {
  if (facts.kind === "archive" || facts.kind === "download") return true;
  if (kind === "debian-chain") return facts.kind === "index";
  return (kind === "go-checksum-database" || kind === "maven-pgp") && facts.kind === "metadata";
}

async function check(
  kind: Kind,
  question: EvidenceQuestion,
  asking: Asking,
  { trust, seen, clock }: EvidenceSettings,
): Promise<Found | string> {
  const own = trust[kind];
  if (own === undefined) return "nobody is trusted for this";
  const now = clock.now();
  switch (kind) {
    case "npm-signature":
      return checkNpmSignature(question, asking, own, now);
    case "npm-provenance":
      return checkNpmProvenance(question, asking, own, now);
    case "pypi-attestation":
      return checkPypiAttestation(question, asking, own, now);
    case "go-checksum-database":
      return checkGoDatabase(question, asking, own, seen);
    case "maven-pgp":
      return checkMavenSignature(question, asking, own, now);
    case "maven-sigstore":
      return checkMavenBundle(question, asking, own, now);
    case "debian-chain":
      return checkDebian(question, asking, { trust: own, seen, now: () => now });
    case "touchmark-provenance":
      return checkFactoryProvenance(question, asking, own, now);
    case "git-signature":
      return "signatures of commits are verified where the source is fetched";
  }
}
