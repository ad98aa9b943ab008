import type { ForeignScan } from "@touchmark/advisories";
import type { Digest } from "@touchmark/core";
import { STATEMENT_TYPE } from "@touchmark/formats/evidence";
import { subjectOf } from "@touchmark/formats/predicates";
import { type AttestReport, signAttestation } from "../attest.ts";
import { timeOf } from "../evidence/run-facts.ts";
import type { Factory } from "../factory.ts";
import { VULNS_TYPE } from "./analysis-statements.ts";

/** Signs another scanner's result about an artifact, named as that scanner's, by `attest`: evidence beside our own. */
export function attestForeignScan(factory: Factory, artifact: Digest, scan: ForeignScan): Promise<AttestReport> {
  const { tool, version, findings = [] } = scan;
  const now = timeOf(factory.clock.now());
  return signAttestation(factory, {
    _type: STATEMENT_TYPE,
    subject: [subjectOf("artifact", artifact)],
    predicateType: VULNS_TYPE,
    predicate: {
      scanner: {
        uri: `urn:scanner:${encodeURIComponent(tool)}`,
        ...(version === undefined ? {} : { version }),
        db: {},
        result: findings.map(({ ids: [id = "", ...aliases], package: named, severity, fixed }) => ({
          id,
          severity: severity === undefined ? [] : [{ method: "words", score: severity }],
          annotations: [
            {
              package: named.name,
              version: named.version,
              aliases,
              ...(fixed === undefined ? {} : { fixedVersions: fixed }),
            },
          ],
        })),
      },
      metadata: { scanStartedOn: now, scanFinishedOn: now },
    },
  });
}
