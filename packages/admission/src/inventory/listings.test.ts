import { sha256 } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import { inventoryLimits } from "./item.ts";
import { clusterItems, fileItems, looksLikeManifests, manifestItems } from "./listings.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);
const code = (wanted: string) => expect.objectContaining({ code: wanted });
const digest = sha256("image");

test("C17: lines and JSON lists name references with their namespaces", () => {
  const lines = `# remark\n\nregistry.example/a:1 shop # why\n  ${digest}\r\n`;
  expect(fileItems(bytes(lines), "f").items).toEqual([
    { reference: "registry.example/a:1", namespace: "shop", where: "line 3" },
    { reference: digest, where: "line 4" },
  ]);
  const json = JSON.stringify([digest, { reference: "registry.example/a:1", namespace: "n", where: "w" }]);
  expect(fileItems(bytes(json), "f").items).toEqual([
    { reference: digest, where: "entry 0" },
    { reference: "registry.example/a:1", namespace: "n", where: "w" },
  ]);
});

test("C17: manifests are read in every document, list and kind of workload; image volumes too", () => {
  const text = `
apiVersion: batch/v1
kind: CronJob
metadata: { name: nightly, namespace: ops }
spec:
  jobTemplate:
    spec:
      template:
        spec:
          containers:
            - { name: work, image: registry.example/work:1 }
          volumes:
            - { name: models, image: { reference: registry.example/models:2 } }
            - { name: tmp, emptyDir: {} }
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: Pod
    metadata: { name: one }
    spec: { containers: [{ name: c, image: registry.example/c:1 }], initContainers: null }
  - apiVersion: v1
    kind: ConfigMap
    data: { mode: 0644, on: yes }
---
apiVersion: apps/v1
kind: DeploymentList
items:
  - metadata: { name: typed }
    spec: { template: { spec: { containers: [{ name: t, image: registry.example/t:1 }] } } }
`;
  const { items, passedOver } = manifestItems(bytes(text), "f.yaml");
  expect(items).toEqual([
    { reference: "registry.example/work:1", namespace: "ops", where: "CronJob/nightly container work" },
    { reference: "registry.example/models:2", namespace: "ops", where: "CronJob/nightly volume models" },
    { reference: "registry.example/c:1", where: "Pod/one container c" },
    { reference: "registry.example/t:1", where: "Deployment/typed container t" },
  ]);
  expect(passedOver).toEqual([]);
  expect(looksLikeManifests(bytes(text))).toBe(true);
  expect(looksLikeManifests(bytes("a: 1\nkind: x\n"))).toBe(false);
});

test("C17: a cluster's pods count by the digest that runs, and by their reference where that is unknown", () => {
  const pod = (imageID: string) => ({
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "p", namespace: "n" } },
    spec: { containers: [{ name: "c", image: "registry.example/c:1" }] },
    status: {
      containerStatuses: [
        { name: "other", imageID: "x" },
        { name: "c", imageID },
      ],
    },
  });
  const of = (imageID: string) =>
    clusterItems(bytes(JSON.stringify({ apiVersion: "v1", kind: "PodList", items: [pod(imageID)] })), "f").items[0]
      ?.reference;
  expect(of(`registry.example/c@${digest}`)).toBe(`registry.example/c@${digest}`);
  expect(of(`docker-pullable://registry.example/c@${digest}`)).toBe(`registry.example/c@${digest}`);
  expect(of(digest)).toBe("registry.example/c:1");
  expect(of("")).toBe("registry.example/c:1");
});

test("C17: kinds that nobody knows are named; broken and empty listings are errors", () => {
  const widget = { apiVersion: "widgets.example/v1", kind: "Widget", spec: { image: "x" } };
  const pod = { apiVersion: "v1", kind: "Pod", spec: { containers: [{ name: "c", image: "registry.example/c:1" }] } };
  const listing = { apiVersion: "v1", kind: "List", items: [widget, widget, pod] };
  expect(clusterItems(bytes(JSON.stringify(listing)), "f").passedOver).toEqual([
    "widgets.example/Widget: nobody said where it names images",
  ]);
  const refusals: readonly [string, () => unknown][] = [
    ["INVENTORY_EMPTY", () => fileItems(bytes("# nothing\n"), "f")],
    ["INVENTORY_EMPTY", () => fileItems(bytes("[]"), "f")],
    ["INVENTORY_EMPTY", () => manifestItems(bytes(""), "f")],
    ["INVENTORY_EMPTY", () => clusterItems(bytes('{"apiVersion":"v1","kind":"List","items":[]}'), "f")],
    ["INVENTORY_MALFORMED", () => clusterItems(bytes("{"), "f")],
    ["INVENTORY_MALFORMED", () => clusterItems(bytes("[]"), "f")],
    ["INVENTORY_MALFORMED", () => clusterItems(bytes('{"apiVersion":"v1","kind":"List","items":[1]}'), "f")],
    ["INVENTORY_MALFORMED", () => fileItems(bytes("[1]"), "f")],
    ["INVENTORY_MALFORMED", () => fileItems(new Uint8Array([0xff]), "f")],
    ["INVENTORY_MALFORMED", () => manifestItems(bytes("a: [\n"), "f")],
    ["INVENTORY_MALFORMED", () => manifestItems(bytes("apiVersion: v1\nkind: Pod\n"), "f")],
    ["INVENTORY_TOO_LARGE", () => fileItems(bytes("a\n".repeat(inventoryLimits.items + 1)), "f")],
  ];
  for (const [wanted, read] of refusals) expect(read).toThrow(code(wanted));
});

test("C17: whatever comes in, it is read or refused by a code", () => {
  const text = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((json) => `apiVersion: v1\nkind: Pod\nspec: ${json}`),
  );
  fc.assert(
    fc.property(text, (some) => {
      for (const read of [fileItems, clusterItems, manifestItems]) {
        try {
          expect(read(bytes(some), "f").items.length).toBeGreaterThan(0);
        } catch (error) {
          expect((error as { code?: string }).code).toMatch(/^INVENTORY_/);
        }
      }
    }),
  );
});
