import { expect, test } from "vitest";
import type { Layout } from "../policy/layout.ts";
import { readPolicyDocument } from "../policy/read-document.ts";
import { demoLayout, signers } from "./demo.fixture.ts";
import { classicFromLayout, layoutFromClassic, readClassicLayout, writeClassicLayout } from "./index.ts";

const { rsa, ed25519 } = signers;
const named = (signer: typeof rsa) => `key_${signer.key.digest.slice(7, 23)}`;

test("ITO6: a classic layout becomes one of ours, which its reader takes", () => {
  const classic = demoLayout([rsa, ed25519], {
    inspections: [{ name: "look", run: ["ls"], materials: [], products: [{ rule: "ALLOW", pattern: "*" }] }],
  });
  const layout = layoutFromClassic(classic, { name: "demo" });
  expect(layout).toMatchObject({ name: "demo", version: 1, expires: classic.expires, subjects: [{ step: "package" }] });
  expect(layout.functionaries).toEqual({
    [named(rsa)]: { keys: [rsa.key.digest] },
    [named(ed25519)]: { keys: [ed25519.key.digest] },
  });
  expect(layout.steps.map(({ name, threshold, after }) => [name, threshold, after])).toEqual([
    ["clone", 1, undefined],
    ["package", 1, undefined],
  ]);
  expect(layout.steps[1]?.materials).toEqual(classic.steps[1]?.materials);
  expect(layout.inspections?.[0]?.command).toEqual(["ls"]);
  const read = readPolicyDocument(Buffer.from(JSON.stringify(layout)), { name: "demo.json", kind: "layout" });
  expect(read.document).toEqual(layout);
});

test("ITO6: one key under two ids becomes one functionary", () => {
  const classic = demoLayout([ed25519]);
  const twin = { ...ed25519.key, keyid: "other" };
  const steps = classic.steps.map((step) => ({ ...step, threshold: 2, pubkeys: [ed25519.key.keyid, "other"] }));
  const layout = layoutFromClassic({ ...classic, keys: { ...classic.keys, other: twin }, steps }, { name: "demo" });
  expect(Object.keys(layout.functionaries)).toEqual([named(ed25519)]);
  expect(layout.steps[0]).toMatchObject({ functionaries: [named(ed25519)], threshold: 2 });
});

test.each([
  ["no steps", { steps: [] }],
  ["a step without keys", { steps: demoLayout([]).steps }],
  [
    "certificate constraints",
    { steps: demoLayout([rsa]).steps.map((step) => ({ ...step, certificateConstraints: [{}] })) },
  ],
  ["a step called source", { steps: demoLayout([rsa]).steps.map((step) => ({ ...step, name: "source" })) }],
  ["a name that ours cannot have", { steps: demoLayout([rsa]).steps.map((step) => ({ ...step, name: "a b" })) }],
])("ITO6: a classic layout with %s is refused", (_, change) => {
  expect(() => layoutFromClassic({ ...demoLayout([rsa]), ...change }, { name: "demo" })).toThrow(
    expect.objectContaining({ code: "INTOTO_NOT_REPRESENTABLE" }),
  );
});

const ours = (change: Partial<Layout> = {}): Layout => ({
  touchmark: "layout/v1",
  name: "demo",
  version: 3,
  expires: "2027-01-31T00:00:00.500Z",
  functionaries: { builder: { keys: [rsa.key.digest] }, packer: { keys: [ed25519.key.digest] } },
  steps: [
    { name: "build", functionaries: ["builder"], products: [{ rule: "CREATE", pattern: "*" }] },
    {
      name: "pack",
      after: ["build"],
      functionaries: ["packer", "builder"],
      threshold: 2,
      command: ["tar"],
      materials: [{ rule: "MATCH", pattern: "*", from: "build" }],
    },
  ],
  subjects: [{ step: "pack", products: ["a.tar"] }],
  ...change,
});

test("ITO7: a layout of ours becomes a classic one, and says what it lost", () => {
  const { layout, losses } = classicFromLayout(ours(), [rsa.key, ed25519.key]);
  expect(losses).toEqual([
    "name demo and version 3",
    "that pack comes after build",
    "that the artifact is a.tar of pack",
  ]);
  const { layout: read } = readClassicLayout(writeClassicLayout(layout, [rsa]));
  expect(read.expires).toBe("2027-01-31T00:00:00Z");
  expect(read.steps[1]).toEqual({
    name: "pack",
    command: ["tar"],
    materials: [{ rule: "MATCH", pattern: "*", with: "products", from: "build" }],
    products: [],
    threshold: 2,
    pubkeys: [ed25519.key.keyid, rsa.key.keyid],
  });
  expect(Object.keys(read.keys).sort()).toEqual([rsa.key.keyid, ed25519.key.keyid].sort());
});

const rule = { id: "a", title: "a", expression: "true" };
test.each<readonly [string, Partial<Layout>]>([
  [
    "identities",
    { functionaries: { ...ours().functionaries, builder: { identities: [{ identity: "spiffe://a/b" }] } } },
  ],
  [
    "two keys of one functionary",
    { functionaries: { ...ours().functionaries, builder: { keys: [rsa.key.digest, ed25519.key.digest] } } },
  ],
  [
    "a key that is not at hand",
    { functionaries: { ...ours().functionaries, builder: { keys: [signers.ecdsa.key.digest] } } },
  ],
  [
    "attestations",
    {
      steps: ours().steps.map((step) => ({
        ...step,
        attestations: [{ predicateType: "a:b", functionaries: ["builder"] }],
      })),
    },
  ],
  [
    "the source",
    { steps: ours().steps.map((step) => ({ ...step, materials: [{ rule: "MATCH", pattern: "*", from: "source" }] })) },
  ],
  ["rules on the subject", { subjects: [{ step: "pack", rules: [rule] }] }],
  ["rules of an inspection", { inspections: [{ name: "look", command: ["ls"], rules: [rule] }] }],
])("ITO7: a classic layout would be weaker without %s, which is refused", (_, change) => {
  expect(() => classicFromLayout(ours(change), [rsa.key, ed25519.key])).toThrow(
    expect.objectContaining({ code: "INTOTO_NOT_REPRESENTABLE" }),
  );
});
