import { type Check, expectField, expectStatus, expectThat, NotOffered, section } from "./check.ts";
import type { Answer } from "./client.ts";
import { expectList, nextOf } from "./pages.ts";
import { descriptorOf, nonce, type SampleDescriptor, type Scene, sample, types, unknownDigest } from "./scene.ts";

interface Shown extends SampleDescriptor {
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

const sbom = "application/vnd.example.sbom.v1";
const signature = "application/vnd.example.signature.v1";

/** All pages of the referrers; the first answer too. */
async function referrers(scene: Scene, digest: string, query = ""): Promise<{ answer: Answer; list: Shown[] }> {
  const list: Shown[] = [];
  let first: Answer | undefined;
  for (let next: string | undefined = scene.at(`referrers/${digest}${query}`); next !== undefined; ) {
    const answer: Answer = await scene.send("GET", next);
    if (first === undefined && answer.status === 404) throw new NotOffered("no referrers API (404)");
    expectStatus(answer, 200);
    first ??= answer;
    list.push(...((JSON.parse(answer.body.toString()) as { manifests?: Shown[] }).manifests ?? []));
    next = nextOf(answer);
  }
  return { answer: first as Answer, list };
}

/** A subject with three referrers: two images, of which one has an artifact type, and an index. */
async function attached(scene: Scene) {
  const subject = descriptorOf(await scene.pushed());
  const annotations = { "org.example.key": nonce() };
  const typed = await scene.pushed(undefined, { subject, artifactType: sbom, annotations });
  const plain = await scene.pushed(undefined, { subject });
  const value = { schemaVersion: 2, mediaType: types.index, manifests: [], subject, annotations };
  const index = sample(types.index, JSON.stringify(value));
  expectStatus(await scene.push(index), 201);
  return { subject, typed, plain, index, annotations };
}

const find = (list: readonly Shown[], digest: string): Shown => {
  const found = list.find((each) => each.digest === digest);
  expectThat(found !== undefined, `expected ${digest} among ${list.length} referrers`);
  return found;
};

export const referrerListChecks: readonly Check[] = section("3.2", "Listing Referrers", "content discovery", [
  [
    "MUST",
    "The API is there: the referrers of a manifest answer 200",
    async (scene) => {
      const { digest } = await scene.pushed();
      expectStatus(await scene.send("GET", scene.at(`referrers/${digest}`)), 200);
    },
  ],
  [
    "MUST",
    "A manifest that is not there has an empty list, never 404",
    async (scene) => {
      await referrers(scene, (await scene.pushed()).digest);
      const answer = await scene.send("GET", scene.at(`referrers/${unknownDigest()}`));
      expectStatus(answer, 200);
      const { manifests } = JSON.parse(answer.body.toString()) as { manifests?: unknown };
      expectThat(JSON.stringify(manifests) === "[]", `expected an empty list, found ${JSON.stringify(manifests)}`);
    },
  ],
  [
    "MUST",
    "A digest that is none is 400",
    async (scene) => {
      await referrers(scene, (await scene.pushed()).digest);
      expectStatus(await scene.send("GET", scene.at("referrers/sha256:no-digest")), 400);
    },
  ],
  [
    "MUST",
    "The body is an image index, and says so",
    async (scene) => {
      const { answer } = await referrers(scene, (await attached(scene)).subject.digest);
      const type = expectField(answer, "Content-Type");
      expectThat(type === types.index, `expected ${types.index}, found ${type}`);
      const { schemaVersion, mediaType } = JSON.parse(answer.body.toString()) as Record<string, unknown>;
      expectThat(schemaVersion === 2 && mediaType === types.index, "expected schemaVersion 2 and the type of an index");
    },
  ],
  [
    "MUST",
    "Every manifest and index that was pushed with the subject is there, and no other",
    async (scene) => {
      const { subject, typed, plain, index } = await attached(scene);
      const { list } = await referrers(scene, subject.digest);
      const digests = list.map(({ digest }) => digest);
      expectList(digests.toSorted(), [typed, plain, index].map(({ digest }) => digest).toSorted());
    },
  ],
  [
    "MUST",
    "Descriptors have type and size of their manifests",
    async (scene) => {
      const { subject, typed, index } = await attached(scene);
      const { list } = await referrers(scene, subject.digest);
      for (const each of [typed, index]) {
        const { mediaType, size } = find(list, each.digest);
        expectThat(
          mediaType === each.mediaType && size === each.text.length,
          `${each.digest}: expected its type and size`,
        );
      }
    },
  ],
  [
    "MUST",
    "artifactType is that of the manifest",
    async (scene) => {
      const { subject, typed } = await attached(scene);
      const found = find((await referrers(scene, subject.digest)).list, typed.digest).artifactType;
      expectThat(found === sbom, `expected ${sbom}, found ${found}`);
    },
  ],
  [
    "MUST",
    "artifactType is the configuration's media type where the manifest has none",
    async (scene) => {
      const { subject, plain } = await attached(scene);
      const found = find((await referrers(scene, subject.digest)).list, plain.digest).artifactType;
      expectThat(found === types.config, `expected ${types.config}, found ${found}`);
    },
  ],
  [
    "MUST",
    "artifactType is left out for an index without one",
    async (scene) => {
      const { subject, index } = await attached(scene);
      const found = find((await referrers(scene, subject.digest)).list, index.digest).artifactType;
      expectThat(found === undefined, `expected none, found ${found}`);
    },
  ],
  [
    "MUST",
    "Annotations of manifest and index are there",
    async (scene) => {
      const { subject, typed, index, annotations } = await attached(scene);
      const { list } = await referrers(scene, subject.digest);
      for (const { digest } of [typed, index]) {
        const found = JSON.stringify(find(list, digest).annotations);
        expectThat(found === JSON.stringify(annotations), `expected the annotations of ${digest}, found ${found}`);
      }
    },
  ],
  [
    "MUST",
    "A referrer that came before its subject is there",
    async (scene) => {
      const manifest = await scene.image();
      const referrer = await scene.pushed(undefined, { subject: descriptorOf(manifest) });
      expectStatus(await scene.push(manifest), 201);
      find((await referrers(scene, manifest.digest)).list, referrer.digest);
    },
  ],
  [
    "MUST",
    "More than fit into one answer are linked, and all of them are there",
    async (scene) => {
      const subject = descriptorOf(await scene.pushed());
      const pushed: string[] = [];
      for (let i = 0; i < 12; i++) {
        const annotations = { padding: "x".repeat(400_000), number: String(i) };
        pushed.push((await scene.pushed(undefined, { subject, annotations, layers: [] })).digest);
      }
      const { list } = await referrers(scene, subject.digest);
      expectList(list.map(({ digest }) => digest).toSorted(), pushed.toSorted());
    },
  ],
  [
    "SHOULD",
    "A filter by artifactType leaves those of it",
    async (scene) => {
      const { subject, typed } = await attached(scene);
      await scene.pushed(undefined, { subject, artifactType: signature });
      const { list } = await referrers(scene, subject.digest, `?artifactType=${encodeURIComponent(sbom)}`);
      expectList(
        list.map(({ digest }) => digest),
        [typed.digest],
      );
    },
  ],
  [
    "MUST",
    "A filter that was applied is told in OCI-Filters-Applied",
    async (scene) => {
      const { subject } = await attached(scene);
      const { answer, list } = await referrers(scene, subject.digest, `?artifactType=${encodeURIComponent(sbom)}`);
      if (list.length === 3) throw new NotOffered("filters are not applied");
      const told = expectField(answer, "OCI-Filters-Applied");
      expectThat(
        told.split(",").some((each) => each.trim() === "artifactType"),
        `expected artifactType, told was ${told}`,
      );
    },
  ],
]);
