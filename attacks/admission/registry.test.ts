import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { admissionGate, evidenceCache, type Tenant, tenantTable } from "@touchmark/admission";
import { admissionServer } from "@touchmark/admission/server";
import { type Digest, sha256, systemClock } from "@touchmark/core";
import { mediaTypes } from "@touchmark/formats/oci";
import { type Factory, openFactory } from "@touchmark/pipeline";
import { admissionEvidence, decideDeploy } from "@touchmark/pipeline/admission";
import { policiesInForce } from "@touchmark/pipeline/policy";
import { clientErrors, openRegistryClient } from "@touchmark/registry";
import { afterAll, beforeAll, expect, test } from "vitest";

/*
 * Registries that are gone, stand still, or hide one referrer among many; asked by the whole service: server, gate,
 * cache and client.
 *
 * Shown elsewhere: a gate that never answers (W14), lookups that end in time (C6), what counts beside an unreachable
 * source (C5), referrers of strangers (AD1).
 */

const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-attack-registry-")));
const digest = sha256("app");
let factory: Factory;
let still: Server;
let gone = "";
beforeAll(async () => {
  factory = await openFactory({ home: join(directory, "home"), create: true });
  // Takes every connection, and never says a word.
  still = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((done) => still.listen(0, "127.0.0.1", done));
  const closed = createServer();
  await new Promise<void>((done) => closed.listen(0, "127.0.0.1", done));
  gone = `127.0.0.1:${(closed.address() as { port: number }).port}`;
  await new Promise((done) => closed.close(done));
});
afterAll(async () => {
  still.close();
  await factory.close();
  rmSync(directory, { recursive: true, force: true });
});

/** The service as it is wired for a factory, whose policy lets everything pass of which evidence could be sought. */
async function service() {
  const client = openRegistryClient({ environment: {}, patience: { attempts: 1, pauseMs: 1 } });
  const source = admissionEvidence({ factory, places: { client, own: () => Promise.reject(new Error("not asked")) } });
  const rules = [{ id: "any", title: "Anything", expression: "subject.name != ''" }];
  const document = {
    touchmark: "policy/v1",
    name: "any",
    version: 1,
    expires: "2099-01-01T00:00:00Z",
    point: "deploy",
  };
  const bytes = Buffer.from(JSON.stringify({ ...document, rules }));
  const policies = await policiesInForce(factory, { files: [{ name: "any.json", bytes }] });
  const own: Tenant = {
    name: "own",
    evidence: evidenceCache({ source, clock: systemClock, trustRoot: source.trustRoot }),
    decide: (question) => decideDeploy(factory, policies, question),
    ...{ breakGlass: () => undefined, problems: () => [] },
  };
  const gate = admissionGate({ tenants: () => tenantTable(own, []), clock: systemClock, explain: () => "" });
  const listen = { host: "127.0.0.1", port: 0 };
  const server = await admissionServer({ gate, placesOf: () => undefined, listen, closeSeconds: 0 });
  return {
    ask: async (references: readonly string[], timeout: string) => {
      const body = JSON.stringify({ references });
      const headers = { "content-type": "application/json" };
      const reply = await fetch(`${server.url}/v1/verdict?timeout=${timeout}`, { method: "POST", body, headers });
      return (await reply.json()) as {
        result: string;
        verdicts: readonly { result: string; failure?: { code: string } }[];
      };
    },
    async close() {
      await server.close();
      client.close();
    },
  };
}

/** As webhooks are asked whose failure policy is to ignore: who does not hear in time lets it pass. */
async function ignoring(answer: Promise<{ result: string }>, ms: number): Promise<string> {
  const late = new Promise<string>((resolve) => setTimeout(() => resolve("allow"), ms).unref());
  return Promise.race([answer.then(({ result }) => result), late]);
}

test("a registry that stands still: the denial leaves before the caller gives up (notaryproject/ratify#116)", async () => {
  const { ask, close } = await service();
  const { port } = still.address() as { port: number };
  const reference = `127.0.0.1:${port}/team/app@${digest}`;
  // A verifier with more patience than its caller is passed by.
  const patient = new Promise<{ result: string }>(() => {});
  expect(await ignoring(patient, 1)).toBe("allow");
  const answer = await ask([reference, `127.0.0.1:${port}/team/app:1`], "600ms");
  expect([answer.result, ...answer.verdicts.map(({ failure }) => failure?.code)]).toEqual([
    "deny",
    expect.stringMatching(/^(timeout|ADMISSION_TIMEOUT)$/),
    expect.stringMatching(/^(timeout|ADMISSION_TIMEOUT)$/),
  ]);
  await close();
});

test("a registry that is gone: no evidence is not the same as no answer", async () => {
  const { ask, close } = await service();
  const found = async () => Promise.reject<readonly string[]>(new Error("connect ECONNREFUSED"));
  const hurried = await found().catch(() => [] as readonly string[]);
  expect(hurried.every((finding) => finding !== "critical")).toBe(true);
  const answer = await ask([`${gone}/team/app@${digest}`, `${gone}/team/app:1`, digest], "20s");
  expect(answer.verdicts.map(({ result, failure }) => failure?.code ?? result)).toEqual([
    "OCI_CLIENT_UNREACHABLE",
    "OCI_CLIENT_UNREACHABLE",
    "allow",
  ]);
  await close();
});

/** A repository with this many referrers, none of which can be had. */
function crowded(count: number, manifest: () => Promise<never> = () => Promise.reject(new Error("none"))) {
  const client = openRegistryClient({ environment: {} });
  const reader = {
    ...client.repository({ registry: "registry.example", repository: "x" }),
    referrers: async function* () {
      for (let i = 0; i < count; i++) yield { mediaType: mediaTypes.manifest, digest: sha256(`${i}`), size: 10 };
    },
    manifest,
  };
  const places = { client: { repository: () => reader }, own: () => Promise.reject(new Error("not asked")) };
  const evidence = admissionEvidence({ factory, places, search: { maxReferrers: 20 } });
  const gather = (about: Digest) =>
    evidence.gather(about, `registry.example/x@${about}`, new AbortController().signal).finally(() => client.close());
  return gather(digest);
}

test("referrers so many that a withdrawal is behind the last one that is looked at", async () => {
  // Who takes the first of a list has found nothing that speaks against it.
  const listed = [...Array.from({ length: 20 }, () => "approved"), "withdrawn"];
  expect(listed.slice(0, 20).includes("withdrawn")).toBe(false);
  expect((await crowded(20)).refused.size).toBe(20);
  await expect(crowded(21)).rejects.toThrow(
    expect.objectContaining({ code: "EVIDENCE_CACHE_INCOMPLETE", nature: "unavailable" }),
  );
});

test("a registry that shows a list and keeps back one of it", async () => {
  const failing = () => Promise.reject(clientErrors.make("OCI_CLIENT_SERVER_FAILED", "500"));
  await expect(crowded(1, failing)).rejects.toThrow(expect.objectContaining({ code: "EVIDENCE_CACHE_INCOMPLETE" }));
});
