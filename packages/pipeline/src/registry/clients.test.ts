import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { adaLines, adaPassword, registryScene, writeSampleLayout } from "./registry.fixture.ts";
import type { RegistryServer } from "./registry-server.ts";
import { mintRegistryToken } from "./registry-token.ts";

const run = promisify(execFile);
const [skopeo, crane, oras] = ["skopeo", "crane", "oras"].map(findProgram);

let scene: Awaited<ReturnType<typeof registryScene>>;
let layout: string;
let servers: Readonly<Record<"plain" | "tls", RegistryServer>>;
beforeAll(async () => {
  scene = await registryScene(await adaLines('{ "team/**": [pull, push, delete] }'));
  layout = join(scene.directory, "layout");
  writeSampleLayout(layout);
  servers = { plain: await scene.serve(), tls: await scene.serve({ tls: { names: ["localhost"] } }) };
});
afterAll(() => scene.dispose());

/** A client with a home of its own, in which a log-in is kept. */
function client(program: string | undefined, way: "plain" | "tls") {
  const home = join(scene.directory, `${way}-${program?.split("/").at(-1)}`);
  mkdirSync(home, { recursive: true });
  const server = servers[way];
  const environment = {
    ...process.env,
    HOME: home,
    DOCKER_CONFIG: join(home, "docker"),
    REGISTRY_AUTH_FILE: join(home, "auth.json"),
    XDG_RUNTIME_DIR: home,
    ...(server.authorityFile === undefined ? {} : { SSL_CERT_FILE: server.authorityFile }),
  };
  return {
    host: (server.url ?? "").replace(/^https?:\/\//, ""),
    authority: dirname(server.authorityFile ?? ""),
    home,
    say: (...words: string[]) => run(program ?? "", words, { env: environment, timeout: 50_000 }),
    log: (words: string[], input: string) => {
      const said = run(program ?? "", words, { env: environment, timeout: 50_000 });
      said.child.stdin?.end(input);
      return said;
    },
  };
}

test.skipIf(!skopeo || !crane)(
  "G5: with anonymous reading, clients without credential pull and do not push",
  async () => {
    const { host, home, say } = client(skopeo, "plain");
    const open = await scene.serve({ anonymousRead: true });
    const at = (open.url ?? host).replace(/^http:\/\//, "");
    const creds = ["--dest-creds", `ada:${adaPassword}`];
    await say("copy", "--dest-tls-verify=false", ...creds, `oci:${layout}:sample`, `docker://${at}/team/public:v1`);
    const fresh = client(crane, "tls");
    await fresh.say("--insecure", "pull", `${at}/team/public:v1`, join(home, "public.tar"));
    const none = ["--src-tls-verify=false", "--src-no-creds"];
    await say("copy", ...none, `docker://${at}/team/public:v1`, `oci:${join(home, "public")}:sample`);
    await expect(
      say(
        "copy",
        "--dest-tls-verify=false",
        "--dest-no-creds",
        `oci:${layout}:sample`,
        `docker://${at}/team/public:v2`,
      ),
    ).rejects.toThrow(/denied|unauthorized|authentication required/i);
    await expect(fresh.say("--insecure", "push", layout, `${at}/team/public:v3`)).rejects.toThrow(/UNAUTHORIZED|401/);
  },
);

describe.each(["plain", "tls"] as const)("G5: %s", (way) => {
  test.skipIf(!skopeo)("skopeo logs in, copies there and back, inspects and deletes; others may not", async () => {
    const { host, authority, home, say } = client(skopeo, way);
    const trust = (side: string) =>
      way === "tls" ? [`--${side}cert-dir=${authority}`] : [`--${side}tls-verify=false`];
    await say("login", ...trust(""), "--username", "ada", "--password", adaPassword, host);
    const image = `docker://${host}/team/skopeo:v1`;
    await say("copy", ...trust("dest-"), `oci:${layout}:sample`, image);
    await say("copy", ...trust("src-"), image, `oci:${join(home, "back")}:sample`);
    expect((await say("inspect", ...trust(""), image)).stdout).toContain('"v1"');
    await expect(
      say("copy", ...trust("dest-"), `oci:${layout}:sample`, `docker://${host}/other/x:v1`),
    ).rejects.toThrow();
    await say("delete", ...trust(""), image);
    await expect(say("inspect", ...trust(""), image)).rejects.toThrow(/manifest unknown|not found|404/i);
    await say("logout", host);
    await expect(say("inspect", ...trust(""), image)).rejects.toThrow(/unauthorized|denied|authentication required/i);
    await expect(
      say("login", ...trust(""), "--username", "ada", "--password", "a wrong password", host),
    ).rejects.toThrow(/invalid username|unauthorized/i);
  });

  test.skipIf(!crane)("crane logs in, pushes, lists and pulls", async () => {
    const { host, home, log, say } = client(crane, way);
    const plain = way === "plain" ? ["--insecure"] : [];
    await log([...plain, "auth", "login", host, "--username", "ada", "--password-stdin"], adaPassword);
    await say(...plain, "push", layout, `${host}/team/crane:v1`);
    expect((await say(...plain, "ls", `${host}/team/crane`)).stdout.trim()).toBe("v1");
    await say(...plain, "pull", "--format=oci", `${host}/team/crane:v1`, join(home, "back"));
    await say(...plain, "copy", `${host}/team/crane:v1`, `${host}/team/copy:v2`);
    await expect(say(...plain, "push", layout, `${host}/other/crane:v1`)).rejects.toThrow(/DENIED|403/);
  });

  test.skipIf(!oras)("oras logs in, attaches, discovers and pulls", async () => {
    const { host, home, log, say } = client(oras, way);
    // It takes a registry named localhost for a plain one unless told.
    const plain = [`--plain-http=${way === "plain"}`];
    await log(["login", ...plain, "--username", "ada", "--password-stdin", host], adaPassword);
    const file = join(home, "note.txt");
    writeFileSync(file, "struck in pewter\n");
    const artifact = ["--artifact-type", "application/vnd.example.note"];
    await say("push", ...plain, "--disable-path-validation", ...artifact, `${host}/team/oras:v1`, file);
    await say("attach", ...plain, "--disable-path-validation", ...artifact, `${host}/team/oras:v1`, file);
    const found = await say("discover", ...plain, "--format", "json", `${host}/team/oras:v1`);
    expect(found.stdout).toContain("application/vnd.example.note");
    await expect(say("pull", ...plain, `${host}/other/oras:v1`)).rejects.toThrow(/403|denied|unauthorized/i);
  });

  test.skipIf(!skopeo)("a token of the factory opens its repositories, as bearer and as password", async () => {
    const { host, authority, say } = client(skopeo, way);
    const identity = await scene.factory.identity();
    const { token } = await mintRegistryToken({
      home: scene.factory.home,
      identity,
      spiffeId: `spiffe://${identity.trustDomain}/builder`,
      repositories: ["built/app"],
      actions: ["pull", "push"],
    });
    const trust = way === "tls" ? [`--dest-cert-dir=${authority}`] : ["--dest-tls-verify=false"];
    const copy = (credential: string[], name: string) =>
      say("copy", ...trust, ...credential, `oci:${layout}:sample`, `docker://${host}/${name}`);
    await copy(["--dest-registry-token", token], `built/app:${way}-bearer`);
    await copy(["--dest-creds", `token:${token}`], `built/app:${way}-basic`);
    await expect(copy(["--dest-registry-token", token], "built/other:v1")).rejects.toThrow();
    const lines = readFileSync(scene.audit, "utf8");
    expect(lines).toContain(`"caller":"spiffe://${identity.trustDomain}/builder"`);
    for (const secret of [token, token.split(".")[2] ?? "", adaPassword]) expect(lines).not.toContain(secret);
  });
});
