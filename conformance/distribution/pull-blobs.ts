import { randomBytes } from "node:crypto";
import { type Check, expectField, expectStatus, expectThat, section } from "./check.ts";
import type { Answer } from "./client.ts";
import { digestOf, nonce, type Scene, unknownDigest } from "./scene.ts";
import { expectBody, expectToldDigest } from "./told.ts";

async function ranged(scene: Scene, range: string): Promise<{ answer: Answer; content: Buffer }> {
  const content = randomBytes(1000);
  const { digest } = await scene.blob(content);
  return { content, answer: await scene.send("GET", scene.at(`blobs/${digest}`), { headers: { Range: range } }) };
}

const blobs = section("1.2", "Pulling blobs", "pull", [
  [
    "MUST",
    "GET answers 200 with the blob",
    async (scene) => {
      const content = randomBytes(100_000);
      const { digest } = await scene.blob(content);
      const answer = await scene.send("GET", scene.at(`blobs/${digest}`));
      expectStatus(answer, 200);
      expectBody(answer, content);
    },
  ],
  [
    "SHOULD",
    "Docker-Content-Digest is told",
    async (scene) => {
      const { digest } = await scene.blob();
      expectField(await scene.send("GET", scene.at(`blobs/${digest}`)), "Docker-Content-Digest");
    },
  ],
  [
    "MUST",
    "Docker-Content-Digest is the digest of the body",
    async (scene) => {
      const { digest } = await scene.blob();
      const answer = await scene.send("GET", scene.at(`blobs/${digest}`));
      expectToldDigest(answer, digestOf(answer.body));
    },
  ],
  [
    "MUST",
    "A blob that the repository does not have is 404",
    async (scene) => {
      await scene.blob();
      expectStatus(await scene.send("GET", scene.at(`blobs/${unknownDigest()}`)), 404);
    },
  ],
  [
    "SHOULD",
    "Range: first and last byte",
    async (scene) => {
      const { answer, content } = await ranged(scene, "bytes=10-99");
      expectStatus(answer, 206);
      expectBody(answer, content.subarray(10, 100));
      const told = expectField(answer, "Content-Range");
      expectThat(told === "bytes 10-99/1000", `expected bytes 10-99/1000, told was ${told}`);
    },
  ],
  [
    "SHOULD",
    "Range: from a byte to the end",
    async (scene) => {
      const { answer, content } = await ranged(scene, "bytes=900-");
      expectStatus(answer, 206);
      expectBody(answer, content.subarray(900));
    },
  ],
  [
    "SHOULD",
    "Range: the last bytes",
    async (scene) => {
      const { answer, content } = await ranged(scene, "bytes=-5");
      expectStatus(answer, 206);
      expectBody(answer, content.subarray(995));
    },
  ],
  [
    "SHOULD",
    "Range: of what is not there, 416",
    async (scene) => {
      expectStatus((await ranged(scene, "bytes=1000-")).answer, 416);
    },
  ],
]);

const existence = section("1.3", "Checking if content exists in the registry", "pull", [
  [
    "MUST",
    "HEAD of a blob that is there is 200",
    async (scene) => {
      expectStatus(await scene.send("HEAD", scene.at(`blobs/${(await scene.blob()).digest}`)), 200);
    },
  ],
  [
    "MUST",
    "HEAD of a manifest that is there is 200, by tag and by digest",
    async (scene) => {
      const tag = `t${nonce()}`;
      const { digest } = await scene.pushed(tag);
      for (const reference of [tag, digest])
        expectStatus(await scene.send("HEAD", scene.at(`manifests/${reference}`)), 200);
    },
  ],
  [
    "SHOULD",
    "HEAD tells Docker-Content-Digest",
    async (scene) => {
      const { digest } = await scene.pushed();
      const blob = await scene.blob();
      expectToldDigest(await scene.send("HEAD", scene.at(`manifests/${digest}`)), digest);
      expectToldDigest(await scene.send("HEAD", scene.at(`blobs/${blob.digest}`)), blob.digest);
    },
  ],
  [
    "SHOULD",
    "HEAD tells Content-Length",
    async (scene) => {
      const { digest, text } = await scene.pushed();
      const blob = await scene.blob();
      const sizes = [
        expectField(await scene.send("HEAD", scene.at(`manifests/${digest}`)), "Content-Length"),
        expectField(await scene.send("HEAD", scene.at(`blobs/${blob.digest}`)), "Content-Length"),
      ].join();
      expectThat(sizes === `${text.length},${blob.size}`, `expected ${text.length},${blob.size}, told was ${sizes}`);
    },
  ],
  [
    "MUST",
    "HEAD of what is not there is 404",
    async (scene) => {
      await scene.pushed();
      for (const kind of ["blobs", "manifests"]) {
        expectStatus(await scene.send("HEAD", scene.at(`${kind}/${unknownDigest()}`)), 404);
      }
    },
  ],
]);

export const pullBlobChecks: readonly Check[] = [...blobs, ...existence];
