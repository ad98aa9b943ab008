import { load, quantile } from "./load.ts";
import { openScene } from "./scene.ts";
import { startService } from "./service.ts";

const n = Number(process.argv[2]);
const words = process.argv.slice(3);
const scene = await openScene(1);
const image = scene.images[0];
const body = Buffer.from(
  JSON.stringify({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    request: {
      uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
      kind: { group: "", version: "v1", kind: "Pod" },
      resource: { group: "", version: "v1", resource: "pods" },
      name: "app",
      namespace: "shop",
      operation: "CREATE",
      dryRun: false,
      userInfo: { username: "ada", groups: ["x"] },
      object: { metadata: { name: "app" }, spec: { containers: [{ name: "c", image }] } },
    },
  }),
);
const service = await startService(scene, words);
const q = {
  url: new URL("/validate?timeout=30s", service.url),
  authority: service.authority,
  body: () => body,
  expected: '"allowed":true',
};
await load(q, 500, 8);
for (let r = 0; r < 5; r++) {
  const before = service.processorMs();
  const done = await load(q, n / 5, 8);
  console.log(
    r,
    "rss",
    service.residentMiB().toFixed(1),
    "cpu/req",
    ((service.processorMs() - before) / (n / 5)).toFixed(3),
    "rate",
    (n / 5 / done.seconds).toFixed(0),
    "p99",
    quantile(done, 0.99).toFixed(2),
  );
}
await new Promise((d) => setTimeout(d, 4000));
await service.stop();
await scene.close();
