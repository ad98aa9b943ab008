import type { Finding, FindingDecision, ScanResult } from "@touchmark/formats/findings";
import { productMeans, type ScannedSubject } from "./product-match.ts";
import type { VexDocument, VexStatement } from "./statement.ts";

/** A statement that changed nothing, and why. */
export interface WithoutEffect {
  readonly document: string;
  /** The vulnerability with the first product, in words. */
  readonly statement: string;
  readonly why: string;
}

/** A scan with what was said of its findings. */
export interface AppliedVex {
  readonly result: ScanResult;
  /** How many findings each document speaks of. */
  readonly effects: readonly { readonly document: string; readonly findings: number }[];
  readonly unmatched: readonly WithoutEffect[];
}

/**
 * Adds to each finding what statements say of it. Of one author the latest counts; of several authors each, and the gate
 * takes one `affected` for more than any `not_affected`. A statement from later than the scan does not count.
 */
export function applyVex(result: ScanResult, documents: readonly VexDocument[]): AppliedVex {
  const { sbom } = result;
  const components = new Map(sbom.components.map((component) => [component.ref, component]));
  const scanned: ScannedSubject = { subject: sbom.subject, root: components.get(sbom.root) };
  const byId = new Map<string, number[]>();
  result.findings.forEach((finding, i) => {
    for (const id of new Set([finding.id, ...finding.aliases].map(plain))) listUnder(byId, id, i);
  });
  const said = new Map<number, { readonly document: VexDocument; readonly statement: VexStatement }[]>();
  const unmatched: WithoutEffect[] = [];
  const effects = documents.map((document) => {
    const touched = new Set<number>();
    for (const statement of document.statements) {
      const why = judge(document, statement, touched);
      if (why !== undefined) unmatched.push({ document: document.id, statement: wordsOf(statement), why });
    }
    return { document: document.id, findings: touched.size };
  });
  const findings = result.findings.map((finding, i) => withDecisions(finding, said.get(i) ?? []));
  return { result: { ...result, findings }, effects, unmatched };

  /** Why a statement has no effect; undefined when it has. */
  function judge(document: VexDocument, statement: VexStatement, touched: Set<number>): string | undefined {
    if (Date.parse(statement.at) > Date.parse(result.at)) return `it is of ${statement.at}, later than the scan`;
    const candidates = [...new Set(statement.vulnerability.flatMap((id) => byId.get(plain(id)) ?? []))];
    if (candidates.length === 0) return `no finding of ${statement.vulnerability[0]} here`;
    let nearest = "it names no product";
    let hasEffect = false;
    for (const i of candidates) {
      const component = components.get(result.findings[i]?.component ?? "");
      if (component === undefined) continue;
      // Without a product a statement of CycloneDX or OpenVEX speaks of nothing: absence is not everything.
      for (const product of statement.products) {
        const meaning = productMeans(product, component, scanned);
        if (!meaning.isMeant) {
          nearest = meaning.why;
          continue;
        }
        listUnder(said, i, { document, statement });
        touched.add(i);
        hasEffect = true;
        break;
      }
    }
    return hasEffect ? undefined : nearest;
  }
}

function withDecisions(
  finding: Finding,
  said: readonly { readonly document: VexDocument; readonly statement: VexStatement }[],
): Finding {
  if (said.length === 0) return finding;
  const latest = new Map<string, (typeof said)[number]>();
  for (const each of said) {
    const known = latest.get(each.document.author);
    if (known === undefined || outweighs(each.statement, known.statement)) latest.set(each.document.author, each);
  }
  const decisions = [...latest.values()].map(
    ({ document, statement }): FindingDecision => ({
      status: statement.status,
      reason: statement.justification ?? statement.detail ?? statement.status,
      by: document.approver === undefined ? document.author : `${document.author}, let in by ${document.approver}`,
      document: document.digest,
      ...(document.expires === undefined ? {} : { expires: document.expires }),
    }),
  );
  return { ...finding, decisions: [...finding.decisions, ...decisions] };
}

/** The later one; at the same time the graver one. */
function outweighs(statement: VexStatement, known: VexStatement): boolean {
  const difference = Date.parse(statement.at) - Date.parse(known.at);
  return difference > 0 || (difference === 0 && gravity[statement.status] > gravity[known.status]);
}

const gravity = { fixed: 0, not_affected: 1, under_investigation: 2, affected: 3 } as const;

function wordsOf({ vulnerability, status, products }: VexStatement): string {
  return `${vulnerability[0]} ${status} ${products[0]?.ids[0] ?? "nothing"}`.slice(0, 300);
}

function listUnder<K, T>(lists: Map<K, T[]>, key: K, value: T): void {
  const known = lists.get(key);
  if (known === undefined) lists.set(key, [value]);
  else known.push(value);
}

const plain = (id: string): string => id.toUpperCase();
