import { type Digest, sha256 } from "@touchmark/core";
import type { Layout, LayoutStep } from "@touchmark/formats/policy";
import { judgeLayout, linksOf } from "@touchmark/policy";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingForRuns, openScene, type Scene } from "../fixture.ts";
import { evidenceHere } from "../policy/index.ts";

const missing = missingForRuns();
let scene: Scene;

const pipeline = `
  steps:
    make:
      run: cp hello.txt "$TOUCHMARK_OUTPUT/hello.txt"; mkdir "$TOUCHMARK_OUTPUT/d"; echo made > "$TOUCHMARK_OUTPUT/d/made.txt"
      inputs: { source: /work/source }
    pack:
      run: cat /work/make/hello.txt note.txt > "$TOUCHMARK_OUTPUT/loud.txt"
      inputs: { source: /work/source, make: /work/make }
  artifacts:
    loud: { from: pack, path: loud.txt, kind: file }
`;
const none = { rule: "DISALLOW", pattern: "*" } as const;
const match = (from: string, change: object = {}) =>
  ({ rule: "MATCH", pattern: "*", with: "products", from, ...change }) as const;

function layoutFor(
  uri: string,
  change: { readonly make?: Partial<LayoutStep>; readonly pack?: Partial<LayoutStep> },
): Layout {
  const { trustDomain } = scene.factory.names();
  const stepId = (name: string) => `spiffe://${trustDomain}/project/own/pipeline/default/step/${name}`;
  return {
    touchmark: "layout/v1",
    name: "own",
    version: 1,
    expires: "2099-01-01T00:00:00Z",
    source: { uri },
    functionaries: {
      make: { identities: [{ identity: stepId("make") }] },
      pack: { identities: [{ identity: stepId("pack") }] },
    },
    steps: [
      {
        name: "make",
        functionaries: ["make"],
        materials: [match("source"), none],
        products: [{ rule: "CREATE", pattern: "hello.txt" }, { rule: "CREATE", pattern: "d/*" }, none],
        ...change.make,
      },
      {
        name: "pack",
        after: ["make"],
        functionaries: ["pack"],
        materials: [
          match("source"),
          match("make", { pattern: "hello.txt", in: "output/make" }),
          match("make", { pattern: "*.txt", in: "output/make/d", to: "d" }),
          none,
        ],
        products: [{ rule: "REQUIRE", pattern: "loud.txt" }, { rule: "CREATE", pattern: "loud.txt" }, none],
        ...change.pack,
      },
    ],
    subjects: [{ step: "pack", products: ["loud.txt"] }],
  };
}

/** What a layout says of an artifact of this factory, by the evidence of its store. */
async function judged(artifact: Digest, change: Parameters<typeof layoutFor>[1] = {}) {
  const { statements, chains } = await evidenceHere(scene.factory, artifact);
  const source = chains[0]?.source;
  if (source === undefined) throw new Error("no chain leads to the artifact");
  const { uri, commit: revision, treeDigest: tree } = source;
  return judgeLayout({
    layout: layoutFor(uri, change),
    links: linksOf(statements),
    subject: artifact,
    now: new Date(),
    issuer: scene.factory.names().issuer,
    source: { uri, revision, tree },
  });
}

describe.skipIf(missing !== null)(`own runs${missing === null ? "" : ` (skipped: ${missing})`}`, () => {
  beforeAll(async () => {
    scene = await openScene();
  });
  afterAll(() => scene.close());

  test("IN3: a run of ours follows a layout whose rules speak of trees and of files, also when a step came from the cache", async () => {
    const project = scene.project("own", pipeline, { "hello.txt": "hello\n", "note.txt": "one\n" });
    const first = (await scene.run(project)).artifacts[0]?.digest as Digest;
    expect(await judged(first)).toMatchObject({ verdict: "satisfied", denials: [], warnings: [] });

    const strict = { make: { products: [{ rule: "CREATE", pattern: "hello.txt" } as const, none] } };
    expect((await judged(first, strict)).denials).toMatchObject([
      { code: "POLICY_ARTIFACT_RULE", step: "make", message: expect.stringContaining('"d/made.txt", "output/make"') },
    ]);
    expect(await judged(sha256("another"), {}).catch((error: unknown) => String(error))).toContain("no chain");

    // The same again: every step comes from the cache, and its links are of the first run.
    const again = await scene.run(project);
    expect(again.steps.map(({ cached }) => cached)).toEqual([true, true]);
    expect(await judged(again.artifacts[0]?.digest as Digest)).toMatchObject({ verdict: "satisfied", denials: [] });
  });
});
