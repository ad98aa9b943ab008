import { type FactoryError, isFactoryError } from "@touchmark/core";
import type { Draft } from "./evidence/recorder.ts";
import { cacheHitStatement, signerIds } from "./evidence/run-statements.ts";
import { noteUsed } from "./materials/used-files.ts";
import type { RunSession, StepReport } from "./run-session.ts";
import { type FoundStep, refusedReport } from "./run-step.ts";

/** A found step that its gate let in. */
interface AdmittedStep extends FoundStep {
  readonly decision: Draft;
}

/**
 * Takes steps of earlier runs into this one, each after its gate was asked as if it were to run. Their statements rest on
 * links that exist, so one batch signs them all. Steps behind a refused one have no report.
 */
export async function useCached(session: RunSession, found: readonly FoundStep[]): Promise<StepReport[]> {
  const begun = performance.now();
  const { facts, recorder } = session;
  const { admitted, refused } = await admit(session, found);
  if (admitted.length === 0) return refused;
  const signed = await recorder.record(
    admitted.flatMap(({ step, key, inputs, hit, decision }) => [
      {
        name: `step/${step.name}/cache-hit`,
        spiffeId: signerIds.builder(facts),
        statement: cacheHitStatement(
          facts,
          recorder.predecessors(
            "trigger",
            "source",
            "node",
            ...[step.name, ...step.after].map((name) => `step/${name}/link`),
          ),
          {
            step: step.name,
            key,
            output: hit.output,
            materials: inputs.map((input) => ({ name: input.from, digest: input.tree })),
            original: {
              run: hit.run,
              functionary: hit.functionary,
              link: hit.link,
              bundles: hit.bundles.map((bundle) => bundle.digest),
            },
          },
        ),
      },
      decision,
    ]),
  );
  const share = (performance.now() - begun) / admitted.length;
  const reports = admitted.map(({ step, inputs, hit, lookupMs }, i): StepReport => {
    const [bundle, decision] = signed.slice(2 * i);
    if (bundle === undefined || decision === undefined) throw new TypeError("a cache hit was not recorded");
    const { output, tier, observer, complete, link, trace, files, unaccounted } = hit;
    noteUsed(session.used, inputs, step.name, hit.inputFiles);
    session.trees.set(step.name, output);
    session.outcomes.set(step.name, {
      ...{ step, output, tier, observer, complete, link, trace, files, unaccounted, made: [] },
      network: "none",
      cached: bundle.digest,
    });
    return {
      name: step.name,
      status: "succeeded",
      cached: true,
      durationMs: lookupMs + share,
      exitCode: 0,
      output,
      network: step.definition.network,
      isolation: tier,
      observation: { tier: observer, complete, losses: [] },
      bundles: [...hit.bundles.map((row) => row.digest), bundle.digest, decision.digest],
    };
  });
  return [...reports, ...refused];
}

/** Asks the gate of each step, in order. */
async function admit(
  session: RunSession,
  found: readonly FoundStep[],
): Promise<{ readonly admitted: readonly AdmittedStep[]; readonly refused: StepReport[] }> {
  const admitted: AdmittedStep[] = [];
  const refused: StepReport[] = [];
  const out = new Set<string>();
  for (const one of found) {
    const { step, inputs, hit } = one;
    if (step.after.some((name) => out.has(name))) {
      out.add(step.name);
      session.trees.delete(step.name);
      continue;
    }
    session.recorder.adopt(hit.bundles);
    session.gates.evidence.know(hit.verified);
    try {
      const { draft } = await session.gates.step({ step, inputs, tier: hit.tier }, session.images);
      admitted.push({ ...one, decision: draft });
    } catch (error) {
      if (!isFactoryError(error) || error.nature === "bug") throw error;
      out.add(step.name);
      session.trees.delete(step.name);
      refused.push(refusedReport(step, error satisfies FactoryError, 0));
    }
  }
  return { admitted, refused };
}
