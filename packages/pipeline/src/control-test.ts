import { type ControlTest, statementOf, subjectOf } from "@touchmark/formats/predicates";
import { type AttestReport, signAttestation } from "./attest.ts";
import { timeOf } from "./evidence/run-facts.ts";
import type { Factory } from "./factory.ts";

/** Signs what attacks on a pipeline showed, about the artifact that the unchanged pipeline released. */
export function signControlTest(
  factory: Factory,
  test: Omit<ControlTest, "run" | "createdAt" | "predecessors" | "project"> & { readonly project?: string },
): Promise<AttestReport> {
  return signAttestation(
    factory,
    statementOf("control-test", [subjectOf(test.pipeline, test.baseline)], {
      run: "selftest",
      createdAt: timeOf(factory.clock.now()),
      predecessors: [],
      ...{ project: test.source.uri, ...test },
    }),
  );
}
