import { readFile } from "node:fs/promises";
import type { Candidate, GateDecision } from "../gate/decision.ts";
import { recordKey } from "../mirror/record-key.ts";
import type { SessionContext } from "./settings.ts";

/** Versions that are tried, the newest first. */
const MAX_TRIED = 500;

/**
 * A refused decision, with the newest version that the refusing rules would let pass, as far as the stored index of the
 * package says. That it is not locked is another matter.
 */
export async function withPassingVersion(
  { settings }: SessionContext,
  candidate: Candidate,
  decision: GateDecision,
): Promise<GateDecision> {
  const refusing = decision.results.filter((each) => each.outcome === "refused" && each.wouldPass === undefined);
  const { ecosystem, name, upstream, version } = candidate.facts;
  const adapter = settings.adapters[ecosystem];
  const index = name === undefined ? undefined : adapter?.indexOf?.(name, upstream);
  if (refusing.length === 0 || version === undefined || index === undefined) return decision;
  const record = await settings.mirror.find(recordKey("GET", index.url, index.headers)).catch(() => undefined);
  const facts = adapter?.classify({ method: "GET", ...index }, upstream);
  if (record?.status !== 200 || facts === undefined) return decision;
  const body = await settings.mirror.body(record).then(
    (path) => readFile(path),
    () => undefined,
  );
  if (body === undefined) return decision;
  const announced = (adapter?.announced(facts, body, index.url) ?? [])
    .filter((each) => each.kind === "archive" && each.version !== undefined && each.version !== version)
    .sort((a, b) => ((a.publishedAt ?? "") < (b.publishedAt ?? "") ? 1 : -1))
    .slice(0, MAX_TRIED);
  const rules = new Set(refusing.map((each) => each.rule));
  for (const each of announced) {
    const { version: other = "", purl, fileName } = each;
    const asked = { ...candidate.facts, version: other, ...(purl && { purl }), ...(fileName && { fileName }) };
    const { results } = settings.decide({ ...candidate, facts: asked, announced: [each], seen: [] }, "alternative");
    const passed = new Set(results.filter(({ outcome }) => outcome === "passed").map(({ rule }) => rule));
    if (![...rules].every((rule) => passed.has(rule))) continue;
    return {
      ...decision,
      results: decision.results.map((result) =>
        refusing.includes(result) ? { ...result, wouldPass: `${name}@${other}` } : result,
      ),
    };
  }
  return decision;
}
