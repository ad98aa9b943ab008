import { type Digest, directoryEntry } from "@touchmark/core";
import type { Statement } from "@touchmark/formats/evidence";
import {
  type Material,
  type Predecessor,
  type ReconciliationPredicate,
  type Resource,
  statementOf,
  subjectOf,
} from "@touchmark/formats/predicates";
import type { AdmittedMaterial } from "@touchmark/materials";
import { type FetchReport, isAccounted } from "../materials/fetch-report.ts";
import type { StepReconciliation } from "../materials/reconcile-run.ts";
import { chainOf, type RunFacts } from "./run-facts.ts";
import { outputSubject } from "./step-statements.ts";

/** Most characters of a message that a statement repeats. */
const MAX_MESSAGE = 1000;

/** What came into a step, and how it was admitted. Signed by the builder. */
export function materialsStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  step: string,
  output: Digest | undefined,
  report: FetchReport,
): Statement<unknown> {
  const { session, lockfiles, upstreams, offline, rules, gate } = report;
  return statementOf("materials", [outputSubject(step, output ?? directoryEntry("none").digest)], {
    ...chainOf(facts, predecessors),
    step,
    offline,
    rules,
    gate: [...gate],
    lockfiles: lockfiles.map(({ path, format, digest, packages, limits }) => ({
      ...{ path, format, digest },
      packages: packages.length,
      limits: [...limits],
    })),
    upstreams: upstreams.map(({ name, ecosystem, url }) => ({ name, ecosystem, url })),
    materials: session.admitted.map(material),
    refused: session.refused.map(({ url, code, message, purl, count }) => ({
      ...{ url, code, count },
      message: message.slice(0, MAX_MESSAGE),
      ...(purl === undefined ? {} : { purl }),
    })),
    requests: session.requests,
    bytes: session.bytes,
    accounted: isAccounted(report),
  });
}

function material({ record, locked, mirrored, decision, evidence, archive }: AdmittedMaterial): Material {
  const { facts, url, redirects, digest, size, expected, fetchedAt } = record;
  const scripts = archive?.installScripts ?? [];
  return {
    ...(facts.purl === undefined ? {} : { purl: facts.purl }),
    ...{ ecosystem: facts.ecosystem, kind: facts.kind, url, digest, size },
    ...(redirects.length === 0 ? {} : { redirects: [...redirects] }),
    expected: expected.map(({ algorithm, value, source, from }) => ({ algorithm, value, source, from })),
    ...{ locked, mirrored, fetchedAt, upstream: facts.upstream },
    rules: decision.results
      .filter((each) => each.outcome !== "passed" && each.outcome !== "not-applicable")
      .map(({ rule, outcome, message, exception }) => ({
        ...{ rule, outcome, message: message.slice(0, MAX_MESSAGE) },
        ...(exception === undefined ? {} : { exception }),
      })),
    ...(evidence.length === 0
      ? {}
      : {
          evidence: evidence.map(({ kind, outcome, signer, message }) => ({
            ...{ kind, outcome, message: message.slice(0, MAX_MESSAGE) },
            ...(signer === undefined ? {} : { signer }),
          })),
        }),
    ...(scripts.length === 0 ? {} : { installScripts: scripts.slice(0, 256) }),
  };
}

/** Declared, admitted, fetched, recorded and used, compared over the run. Signed by the builder. */
export function reconciliationStatement(
  facts: RunFacts,
  predecessors: readonly Predecessor[],
  steps: ReadonlyMap<string, StepReconciliation>,
  hermetic: boolean,
): Statement<unknown> {
  const predicate: Omit<ReconciliationPredicate, "run" | "createdAt" | "predecessors"> = {
    steps: [...steps].map(([step, { result, summary }]) => ({
      step,
      counts: Object.entries(result.counts).map(([name, count]) => ({ name: kebab(name), count })),
      summary,
      differences: result.differences.map(({ name, effect, items }) => ({
        ...{ name, effect, count: items.length },
        sample: items.slice(0, 100).map((item) => item.slice(0, MAX_MESSAGE)),
      })),
      accounted: result.accounted,
    })),
    hermetic,
  };
  return statementOf("reconciliation", [subjectOf("source", facts.source.treeDigest)], {
    ...chainOf(facts, predecessors),
    ...predicate,
  });
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The packages that came into a step, as resolved dependencies of a provenance. */
export function materialResources(report: FetchReport): readonly Resource[] {
  return report.session.admitted
    .filter(({ record }) => carriesContent.has(record.facts.kind) && record.status === 200)
    .map(({ record, locked }) => ({
      name: record.facts.purl ?? record.facts.fileName ?? record.url,
      ...(record.facts.purl === undefined ? {} : { uri: record.facts.purl }),
      digest: { sha256: record.digest.slice(7), ...strongest(record.expected) },
      downloadLocation: record.url,
      annotations: { ecosystem: record.facts.ecosystem, kind: record.facts.kind, locked },
    }));
}

const carriesContent: ReadonlySet<string> = new Set(["archive", "download", "git"]);

/** The digest that the ecosystem's own tools know a package by. */
function strongest(expected: AdmittedMaterial["record"]["expected"]): Record<string, string> {
  const known = expected.find((each) => each.algorithm === "sha512" || each.algorithm === "sha384");
  return known === undefined ? {} : { [known.algorithm]: known.value };
}
