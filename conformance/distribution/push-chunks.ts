import { randomBytes } from "node:crypto";
import { type Check, expectField, expectStatus, expectThat, NotOffered, section } from "./check.ts";
import type { Answer } from "./client.ts";
import { digestOf, type Scene, withQuery } from "./scene.ts";
import { expectPullable } from "./stored.ts";

const content = randomBytes(3000);

function patch(scene: Scene, location: string, chunk: Uint8Array, start: number): Promise<Answer> {
  const headers = {
    "Content-Type": "application/octet-stream",
    "Content-Range": `${start}-${start + chunk.length - 1}`,
  };
  return scene.send("PATCH", location, { headers, body: chunk });
}

function expectRange(answer: Answer, last: number): string {
  const range = expectField(answer, "Range");
  expectThat(range === `0-${last}`, `${answer.asked}: expected Range 0-${last}, found ${range}`);
  return expectField(answer, "Location");
}

/** Begins an upload and sends its first chunk; answers where to go on. */
async function halfway(scene: Scene): Promise<string> {
  const answer = await patch(scene, await scene.begin(), content.subarray(0, 1000), 0);
  expectStatus(answer, 202);
  return expectField(answer, "Location");
}

export const pushChunkChecks: readonly Check[] = section("2.4", "Pushing a blob in chunks", "push", [
  [
    "SHOULD",
    "OCI-Chunk-Min-Length, where it is told, is a number of bytes",
    async (scene) => {
      const answer = await scene.send("POST", scene.at("blobs/uploads/"));
      const told = answer.headers["oci-chunk-min-length"];
      if (told === undefined) throw new NotOffered("no minimum is told");
      expectThat(/^[0-9]+$/.test(String(told)), `expected a number, found ${String(told)}`);
    },
  ],
  [
    "MUST",
    "A chunk answers 202",
    async (scene) => {
      expectStatus(await patch(scene, await scene.begin(), content.subarray(0, 1000), 0), 202);
    },
  ],
  [
    "MUST",
    "A chunk answers Location and Range, the last byte included",
    async (scene) => {
      const first = await patch(scene, await scene.begin(), content.subarray(0, 1000), 0);
      const next = await patch(scene, expectRange(first, 999), content.subarray(1000, 1500), 1000);
      expectStatus(next, 202);
      expectRange(next, 1499);
    },
  ],
  [
    "MUST",
    "A first chunk that does not begin at 0 is 416",
    async (scene) => {
      expectStatus(await patch(scene, await scene.begin(), content.subarray(1000, 2000), 1000), 416);
    },
  ],
  [
    "MUST",
    "A chunk that repeats what came is 416",
    async (scene) => {
      expectStatus(await patch(scene, await halfway(scene), content.subarray(0, 1000), 0), 416);
    },
  ],
  [
    "MUST",
    "A chunk that leaves a gap is 416",
    async (scene) => {
      expectStatus(await patch(scene, await halfway(scene), content.subarray(2000), 2000), 416);
    },
  ],
  [
    "MUST",
    "GET of an upload under way answers 204",
    async (scene) => {
      expectStatus(await scene.send("GET", await halfway(scene)), 204);
    },
  ],
  [
    "MUST",
    "GET of an upload under way answers Location and Range",
    async (scene) => {
      expectRange(await scene.send("GET", await halfway(scene)), 999);
    },
  ],
  [
    "MUST",
    "After a 416 the upload goes on from where it stands",
    async (scene) => {
      const location = await halfway(scene);
      expectStatus(await patch(scene, location, content.subarray(2000), 2000), 416);
      const there = expectRange(await scene.send("GET", location), 999);
      const body = randomBytes(200);
      const whole = Buffer.concat([content.subarray(0, 1000), body]);
      const answer = await patch(scene, there, body, 1000);
      expectStatus(answer, 202);
      const end = withQuery(expectField(answer, "Location"), `digest=${digestOf(whole)}`);
      expectStatus(await scene.send("PUT", end), 201);
    },
  ],
  [
    "MUST",
    "The last chunk may come with PUT; 201, and a Location that can be pulled",
    async (scene) => {
      const location = withQuery(await halfway(scene), `digest=${digestOf(content)}`);
      const headers = { "Content-Range": "1000-2999", "Content-Type": "application/octet-stream" };
      const answer = await scene.send("PUT", location, { headers, body: content.subarray(1000) });
      expectStatus(answer, 201);
      await expectPullable(scene, answer, content);
    },
  ],
  [
    "MUST",
    "The last chunk may come with PATCH; 201, and a Location that can be pulled",
    async (scene) => {
      const last = await patch(scene, await halfway(scene), content.subarray(1000), 1000);
      const location = withQuery(expectRange(last, 2999), `digest=${digestOf(content)}`);
      const answer = await scene.send("PUT", location);
      expectStatus(answer, 201);
      await expectPullable(scene, answer, content);
    },
  ],
  [
    "MUST",
    "PUT without a digest does not close an upload",
    async (scene) => {
      const { status } = await scene.send("PUT", await halfway(scene));
      expectThat(status >= 400 && status < 500, `expected a refusal, found ${status}`);
    },
  ],
  [
    "MUST",
    "An upload that is closed is 404",
    async (scene) => {
      const location = await halfway(scene);
      const end = withQuery(location, `digest=${digestOf(content.subarray(0, 1000))}`);
      expectStatus(await scene.send("PUT", end), 201);
      expectStatus(await scene.send("GET", location), 404);
    },
  ],
]);
