import { sha256 } from "@touchmark/core";
import { mintRun, mintWorld, type RunStatement, runFacts, trustedRootBytes } from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { verifyRun } from "./chain.ts";
import { readTrustRoot } from "./index.ts";

const world = mintWorld();
const trustRoot = readTrustRoot(trustedRootBytes(world));
const builder = `spiffe://${world.trustDomain}/builder`;
const whole = `${runFacts.project}/${runFacts.pipeline}`;

type Point = "request" | "dependency" | "step" | "publish" | "deploy";

/** A passed decision of a gate. */
function decision(name: string, point: Point, subject: string, digest = sha256(subject)): RunStatement {
  return {
    name,
    signer: builder,
    predecessors: point === "publish" ? ["trigger", "release"] : ["trigger"],
    statement: {
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: subject, digest: { sha256: digest.slice(7) } }],
      predicateType: "https://slsa.dev/verification_summary/v1",
      predicate: {
        verifier: { id: builder },
        timeVerified: "2026-06-01T12:00:00Z",
        resourceUri: `touchmark:${point}`,
        policy: { digest: { sha256: "0".repeat(64) } },
        verificationResult: "PASSED",
        verifiedLevels: [],
        touchmark_decision: {
          point,
          ...{ decision: sha256("decision"), record: sha256("record"), request: sha256("request") },
          ...{ policies: [sha256("policy")], expires: "2099-01-01T00:00:00Z", denials: [] },
        },
      },
    },
  };
}
const good = (): RunStatement[] => [
  decision("decision/request", "request", whole),
  decision("step/fetch/decision", "step", `${whole}/fetch`),
  decision("step/build/decision", "step", `${whole}/build`),
];
const published = () => decision("decision/publish/app", "publish", "app", runFacts.artifact);

function verified(more: RunStatement[], after: RunStatement[] = []) {
  const run = mintRun(world, { more: () => more, after: () => after });
  return verifyRun(run.bundles(), trustRoot, {
    ...{ artifact: run.artifact, builder: run.builder, source: run.source, now: world.at },
  });
}
const refusal = (code: string) => expect.objectContaining({ code });
const bent = (made: RunStatement, change: (made: RunStatement) => void): RunStatement => {
  change(made);
  return made;
};

test("V22: decisions of request, steps and publication belong to the chain, and are shown", () => {
  const { decisions, statements, unlisted } = verified(good(), [published()]);
  expect(decisions.map(({ point, subject }) => `${point} ${subject}`)).toEqual([
    `request ${whole}`,
    `step ${whole}/fetch`,
    `step ${whole}/build`,
    "publish app",
  ]);
  expect(unlisted).toEqual([]);
  expect(statements.map(({ digest }) => digest)).toContain(decisions.at(-1)?.bundle);
  expect(verified([]).decisions).toEqual([]);
});

test.each<[string, RunStatement[], RunStatement[]?]>([
  ["a step that nobody decided about", good().slice(0, 2)],
  ["steps without the request", good().slice(1)],
  ["a decision twice", [...good(), decision("step/again", "step", `${whole}/build`)]],
  ["one about a step of another pipeline", [...good(), decision("x", "step", `${whole}/deploy`)]],
  ["a request for another pipeline", [...good(), decision("x", "request", "other/default")]],
  ["a step's decision in the place of the request's", [decision("x", "step", whole), ...good()]],
  [
    "a publication before the release",
    [
      ...good(),
      bent(decision("x", "publish", whole), (made) => {
        made.predecessors = ["trigger"];
      }),
    ],
  ],
  ["a deployment within a run", [...good(), decision("x", "deploy", whole)]],
  [
    "a summary that is no decision",
    [...good(), bent(decision("x", "step", whole), ({ statement }) => delete statement.predicate.touchmark_decision)],
  ],
  [
    "a decider that did not sign",
    [
      bent(decision("decision/request", "request", whole), ({ statement }) => {
        statement.predicate.verifier.id = "spiffe://x/y";
      }),
      ...good().slice(1),
    ],
  ],
  ["a publication of something else", good(), [decision("decision/publish/app", "publish", "app", sha256("other"))]],
])("V22: CHAIN_DECISION_MISMATCH: %s", (_, more, after) => {
  expect(() => verified(more, after)).toThrow(refusal("CHAIN_DECISION_MISMATCH"));
});

const fail = (made: RunStatement) => {
  made.statement.predicate.verificationResult = "FAILED";
  made.statement.predicate.touchmark_decision.denials = [{ code: "POLICY_RULE_FAILED", rule: "x" }];
};

test("V22: what a gate refused is no release, before it or after", () => {
  const [request, ...steps] = good();
  if (request === undefined) throw new Error("no request");
  expect(() => verified([bent(request, fail), ...steps])).toThrow(refusal("CHAIN_DECISION_REFUSED"));
  expect(() => verified(good(), [bent(published(), fail)])).toThrow(refusal("CHAIN_DECISION_REFUSED"));
});

test("V22: a decision that was no longer good when the release was signed does not count", () => {
  const [request, ...steps] = good();
  if (request === undefined) throw new Error("no request");
  const old = bent(request, ({ statement }) => {
    statement.predicate.touchmark_decision.expires = "2026-06-01T11:00:00Z";
  });
  expect(() => verified([old, ...steps])).toThrow(refusal("CHAIN_DECISION_EXPIRED"));
});

test("V22: only the builder decides; what others sign after a release says nothing here", () => {
  const byAttest = (made: RunStatement) => {
    made.signer = `spiffe://${world.trustDomain}/attest`;
  };
  const [request, ...steps] = good();
  if (request === undefined) throw new Error("no request");
  expect(() => verified([bent(request, byAttest), ...steps])).toThrow(refusal("CHAIN_SIGNER_UNEXPECTED"));
  const { decisions, unlisted } = verified(good(), [bent(bent(published(), fail), byAttest)]);
  expect([decisions.length, unlisted.length]).toEqual([3, 1]);
});
