import type { PredicateName, PredicateOf } from "./catalogue.ts";
import { chain, digest } from "./example-parts.ts";

/** Examples of statements about people and deployments. */
export const peopleExamples: {
  readonly [Name in PredicateName & ("user-enrolment" | "approval" | "deployment")]: PredicateOf<Name>;
} = {
  "user-enrolment": {
    ...chain,
    user: "ada",
    identity: "spiffe://factory.example/user/ada",
    event: "enrolled",
    publicKey: digest(0x61),
    spki: "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE",
    roles: ["release-manager"],
  },
  approval: {
    ...chain,
    user: "ada",
    role: "release-manager",
    decision: "approved",
    environment: "production",
    reason: "Release notes and scan read.",
    approvedAt: "2026-11-21T10:42:30Z",
    expires: "2026-12-21T10:42:30Z",
  },
  deployment: {
    ...chain,
    artifact: "registry.example/demo:1.2.0",
    environment: "production",
    decision: digest(0x62),
    previous: { environment: "staging", statement: digest(0x63) },
    caller: "spiffe://factory.example/user/ada",
    deployedAt: "2026-11-21T10:42:30Z",
  },
};
