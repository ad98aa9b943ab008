import { type Check, expectField, expectStatus, expectThat, section } from "./check.ts";
import { nonce, unknownDigest } from "./scene.ts";
import { expectBody, expectToldDigest } from "./told.ts";

const longTag = "T_0.-".padEnd(128, "x");

export const pullManifestChecks: readonly Check[] = section("1.1", "Pulling manifests", "pull", [
  [
    "MUST",
    "A name of every allowed separator names a repository",
    async (scene) => {
      const name = `${scene.repository}/a.b_c__d-e---f/0`;
      const { digest } = await scene.pushed("v1", {}, name);
      expectStatus(await scene.send("GET", scene.at(`manifests/${digest}`, name)), 200);
    },
  ],
  [
    "MUST",
    "A name outside the expression names none",
    async (scene) => {
      for (const name of [
        "Upper/case",
        `${scene.repository}/-a`,
        `${scene.repository}/a..b`,
        `${scene.repository}/a___b`,
      ]) {
        const { status } = await scene.send("POST", scene.at("blobs/uploads/", name));
        expectThat(status >= 400 && status < 500, `POST to ${name}: expected a refusal, found ${status}`);
      }
    },
  ],
  [
    "MUST",
    "A tag of 128 characters of every allowed kind is one",
    async (scene) => {
      await scene.pushed(longTag);
      expectStatus(await scene.send("GET", scene.at(`manifests/${longTag}`)), 200);
    },
  ],
  [
    "MUST",
    "A tag of 129 characters, or outside the expression, is none",
    async (scene) => {
      for (const tag of [`${longTag}x`, ".begins-with-a-dot", "-x", "a+b"]) {
        const { status } = await scene.push(await scene.image(), tag);
        expectThat(status >= 400 && status < 500, `PUT of ${tag.slice(0, 20)}: expected a refusal, found ${status}`);
      }
    },
  ],
  [
    "SHOULD",
    "Content-Type has no parameters",
    async (scene) => {
      const { digest } = await scene.pushed();
      const type = expectField(await scene.send("GET", scene.at(`manifests/${digest}`)), "Content-Type");
      expectThat(!type.includes(";"), `expected no parameters, found ${type}`);
    },
  ],
  [
    "SHOULD",
    "Content-Type is what was pushed",
    async (scene) => {
      const { digest, mediaType } = await scene.pushed();
      const type = expectField(await scene.send("GET", scene.at(`manifests/${digest}`)), "Content-Type");
      expectThat(type.split(";")[0] === mediaType, `expected ${mediaType}, found ${type}`);
    },
  ],
  [
    "MUST",
    "GET by tag answers 200 with the manifest",
    async (scene) => {
      const tag = `t${nonce()}`;
      const { text } = await scene.pushed(tag);
      const answer = await scene.send("GET", scene.at(`manifests/${tag}`));
      expectStatus(answer, 200);
      expectBody(answer, text);
    },
  ],
  [
    "MUST",
    "GET by digest answers 200 with the manifest",
    async (scene) => {
      const { text, digest } = await scene.pushed();
      const answer = await scene.send("GET", scene.at(`manifests/${digest}`));
      expectStatus(answer, 200);
      expectBody(answer, text);
    },
  ],
  [
    "SHOULD",
    "Docker-Content-Digest is told",
    async (scene) => {
      const { digest } = await scene.pushed();
      expectField(await scene.send("GET", scene.at(`manifests/${digest}`)), "Docker-Content-Digest");
    },
  ],
  [
    "MUST",
    "Docker-Content-Digest is the digest of the manifest",
    async (scene) => {
      const tag = `t${nonce()}`;
      const { digest } = await scene.pushed(tag);
      expectToldDigest(await scene.send("GET", scene.at(`manifests/${tag}`)), digest);
    },
  ],
  [
    "MUST",
    "A digest that the repository does not have is 404",
    async (scene) => {
      await scene.pushed();
      expectStatus(await scene.send("GET", scene.at(`manifests/${unknownDigest()}`)), 404);
    },
  ],
  [
    "MUST",
    "A tag that the repository does not have is 404",
    async (scene) => {
      await scene.pushed();
      expectStatus(await scene.send("GET", scene.at(`manifests/none-${nonce()}`)), 404);
    },
  ],
]);
