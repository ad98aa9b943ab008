import { type Check, expectField, expectStatus, expectThat, NotOffered, section } from "./check.ts";
import { descriptorOf, nonce, type Scene, sample, types, unknownDigest } from "./scene.ts";

async function offersReferrers(scene: Scene): Promise<void> {
  const { digest } = await scene.pushed();
  const { status } = await scene.send("GET", scene.at(`referrers/${digest}`));
  if (status === 404) throw new NotOffered("no referrers API (404)");
}

const absent = () => ({ mediaType: types.manifest, digest: unknownDigest(), size: 77 });

const general = section("2.1", "Push", "push", [
  [
    "MUST",
    "A manifest is taken whose subject is not there",
    async (scene) => {
      expectStatus(await scene.push(await scene.image({ subject: absent() })), 201);
    },
  ],
  [
    "MUST",
    "A manifest that is refused for what it references is MANIFEST_BLOB_UNKNOWN",
    async (scene) => {
      const layers = [{ mediaType: types.layer, digest: unknownDigest(), size: 10 }];
      const answer = await scene.push(await scene.image({ layers }));
      if (answer.status === 201) throw new NotOffered("references are not checked (201)");
      const body = JSON.parse(answer.body.toString()) as { errors?: { code?: string }[] };
      const codes = body.errors?.map(({ code }) => code) ?? [];
      expectThat(codes.includes("MANIFEST_BLOB_UNKNOWN"), `expected MANIFEST_BLOB_UNKNOWN, found ${codes.join()}`);
    },
  ],
]);

const manifests = section("2.6", "Pushing Manifests", "push", [
  [
    "MUST",
    "PUT under a tag answers 201",
    async (scene) => {
      expectStatus(await scene.push(await scene.image(), `t${nonce()}`), 201);
    },
  ],
  [
    "MUST",
    "PUT under its digest answers 201",
    async (scene) => {
      expectStatus(await scene.push(await scene.image()), 201);
    },
  ],
  [
    "MUST",
    "PUT answers a Location that can be pulled",
    async (scene) => {
      const manifest = await scene.image();
      const found = await scene.send("GET", expectField(await scene.push(manifest, `t${nonce()}`), "Location"));
      expectStatus(found, 200);
      expectThat(found.body.toString() === manifest.text, "expected the manifest at its Location");
    },
  ],
  [
    "MUST",
    "The exact bytes are stored",
    async (scene) => {
      const { text } = await scene.image();
      const odd = sample(types.manifest, ` \n${text.replaceAll(",", " ,\n\t")}\n\n`);
      expectStatus(await scene.push(odd), 201);
      const found = await scene.send("GET", scene.at(`manifests/${odd.digest}`));
      expectThat(found.body.toString() === odd.text, "expected the bytes that were pushed");
    },
  ],
  [
    "SHOULD",
    "Parameters of the Content-Type are ignored",
    async (scene) => {
      const manifest = await scene.image();
      const headers = { "Content-Type": `${manifest.mediaType}; charset=utf-8` };
      const path = scene.at(`manifests/${manifest.digest}`);
      expectStatus(await scene.send("PUT", path, { headers, body: manifest.text }), 201);
      const type = expectField(await scene.send("GET", path), "Content-Type");
      expectThat(type === manifest.mediaType, `expected ${manifest.mediaType}, found ${type}`);
    },
  ],
  [
    "MUST",
    "Docker-Content-Digest, where it is told, is that of the client",
    async (scene) => {
      const manifest = await scene.image();
      const told = (await scene.push(manifest)).headers["docker-content-digest"];
      if (told === undefined) throw new NotOffered("no Docker-Content-Digest is told");
      expectThat(told === manifest.digest, `expected ${manifest.digest}, told was ${String(told)}`);
    },
  ],
  [
    "MUST",
    "A manifest is refused under a digest that is not its own",
    async (scene) => {
      const digest = unknownDigest();
      const { status } = await scene.push(await scene.image(), digest);
      expectThat(status >= 400 && status < 500, `expected a refusal, found ${status}`);
      expectStatus(await scene.send("GET", scene.at(`manifests/${digest}`)), 404);
    },
  ],
  [
    "MUST",
    "The list of blobs may be empty",
    async (scene) => {
      expectStatus(await scene.push(await scene.image({ layers: [] })), 201);
    },
  ],
  [
    "MUST",
    "An image index is taken, and given back as one",
    async (scene) => {
      const manifests = [descriptorOf(await scene.pushed()), descriptorOf(await scene.pushed())];
      const index = sample(types.index, JSON.stringify({ schemaVersion: 2, mediaType: types.index, manifests }));
      expectStatus(await scene.push(index), 201);
      const found = await scene.send("GET", scene.at(`manifests/${index.digest}`));
      expectThat(found.body.toString() === index.text, "expected the index that was pushed");
      expectThat(expectField(found, "Content-Type").startsWith(types.index), "expected the type of an index");
    },
  ],
  [
    "MUST",
    "A tag moves to what is pushed under it",
    async (scene) => {
      const tag = `t${nonce()}`;
      await scene.pushed(tag);
      const { text } = await scene.pushed(tag);
      const found = await scene.send("GET", scene.at(`manifests/${tag}`));
      expectThat(found.body.toString() === text, "expected the manifest that was pushed last");
    },
  ],
  [
    "MUST",
    "A pull from a repository that is not there is 404",
    async (scene) => {
      const repository = `${scene.repository}/none-${nonce()}`;
      expectStatus(await scene.send("GET", scene.at("manifests/latest", repository)), 404);
      expectStatus(await scene.send("GET", scene.at(`blobs/${unknownDigest()}`, repository)), 404);
    },
  ],
  [
    "SHOULD",
    "A manifest of 4 megabytes is taken",
    async (scene) => {
      const { text } = await scene.image({ annotations: { padding: "x".repeat(4_000_000 - 2000) } });
      expectStatus(await scene.push(sample(types.manifest, text.padEnd(4_000_000))), 201);
    },
  ],
  [
    "SHOULD",
    "A manifest beyond a limit is 413",
    async (scene) => {
      const { text } = await scene.image({ annotations: { padding: "x".repeat(32 * 1024 * 1024) } });
      expectStatus(await scene.push(sample(types.manifest, text)), 413);
    },
  ],
]);

const subjects = section("2.7", "Pushing Manifests with Subject", "push", [
  [
    "MUST",
    "With the referrers API, OCI-Subject names the subject of a manifest",
    async (scene) => {
      await offersReferrers(scene);
      const subject = descriptorOf(await scene.pushed());
      const told = expectField(await scene.push(await scene.image({ subject })), "OCI-Subject");
      expectThat(told === subject.digest, `expected ${subject.digest}, told was ${told}`);
    },
  ],
  [
    "MUST",
    "Also when the subject is not there",
    async (scene) => {
      await offersReferrers(scene);
      const subject = absent();
      const told = expectField(await scene.push(await scene.image({ subject })), "OCI-Subject");
      expectThat(told === subject.digest, `expected ${subject.digest}, told was ${told}`);
    },
  ],
  [
    "MUST",
    "Also for an index with a subject",
    async (scene) => {
      await offersReferrers(scene);
      const subject = descriptorOf(await scene.pushed());
      const value = { schemaVersion: 2, mediaType: types.index, manifests: [], subject };
      const told = expectField(await scene.push(sample(types.index, JSON.stringify(value))), "OCI-Subject");
      expectThat(told === subject.digest, `expected ${subject.digest}, told was ${told}`);
    },
  ],
]);

export const pushManifestChecks: readonly Check[] = [...general, ...manifests, ...subjects];
