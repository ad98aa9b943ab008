import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Digest, sha256 } from "@touchmark/core";
import { expect, onTestFinished, test } from "vitest";
import { chunksOf, codeOf } from "../file/home.fixture.ts";
import { ObjectStorage } from "./object-storage.ts";
import { s3RegistryBackend } from "./s3-registry.ts";

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** An object storage that answers as it is told. */
async function scripted(answer: Answer) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    request.resume();
    asked.push(`${request.method} ${request.url}`);
    answer(request, response, asked.length);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const credentials = { accessKeyId: "key", secretAccessKey: "secret-of-a-test" };
  const options = { endpoint: `http://127.0.0.1:${port}`, bucket: "b", region: "r", credentials, timeoutMs: 300 };
  return { storage: new ObjectStorage(options), options, asked };
}

const list = (inner: string) => `<?xml version="1.0"?><ListBucketResult>${inner}</ListBucketResult>`;
const send = (response: ServerResponse, status: number, body = "") => {
  response.writeHead(status).end(body);
};

test("B18: what fails for the moment is asked again, and then said to be away", async () => {
  const { storage, asked } = await scripted((_, response, count) => send(response, count < 3 ? 503 : 200, "bytes"));
  expect((await storage.get("x"))?.bytes.toString()).toBe("bytes");
  expect(asked.length).toBe(3);
  const down = await scripted((_, response) => send(response, 503, "<Error><Code>SlowDown</Code></Error>"));
  expect(await codeOf(down.storage.get("x"))).toBe("REGISTRY_BACKEND_STORAGE_UNAVAILABLE");
  const silent = await scripted(() => {});
  expect(await codeOf(silent.storage.get("x"))).toBe("REGISTRY_BACKEND_STORAGE_UNAVAILABLE");
  const nobody = new ObjectStorage({ ...silent.options, endpoint: "http://127.0.0.1:1" });
  expect(await codeOf(nobody.size("x"))).toBe("REGISTRY_BACKEND_STORAGE_UNAVAILABLE");
});

test("B18: a refusal is one, without credentials in its message", async () => {
  const { options } = await scripted((_, response) =>
    send(response, 403, "<Error><Code>InvalidAccessKeyId</Code></Error>"),
  );
  const cause = await s3RegistryBackend(options).catch((error: unknown) => error as Error);
  expect(cause).toMatchObject({ code: "REGISTRY_BACKEND_STORAGE_REFUSED" });
  expect((cause as Error).message).toContain("InvalidAccessKeyId");
  expect(JSON.stringify([(cause as Error).message, (cause as Error).stack])).not.toContain("secret-of-a-test");
});

test("B18: a redirect is not followed", async () => {
  const { storage, asked } = await scripted((_, response) => {
    response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end();
  });
  expect(await codeOf(storage.get("x"))).toBe("REGISTRY_BACKEND_STORAGE_UNAVAILABLE");
  expect(new Set(asked)).toEqual(new Set(["GET /b/x"]));
});

test("B18: lists are strictly read, and end", async () => {
  const wrong = [
    "no list",
    list("<Contents><Key>a</Key></Contents>"),
    list("<Contents><Key>a</Key><Size>x</Size><LastModified>2026-11-21T10:00:00Z</LastModified></Contents>"),
    list("<IsTruncated>true</IsTruncated>"),
  ];
  for (const body of wrong) {
    const { storage } = await scripted((_, response) => send(response, 200, body));
    const read = async () => {
      for await (const _ of storage.list("")) continue;
    };
    expect(await codeOf(read())).toBe("REGISTRY_BACKEND_STORAGE_REFUSED");
  }
  const one =
    "<Contents><Key>a&amp;&#98;&#x63;</Key><Size>1</Size><LastModified>2026-11-21T10:00:00Z</LastModified></Contents>";
  const { storage } = await scripted((_, response) => send(response, 200, list(one)));
  for await (const { key } of storage.list("")) expect(key).toBe("a&bc");
});

test("B18: a document without end is not read to its end", async () => {
  const { storage } = await scripted((_, response) => {
    const more = () => {
      if (!response.destroyed) response.write(Buffer.alloc(1024 * 1024), () => setImmediate(more));
    };
    more();
  });
  expect(await codeOf(storage.get("x"))).toBe("REGISTRY_BACKEND_STORAGE_REFUSED");
});

test("B18: an error in the body of a success is one", async () => {
  const error = "<Error><Code>InternalError</Code></Error>";
  const { storage } = await scripted((_, response) => send(response, 200, error));
  expect(await codeOf(storage.copy("a", "b"))).toBe("REGISTRY_BACKEND_STORAGE_REFUSED");
  expect(await codeOf(storage.completeParts("a", "u", ["t"]))).toBe("REGISTRY_BACKEND_STORAGE_REFUSED");
  expect(await codeOf(storage.beginParts("a"))).toBe("REGISTRY_BACKEND_STORAGE_REFUSED");
});

test("B18: records that are none of the registry's are refused", async () => {
  const { options } = await scripted((request, response) => {
    if (request.url?.includes("list-type")) send(response, 200, list(""));
    else send(response, 200, '{"size":-1,"digest":"x"}');
  });
  const backend = await s3RegistryBackend(options);
  const digest = sha256("x");
  expect(await codeOf(backend.blobs.open("a", digest))).toBe("REGISTRY_BACKEND_RECORD_INVALID");
  expect(await codeOf(backend.manifests.get("a", digest))).toBe("REGISTRY_BACKEND_RECORD_INVALID");
  expect(await codeOf(backend.tags.resolve("a", "latest"))).toBe("REGISTRY_BACKEND_RECORD_INVALID");
});

test("B18: a blob whose transfer breaks off, or goes on for too long, is not given out whole", async () => {
  const digest = sha256("struck in pewter");
  const serve = async (body: (response: ServerResponse) => void) => {
    const { options } = await scripted((request, response) => {
      if (request.url?.includes("list-type")) send(response, 200, list(""));
      else if (request.url?.includes("/content/") && request.method === "GET") body(response);
      else send(response, 200, request.method === "HEAD" ? "" : '{"size":16,"linkedAt":1}');
    });
    const blob = await (await s3RegistryBackend(options)).blobs.open("a", digest);
    const parts: Uint8Array[] = [];
    const read = async () => {
      for await (const part of blob?.stream() ?? []) parts.push(part);
    };
    return [await codeOf(read()), Buffer.concat(parts).toString().length < 16];
  };
  const broken = (response: ServerResponse) => {
    response.writeHead(200, { "content-length": "16" });
    response.write("struck", () => response.destroy());
  };
  expect(await serve(broken)).toEqual(["REGISTRY_BACKEND_STORAGE_UNAVAILABLE", true]);
  expect(await serve((response) => send(response, 200, "struck in pewter!"))).toEqual([
    "REGISTRY_CONTENT_CORRUPT",
    true,
  ]);
  expect(await serve((response) => send(response, 404))).toEqual(["REGISTRY_CONTENT_CORRUPT", true]);
});

test("B17: a writer that meets a collection is told to begin again, and a second collection to wait", async () => {
  const digest: Digest = sha256("layer");
  const sign = JSON.stringify({ id: "x", at: Date.now(), digests: [digest], isDone: false });
  const old = "<LastModified>2020-01-01T00:00:00Z</LastModified>";
  const content = `<Contents><Key>content/sha256/${digest.slice(7)}</Key><Size>5</Size>${old}</Contents>`;
  const { options } = await scripted((request, response) => {
    const url = request.url ?? "";
    if (request.method === "PUT") send(response, 200);
    else if (url.includes("uploads=")) send(response, 200, "<ListMultipartUploadsResult></ListMultipartUploadsResult>");
    else if (url.includes("list-type")) send(response, 200, list(url.includes("content") ? content : ""));
    else if (url.endsWith("/collecting")) send(response, 200, sign);
    else send(response, 404);
  });
  const backend = await s3RegistryBackend(options);
  expect(await codeOf(backend.uploads.put("a", digest, 10, chunksOf("layer")))).toBe("REGISTRY_BACKEND_COLLECTED");
  const collect = backend.collect({ untagged: true, graceSeconds: 60, dryRun: false });
  expect(await codeOf(collect)).toBe("REGISTRY_BACKEND_COLLECTION_BUSY");
});
