import { type Digest, sha256 } from "@touchmark/core";
import { type Descriptor, descriptorOf, mediaTypes, parseManifest } from "@touchmark/formats/oci";
import { expect, test } from "vitest";
import { codesOf, type Reply, registryScene } from "./scene.fixture.ts";

const linkOf = (reply: Reply): string | undefined => /^<(.*)>; rel="next"$/.exec(String(reply.headers.link ?? ""))?.[1];
const namesOf = (reply: Reply): string[] => {
  const body = JSON.parse(reply.body.toString()) as { tags?: string[]; repositories?: string[] };
  return body.tags ?? body.repositories ?? [];
};

test("D6: tags are listed in order, whole or in pages that link to the next", async () => {
  const { call, image } = await registryScene();
  for (const tag of ["c", "a", "d", "b"]) await image("x", tag);
  const whole = await call("GET", "/v2/x/tags/list");
  expect(JSON.parse(whole.body.toString())).toEqual({ name: "x", tags: ["a", "b", "c", "d"] });
  expect(linkOf(whole)).toBeUndefined();
  const first = await call("GET", "/v2/x/tags/list?n=3");
  expect([namesOf(first), linkOf(first)]).toEqual([["a", "b", "c"], "/v2/x/tags/list?n=3&last=c"]);
  const second = await call("GET", linkOf(first) ?? "");
  expect([namesOf(second), linkOf(second)]).toEqual([["d"], undefined]);
  expect(namesOf(await call("GET", "/v2/x/tags/list?last=b"))).toEqual(["c", "d"]);
  expect(namesOf(await call("GET", "/v2/x/tags/list?n=1&last=bb"))).toEqual(["c"]);
  const none = await call("GET", "/v2/x/tags/list?n=0");
  expect([namesOf(none), linkOf(none)]).toEqual([[], undefined]);
});

test("D6: what is no page is refused, and no repository has no list", async () => {
  const { call, image } = await registryScene();
  await image("x", "a");
  for (const query of ["n=-1", "n=x", "n=1&n=2", "last=..", "n=1e3", "n=99999999999999999"]) {
    const reply = await call("GET", `/v2/x/tags/list?${query}`);
    expect(codesOf(reply)).toBe("400 UNSUPPORTED REGISTRY_QUERY_INVALID");
  }
  expect(codesOf(await call("GET", "/v2/y/tags/list"))).toBe("404 NAME_UNKNOWN REGISTRY_REPOSITORY_UNKNOWN");
});

test("D6: the catalog shows what the caller may pull, in pages", async () => {
  const may = (action: string, name: string) => action !== "pull" || !name.startsWith("secret/");
  const authority = { identify: async () => ({ name: "reader", may }) };
  const { call, backend } = await registryScene({ authority });
  for (const name of ["b", "secret/one", "a", "c/d"]) {
    await backend.uploads.put(name, sha256("x"), 1, one("x"));
  }
  expect(namesOf(await call("GET", "/v2/_catalog"))).toEqual(["a", "b", "c/d"]);
  const first = await call("GET", "/v2/_catalog?n=2");
  expect([namesOf(first), linkOf(first)]).toEqual([["a", "b"], "/v2/_catalog?n=2&last=b"]);
  expect(namesOf(await call("GET", linkOf(first) ?? ""))).toEqual(["c/d"]);
  expect(codesOf(await call("GET", "/v2/_catalog?last=A"))).toBe("400 UNSUPPORTED REGISTRY_QUERY_INVALID");
});

async function* one(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const subject = descriptorOf(Buffer.from("subject"), mediaTypes.manifest);
const referrersOf = (reply: Reply): readonly Descriptor[] => {
  const index = parseManifest(reply.body, { mediaType: String(reply.headers["content-type"]) });
  return index.kind === "index" ? index.manifests : [];
};

test("D6: referrers show their artifact type and annotations, and can be filtered", async () => {
  const { call, image, manifest } = await registryScene();
  const plain = await image("x", undefined, { subject, annotations: { a: "b" } });
  const typed = await image("x", undefined, { subject, artifactType: "text/spdx" });
  const index = { kind: "index" as const, mediaType: mediaTypes.index, manifests: [], subject };
  expect((await manifest("x", undefined, index)).headers["oci-subject"]).toBe(subject.digest);
  const all = await call("GET", `/v2/x/referrers/${subject.digest}`);
  expect(all.headers).toMatchObject({ "content-type": mediaTypes.index });
  expect(all.headers["oci-filters-applied"]).toBeUndefined();
  expect(referrersOf(all)).toHaveLength(3);
  const shown = new Map(referrersOf(all).map((each) => [each.digest, each]));
  expect(shown.get(plain.digest as Digest)).toMatchObject({ artifactType: mediaTypes.config, annotations: { a: "b" } });
  expect(referrersOf(all).find((each) => each.mediaType === mediaTypes.index)).not.toHaveProperty("artifactType");
  const some = await call("GET", `/v2/x/referrers/${subject.digest}?artifactType=text/spdx`);
  expect(some.headers["oci-filters-applied"]).toBe("artifactType");
  expect(referrersOf(some).map((each) => each.digest)).toEqual([typed.digest]);
});

test("D6: no referrers are an empty index, a malformed digest or filter is 400", async () => {
  const { call } = await registryScene();
  const none = await call("GET", `/v2/unheard/of/referrers/${subject.digest}`);
  expect([none.status, referrersOf(none)]).toEqual([200, []]);
  expect(codesOf(await call("GET", "/v2/x/referrers/sha256:x"))).toBe("400 DIGEST_INVALID OCI_DIGEST_MALFORMED");
  for (const query of ["artifactType=no%20type", "last=a", "artifactType=a/b&artifactType=a/b"]) {
    const reply = await call("GET", `/v2/x/referrers/${subject.digest}?${query}`);
    expect(codesOf(reply)).toBe("400 UNSUPPORTED REGISTRY_QUERY_INVALID");
  }
});

test("D6: more referrers than fit into one answer come in pages, by number and by bytes", async () => {
  const { call, image } = await registryScene();
  const pushed: string[] = [];
  for (let i = 0; i < 5; i++) {
    const annotations = { number: String(i), padding: "x".repeat(1_000_000) };
    pushed.push((await image("x", undefined, { subject, artifactType: "a/b", annotations })).digest);
  }
  for (const query of ["?artifactType=a%2Fb", "?artifactType=a%2Fb&n=2", ""]) {
    const found: string[] = [];
    let pages = 0;
    for (let path: string | undefined = `/v2/x/referrers/${subject.digest}${query}`; path !== undefined; pages++) {
      const reply = await call("GET", path);
      expect(reply.body.length).toBeLessThan(4 * 1024 * 1024);
      if (query !== "") expect(reply.headers["oci-filters-applied"]).toBe("artifactType");
      found.push(...referrersOf(reply).map((each) => each.digest));
      path = linkOf(reply);
    }
    expect(pages).toBe(query.includes("n=2") ? 3 : 2);
    expect(found).toEqual(pushed.toSorted());
  }
});
