import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { type Digest, fixedClock, sha256 } from "@touchmark/core";
import {
  memoryRegistryBackend,
  openAuthority,
  openRegistryClient,
  publishArtifact,
  type RunningRegistry,
  startRegistry,
} from "@touchmark/registry";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type AdmissionScene, admissionScene, CHECKED } from "../admission/admission.fixture.ts";
import { ended, start } from "../fixture.ts";

const client = openRegistryClient({ environment: {} });
let scene: AdmissionScene;
let policy: string;
let registry: RunningRegistry;
beforeAll(async () => {
  scene = await admissionScene();
  policy = scene.policy("policy.yaml");
  const listen = { host: "127.0.0.1", port: 0 };
  const backend = memoryRegistryBackend();
  registry = await startRegistry({ backend, authority: openAuthority(), listen, closeSeconds: 0 });
});
afterAll(async () => {
  client.close();
  await registry.close();
  await scene.close();
});

/** Publishes a file with statements about it. */
async function publish(name: string, content: string, ok: boolean): Promise<Digest> {
  const bytes = Buffer.from(content);
  const digest = sha256(bytes);
  await publishArtifact(client.repository({ registry: registry.address, repository: name }), {
    files: [
      {
        ...{ name: "app.tgz", mediaType: "application/gzip", digest, size: bytes.length },
        open: async function* () {
          yield bytes;
        },
      },
    ],
    bundles: [{ bytes: await scene.check(digest, ok), predicateType: CHECKED }],
    ...{ created: fixedClock("2026-11-21T12:00:00Z"), tag: "1" },
  });
  return digest;
}

test("X80: an artifact of a registry that is no image is admitted by the files that it holds", async () => {
  const digest = await publish("team/files", "files", true);
  const place = `${registry.address}/team/files`;
  const { code, out } = await scene.say("admit", `${place}:1`, "--policy", policy, "--json");
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ verdicts: [{ reference: `${place}@${digest}`, digest, result: "allow" }] });
  await publish("team/bad", "bad files", false);
  expect((await scene.say("admit", `${registry.address}/team/bad:1`, "--policy", policy)).code).toBe(3);
});

test("X80: a registry that is not there, or has not what is asked for, is a denial by name", async () => {
  const codes = async (reference: string): Promise<unknown> => {
    const { code, out } = await scene.say("admit", reference, "--policy", policy, "--json");
    const { verdicts } = JSON.parse(out) as { verdicts: { failure?: { code: string } }[] };
    return [code, verdicts[0]?.failure?.code];
  };
  expect(await codes(`${registry.address}/team/absent:1`)).toEqual([3, "OCI_CLIENT_NOT_FOUND"]);
  expect(await codes("127.0.0.1:1/team/app:1")).toEqual([3, "OCI_CLIENT_UNREACHABLE"]);
});

test("X80: a gate that is killed half-way leaves nothing that hinders the next one", async () => {
  const good = scene.write("good.bin", "good");
  await scene.check(good, true);
  const silent = createServer((socket) => socket.on("error", () => {}));
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  const { port } = silent.address() as AddressInfo;
  for (let i = 0; i < 3; i++) {
    const asked = once(silent, "connection");
    const child = start(scene.home, scene.directory, ["admit", `127.0.0.1:${port}/a:1`, "--policy", policy]);
    await asked;
    child.kill("SIGKILL");
    expect((await ended(child)).code).toBe("SIGKILL");
    expect((await scene.say("admit", "good.bin", "--policy", policy)).code).toBe(0);
  }
  silent.close();
});
