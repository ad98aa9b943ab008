import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { findProgram } from "@touchmark/test-kit";
import { afterEach, expect, test, vi } from "vitest";
import type { AdmissionGate } from "../gate/types.ts";
import { imagePlaces } from "../review/places.ts";
import { byDigest, byTag, podOf, reviewBytesOf, workload } from "../review/review.fixture.ts";
import { maxReviewBytes } from "../review/review.ts";
import { scriptedGate, verdictAbout } from "../webhook/gate.fixture.ts";
import { testAuthority } from "./authority.fixture.ts";
import { followCertificateFiles, readCertificateFiles } from "./certificate-files.ts";
import { send } from "./client.fixture.ts";
import { answerWithin, readDuration } from "./deadline.ts";
import { admitComponents } from "./readiness.ts";
import { type AdmissionServerSettings, admissionServer } from "./serve.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

const base: AdmissionServerSettings = {
  gate: scriptedGate(),
  placesOf: imagePlaces([]),
  listen: { host: "127.0.0.1", port: 0 },
};
async function serve(more: Partial<AdmissionServerSettings> = {}) {
  const server = await admissionServer({ ...base, ...more });
  undo.push(() => server.close());
  return server;
}
const pod = (image: string) => reviewBytesOf("Pod", workload("Pod", podOf(image)));
const provider = (...keys: unknown[]) =>
  JSON.stringify({ apiVersion: "externaldata.gatekeeper.sh/v1beta1", kind: "ProviderRequest", request: { keys } });
const codeOf = ({ json }: { json: unknown }) => (json as { code?: string }).code;

test("W9: reviews are answered under their uid: allowed, denied, changed", async () => {
  const { url } = await serve();
  const allowed = await send(`${url}/validate?timeout=10s`, { body: pod(byDigest("a")) });
  expect([allowed.status, allowed.json]).toMatchObject([
    200,
    { apiVersion: "admission.k8s.io/v1", response: { uid: "705ab4f5-6393-11e8-b7cc-42010a800002", allowed: true } },
  ]);
  const denied = await send(`${url}/validate`, { body: pod(byDigest("bad")) });
  expect(denied.json).toMatchObject({ response: { allowed: false, status: { code: 403, reason: "Forbidden" } } });
  const changed = await send(`${url}/mutate`, { body: pod(byTag("a")) });
  const { patchType, patch } = (changed.json as { response: { patchType: string; patch: string } }).response;
  expect([patchType, JSON.parse(Buffer.from(patch, "base64").toString())]).toMatchObject([
    "JSONPatch",
    [{ op: "replace", path: "/spec/containers/0/image" }, {}, {}],
  ]);
  const unknown = await send(`${url}/validate`, { body: reviewBytesOf("Rocket", {}) });
  expect((unknown.json as { response: { status: { message: string } } }).response.status.message).toMatch(
    /^ADMISSION_KIND_UNKNOWN: /,
  );
});

test("W10: the verdict API gives every verdict whole, strictly asked", async () => {
  const gate = scriptedGate();
  const { url } = await serve({ gate });
  const body = JSON.stringify({ references: [byDigest("a"), byTag("bad")], namespace: "shop", dryRun: true });
  const reply = await send(`${url}/v1/verdict`, { body });
  expect([reply.status, reply.json]).toMatchObject([
    200,
    { result: "deny", verdicts: [{ result: "allow", decisions: [{ touchmark: "decision/v1" }] }, { result: "deny" }] },
  ]);
  expect(gate.asked[0]?.context).toMatchObject({ namespace: "shop", dryRun: true, facts: { user: "anonymous" } });
  const wrong = ["{", "[]", "{}", '{"references":[]}', '{"references":[1]}', '{"references":["a"],"x":1}'];
  for (const text of [...wrong, '{"references":["a"],"dryRun":1}', '{"references":["a"],"namespace":""}']) {
    const refused = await send(`${url}/v1/verdict`, { body: text });
    expect([text, refused.status, codeOf(refused)]).toEqual([text, 400, "ADMISSION_QUESTION_MALFORMED"]);
  }
});

test("W11: the external-data provider answers each key by itself, idempotently, with references by digest", async () => {
  const gate = scriptedGate();
  const { url } = await serve({ gate });
  const keys = [byTag("a"), byDigest("bad"), `shop|${byDigest("b")}`];
  const { status, json } = await send(`${url}/provider`, { body: provider(...keys) });
  const { response, ...rest } = json as { response: { items: { value?: string; error?: string }[] } };
  expect([status, rest]).toEqual([200, { apiVersion: "externaldata.gatekeeper.sh/v1beta1", kind: "ProviderResponse" }]);
  expect(response).toMatchObject({
    idempotent: true,
    items: [
      { key: keys[0], value: expect.stringMatching(/^registry\.example\/team\/a@sha256:/) },
      { key: keys[1], error: expect.stringMatching(/POLICY_RULE_FAILED/) },
      { key: keys[2], value: byDigest("b") },
    ],
  });
  expect(gate.asked.map(({ context }) => context.namespace)).toEqual([undefined, "shop"]);
  for (const body of ["{}", provider(1), provider(...Array.from({ length: 600 }, () => "a")), "nothing"]) {
    const refused = await send(`${url}/provider`, { body });
    expect([refused.status, refused.json]).toMatchObject([
      400,
      { response: { systemError: expect.stringContaining("ADMISSION_PROVIDER_MALFORMED") } },
    ]);
  }
});

test("W12: what is no question is refused by its code, and the service goes on", async () => {
  const { url, address } = await serve();
  const body = pod(byDigest("a"));
  const type = (text: string) => ({ body, headers: { "content-type": text } });
  const rows = [
    [await send(`${url}/validate`, type("text/plain")), 415, "ADMISSION_CONTENT_TYPE"],
    [await send(`${url}/validate`, type("application/json; charset=utf-16")), 415, "ADMISSION_CONTENT_TYPE"],
    [
      await send(`${url}/validate`, { body, headers: { "content-encoding": "gzip" } }),
      ...([415, "ADMISSION_CONTENT_TYPE"] as const),
    ],
    [await send(`${url}/validate`, { body: "{}" }), 400, "ADMISSION_REVIEW_MALFORMED"],
    [await send(`${url}/validate?timeout=soon`, { body }), 400, "ADMISSION_TIMEOUT_INVALID"],
    [await send(`${url}/validate`), 405, "ADMISSION_METHOD_UNSUPPORTED"],
    [await send(`${url}/healthz`, { body: "x" }), 405, "ADMISSION_METHOD_UNSUPPORTED"],
    [await send(`${url}/constructor`), 404, "ADMISSION_PATH_UNKNOWN"],
    [await send(`${url}/validate`, { body: Buffer.alloc(maxReviewBytes + 1, 0x20) }), 413, "ADMISSION_TOO_LARGE"],
  ] as const;
  for (const [reply, status, code] of rows) expect([reply.status, codeOf(reply)]).toEqual([status, code]);
  const chunked = { body: Buffer.alloc(maxReviewBytes + 1, 0x20), headers: { "transfer-encoding": "chunked" } };
  expect(codeOf(await send(`${url}/validate`, chunked))).toBe("ADMISSION_TOO_LARGE");
  expect(
    await raw(address, "POST /validate HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
  ).toContain("ADMISSION_REQUEST_MALFORMED");
  expect((await send(`${url}/validate`, { body })).status).toBe(200);
});

/** Sends bytes, and gives what comes back until the other side ends. */
function raw(address: string, bytes: string): Promise<string> {
  const [host = "", port = ""] = address.split(":");
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(Number(port), host, () => socket.write(bytes));
    socket.on("data", (chunk) => (text += chunk.toString())).on("error", () => resolve(text));
    socket.on("close", () => resolve(text));
  });
}

test("W12: a body that stands still is refused in the caller's time", async () => {
  const { address } = await serve();
  const header = "Content-Type: application/json\r\nContent-Length: 100";
  const text = await raw(address, `POST /validate?timeout=400ms HTTP/1.1\r\nHost: x\r\n${header}\r\n\r\n{`);
  expect([text.slice(0, 12), text]).toEqual(["HTTP/1.1 408", expect.stringContaining("ADMISSION_BODY_SLOW")]);
});

test("W12: a caller that leaves in the middle of its question, or before the answer, is counted and hurts nobody", async () => {
  let asked = (): void => undefined;
  const begun = new Promise<void>((resolve) => (asked = resolve));
  const admit: AdmissionGate["admit"] = (references, { signal }) =>
    new Promise((resolve) => {
      asked();
      signal?.addEventListener("abort", () => resolve(references.map(verdictAbout)));
    });
  const { url, address } = await serve({ gate: { admit } });
  const [host = "", port = ""] = address.split(":");
  const body = pod(byDigest("a"));
  const head = `POST /validate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  const half = connect(Number(port), host, () =>
    half.end(head + body.subarray(0, 50).toString(), () => half.destroy()),
  );
  const whole = connect(Number(port), host, () => whole.write(head + body.toString()));
  await begun;
  whole.destroy();
  await vi.waitFor(async () => {
    const { text } = await send(`${url}/metrics`);
    expect(text).toContain('requests_total{endpoint="validate",outcome="cancelled"} 1');
    expect(text).toContain('denials_total{code="ADMISSION_BODY_BROKEN"} 1');
    expect(text).toContain("touchmark_admission_requests_under_way 0");
  });
});

test("W13: questions beyond the limit are refused at once; those under way are answered", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const gate = scriptedGate(async (references) => {
    await held;
    return references.map(verdictAbout);
  });
  const { url } = await serve({ gate, limits: { questions: 2 } });
  const first = [1, 2].map(() => send(`${url}/validate`, { body: pod(byDigest("a")) }));
  await vi.waitFor(() => expect(gate.asked).toHaveLength(2));
  const third = await send(`${url}/validate`, { body: pod(byDigest("a")) });
  expect([third.status, codeOf(third)]).toEqual([503, "ADMISSION_BUSY"]);
  release();
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
});

test("W14: the answer leaves before the caller's patience ends", () => {
  for (const [stated, least] of [
    ["10s", 9000],
    ["1s", 800],
    ["30s", 27_000],
    [null, 9000],
    ["1m", 27_000],
  ] as const) {
    expect([stated, answerWithin(stated)]).toEqual([stated, least]);
  }
  expect([readDuration("1m30s"), readDuration("1.5s"), readDuration("250ms")]).toEqual([90_000, 1500, 250]);
  for (const text of ["", "10", "s", "10s ", "-1s", "1s1", "1e3s"]) {
    expect(() => readDuration(text)).toThrow(expect.objectContaining({ code: "ADMISSION_TIMEOUT_INVALID" }));
  }
});

test("W14: a gate that is too slow is a denial within the time that the API server states", async () => {
  const { url } = await serve({ gate: { admit: () => new Promise(() => undefined) } });
  const { status, json } = await send(`${url}/validate?timeout=300ms`, { body: pod(byDigest("a")) });
  expect([status, json]).toMatchObject([
    200,
    { response: { allowed: false, auditAnnotations: { codes: "ADMISSION_TIMEOUT" } } },
  ]);
});

test("W15: health, readiness and figures are told to everybody", async () => {
  const { url } = await serve();
  await send(`${url}/validate`, { body: pod(byDigest("bad")) });
  expect((await send(`${url}/healthz`)).text).toBe("ok\n");
  expect((await send(`${url}/readyz`)).text).toBe("ready\n");
  const { text } = await send(`${url}/metrics`);
  expect(text).toContain('touchmark_admission_requests_total{endpoint="validate",outcome="deny"} 1\n');
  expect(text).toContain('touchmark_admission_denials_total{code="POLICY_RULE_FAILED"} 1\n');
  expect(text).toMatch(/touchmark_admission_duration_seconds_bucket\{endpoint="validate",le="\+Inf"\} 1\n/);
  expect(text).toMatch(/^process_resident_memory_bytes [0-9]+$/m);
  for (const line of text.trim().split("\n")) expect(line).toMatch(/^(# TYPE \S+ \S+|[a-z_]+(\{[^}]*\})? [0-9.e+-]+)$/);
});

test("W16: nobody is admitted before the service's own and the factory's components are", async () => {
  let isThere = false;
  const gate = scriptedGate(async (references) =>
    references
      .map((one) => verdictAbout(isThere ? one : one.replace("touchmark", "bad")))
      .map((verdict, i) => ({
        ...verdict,
        reference: references[i] ?? "",
      })),
  );
  const problems: string[] = [];
  const own = byTag("touchmark");
  const self = admitComponents({ gate, components: [own], againMs: 5, onProblem: (text) => problems.push(text) });
  undo.push(() => self.close());
  const { url } = await serve({ gate: scriptedGate(), readiness: self.state });
  await vi.waitFor(() => expect(problems).toHaveLength(1));
  const notReady = await send(`${url}/readyz`);
  expect([notReady.status, notReady.text]).toEqual([503, expect.stringContaining(own)]);
  const denied = await send(`${url}/validate`, { body: pod(byDigest("a")) });
  expect(denied.json).toMatchObject({
    response: { allowed: false, auditAnnotations: { codes: "ADMISSION_NOT_READY" } },
  });
  const asked = await send(`${url}/v1/verdict`, { body: JSON.stringify({ references: [byDigest("a")] }) });
  expect([asked.status, codeOf(asked)]).toEqual([503, "ADMISSION_NOT_READY"]);
  expect((await send(`${url}/provider`, { body: provider("a") })).status).toBe(503);
  isThere = true;
  await self.settled;
  expect((await send(`${url}/readyz`)).status).toBe(200);
  expect((await send(`${url}/validate`, { body: pod(byDigest("a")) })).json).toMatchObject({
    response: { allowed: true },
  });
});

test("W17: a server that ends takes no more questions and answers those under way", async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const gate = scriptedGate(async (references) => {
    await held;
    return references.map(verdictAbout);
  });
  const server = await admissionServer({ ...base, gate });
  const under = send(`${server.url}/validate`, { body: pod(byDigest("a")) });
  await vi.waitFor(() => expect(gate.asked).toHaveLength(1));
  const closed = server.close();
  await expect(send(`${server.url}/healthz`)).rejects.toThrow();
  release();
  expect((await under).status).toBe(200);
  await closed;
});

test("W17: an address that is taken is refused", async () => {
  const { address } = await serve();
  const port = Number(address.split(":")[1]);
  await expect(serve({ listen: { host: "127.0.0.1", port } })).rejects.toMatchObject({
    code: "ADMISSION_LISTEN_FAILED",
  });
});

const openssl = findProgram("openssl");
function certificates() {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-admission-"));
  undo.push(() => rmSync(directory, { recursive: true, force: true }));
  return testAuthority(openssl ?? "", directory);
}

test.skipIf(openssl === undefined)(
  "W18: TLS 1.2 and 1.3 alone; another certificate is shown from one connection to the next",
  async () => {
    const authority = certificates();
    const [first, second] = [authority.issue("first"), authority.issue("second")];
    const server = await serve({ tls: first });
    const port = Number(server.address.split(":")[1]);
    const shown = (version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3"): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = { port, host: "127.0.0.1", ca: authority.authority, minVersion: version, maxVersion: version };
        const socket = connectTls({ ...options, ciphers: "DEFAULT@SECLEVEL=0" }, () => {
          resolve(`${socket.getProtocol()} ${String(socket.getPeerCertificate().subject.CN)}`);
          socket.destroy();
        });
        socket.on("error", reject);
      });
    expect([await shown("TLSv1.2"), await shown("TLSv1.3")]).toEqual(["TLSv1.2 first", "TLSv1.3 first"]);
    await expect(shown("TLSv1.1")).rejects.toThrow();
    expect(() => server.renew({ certificate: second.certificate, key: first.key })).toThrow(
      expect.objectContaining({ code: "ADMISSION_LISTEN_FAILED" }),
    );
    expect(await shown("TLSv1.3")).toBe("TLSv1.3 first");
    server.renew(second);
    expect(await shown("TLSv1.3")).toBe("TLSv1.3 second");
    const metrics = await send(`${server.url}/metrics`, { ca: authority.authority });
    expect(metrics.text).toMatch(/^touchmark_admission_certificate_expiry_seconds [0-9]{10}$/m);
  },
);

test.skipIf(openssl === undefined)(
  "W18: files that change are followed; half a change, or a key for everybody, changes nothing",
  async () => {
    const { directory, issue } = certificates();
    const [first, second] = [issue("first"), issue("second")];
    const files = { certificate: join(directory, "tls.crt"), key: join(directory, "tls.key") };
    const write = ({ certificate, key }: typeof first) => {
      writeFileSync(files.certificate, certificate);
      writeFileSync(files.key, key, { mode: 0o600 });
    };
    write(first);
    const renewed: unknown[] = [];
    const problems: string[] = [];
    undo.push(
      followCertificateFiles(files, readCertificateFiles(files), {
        everyMs: 5,
        renew: (pair) => renewed.push(pair),
        onProblem: (message) => problems.push(message),
      }),
    );
    chmodSync(files.key, 0o644);
    await vi.waitFor(() => expect(problems).toEqual([expect.stringContaining("mode 644")]));
    expect(renewed).toEqual([]);
    chmodSync(files.key, 0o600);
    write(second);
    await vi.waitFor(() => expect(renewed.at(-1)).toEqual(second));
    expect(() => readCertificateFiles({ ...files, key: join(directory, "none") })).toThrow(
      expect.objectContaining({ code: "ADMISSION_CERTIFICATE_UNREADABLE" }),
    );
  },
);

test.skipIf(openssl === undefined)(
  "W19: where callers are known by certificate nobody else asks; probes need none",
  async () => {
    const authority = certificates();
    const gate = scriptedGate();
    const { url } = await serve({ tls: authority.issue("server"), callers: authority.authority, gate });
    const ca = authority.authority;
    const body = JSON.stringify({ references: [byDigest("a")] });
    const refused = await send(`${url}/v1/verdict`, { ca, body });
    expect([refused.status, codeOf(refused)]).toEqual([403, "ADMISSION_CALLER_UNKNOWN"]);
    const stranger = certificates().issue("stranger");
    const strange = await send(`${url}/v1/verdict`, { ca, body, cert: stranger.certificate, key: stranger.key });
    expect(codeOf(strange)).toBe("ADMISSION_CALLER_UNKNOWN");
    const known = authority.issue("client", "deployer");
    expect((await send(`${url}/v1/verdict`, { ca, body, cert: known.certificate, key: known.key })).status).toBe(200);
    expect(gate.asked).toMatchObject([
      { context: { facts: { user: "deployer", caller: { name: "deployer", authentication: "certificate" } } } },
    ]);
    expect((await send(`${url}/healthz`, { ca })).status).toBe(200);
  },
);
