import { type Check, expectStatus, expectThat, section } from "./check.ts";
import { nonce, refuseDisabled, unknownDigest } from "./scene.ts";

const removals = section("5", "Content Management", "content management", [
  [
    "MUST",
    "Deleting a tag answers 202; 400 or 405 where it is disabled",
    async (scene) => {
      const tag = `t${nonce()}`;
      await scene.pushed(tag);
      const answer = await scene.send("DELETE", scene.at(`manifests/${tag}`));
      refuseDisabled(answer);
      expectStatus(answer, 202);
    },
  ],
  [
    "MUST",
    "A deleted tag is 404, its manifest still there",
    async (scene) => {
      const tag = `t${nonce()}`;
      const { digest } = await scene.pushed(tag);
      refuseDisabled(await scene.send("DELETE", scene.at(`manifests/${tag}`)));
      expectStatus(await scene.send("GET", scene.at(`manifests/${tag}`)), 404);
      expectStatus(await scene.send("GET", scene.at(`manifests/${digest}`)), 200);
    },
  ],
  [
    "MUST",
    "Deleting a manifest answers 202; 400 or 405 where it is disabled",
    async (scene) => {
      const { digest } = await scene.pushed();
      const answer = await scene.send("DELETE", scene.at(`manifests/${digest}`));
      refuseDisabled(answer);
      expectStatus(answer, 202);
    },
  ],
  [
    "MUST",
    "A deleted manifest is 404, with every tag that led to it",
    async (scene) => {
      const tag = `t${nonce()}`;
      const { digest } = await scene.pushed(tag);
      refuseDisabled(await scene.send("DELETE", scene.at(`manifests/${digest}`)));
      for (const reference of [digest, tag])
        expectStatus(await scene.send("GET", scene.at(`manifests/${reference}`)), 404);
    },
  ],
  [
    "MUST",
    "Deleting a manifest of a repository that is not there is 404",
    async (scene) => {
      const path = scene.at(`manifests/${unknownDigest()}`, `${scene.repository}/none-${nonce()}`);
      const answer = await scene.send("DELETE", path);
      refuseDisabled(answer);
      expectStatus(answer, 404);
    },
  ],
  [
    "MUST",
    "Deleting a blob answers 202; 400 or 405 where it is disabled",
    async (scene) => {
      const { digest } = await scene.blob();
      const answer = await scene.send("DELETE", scene.at(`blobs/${digest}`));
      refuseDisabled(answer);
      expectStatus(answer, 202);
    },
  ],
  [
    "MUST",
    "A deleted blob is 404",
    async (scene) => {
      const { digest } = await scene.blob();
      refuseDisabled(await scene.send("DELETE", scene.at(`blobs/${digest}`)));
      expectStatus(await scene.send("GET", scene.at(`blobs/${digest}`)), 404);
    },
  ],
  [
    "MUST",
    "Deleting a blob that is not there is 404",
    async (scene) => {
      await scene.blob();
      const answer = await scene.send("DELETE", scene.at(`blobs/${unknownDigest()}`));
      refuseDisabled(answer);
      expectStatus(answer, 404);
    },
  ],
  [
    "MUST",
    "What was deleted can be pushed again",
    async (scene) => {
      const manifest = await scene.pushed();
      refuseDisabled(await scene.send("DELETE", scene.at(`manifests/${manifest.digest}`)));
      expectStatus(await scene.push(manifest), 201);
      const found = await scene.send("GET", scene.at(`manifests/${manifest.digest}`));
      expectThat(found.body.toString() === manifest.text, "expected the manifest again");
    },
  ],
]);

export const removeChecks: readonly Check[] = removals;
