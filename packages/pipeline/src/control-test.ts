import { type ControlTest, statementOf } from "@touchmark/formats/predicates";
import { type AttestReport, signAttestation } from "./attest.ts";
import { timeOf } from "./evidence/run-facts.ts";
import type { Factory } from "./factory.ts";

/** Signs what attacks on a pipeline showed, about the commit that was attacked. */
export function signControlTest(
  factory: Factory,
  test: Omit<ControlTest, "run" | "createdAt" | "predecessors" | "project"> & { readonly project?: string },
): Promise<AttestReport> {
  const { commit, uri } = test.source;
  const algorithm = commit.length === 40 ? "sha1" : "sha256";
  return signAttestation(
    factory,
    statementOf("control-test", [{ name: uri, digest: { gitCommit: commit, [algorithm]: commit } }], {
      run: "selftest",
      createdAt: timeOf(factory.clock.now()),
      predecessors: [],
      ...{ project: uri, ...test },
    }),
  );
}
