/**
 * What an answer of the admission service costs, over HTTPS, from the caller's side: `node bench/policy/admission.ts
 * [--json]`; BENCH_SHORT=1 for a smoke run. The bundled command serves in a process of its own; images and statements
 * lie in a registry of this process. Each request is an AdmissionReview of a pod, five statements about each image,
 * twenty rules over them.
 */
import { isShort } from "../machine.ts";
import { load, type Question, quantile } from "./load.ts";
import { openScene } from "./scene.ts";
import { type Service, startService } from "./service.ts";

const cold = isShort ? 3 : 40;
const warm = isShort ? 50 : 3000;
const requests = isShort ? 300 : 100_000;
const scene = await openScene(cold + 2);
const [first = "", eight = "", ...others] = scene.images;
const rounded = (value: number): number => Number(value.toFixed(2));

/** An AdmissionReview about a pod whose containers run these images. */
function review(images: readonly string[]): Buffer {
  const containers = images.map((image, i) => ({ name: `c${i}`, image }));
  return Buffer.from(
    JSON.stringify({
      ...{ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview" },
      request: {
        uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
        kind: { group: "", version: "v1", kind: "Pod" },
        resource: { group: "", version: "v1", resource: "pods" },
        ...{ name: "app", namespace: "shop", operation: "CREATE", dryRun: false },
        userInfo: { username: "ada", groups: ["system:authenticated"] },
        object: { metadata: { name: "app" }, spec: { containers } },
      },
    }),
  );
}

function about(service: Service, images: readonly (readonly string[])[]): Question {
  const bodies = images.map(review);
  const url = new URL("/validate?timeout=30s", service.url);
  const body = (i: number): Buffer => bodies[i % bodies.length] as Buffer;
  return { url, authority: service.authority, body, expected: '"allowed":true' };
}

/** Requests of the registry that one question caused. */
async function askedFor(question: Question): Promise<{ readonly requests: number; readonly ms: number }> {
  const before = scene.asked();
  const done = await load(question, 1, 1);
  return { requests: scene.asked() - before, ms: rounded(quantile(done, 0.5)) };
}

async function measure(service: Service) {
  // The threads start, and the code gets warm, with images that are not counted.
  await load(
    about(
      service,
      others.slice(0, 1).map((each) => [each]),
    ),
    1,
    1,
  );
  const one = await askedFor(about(service, [[first]]));
  const many = await askedFor(about(service, [Array.from({ length: 8 }, () => eight)]));
  const each = others.slice(1);
  const coldLoad = await load(
    about(
      service,
      each.map((image) => [image]),
    ),
    each.length,
    1,
  );
  const known = about(service, [[first]]);
  await load(known, warm, 8);
  const alone = await load(known, warm, 1);
  const residentBefore = service.residentMiB();
  const processorBefore = service.processorMs();
  const before = await service.inside();
  const busy = await load(known, requests, 8);
  const after = await service.inside();
  const processor = service.processorMs() - processorBefore;
  const crowded = await load(known, warm, 64);
  return {
    startMs: rounded(service.startMs),
    cold: { images: each.length, p50Ms: rounded(quantile(coldLoad, 0.5)), p99Ms: rounded(quantile(coldLoad, 0.99)) },
    oneContainer: one,
    eightContainersOfOneImage: many,
    cachedOneConnection: figuresOf(alone),
    cachedEightConnections: figuresOf(busy),
    cachedSixtyFourConnections: figuresOf(crowded),
    insideMeanMs: rounded(((after.seconds - before.seconds) * 1000) / (after.count - before.count)),
    processorMsEach: rounded(processor / requests),
    residentMiBBefore: Math.round(residentBefore),
    residentMiBAfter: Math.round(service.residentMiB()),
  };
}

const figuresOf = (done: Awaited<ReturnType<typeof load>>) => ({
  requests: done.latencies.length,
  perSecond: Math.round(done.latencies.length / done.seconds),
  p50Ms: rounded(quantile(done, 0.5)),
  p99Ms: rounded(quantile(done, 0.99)),
  maxMs: rounded(quantile(done, 1)),
});

try {
  const service = await startService(scene);
  try {
    const figures = await measure(service);
    console.log(JSON.stringify(figures, undefined, process.argv.includes("--json") ? undefined : 2));
  } finally {
    await service.stop();
  }
} finally {
  await scene.close();
}
