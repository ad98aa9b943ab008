import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { fixedClock, sha256 } from "@touchmark/core";
import { expect, test } from "vitest";
import { codesOf, type ServerScene, serverScene } from "./server-scene.ts";

const content = randomBytes(50_000);
const digest = sha256(content);
const uploads = "/v2/victim/blobs/uploads/";

async function begun(scene: ServerScene): Promise<string> {
  return String((await scene.call("POST", uploads)).headers.location);
}

test.each([
  ["400 REGISTRY_CONTENT_RANGE_INVALID", "-1-5"],
  ["400 REGISTRY_CONTENT_RANGE_INVALID", "0x0-0x10"],
  ["400 REGISTRY_CONTENT_RANGE_INVALID", "0-18446744073709551615"],
  ["400 REGISTRY_CONTENT_RANGE_INVALID", "0-49998"],
  ["400 REGISTRY_CONTENT_RANGE_INVALID", "49999-0"],
  ["400 REGISTRY_CONTENT_RANGE_INVALID", "bytes */50000"],
  ["400 REGISTRY_CONTENT_RANGE_INVALID", "0 - 49999"],
  ["416 REGISTRY_RANGE_INVALID", "1-50000"],
  ["416 REGISTRY_RANGE_INVALID", "999999999950000-999999999999999"],
])("D14: the hostile Content-Range is %s (%s), and the upload stands where it stood", async (code, range) => {
  const scene = await serverScene();
  const location = await begun(scene);
  expect(codesOf(await scene.call("PATCH", location, content, { "Content-Range": range }))).toBe(code);
  expect((await scene.call("GET", location)).headers.range).toBe("0-0");
  expect((await scene.call("PUT", `${location}?digest=${digest}`, content)).status).toBe(201);
});

test("D14: of two who write to one upload one is told that it is busy, and the content is whole", async () => {
  const scene = await serverScene();
  const location = await begun(scene);
  const id = location.split("/").at(-1) ?? "";
  const slow = connect(scene.port, "127.0.0.1");
  slow.write(`PATCH ${location} HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n`);
  slow.write(content.subarray(0, 20_000));
  while ((await scene.backend.uploads.received("victim", id)) !== 20_000) await pause(5);
  for (const attempt of [
    scene.call("PATCH", location, content),
    scene.call("PUT", `${location}?digest=${digest}`),
    scene.call("PUT", `${location}?digest=${digest}`, content),
    scene.call("DELETE", location),
  ]) {
    expect(codesOf(await attempt)).toBe("409 REGISTRY_UPLOAD_BUSY");
  }
  slow.write(content.subarray(20_000));
  while ((await scene.backend.uploads.received("victim", id)) !== 50_000) await pause(5);
  let end = await scene.call("PUT", `${location}?digest=${digest}`);
  while (end.status === 409) end = await scene.call("PUT", `${location}?digest=${digest}`);
  expect(end.status).toBe(201);
  slow.destroy();
  expect((await scene.call("GET", `/v2/victim/blobs/${digest}`)).body.equals(content)).toBe(true);
});

test("D14: of many who close one upload one succeeds, and nobody else's content gets in", async () => {
  const scene = await serverScene();
  const location = await begun(scene);
  await scene.call("PATCH", location, content);
  const closing = Array.from({ length: 8 }, () => scene.call("PUT", `${location}?digest=${digest}`));
  const codes = (await Promise.all(closing)).map(codesOf);
  expect(codes.filter((code) => code === "201")).toHaveLength(1);
  const others = codes.filter((code) => code !== "201");
  expect(others.every((code) => /^(?:404 REGISTRY_UPLOAD_UNKNOWN|409 REGISTRY_UPLOAD_BUSY)$/.test(code))).toBe(true);
});

test("D14: one blob pushed by many at once is there once, and whole", async () => {
  const scene = await serverScene();
  const pushes = Array.from({ length: 10 }, () => scene.call("POST", `${uploads}?digest=${digest}`, content));
  expect((await Promise.all(pushes)).map(codesOf)).toEqual(Array(10).fill("201"));
  expect((await scene.call("GET", `/v2/victim/blobs/${digest}`)).body.equals(content)).toBe(true);
});

test.each(["..%2f..%2fvictim", "%00", "x".repeat(5000), "..", "%2e%2e", "$(id)", "00000000000000000000000000000000"])(
  "D14: the guessed upload %s is not there",
  async (id) => {
    const scene = await serverScene();
    const location = await begun(scene);
    for (const method of ["GET", "PATCH", "DELETE"]) {
      expect(codesOf(await scene.call(method, `${uploads}${id}`))).toBe("404 REGISTRY_UPLOAD_UNKNOWN");
    }
    expect(codesOf(await scene.call("PATCH", location.replace("victim", "attacker"), "x"))).toBe(
      "404 REGISTRY_UPLOAD_UNKNOWN",
    );
  },
);

test("D14: abandoned uploads do not add up without bound, and are forgotten in time", async () => {
  const clock = fixedClock("2026-11-21T12:00:00Z");
  const scene = await serverScene({ clock, limits: { uploadsPerCaller: 5 } });
  for (let i = 0; i < 5; i++) expect((await scene.call("POST", uploads)).status).toBe(202);
  const refused = await scene.call("POST", uploads);
  expect(codesOf(refused)).toBe("429 REGISTRY_UPLOADS_TOO_MANY");
  expect(refused.headers["retry-after"]).toBe("1");
  clock.set("2026-11-21T13:00:01Z");
  expect((await scene.call("POST", uploads)).status).toBe(202);
});

test("D14: an upload that is longer than a blob may be is refused while it comes, whatever it announced", async () => {
  const scene = await serverScene({ limits: { blobBytes: 10_000 } });
  const location = await begun(scene);
  const chunked = { "Transfer-Encoding": "chunked" };
  expect(codesOf(await scene.call("PATCH", location, content, chunked))).toBe("413 REGISTRY_TOO_LARGE");
  expect(codesOf(await scene.call("POST", `${uploads}?digest=${digest}`, content, chunked))).toBe(
    "413 REGISTRY_TOO_LARGE",
  );
  expect((await scene.call("HEAD", `/v2/victim/blobs/${digest}`)).status).toBe(404);
});

test("D14: content that is not what it was announced as is nowhere", async () => {
  const scene = await serverScene();
  const evil = Buffer.from("evil");
  expect(codesOf(await scene.call("POST", `${uploads}?digest=${digest}`, evil))).toBe("400 REGISTRY_DIGEST_MISMATCH");
  const location = await begun(scene);
  await scene.call("PATCH", location, evil);
  expect(codesOf(await scene.call("PUT", `${location}?digest=${digest}`))).toBe("400 REGISTRY_DIGEST_MISMATCH");
  for (const each of [digest, sha256(evil)]) {
    expect((await scene.call("HEAD", `/v2/victim/blobs/${each}`)).status).toBe(404);
  }
});
