import { sha256 } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import { expect, test } from "vitest";
import { codesOf, good, layer, serverScene } from "./server-scene.ts";

const names: readonly (readonly [string, string])[] = [
  ["OCI_NAME_EMPTY", "/a"],
  ["OCI_NAME_EMPTY", "a//b"],
  ["OCI_NAME_EMPTY", "a/"],
  ["OCI_NAME_TRAVERSAL", ".."],
  ["OCI_NAME_TRAVERSAL", "../../etc"],
  ["OCI_NAME_TRAVERSAL", "victim/./x"],
  ["OCI_NAME_UPPERCASE", "Victim"],
  ["OCI_NAME_CHARACTER", "victim%2f..%2fother"],
  ["OCI_NAME_CHARACTER", "victim%00"],
  ["OCI_NAME_CHARACTER", "a\\b"],
  ["OCI_NAME_CHARACTER", "a:b"],
  ["OCI_NAME_CHARACTER", "a@b"],
  ["OCI_NAME_CHARACTER", "caf%c3%a9"],
  ["OCI_NAME_SEPARATOR", "_a"],
  ["OCI_NAME_SEPARATOR", "a."],
  ["OCI_NAME_SEPARATOR", "a/-"],
  ["OCI_NAME_SEPARATOR", "a..b"],
  ["OCI_NAME_TOO_LONG", "a".repeat(256)],
];

test.each(names)("D14: %s is the answer at every endpoint for the repository %s", async (code, name) => {
  const { call } = await serverScene();
  for (const [method, rest] of [
    ["GET", "manifests/v1"],
    ["PUT", "manifests/v1"],
    ["DELETE", `blobs/${layer.digest}`],
    ["POST", "blobs/uploads/"],
    ["PATCH", "blobs/uploads/x"],
    ["GET", "tags/list"],
    ["GET", `referrers/${layer.digest}`],
  ] as const) {
    expect(codesOf(await call(method, `/v2/${name}/${rest}`))).toBe(`400 ${code}`);
  }
});

test("D14: nothing of a request gets into a header of the answer unescaped", async () => {
  const { call, put } = await serverScene();
  for (let i = 0; i < 3; i++) {
    await put(`t${i}`, { ...good(), subject: layer, artifactType: "a/b", annotations: { i: String(i) } });
  }
  const injected = encodeURIComponent('a/b>; rel="next", <http://evil.test/>\r\nSet-Cookie: x=y');
  const reply = await call("GET", `/v2/victim/referrers/${layer.digest}?n=1&artifactType=${injected}`);
  expect(codesOf(reply)).toBe("400 REGISTRY_QUERY_INVALID");
  const good1 = await call("GET", `/v2/victim/referrers/${layer.digest}?n=1&artifactType=a%2Fb&x=%3E%3B`);
  expect(good1.headers.link).toMatch(/^<\/v2\/victim\/referrers\/sha256:[0-9a-f]{64}\?[\w=&%]+>; rel="next"$/);
});

test("D14: a flood of referrers comes in bounded pages, and does not hide the good one from a filter", async () => {
  const { call, backend } = await serverScene();
  const subject = sha256("the image");
  const padding = "x".repeat(5000);
  for (let i = 0; i < 2500; i++) {
    const isGood = i === 1777;
    const bytes = Buffer.from(JSON.stringify({ i, padding: isGood ? "" : padding }));
    const artifactType = isGood ? mediaTypes.sigstoreBundle : `text/flood${i % 7}`;
    const digest = sha256(bytes);
    const shown = {
      mediaType: mediaTypes.manifest,
      digest,
      size: bytes.length,
      artifactType,
      annotations: { padding },
    };
    await backend.manifests.put("victim", {
      digest,
      mediaType: mediaTypes.manifest,
      bytes,
      references: [],
      subject,
      shown,
    });
  }
  let found = 0;
  let pages = 0;
  for (let path: string | undefined = `/v2/victim/referrers/${subject}`; path !== undefined; pages++) {
    const reply = await call("GET", path);
    expect(reply.body.length).toBeLessThan(4 * 1024 * 1024);
    found += (JSON.parse(reply.body.toString()) as { manifests: unknown[] }).manifests.length;
    path = /^<(.*)>/.exec(String(reply.headers.link ?? ""))?.[1];
  }
  expect([found, pages]).toEqual([2500, 5]);
  const type = encodeURIComponent(mediaTypes.sigstoreBundle);
  const one = await call("GET", `/v2/victim/referrers/${subject}?artifactType=${type}`);
  expect((JSON.parse(one.body.toString()) as { manifests: unknown[] }).manifests).toHaveLength(1);
  const huge = await call("GET", `/v2/victim/referrers/${subject}?n=999999999`);
  expect(huge.body.length).toBeLessThan(4 * 1024 * 1024);
});

test("D14: a fallback tag is a tag: it adds nothing to the referrers that the registry knows", async () => {
  const { call, put } = await serverScene();
  await put("v1", { ...good(), subject: layer });
  const forged = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [] };
  expect(await put(layer.digest.replace(":", "-"), forged, mediaTypes.index)).toBe("201");
  const reply = await call("GET", `/v2/victim/referrers/${layer.digest}`);
  expect((JSON.parse(reply.body.toString()) as { manifests: unknown[] }).manifests).toHaveLength(1);
});

test("D14: a request that hides a second one in its body is one request", async () => {
  const { raw, audit } = await serverScene();
  const before = audit.length;
  const hidden = "DELETE /v2/victim/manifests/v1 HTTP/1.1\r\nHost: x\r\n\r\n";
  const ambiguous = `POST /v2/victim/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: ${hidden.length}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${hidden}`;
  expect(await raw(ambiguous)).toContain("REGISTRY_REQUEST_MALFORMED");
  // The parser may see the end of the first request, and never a second.
  expect(audit.slice(before).filter(({ method }) => method === "DELETE")).toEqual([]);
});

test("D14: a target in another form than a path is none of ours", async () => {
  const { raw } = await serverScene();
  for (const target of ["http://elsewhere.test/v2/", "*", "//v2/", "/v2/?x", "/v2/%5f_catalog", "/v2/_catalog/"]) {
    const method = target === "*" ? "OPTIONS" : "GET";
    const answer = await raw(`${method} ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(target === "/v2/?x" ? /^HTTP\/1\.1 200/ : /REGISTRY_PATH_UNKNOWN/);
  }
});

test("D14: many ranges at once do not multiply what is sent", async () => {
  const { call } = await serverScene();
  const ranges = `bytes=${Array(1000).fill("0-4").join(",")}`;
  const reply = await call("GET", `/v2/victim/blobs/${layer.digest}`, undefined, { Range: ranges });
  expect([reply.status, reply.body.length]).toEqual([200, 5]);
});
