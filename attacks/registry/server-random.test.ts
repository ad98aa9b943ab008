import fc from "fast-check";
import { expect, test } from "vitest";
import { good, layer, serverScene } from "./server-scene.ts";

const word = fc.constantFrom(
  ...[
    "v2",
    "victim",
    "a",
    "manifests",
    "blobs",
    "uploads",
    "tags",
    "list",
    "referrers",
    "_catalog",
    "",
    ".",
    "..",
    "v1",
  ],
  ...[layer.digest, "sha256:0", "sha512:0", "%2e%2e", "%", "%ff", "A", "0".repeat(64), "x".repeat(300)],
);
const path = fc.array(word, { maxLength: 7 }).map((words) => `/v2/${words.join("/")}`);
const query = fc.array(
  fc.tuple(
    fc.constantFrom("n", "last", "digest", "mount", "from", "artifactType", "x"),
    fc.constantFrom("", "0", "-1", "2", "v1", layer.digest, "a/b", "%00", "..", "99999999999999999999"),
  ),
  { maxLength: 3 },
);
const headers = fc.dictionary(
  fc.constantFrom("Range", "Content-Range", "If-None-Match", "If-Range", "Accept", "Content-Type", "Authorization"),
  fc.constantFrom("", "*", "bytes=0-1", "bytes=-", "0-1", "bytes 0-1/2", `"${layer.digest}"`, "text/html", "Basic !"),
  { maxKeys: 3 },
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom("{}", "layer", "[]", JSON.stringify(good())),
);

test("D14: whatever is asked in whatever way, the answer is a refusal with a code or an answer, and never a failure", async () => {
  const failures: unknown[] = [];
  const { call, put, audit } = await serverScene({ failed: (error) => failures.push(error) });
  await put("v1", { ...good(), subject: layer });
  const method = fc.constantFrom("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS");
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, body, async (verb, at, pairs, fields, content) => {
      const text = pairs.map((pair) => pair.join("=")).join("&");
      const sent = verb === "GET" || verb === "HEAD" ? undefined : content;
      const reply = await call(verb, text === "" ? at : `${at}?${text}`, sent, fields);
      expect(reply.status).toBeLessThan(500);
      if (reply.status >= 400 && verb !== "HEAD") {
        const { errors } = JSON.parse(reply.body.toString()) as {
          errors: { code: string; detail: { code: string } }[];
        };
        expect(errors[0]?.code).toMatch(/^[A-Z_]+$/);
        expect(errors[0]?.detail.code).toMatch(/^(?:OCI|REGISTRY)_[A-Z_0-9]+$/);
      }
    }),
    { numRuns: 1500 },
  );
  expect(failures).toEqual([]);
  expect(audit.every(({ status }) => status < 500)).toBe(true);
});
