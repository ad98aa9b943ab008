import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { descriptorOf, mediaTypes } from "@touchmark/formats/oci";
import { afterEach, expect, test } from "vitest";
import { putImage, putManifest } from "./images.fixture.ts";
import {
  closeScripted,
  collected,
  json,
  pieces,
  quietClient,
  repositoryAt,
  scriptedRegistry,
} from "./scripted.fixture.ts";

afterEach(closeScripted);
const refused = (code: string) => expect.objectContaining({ code });
const content = randomBytes(600_000);
const descriptor = descriptorOf(content, mediaTypes.layer);
const open = () => pieces(content);

test("C9: a blob is sent in one request, and is there then", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  expect(await repository.hasBlob(descriptor.digest)).toBe(false);
  await repository.putBlob(descriptor, open);
  expect(registry.log.map((line) => line.split(" ")[0])).toEqual(["GET", "HEAD", "POST", "PUT"]);
  expect(await repository.hasBlob(descriptor.digest)).toBe(true);
  expect(await repository.deleteBlob(descriptor.digest)).toBe(true);
  expect(await repository.deleteBlob(descriptor.digest)).toBe(false);
});

test("C9: when a connection breaks, the rest alone is sent", async () => {
  const registry = await scriptedRegistry();
  const opened: number[] = [];
  const repository = repositoryAt(registry.host);
  await repository.putBlob(descriptor, async function* () {
    opened.push(1);
    yield content.subarray(0, 200_000);
    if (opened.length === 1) {
      await setTimeout(50);
      registry.requests.at(-1)?.socket.destroy();
      await setTimeout(20);
    }
    yield content.subarray(200_000);
  });
  expect((await collected(repository.blob(descriptor))).equals(content)).toBe(true);
  expect(opened).toHaveLength(2);
  const patch = registry.requests.find(({ method }) => method === "PATCH");
  expect(patch?.headers["content-range"]).toMatch(/^[1-9][0-9]*-599999$/);
});

test("C9: an upload that the registry forgot begins anew", async () => {
  let forgot = false;
  const registry = await scriptedRegistry((request, response, path) => {
    if (path.includes("/uploads/") && request.method === "GET") return json(response, 404, {});
    if (request.method !== "PUT" || forgot) return false;
    forgot = true;
    request.socket.destroy();
    return true;
  });
  const repository = repositoryAt(registry.host);
  await repository.putBlob(descriptor, open);
  expect((await collected(repository.blob(descriptor))).equals(content)).toBe(true);
  expect(registry.log.filter((line) => line.startsWith("POST"))).toHaveLength(2);
});

test.each(["0-600000", "0-99999999999", "5-10", "x"])(
  "C9: a registry that says to hold %s of an upload is refused",
  async (range) => {
    const registry = await scriptedRegistry((request, response, path) => {
      if (request.method === "PUT") request.socket.destroy();
      else if (request.method === "GET" && path.includes("/uploads/")) response.writeHead(204, { range }).end();
      else return false;
      return true;
    });
    await expect(repositoryAt(registry.host).putBlob(descriptor, open)).rejects.toThrow(
      refused("OCI_CLIENT_RANGE_WRONG"),
    );
  },
);

test.each(["", "http://127.0.0.1:1/upload", "https://elsewhere.example/upload", "ftp://x/", "a b"])(
  "C9: content does not go to the location %j",
  async (location) => {
    const registry = await scriptedRegistry((request, response) => {
      if (request.method !== "POST") return false;
      response.writeHead(202, { location, "content-length": 0 }).end();
      return true;
    });
    await expect(repositoryAt(registry.host).putBlob(descriptor, open)).rejects.toThrow(
      refused("OCI_CLIENT_UPLOAD_LOCATION"),
    );
  },
);

test.each([
  ["longer", Buffer.concat([content, content])],
  ["shorter", content.subarray(1)],
])("C9: content that is %s than announced is not completed", async (_what, bytes) => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  await expect(repository.putBlob(descriptor, () => pieces(bytes))).rejects.toThrow(
    refused("OCI_TRANSFER_SOURCE_CHANGED"),
  );
  expect(await repository.hasBlob(descriptor.digest)).toBe(false);
});

test("C9: content that is another than announced is refused by the registry, and the client says so", async () => {
  const registry = await scriptedRegistry();
  const other = randomBytes(content.length);
  await expect(repositoryAt(registry.host).putBlob(descriptor, () => pieces(other))).rejects.toThrow(
    refused("OCI_CLIENT_REJECTED"),
  );
});

test("C9: within a registry a blob is mounted; where that is not done, nothing is left open", async () => {
  const registry = await scriptedRegistry();
  const client = quietClient();
  const [one, two] = ["a/one", "a/two"].map((repository) => client.repository({ registry: registry.host, repository }));
  await one?.putBlob(descriptor, open);
  expect(await two?.mountFrom(descriptor.digest, "a/one")).toBe(true);
  expect(await two?.hasBlob(descriptor.digest)).toBe(true);
  const absent = descriptorOf(Buffer.from("x"), mediaTypes.layer);
  expect(await two?.mountFrom(absent.digest, "a/one")).toBe(false);
  expect(registry.log.at(-1)).toMatch(/^DELETE .*uploads/);
});

test("C10: a manifest is sent under its digest or a tag; what the registry says to have taken must be it", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  const { digest } = await putImage(repository);
  expect((await repository.manifest(digest)).descriptor.digest).toBe(digest);
  expect(await repository.deleteManifest(digest)).toBe(true);
  expect(await repository.deleteManifest(digest)).toBe(false);
  registry.script = (request, response, path) =>
    request.method === "PUT" &&
    path.includes("/manifests/") &&
    json(response, 201, {}, { "docker-content-digest": `sha256:${"0".repeat(64)}` });
  await expect(putImage(repository)).rejects.toThrow(refused("OCI_CLIENT_DIGEST_MISMATCH"));
  registry.script = (request, response, path) =>
    request.method === "PUT" && path.includes("/manifests/") && json(response, 404, {});
  await expect(putImage(repository)).rejects.toThrow(refused("OCI_CLIENT_NOT_FOUND"));
});

test("C10: what is no manifest is not sent", async () => {
  const registry = await scriptedRegistry();
  const repository = repositoryAt(registry.host);
  const put = (text: string, type: string = mediaTypes.manifest) => repository.putManifest(Buffer.from(text), type);
  await expect(put("{}", "text/plain")).rejects.toThrow(refused("OCI_MEDIA_TYPE_UNSUPPORTED"));
  await expect(put("{")).rejects.toThrow(refused("OCI_MALFORMED"));
  await expect(putManifest(repository, {}, "../x")).rejects.toThrow(refused("OCI_TAG_INVALID"));
  expect(registry.log.filter((line) => line.includes("/manifests/"))).toEqual([]);
});
