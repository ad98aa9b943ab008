import type { Digest } from "@touchmark/core";
import type { CredentialUse, GateRules, SessionReport, Upstream } from "@touchmark/materials";
import type { StepError } from "../run-session.ts";
import type { StepLockfile } from "./lockfiles-of-step.ts";

/** Everything that came into a step through the recording proxy. */
export interface FetchReport {
  readonly step: string;
  readonly session: SessionReport;
  readonly lockfiles: readonly StepLockfile[];
  readonly upstreams: readonly Upstream[];
  readonly offline: boolean;
  /** Commits that the pipeline names. */
  readonly commits: readonly string[];
  /** What becomes of packages that are not locked, by ecosystem. */
  readonly unlocked: GateRules["unlocked"];
  /** Ids of the rules that were asked. */
  readonly gate: readonly string[];
  /** SHA-256 of the rules in force. */
  readonly rules: Digest;
  /** Credentials of the user that the control plane sent on the step's behalf. */
  readonly credentials: readonly CredentialUse[];
}

/** What a fetch step brought, in numbers, for people and scripts. */
export interface FetchSummary {
  readonly locked: number;
  readonly packages: number;
  readonly requests: number;
  readonly bytes: number;
  /** Packages that the mirror answered. */
  readonly mirrored: number;
  readonly refused: readonly { readonly code: string; readonly url: string; readonly count: number }[];
}

export function fetchSummary({ session, lockfiles }: FetchReport): FetchSummary {
  const packages = session.admitted.filter(({ record }) => record.facts.kind === "archive");
  return {
    locked: lockfiles.reduce((sum, lockfile) => sum + lockfile.packages.length, 0),
    packages: packages.length,
    requests: session.requests,
    bytes: session.bytes,
    mirrored: packages.filter((each) => each.mirrored).length,
    refused: session.refused.map(({ code, url, count }) => ({ code, url, count })),
  };
}

/** True when everything that entered was recorded and admitted, and nothing that a build rests on was refused. */
export function isAccounted({ session }: FetchReport): boolean {
  return session.refused.every((each) => each.harmless);
}

/** Why a step that was refused materials cannot succeed, whatever its command says; undefined when nothing was. */
export function refusalOf(report: FetchReport): StepError | undefined {
  const [first, ...more] = report.session.refused.filter((each) => !each.harmless);
  if (first === undefined) return undefined;
  const { code, nature, message, hint } = first;
  const others = more.length === 0 ? "" : ` (and ${more.length} more refused)`;
  return { code, nature, message: `${message}${others}`, ...(hint === undefined ? {} : { hint }) };
}
