import type { ScanException, ScanGatePolicy, VulnerabilityRules } from "../findings/index.ts";
import type { ScanDocument, WrittenScanGate } from "./scan-schema.ts";

const defaultScopes = ["runtime", "optional", "build", "unknown"] as const;
const daysOf: Readonly<Record<string, number>> = { s: 1 / 86_400, m: 1 / 1440, h: 1 / 24, d: 1 };

/** Rules as written, with defaults filled in. */
export function scanGatePolicy(written: WrittenScanGate, exceptions: readonly ScanException[] = []): ScanGatePolicy {
  const { vulnerabilities, licences } = written;
  return {
    ...(vulnerabilities === undefined ? {} : { vulnerabilities: vulnerabilityRules(vulnerabilities) }),
    ...(licences === undefined
      ? {}
      : {
          licences: {
            ...(licences.allow === undefined ? {} : { allow: licences.allow }),
            warn: licences.warn ?? [],
            deny: licences.deny ?? [],
            unknown: licences.unknown ?? "refuse",
            scopes: licences.scopes ?? defaultScopes,
          },
        }),
    unownedExecutables: written["unowned-executables"] ?? "ignore",
    unaccountedComponents: written["unaccounted-components"] ?? "warn",
    supplierSbom: written["supplier-sbom"] ?? "ignore",
    requiredReports: written["required-reports"] ?? [],
    losses: written.losses ?? "warn",
    exceptions,
  };
}

/** Exceptions of a document. */
export function scanExceptions(document: ScanDocument): readonly ScanException[] {
  return (document.exceptions ?? []).map(({ rule, finding, component, artifact, reason, approver, expires }) => ({
    rule,
    ...(finding === undefined ? {} : { finding }),
    ...(component === undefined ? {} : { component }),
    ...(artifact === undefined ? {} : { artifact }),
    ...{ reason, approver, expires },
  }));
}

function vulnerabilityRules(written: NonNullable<WrittenScanGate["vulnerabilities"]>): VulnerabilityRules {
  const { refuse, warn, unscored, epss, fix, scopes, grace } = written;
  const dataAge = written["data-age"];
  return {
    ...(refuse === undefined ? {} : { refuse }),
    ...(warn === undefined ? {} : { warn }),
    unscored: unscored ?? 0,
    ...(epss === undefined ? {} : { epss }),
    knownExploited: written["known-exploited"] ?? "refuse",
    fix: fix ?? "any",
    scopes: scopes ?? defaultScopes,
    graceDays: grace === undefined ? 0 : days(grace),
    newOnly: written["new-only"] ?? false,
    notEvaluated: written["not-evaluated"] ?? "warn",
    ...(dataAge === undefined ? {} : { maximumDataAgeDays: days(dataAge) }),
  };
}

function days(text: string): number {
  return Number.parseInt(text, 10) * (daysOf[text.at(-1) ?? ""] ?? Number.NaN);
}
