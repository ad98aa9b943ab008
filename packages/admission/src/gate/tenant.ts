import type { Digest } from "@touchmark/core";
import type { Decision, DecisionSubject } from "@touchmark/policy";
import type { EvidenceCache } from "../cache/evidence-cache.ts";
import type { VerifiedEvidence } from "../evidence-source.ts";
import type { AdmissionFacts, UsedBreakGlass } from "./types.ts";

/** What is asked of the policies about one artifact. */
export interface TenantQuestion {
  readonly subject: DecisionSubject & { readonly digest: Digest };
  readonly request: AdmissionFacts;
  readonly evidence: VerifiedEvidence;
  readonly now: Date;
  /** Aborted when nobody waits for the decision any more. */
  readonly signal: AbortSignal;
  /** True: nothing is recorded. */
  readonly dryRun: boolean;
}

/** Namespaces with policies and trust roots of their own. */
export interface Tenant {
  readonly name: string;
  /** Evidence as verified by the tenant's own trust roots. */
  readonly evidence: EvidenceCache;
  /** By the tenant's own policies, as they are in force at this moment. */
  decide(question: TenantQuestion): Decision | Promise<Decision>;
  /** A permission that counts for the digest there and then. */
  breakGlass(
    digest: Digest,
    namespace: string | undefined,
    now: Date,
  ): UsedBreakGlass | undefined | Promise<UsedBreakGlass | undefined>;
  /** What people must be told of, for example that new policies cannot be read and the former stay in force. */
  problems(): readonly string[];
}

/** Which tenant a namespace belongs to. */
export interface TenantTable {
  of(namespace: string | undefined): Tenant;
  readonly all: readonly Tenant[];
}

/** A tenant with the namespaces that are its own; `*` stands for characters other than a dot or slash. */
export interface TenantRow {
  readonly namespaces: readonly string[];
  readonly tenant: Tenant;
}

/**
 * Tenants by namespace: a name as a whole before a pattern, longer patterns first, and the factory's own for the rest.
 * No namespace is ever of two tenants, so that none is judged by the milder one.
 */
export function tenantTable(own: Tenant, rows: readonly TenantRow[]): TenantTable {
  const exact = new Map<string, Tenant>();
  const patterns: { readonly pattern: RegExp; readonly length: number; readonly tenant: Tenant }[] = [];
  for (const { namespaces, tenant } of rows) {
    for (const each of namespaces) {
      if (!each.includes("*")) exact.set(each, tenant);
      else patterns.push({ pattern: patternOf(each), length: each.length, tenant });
    }
  }
  patterns.sort((a, b) => b.length - a.length);
  return {
    all: [own, ...new Set(rows.map(({ tenant }) => tenant))],
    of(namespace) {
      if (namespace === undefined) return own;
      return exact.get(namespace) ?? patterns.find(({ pattern }) => pattern.test(namespace))?.tenant ?? own;
    },
  };
}

/** Names of namespaces are short, so that even many stars stay cheap. */
function patternOf(text: string): RegExp {
  const parts = text
    .split(/\*+/)
    .map((part) => part.replace(/[^a-z0-9-]/gi, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`));
  return new RegExp(`^${parts.join("[^./]{0,253}")}$`, "u");
}
