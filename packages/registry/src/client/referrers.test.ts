import { mediaTypes } from "@touchmark/formats/oci";
import { afterEach, expect, test } from "vitest";
import { putImage, putReferrer } from "./images.fixture.ts";
import { fallbackTag } from "./referrers.ts";
import { closeScripted, json, listed, repositoryAt, type Script, scriptedRegistry } from "./scripted.fixture.ts";

afterEach(closeScripted);
const refused = (code: string) => expect.objectContaining({ code });

/** A registry as they were before there were referrers. */
const withoutApi: Script = (_request, response, path) => {
  if (path.includes("/referrers/")) {
    response.writeHead(404, { "content-length": 0 }).end();
    return true;
  }
  const writeHead = response.writeHead.bind(response);
  response.writeHead = ((status: number, fields: string[]) => {
    const at = fields.indexOf("OCI-Subject");
    return writeHead(status, at < 0 ? fields : fields.toSpliced(at, 2));
  }) as typeof response.writeHead;
  return false;
};

test("C11: tags come in pages, in order", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  expect(await listed(repository.tags())).toEqual([]);
  for (const tag of ["v1", "v2", "v3"]) await putImage(repository, { tag });
  registry.script = (request) => {
    request.url = request.url?.replace("n=1000", "n=2") ?? "";
    return false;
  };
  expect(await listed(repository.tags())).toEqual(["v1", "v2", "v3"]);
  expect(registry.log.filter((line) => line.includes("tags/list"))).toHaveLength(3);
});

test.each([
  ["<http://127.0.0.1:1/v2/a/b/tags/list?last=x>; rel=next"],
  ["</v2/other/tags/list?last=x>; rel=next"],
  ["nonsense"],
  ['</v2/a/b/tags/list?n=1000>; rel="next"'],
])("C11: a list that goes on at %s is refused", async (link) => {
  const registry = await scriptedRegistry((_request, response) => json(response, 200, { tags: ["v1"] }, { link }));
  await expect(listed(repositoryAt(registry.host).tags())).rejects.toThrow(refused("OCI_CLIENT_LIST_MALFORMED"));
});

test.each([[{ tags: "v1" }], [{ tags: ["-x"] }], [{ tags: [7] }], [{}], ["x"]])(
  "C11: a list of tags that is %j is refused",
  async (body) => {
    const registry = await scriptedRegistry((_request, response) => json(response, 200, body));
    await expect(listed(repositoryAt(registry.host).tags())).rejects.toThrow(refused("OCI_CLIENT_LIST_MALFORMED"));
  },
);

test("C11: a list without end is left", async () => {
  let page = 0;
  const registry = await scriptedRegistry((_request, response) =>
    json(response, 200, { tags: [] }, { link: `</v2/a/b/tags/list?page=${++page}>; rel="next"` }),
  );
  await expect(listed(repositoryAt(registry.host).tags())).rejects.toThrow(refused("OCI_CLIENT_LIST_TOO_LONG"));
});

test("C12: referrers come from the registry's own list, filtered here too", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  const image = await putImage(repository);
  const bundle = await putReferrer(repository, image, Buffer.from("one"));
  const other = await putReferrer(repository, image, Buffer.from("two"), "application/vnd.example.other");
  const all = (await listed(repository.referrers(image.digest))).map(({ digest }) => digest);
  expect(new Set(all)).toEqual(new Set([bundle.digest, other.digest]));
  registry.script = (request) => {
    request.url = request.url?.replace(/\?artifactType.*/, "") ?? "";
    return false;
  };
  const filtered = await listed(repository.referrers(image.digest, { artifactType: mediaTypes.sigstoreBundle }));
  expect(filtered.map(({ digest }) => digest)).toEqual([bundle.digest]);
  // A registry that has the list is never asked for the tag.
  expect(registry.log.filter((line) => line.includes(fallbackTag(image.digest)))).toEqual([]);
});

test("C12: a list of referrers of another type is refused", async () => {
  const registry = await scriptedRegistry((_request, response, path) => {
    if (!path.includes("/referrers/")) return false;
    return json(response, 200, { manifests: [] }, { "content-type": "text/html" });
  });
  const subject = `sha256:${"0".repeat(64)}` as const;
  await expect(listed(repositoryAt(registry.host).referrers(subject))).rejects.toThrow(
    refused("OCI_CLIENT_LIST_MALFORMED"),
  );
});

test("C13: where there is no such list, the tag has it; who write at once lose nothing", async () => {
  const registry = await scriptedRegistry(withoutApi);
  const image = await putImage(repositoryAt(registry.host));
  // Clients of their own, as in processes of their own, would not know of each other: here they take turns.
  const put = await Promise.all(
    Array.from({ length: 12 }, (_, i) => putReferrer(repositoryAt(registry.host), image, Buffer.from(String(i)))),
  );
  const found = (await listed(repositoryAt(registry.host).referrers(image.digest))).map(({ digest }) => digest);
  expect(new Set(found)).toEqual(new Set(put.map(({ digest }) => digest)));
  await putReferrer(repositoryAt(registry.host), image, Buffer.from("0"));
  expect(await listed(repositoryAt(registry.host).referrers(image.digest))).toHaveLength(12);
});

test("C13: a referrer that is deleted leaves the list", async () => {
  const registry = await scriptedRegistry(withoutApi);
  const repository = repositoryAt(registry.host);
  const image = await putImage(repository);
  const [one, two] = [
    await putReferrer(repository, image, Buffer.from("1")),
    await putReferrer(repository, image, Buffer.from("2")),
  ];
  expect(await repository.deleteManifest(one.digest)).toBe(true);
  expect((await listed(repository.referrers(image.digest))).map(({ digest }) => digest)).toEqual([two.digest]);
});

test("C13: an entry that another writer took out is written again, and not for ever", async () => {
  const registry = await scriptedRegistry(withoutApi);
  const image = await putImage(repositoryAt(registry.host));
  let lost = 2;
  const tag = fallbackTag(image.digest);
  registry.script = (request, response, path) => {
    if (request.method === "PUT" && path.endsWith(tag) && lost-- > 0) return json(response, 201, {});
    return withoutApi(request, response, path);
  };
  const { digest } = await putReferrer(repositoryAt(registry.host), image, Buffer.from("x"));
  expect((await listed(repositoryAt(registry.host).referrers(image.digest))).map((each) => each.digest)).toEqual([
    digest,
  ]);
  lost = 1000;
  await expect(putReferrer(repositoryAt(registry.host), image, Buffer.from("y"))).rejects.toThrow(
    refused("OCI_CLIENT_FALLBACK_CONTENDED"),
  );
});

test("C13: a tag that is no index is not overwritten", async () => {
  const registry = await scriptedRegistry(withoutApi);
  const repository = repositoryAt(registry.host);
  const image = await putImage(repository);
  await putImage(repository, { tag: fallbackTag(image.digest) });
  await expect(putReferrer(repository, image, Buffer.from("x"))).rejects.toThrow(refused("OCI_CLIENT_LIST_MALFORMED"));
});
