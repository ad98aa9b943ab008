import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { codesOf, type RegistryScene, registryScene } from "./scene.fixture.ts";

const content = randomBytes(100_000);
const digest = sha256(content);
const uploads = "/v2/a/b/blobs/uploads/";
const blob = `/v2/a/b/blobs/${digest}`;

async function begun(scene: RegistryScene): Promise<string> {
  const reply = await scene.call("POST", uploads);
  expect(reply.status).toBe(202);
  return String(reply.headers.location);
}

test("D4: a blob comes with one POST, or with POST and PUT", async () => {
  const scene = await registryScene();
  const one = await scene.call("POST", `${uploads}?digest=${digest}`, {}, content);
  expect(one).toMatchObject({ status: 201, headers: { location: blob, "docker-content-digest": digest } });
  const location = await begun(scene);
  const other = sha256("other");
  const two = await scene.call("PUT", `${location}?digest=${other}`, {}, "other");
  expect(two).toMatchObject({ status: 201, headers: { location: `/v2/a/b/blobs/${other}` } });
  expect((await scene.call("GET", blob)).body.equals(content)).toBe(true);
});

test("D4: a blob comes in chunks, and its state can be asked for", async () => {
  const scene = await registryScene();
  const location = await begun(scene);
  const first = await scene.call("PATCH", location, { "Content-Range": "0-9999" }, content.subarray(0, 10_000));
  expect(first).toMatchObject({ status: 202, headers: { range: "0-9999", location } });
  const state = await scene.call("GET", location);
  expect(state).toMatchObject({ status: 204, headers: { range: "0-9999", location } });
  expect((await scene.call("PATCH", location, {}, content.subarray(10_000, 50_000))).headers.range).toBe("0-49999");
  const last = { "Content-Range": "50000-99999" };
  const end = await scene.call("PUT", `${location}?digest=${digest}`, last, content.subarray(50_000));
  expect(end).toMatchObject({ status: 201, headers: { location: blob } });
  expect(codesOf(await scene.call("GET", location))).toBe("404 BLOB_UPLOAD_UNKNOWN REGISTRY_UPLOAD_UNKNOWN");
});

test("D4: a chunk out of order is 416 and says where the upload stands", async () => {
  const scene = await registryScene();
  const location = await begun(scene);
  await scene.call("PATCH", location, {}, content.subarray(0, 100));
  for (const range of ["0-99", "101-200", "200-299"]) {
    const bytes = range === "101-200" || range === "200-299" || range === "0-99" ? 100 : 0;
    const reply = await scene.call("PATCH", location, { "Content-Range": range }, content.subarray(0, bytes));
    expect(codesOf(reply)).toBe("416 BLOB_UPLOAD_INVALID REGISTRY_RANGE_INVALID");
    expect(reply.headers).toMatchObject({ range: "0-99", location });
  }
});

test("D4: a Content-Range that is none, or has another length than the chunk, is refused", async () => {
  const scene = await registryScene();
  const location = await begun(scene);
  for (const range of ["", "a-b", "5", "-5", "5-", "9-0", "0-9999999999999999", "0-3", "0-99, 0-99"]) {
    const reply = await scene.call("PATCH", location, { "Content-Range": range }, content.subarray(0, 100));
    expect(codesOf(reply)).toBe("400 BLOB_UPLOAD_INVALID REGISTRY_CONTENT_RANGE_INVALID");
  }
  expect((await scene.call("GET", location)).headers.range).toBe("0-0");
});

test("D4: content of another digest is refused, and its upload is gone", async () => {
  const scene = await registryScene();
  const location = await begun(scene);
  const wrong = await scene.call("PUT", `${location}?digest=${digest}`, {}, "other");
  expect(codesOf(wrong)).toBe("400 DIGEST_INVALID REGISTRY_DIGEST_MISMATCH");
  expect((await scene.call("GET", location)).status).toBe(404);
  const at = `${uploads}?digest=${digest}`;
  expect(codesOf(await scene.call("POST", at, {}, "x"))).toBe("400 DIGEST_INVALID REGISTRY_DIGEST_MISMATCH");
});

test("D4: an upload is closed with one digest by sha256", async () => {
  const scene = await registryScene();
  const location = await begun(scene);
  const closed = async (query: string) => codesOf(await scene.call("PUT", `${location}${query}`, {}, content));
  expect(await closed("")).toBe("400 DIGEST_INVALID REGISTRY_DIGEST_REQUIRED");
  expect(await closed(`?digest=sha512:${"0".repeat(128)}`)).toBe("400 DIGEST_INVALID OCI_DIGEST_UNSUPPORTED");
  expect(await closed("?digest=abc")).toBe("400 DIGEST_INVALID OCI_DIGEST_MALFORMED");
  expect(await closed(`?digest=${digest}&digest=${digest}`)).toBe("400 UNSUPPORTED REGISTRY_QUERY_INVALID");
});

test("D4: what came before a connection broke is kept, and the upload goes on from there", async () => {
  const scene = await registryScene();
  const location = await begun(scene);
  const socket = connect(scene.port, "127.0.0.1");
  socket.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`);
  socket.write(content.subarray(0, 60_000));
  while ((await scene.backend.uploads.received("a/b", location.split("/").at(-1) ?? "")) !== 60_000) await pause(5);
  socket.destroy();
  let state = await scene.call("GET", location);
  while (state.status !== 204) state = await scene.call("GET", location);
  expect(state.headers.range).toBe("0-59999");
  let reply = await scene.call("PATCH", location, { "Content-Range": "60000-99999" }, content.subarray(60_000));
  while (reply.status === 409) {
    reply = await scene.call("PATCH", location, { "Content-Range": "60000-99999" }, content.subarray(60_000));
  }
  expect((await scene.call("PUT", `${location}?digest=${digest}`)).status).toBe(201);
});

test("D4: a cancelled upload is gone; one of another repository is not there", async () => {
  const scene = await registryScene();
  const location = await begun(scene);
  expect((await scene.call("PATCH", location.replace("a/b", "c"), {}, "x")).status).toBe(404);
  expect((await scene.call("DELETE", location)).status).toBe(204);
  const gone = "404 BLOB_UPLOAD_UNKNOWN REGISTRY_UPLOAD_UNKNOWN";
  expect(codesOf(await scene.call("DELETE", location))).toBe(gone);
  expect(codesOf(await scene.call("PATCH", location, {}, "x"))).toBe(gone);
});

test("D4: a blob is mounted from where it is, otherwise an upload begins", async () => {
  const scene = await registryScene();
  await scene.blob("from/here", content);
  const mount = (query: string) => scene.call("POST", `${uploads}?${query}`);
  expect((await mount(`mount=${digest}&from=nowhere`)).status).toBe(202);
  expect((await mount(`mount=${digest}&from=../x`)).status).toBe(202);
  expect((await mount(`mount=${digest}`)).status).toBe(202);
  expect(await mount(`mount=${digest}&from=from/here`)).toMatchObject({ status: 201, headers: { location: blob } });
  expect((await mount(`mount=${digest}`)).status).toBe(201);
  expect((await scene.call("GET", blob)).body.equals(content)).toBe(true);
});

test("D4: blobs and open uploads are bounded", async () => {
  const scene = await registryScene({ limits: { blobBytes: 1000, uploadsPerCaller: 2 } });
  const tooLarge = "413 SIZE_INVALID REGISTRY_TOO_LARGE";
  expect(codesOf(await scene.call("POST", `${uploads}?digest=${digest}`, {}, content))).toBe(tooLarge);
  const location = await begun(scene);
  const chunked = { "Transfer-Encoding": "chunked" };
  expect(codesOf(await scene.call("PATCH", location, chunked, content))).toBe(tooLarge);
  const second = await begun(scene);
  await begun(scene);
  expect(codesOf(await scene.call("POST", uploads))).toBe("429 TOOMANYREQUESTS REGISTRY_UPLOADS_TOO_MANY");
  expect((await scene.call("DELETE", second)).status).toBe(204);
  await begun(scene);
});
