import { randomBytes } from "node:crypto";
import { type Check, expectField, expectStatus, expectThat, NotOffered, section } from "./check.ts";
import type { Answer } from "./client.ts";
import { digestOf, type Scene, unknownDigest, withQuery } from "./scene.ts";
import { expectPullable } from "./stored.ts";

const content = randomBytes(3000);

const postThenPut = section("2.2", "POST then PUT", "push", [
  [
    "MUST",
    "POST answers 202",
    async (scene) => {
      expectStatus(await scene.send("POST", scene.at("blobs/uploads/")), 202);
    },
  ],
  [
    "MUST",
    "POST answers a Location",
    async (scene) => {
      expectField(await scene.send("POST", scene.at("blobs/uploads/")), "Location");
    },
  ],
  [
    "MUST",
    "Each Location names a session of its own by a unique id",
    async (scene) => {
      const locations = [await scene.begin(), await scene.begin(), await scene.begin()];
      expectThat(new Set(locations).size === 3, `expected three sessions, found ${locations.join(" ")}`);
      for (const location of locations) {
        expectThat(/[0-9a-fA-F-]{32,}|[\w=-]{22,}/.test(location), `expected an id of 128 bits in ${location}`);
      }
    },
  ],
  [
    "MUST",
    "PUT to it with the blob and its digest answers 201",
    async (scene) => {
      await scene.blob(randomBytes(500));
    },
  ],
  [
    "MUST",
    "PUT answers a Location that can be pulled",
    async (scene) => {
      const body = randomBytes(500);
      const location = withQuery(await scene.begin(), `digest=${digestOf(body)}`);
      await expectPullable(scene, await scene.send("PUT", location, { body }), body);
    },
  ],
  [
    "MUST",
    "Content of another digest is refused, and is not there",
    async (scene) => {
      const digest = unknownDigest();
      const answer = await scene.send("PUT", withQuery(await scene.begin(), `digest=${digest}`), { body: content });
      expectThat(answer.status >= 400 && answer.status < 500, `expected a refusal, found ${answer.status}`);
      expectStatus(await scene.send("HEAD", scene.at(`blobs/${digest}`)), 404);
    },
  ],
]);

const singlePost = section("2.3", "Single POST", "push", [
  [
    "MUST",
    "A POST with the blob answers 201 and a Location that can be pulled",
    async (scene) => {
      const body = randomBytes(700);
      const answer = await scene.send("POST", scene.at(`blobs/uploads/?digest=${digestOf(body)}`), { body });
      if (answer.status === 202) throw new NotOffered("single POST is not supported (202)");
      expectStatus(answer, 201);
      await expectPullable(scene, answer, body);
    },
  ],
  [
    "SHOULD",
    "A registry without single POST answers 202 and a Location",
    async (scene) => {
      const body = randomBytes(700);
      const answer = await scene.send("POST", scene.at(`blobs/uploads/?digest=${digestOf(body)}`), { body });
      expectStatus(answer, 201, 202);
      expectField(answer, "Location");
    },
  ],
  [
    "MUST",
    "The digest matches the blob: another is refused",
    async (scene) => {
      const digest = unknownDigest();
      const answer = await scene.send("POST", scene.at(`blobs/uploads/?digest=${digest}`), { body: content });
      if (answer.status === 202) throw new NotOffered("single POST is not supported (202)");
      expectThat(answer.status >= 400 && answer.status < 500, `expected a refusal, found ${answer.status}`);
      expectStatus(await scene.send("HEAD", scene.at(`blobs/${digest}`)), 404);
    },
  ],
]);

function mount(scene: Scene, digest: string, from?: string): Promise<Answer> {
  const more = from === undefined ? "" : `&from=${from}`;
  return scene.send("POST", scene.at(`blobs/uploads/?mount=${digest}${more}`, scene.other));
}

const mounting = section("2.5", "Mounting a blob from another repository", "push", [
  [
    "MUST",
    "A mount answers 201 and a Location that can be pulled",
    async (scene) => {
      const body = randomBytes(300);
      const { digest } = await scene.blob(body);
      const answer = await mount(scene, digest, scene.repository);
      if (answer.status === 202) throw new NotOffered("mounting is not supported (202)");
      expectStatus(answer, 201);
      await expectPullable(scene, answer, body);
    },
  ],
  [
    "SHOULD",
    "What cannot be mounted answers 202 and a Location",
    async (scene) => {
      const answer = await mount(scene, unknownDigest(), scene.repository);
      expectStatus(answer, 202);
      expectField(answer, "Location");
    },
  ],
  [
    "MUST",
    "Without from: 201 with a Location, or 202",
    async (scene) => {
      const { digest } = await scene.blob();
      const answer = await mount(scene, digest);
      expectStatus(answer, 201, 202);
      expectField(answer, "Location");
    },
  ],
]);

export const pushBlobChecks: readonly Check[] = [...postThenPut, ...singlePost, ...mounting];
