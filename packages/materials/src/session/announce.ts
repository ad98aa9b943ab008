import { readFile } from "node:fs/promises";
import type { UpstreamEvidence } from "../gate/decision.ts";
import type { Asked, SessionContext } from "./settings.ts";

/** Remembers what an admitted answer announces. What a signed index announces is as good as the index. */
export async function announce(
  { settings, routes }: SessionContext,
  asked: Asked,
  path: string,
  evidence: readonly UpstreamEvidence[],
): Promise<void> {
  const { facts, url } = asked.route;
  if (facts.kind !== "index" && facts.kind !== "metadata" && facts.kind !== "signature") return;
  const body = await readFile(path);
  if (facts.kind === "index" && facts.name === undefined) routes.keepConfiguration(url, body);
  const adapter = settings.adapters[facts.ecosystem];
  const announced =
    adapter?.announced(
      facts,
      body,
      url,
      (at) => routes.configuration(at),
      (name, version) => routes.wants(facts.ecosystem, name, version),
    ) ?? [];
  const isSigned =
    evidence.some((each) => each.kind === "debian-chain" && each.outcome === "verified") ||
    asked.expected.some((each) => each.source === "signed-index");
  routes.announce(
    announced.map((each) =>
      isSigned
        ? { ...each, digests: each.digests.map((digest) => ({ ...digest, source: "signed-index" as const })) }
        : each,
    ),
  );
}
