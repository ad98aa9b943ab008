import fc from "fast-check";
import { expect, test } from "vitest";
import { imagesOf, mostImages } from "./images.ts";
import { imagePlaces, readImagePlace } from "./places.ts";
import { byDigest, podOf, reviewBytesOf, reviewOf, workload } from "./review.fixture.ts";
import { maxReviewBytes, readAdmissionReview } from "./review.ts";

const codeOf = (act: () => unknown): string => {
  try {
    act();
    return "nothing thrown";
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
};
const places = imagePlaces([]);
const find = (kind: string, object: object) => {
  const { object: found, kind: name } = readAdmissionReview(reviewBytesOf(kind, object));
  return imagesOf(found ?? {}, name, places);
};

test("W1: a review is read with who asks for what, where", () => {
  const read = readAdmissionReview(reviewBytesOf("Pod", workload("Pod", podOf(byDigest("a"))), { dryRun: true }));
  expect(read).toMatchObject({
    ...{ uid: "705ab4f5-6393-11e8-b7cc-42010a800002", operation: "CREATE", namespace: "shop", user: "ada" },
    ...{ kind: { group: "", version: "v1", kind: "Pod" }, groups: ["system:authenticated"], dryRun: true },
  });
});

const wrong: readonly (readonly [what: string, review: unknown, code: string])[] = [
  ["another kind", { ...reviewOf("Pod", {}), kind: "Pod" }, "ADMISSION_REVIEW_MALFORMED"],
  ["v1beta1", { ...reviewOf("Pod", {}), apiVersion: "admission.k8s.io/v1beta1" }, "ADMISSION_VERSION_UNSUPPORTED"],
  ["no request", { ...reviewOf("Pod", {}), request: null }, "ADMISSION_REVIEW_MALFORMED"],
  ["no uid", reviewOf("Pod", {}, { uid: "" }), "ADMISSION_REVIEW_MALFORMED"],
  ["a uid that is code", reviewOf("Pod", {}, { uid: "<a>" }), "ADMISSION_REVIEW_MALFORMED"],
  ["no kind", reviewOf("Pod", {}, { kind: {} }), "ADMISSION_REVIEW_MALFORMED"],
  ["an unknown operation", reviewOf("Pod", {}, { operation: "PATCH" }), "ADMISSION_REVIEW_MALFORMED"],
  ["groups that are no names", reviewOf("Pod", {}, { userInfo: { groups: [1] } }), "ADMISSION_REVIEW_MALFORMED"],
  ["an object that is a list", reviewOf("Pod", []), "ADMISSION_REVIEW_MALFORMED"],
  ["a dryRun that is a text", reviewOf("Pod", {}, { dryRun: "true" }), "ADMISSION_REVIEW_MALFORMED"],
  ["a namespace that is a number", reviewOf("Pod", {}, { namespace: 1 }), "ADMISSION_REVIEW_MALFORMED"],
];
test.each(wrong)("W1: refused: %s", (_, review, code) => {
  expect(codeOf(() => readAdmissionReview(Buffer.from(JSON.stringify(review))))).toBe(code);
});

test("W1: what is no JSON, too deep, too large or has a key twice is refused", () => {
  const texts = [
    "",
    "{",
    '{"kind":"AdmissionReview","kind":"x"}',
    "[".repeat(10_000),
    `"${"x".repeat(maxReviewBytes)}"`,
  ];
  for (const text of texts) {
    expect(codeOf(() => readAdmissionReview(Buffer.from(text)))).toBe("ADMISSION_REVIEW_MALFORMED");
  }
});

test("W1: whatever bytes come, the answer is a review or a code", () => {
  const valid = JSON.stringify(reviewOf("Deployment", workload("Deployment", podOf(byDigest("a")))));
  fc.assert(
    fc.property(fc.nat(valid.length - 1), fc.uint8Array({ minLength: 1, maxLength: 8 }), (at, bytes) => {
      const broken = Buffer.from(valid);
      broken.set(bytes.subarray(0, broken.length - at), at);
      const code = codeOf(() => {
        const { object, kind } = readAdmissionReview(broken);
        imagesOf(object ?? {}, kind, places);
      });
      expect(code === "nothing thrown" || code.startsWith("ADMISSION_")).toBe(true);
    }),
    { numRuns: 500 },
  );
});

const kinds = ["Pod", "PodTemplate", "ReplicationController", "Deployment", "ReplicaSet", "StatefulSet", "DaemonSet"];
test.each([...kinds, "Job", "CronJob"])("W2: images of a %s: containers, first ones, later ones, volumes", (kind) => {
  const spec = {
    containers: [
      { name: "app", image: byDigest("a") },
      { name: "side", image: byDigest("b") },
    ],
    initContainers: [{ name: "first", image: byDigest("c") }],
    ephemeralContainers: [{ name: "later", image: byDigest("d") }],
    volumes: [
      { name: "model", image: { reference: byDigest("e") } },
      { name: "plain", emptyDir: {} },
    ],
  };
  const uses = find(kind, workload(kind, spec));
  expect(uses.map(({ role, name, reference }) => [role, name, reference])).toEqual([
    ["container", "app", byDigest("a")],
    ["container", "side", byDigest("b")],
    ["init", "first", byDigest("c")],
    ["ephemeral", "later", byDigest("d")],
    ["volume", "model", byDigest("e")],
  ]);
  const ends = ["/containers/0/image", "/containers/1/image", "/initContainers/0/image"];
  const found = uses.map(({ pointer }) => pointer);
  for (const [i, end] of ends.entries()) expect(found[i]?.endsWith(end)).toBe(true);
  expect(found[4]?.endsWith("/volumes/0/image/reference")).toBe(true);
});

test("W3: a kind of which nobody said where its images are is refused; kinds without images have none", () => {
  expect(codeOf(() => find("Rocket", {}))).toBe("ADMISSION_KIND_UNKNOWN");
  expect(codeOf(() => find("constructor", {}))).toBe("ADMISSION_KIND_UNKNOWN");
  expect(find("Scale", { spec: { replicas: 3 } })).toEqual([]);
});

const shapeless: readonly (readonly [what: string, object: object, code: string])[] = [
  ["no spec", { metadata: {} }, "ADMISSION_OBJECT_MALFORMED"],
  ["a spec that is a text", { spec: "x" }, "ADMISSION_OBJECT_MALFORMED"],
  ["containers that are no list", { spec: { containers: { app: 1 } } }, "ADMISSION_OBJECT_MALFORMED"],
  ["a container that is a text", { spec: { containers: ["x"] } }, "ADMISSION_OBJECT_MALFORMED"],
  ["an image that is a list", { spec: { containers: [{ image: [] }] } }, "ADMISSION_OBJECT_MALFORMED"],
  ["no image", { spec: { containers: [{ name: "a" }] } }, "ADMISSION_IMAGE_MISSING"],
  ["an empty image", { spec: { initContainers: [{ image: "" }] } }, "ADMISSION_IMAGE_MISSING"],
  ["a volume without reference", { spec: { volumes: [{ image: {} }] } }, "ADMISSION_IMAGE_MISSING"],
];
test.each(shapeless)("W4: a pod with %s is refused", (_, object, code) => {
  expect(codeOf(() => find("Pod", object))).toBe(code);
});

test("W4: more images than are looked at are refused, in one list or over several", () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `c${i}`, image: byDigest("a") }));
  expect(find("Pod", { spec: { containers: many(mostImages) } })).toHaveLength(mostImages);
  const inTwo = { spec: { containers: many(400), initContainers: many(400) } };
  for (const object of [{ spec: { containers: many(10_000) } }, inTwo]) {
    expect(codeOf(() => find("Pod", object))).toBe("ADMISSION_IMAGES_TOO_MANY");
  }
});

test("W3: custom resources name images where a declaration says: templates, pods, containers, references", () => {
  const declared = [
    "argoproj.io/Workflow=container:/spec/templates/*/container",
    "example.dev/Service=template:/spec/template",
    "example.dev/Service=podSpec:/spec/canary",
    "example.dev/Service=image:/spec/extra/*",
  ].map(readImagePlace);
  const placesOf = imagePlaces(declared);
  const workflow = { spec: { templates: [{ container: { image: "x.example/a:1" } }, { script: {} }] } };
  expect(imagesOf(workflow, { group: "argoproj.io", kind: "Workflow" }, placesOf)).toMatchObject([
    { pointer: "/spec/templates/0/container/image", reference: "x.example/a:1" },
  ]);
  const service = {
    spec: {
      template: { spec: podOf("x.example/b:1") },
      canary: podOf("x.example/c:1"),
      extra: { "a/b": "x.example/d:1" },
    },
  };
  const uses = imagesOf(service, { group: "example.dev", kind: "Service" }, placesOf);
  expect(uses.map(({ pointer }) => pointer)).toEqual([
    "/spec/template/spec/containers/0/image",
    "/spec/canary/containers/0/image",
    "/spec/extra/a~1b",
  ]);
  expect(imagesOf({ spec: {} }, { group: "example.dev", kind: "Service" }, placesOf)).toEqual([]);
  const flood = { spec: { extra: Array.from({ length: 10_000 }, () => "x.example/d:1") } };
  expect(codeOf(() => imagesOf(flood, { group: "example.dev", kind: "Service" }, placesOf))).toBe(
    "ADMISSION_IMAGES_TOO_MANY",
  );
});

test.each([
  "",
  "Workflow",
  "a/B=template",
  "a/B=pod:/spec",
  "a/B=template:spec",
  "A/B=template:/spec",
  "a/B=image://x",
])("W3: %s declares nothing", (text) => {
  expect(codeOf(() => readImagePlace(text))).toBe("ADMISSION_TEMPLATE_INVALID");
});
