import { once } from "node:events";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ended, type Said, say, start } from "@touchmark/cli/fixture";
import { type Digest, fixedClock } from "@touchmark/core";
import { descriptorOf, emptyContent, mediaTypes, serializeManifest } from "@touchmark/formats/oci";
import { attestArtifact, type Factory, openFactory } from "@touchmark/pipeline";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  type RunningRegistry,
  startRegistry,
} from "@touchmark/registry";
import { afterAll, beforeAll, expect, test } from "vitest";

const CHECKED = "https://example.com/checked/v1";
const directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-requirement-")));
const home = join(directory, "home");
const client = openRegistryClient({ environment: {} });
const backend = memoryRegistryBackend();
const policy = join(directory, "policy.json");
let factory: Factory;
let registry: RunningRegistry | undefined;
let former: string | undefined;

beforeAll(async () => {
  factory = await openFactory({ home, create: true });
  former = process.env["TOUCHMARK_HOME"];
  process.env["TOUCHMARK_HOME"] = home;
  const document = {
    ...{ touchmark: "policy/v1", name: "checked", version: 1, expires: "2099-01-01T00:00:00Z", point: "deploy" },
    trust: { us: { identities: [{ identity: `spiffe://${factory.names().trustDomain}/attest` }] } },
    attestations: { checks: { predicateType: CHECKED, by: ["us"] } },
    rules: [{ id: "checks-passed", title: "Checks passed", expression: "attestations.checks.all(c, c.predicate.ok)" }],
  };
  writeFileSync(policy, JSON.stringify(document));
});
afterAll(async () => {
  client.close();
  await registry?.close();
  await factory.close();
  if (former === undefined) delete process.env["TOUCHMARK_HOME"];
  else process.env["TOUCHMARK_HOME"] = former;
  rmSync(directory, { recursive: true, force: true });
});

const serveRegistry = (port = 0): Promise<RunningRegistry> =>
  startRegistry({ backend, authority: openAuthority(), closeSeconds: 0, listen: { host: "127.0.0.1", port } });

/** Publishes an image, with a statement beside it where there is something to say. */
async function image(address: string, name: string, ok?: boolean): Promise<{ reference: string; digest: Digest }> {
  const to = client.repository({ registry: address, repository: name });
  const layer = descriptorOf(Buffer.from(name), "application/vnd.oci.image.layer.v1.tar");
  const config = descriptorOf(emptyContent, "application/vnd.oci.image.config.v1+json");
  const blobs = [
    [layer, Buffer.from(name)],
    [config, emptyContent],
  ] as const;
  for (const [descriptor, bytes] of blobs) {
    await to.putBlob(descriptor, async function* () {
      yield bytes;
    });
  }
  const { manifest: mediaType } = mediaTypes;
  const manifest = { kind: "manifest", mediaType, config, layers: [layer] } as const;
  const subject = await to.putManifest(serializeManifest(manifest), mediaType, "1");
  if (ok !== undefined) {
    const statement = { artifact: { digest: subject.digest }, type: CHECKED, predicate: Buffer.from(`{"ok":${ok}}`) };
    const bundles = [{ bytes: (await attestArtifact(factory, statement)).bytes, predicateType: CHECKED }];
    await publishArtifact(to, { subject, bundles, created: fixedClock("2026-11-21T12:00:00Z") });
  }
  return { reference: `${address}/${name}@${subject.digest}`, digest: subject.digest };
}
const admit = (...words: readonly string[]): Promise<Said> =>
  say(["admit", ...words, "--policy", policy], { directory });
interface Shown {
  readonly verdicts: readonly { readonly result: string; readonly failure?: { readonly code: string } }[];
}
const verdictsOf = ({ out }: Said) => (JSON.parse(out) as Shown).verdicts.map((v) => v.failure?.code ?? v.result);

test("RA-PROD-05: while the registry of evidence is away every deployment is denied by its code, and after it allowed", async () => {
  registry = await serveRegistry();
  const { address } = registry;
  const { reference } = await image(address, "team/app", true);
  expect(verdictsOf(await admit(reference, "--json"))).toEqual(["allow"]);
  await registry.close();
  const away = await admit(reference, "--json");
  expect([away.code, verdictsOf(away)]).toEqual([3, ["OCI_CLIENT_UNREACHABLE"]]);
  registry = await serveRegistry(Number(address.split(":").at(-1)));
  expect(verdictsOf(await admit(reference, "--json"))).toEqual(["allow"]);
});

test("RA-PROD-07: a denial names the artifact by digest, the rule that failed, or the evidence that is missing", async () => {
  await registry?.close();
  registry = await serveRegistry();
  const failing = await image(registry.address, "team/failing", false);
  const missing = await image(registry.address, "team/missing");
  const failed = await admit(failing.reference);
  expect(failed.code).toBe(3);
  for (const word of [failing.digest, "checks-passed", "c.predicate.ok"]) expect(failed.out).toContain(word);
  const absent = await admit(missing.reference);
  expect(absent.code).toBe(3);
  for (const word of [missing.digest, "POLICY_ATTESTATION_MISSING", "checks", CHECKED]) {
    expect(absent.out).toContain(word);
  }
});

/** Starts the admission service of a home. */
async function served(place: string) {
  const words = ["admission", "serve", "--listen", "127.0.0.1:0", "--tls-name", "admission.internal", "--json"];
  const child = start(place, directory, [...words, "--policy", policy]);
  const end = ended(child);
  let out = "";
  child.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
  while (!out.includes("\n") && child.exitCode === null && child.stdout !== null) await once(child.stdout, "data");
  const { address, authority } = JSON.parse(out) as { address: string; authority: string };
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    await end;
  };
  return { address, authority: readFileSync(authority), stop };
}

/** What a platform that trusts this authority gets from there. */
function asked(address: string, ca: Uint8Array): Promise<string> {
  const [host, port] = address.split(":");
  const options = { host, port, path: "/readyz", ca: Buffer.from(ca), servername: "admission.internal", agent: false };
  return new Promise((resolve) => {
    const sent = request(options, (reply) => {
      reply.resume();
      reply.on("end", () => resolve(String(reply.statusCode)));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(String(error.code)));
    sent.end();
  });
}

test("RA-PROD-01: a platform that was given the service's authority speaks with no other endpoint of that name", async () => {
  const other = join(directory, "other");
  await (await openFactory({ home: other, create: true })).close();
  const [own, impersonator] = [await served(home), await served(other)];
  try {
    expect(await asked(own.address, own.authority)).toBe("200");
    expect(await asked(impersonator.address, impersonator.authority)).toBe("200");
    expect(await asked(impersonator.address, own.authority)).toMatch(/SELF_SIGNED|UNABLE_TO|CERT/);
  } finally {
    await Promise.all([own.stop(), impersonator.stop()]);
  }
});
