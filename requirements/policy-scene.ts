import { decisionPoints, type Layout, type Policy } from "@touchmark/formats/policy";
import { type Performed, type Scene, type SignedStatement, statementsOf } from "@touchmark/pipeline/fixture";
import type { PolicyFile } from "@touchmark/pipeline/policy";
import { libraryRules, plainRule } from "@touchmark/policy";

/** Two steps, of which the second reads what the first one made. */
export const twoSteps = `
  steps:
    make: { run: 'cp hello.txt "$TOUCHMARK_OUTPUT/hello.txt"', inputs: { source: /work/source } }
    pack: { run: 'cat /work/make/hello.txt > "$TOUCHMARK_OUTPUT/app.txt"', inputs: { make: /work/make } }
  artifacts:
    app: { from: pack, path: app.txt, kind: file }
`;

type Point = (typeof decisionPoints)[number];

/** A document as a file. */
export function documentFile(document: Layout | Policy): PolicyFile {
  return { name: `${document.name}.json`, bytes: Buffer.from(JSON.stringify(document)) };
}

/** A policy of one point. */
export function policyAt(point: Point, members: Partial<Policy>): PolicyFile {
  const named = { touchmark: "policy/v1", name: `required-${point}`, version: 1, expires: "2099-01-01T00:00:00Z" };
  return documentFile({ ...named, point, ...members } as Policy);
}

/** A rule of the test's own, in a policy. */
export const ruled = (expression: string): Partial<Policy> => ({
  rules: [{ id: "rule", title: "The rule of the test", expression }],
});

/** A rule of the library alone, with the value of its parameter. */
export function libraryRule(id: string, parameters: Readonly<Record<string, readonly string[]>> = {}): Partial<Policy> {
  const list = Object.entries(parameters).map(([name, value]) => [name, { type: "list", default: value }]);
  const rules = libraryRules
    .filter((rule) => rule.id === id)
    .map((rule) => {
      const { dependsOn: _others, ...alone } = plainRule(rule);
      return alone;
    });
  return { rules, parameters: Object.fromEntries(list) };
}

/** These policies, and beside them one for every other point that lets everything pass. */
export function withOthers(...files: readonly PolicyFile[]): readonly PolicyFile[] {
  const given = new Set(files.map(({ name }) => name));
  const others = decisionPoints.map((point) => policyAt(point, ruled("subject.name != ''")));
  return [...files, ...others.filter(({ name }) => !given.has(name))];
}

/** What a decision says of itself beside the members of a verification summary. */
interface DecisionMark {
  readonly point: Point;
  readonly decision: string;
  readonly policies: readonly string[];
  readonly expires: string;
  readonly denials: readonly { readonly code: string; readonly rule?: string }[];
}

/** The signed decisions of a run. */
export async function decisionsOf(
  scene: Scene,
  { run }: Performed,
): Promise<readonly (SignedStatement & { readonly mark: DecisionMark; readonly inputs: readonly string[] })[]> {
  const found = await statementsOf(scene, run, "verification_summary");
  return found.map((each) => ({
    ...each,
    mark: each.predicate["touchmark_decision"] as unknown as DecisionMark,
    inputs: (each.predicate["inputAttestations"] as unknown as { digest: { sha256: string } }[]).map(
      ({ digest }) => `sha256:${digest.sha256}`,
    ),
  }));
}

/** Steps that really started in a run. */
export const startedIn = ({ events }: Performed): number => events.filter(({ type }) => type === "step-started").length;
