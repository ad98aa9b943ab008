import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { sha256 } from "@touchmark/core";
import { openContentStore, openHome } from "@touchmark/store";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ended, say, start } from "../../fixture.ts";
import { registryTable } from "../registry.ts";

let directory: string;
let home: string;
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), "touchmark-cli-registry-")));
  home = join(directory, "home");
  process.env["TOUCHMARK_HOME"] = home;
});
afterEach(() => {
  delete process.env["TOUCHMARK_HOME"];
  rmSync(directory, { recursive: true, force: true });
});

const password = "correct horse battery";
/** Standard input of a command, which is no terminal. */
const input = (text: string) => ({ stdin: Readable.from([Buffer.from(text)]) as unknown as NodeJS.ReadStream });
const addAda = (...words: string[]) => say(["registry", "user", "add", "ada", ...words], input(`${password}\n`));
const codeOf = (said: { out: string }) => (JSON.parse(said.out) as { code: string }).code;

/** Starts a server, and waits for the line about its address. */
async function served(...words: string[]) {
  const child = start(home, directory, ["registry", "serve", "--listen", "127.0.0.1:0", "--json", ...words]);
  const line = await new Promise<string>((resolve, reject) => {
    let out = "";
    child.stdout?.on("data", (chunk) => {
      out += chunk;
      if (out.includes("\n")) resolve(out);
    });
    child.once("exit", () => reject(new Error("ended")));
  });
  const { url } = JSON.parse(line) as { url: string };
  return { child, url, end: ended(child) };
}

test("X40: every subcommand has help with examples", async () => {
  for (const { name } of registryTable) {
    const said = await say(["registry", name, "--help"]);
    expect([name, said.code]).toEqual([name, 0]);
    expect(said.out).toMatch(new RegExp(`^Usage: touchmark registry ${name}`));
    expect(said.out).toMatch(/Examples:\n {2}/);
  }
  const near = await say(["registry", "srve"]);
  expect([near.code, near.err]).toEqual([2, expect.stringContaining("touchmark registry serve")]);
});

test("X41: users are added, changed, listed and taken out; the password comes by standard input alone", async () => {
  const added = await addAda("--grant", "team/**=pull,push", "--grant", "app=pull");
  expect([added.code, added.out]).toEqual([0, `added ada in ${join(home, "registry.yaml")}\n`]);
  const file = () => readFileSync(join(home, "registry.yaml"), "utf8");
  expect(file()).toContain("$scrypt$ln=14");
  expect(file()).not.toContain(password);
  const before = file();
  expect((await addAda()).out).toContain("changed ada");
  expect(file()).not.toBe(before);
  expect((await say(["registry", "user", "list"])).out).toBe("ada              team/**=pull,push  app=pull\n");
  expect(JSON.parse((await say(["registry", "user", "list", "--json"])).out)).toMatchObject([{ name: "ada" }]);
  const status = await say(["registry", "status"]);
  expect(status.out).toMatch(/^users +1$/m);
  expect((await say(["registry", "user", "remove", "ada"])).code).toBe(0);
  expect(codeOf(await say(["registry", "user", "remove", "ada", "--json"]))).toBe("REGISTRY_AUTH_USER_UNKNOWN");
});

test("X41: on a terminal the password is typed twice, and shown never", async () => {
  const typing = (text: string) => {
    const modes: boolean[] = [];
    const stdin = new PassThrough();
    const keys = Object.assign(stdin, { isTTY: true, setRawMode: (mode: boolean) => void modes.push(mode) });
    // A password at a time, as somebody types who waits for the question.
    const lines = text.split("|");
    const draw = (drawn: string) => {
      if (drawn.endsWith(": ")) setImmediate(() => keys.write(lines.shift() ?? "\u0003"));
    };
    return { modes, more: { stdin: keys as unknown as NodeJS.ReadStream, draw } };
  };
  const add = async (text: string) => {
    const { modes, more } = typing(text);
    const said = await say(["registry", "user", "add", "ada", "--json"], more);
    expect(modes.at(-1)).toBe(false);
    return said;
  };
  const good = await add("correct horsf\u007fe battery\r|correct horse battery\r");
  expect([good.code, good.out]).toEqual([0, expect.stringContaining('"added"')]);
  expect(codeOf(await add("correct horse battery\r|another horse battery\r"))).toBe("CLI_USAGE");
  expect(codeOf(await add("correct\u0003"))).toBe("CLI_USAGE");
});

test("X41: what is wrong changes nothing: weak passwords, names, grants, and a file that was edited by hand", async () => {
  const add = (name: string, text: string, ...words: string[]) =>
    say(["registry", "user", "add", name, ...words, "--json"], input(text));
  expect(codeOf(await add("ada", "short\n"))).toBe("REGISTRY_AUTH_PASSWORD_WEAK");
  expect(codeOf(await add("ada", ""))).toBe("CLI_USAGE");
  expect(codeOf(await add("ada", "one line here\nand another\n"))).toBe("CLI_USAGE");
  expect(codeOf(await add("Ada", password))).toBe("REGISTRY_CONFIG_VALUE_INVALID");
  expect(codeOf(await add("ada", password, "--grant", "../x=pull"))).toBe("REGISTRY_CONFIG_VALUE_INVALID");
  expect(codeOf(await add("ada", password, "--grant", "team/**"))).toBe("CLI_USAGE");
  expect((await say(["registry", "user", "list", "--json"])).out).toBe("[]\n");
  writeFileSync(join(home, "registry.yaml"), "touchmark: registry/v1\nanonymus: read\n", { mode: 0o600 });
  const refused = await add("ada", password);
  expect([refused.code, codeOf(refused)]).toEqual([2, "REGISTRY_CONFIG_KEY_UNKNOWN"]);
  expect(readFileSync(join(home, "registry.yaml"), "utf8")).not.toContain("scrypt");
});

test("X40: serve says where it is and how to push, serves until it is told to stop, and ends with 0", async () => {
  await addAda("--grant", "team/**=pull,push");
  const { child, url, end } = await served();
  expect(url).toMatch(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
  expect((await fetch(`${url}/v2/`)).status).toBe(401);
  const authorization = `Basic ${Buffer.from(`ada:${password}`).toString("base64")}`;
  const content = Buffer.from("struck in pewter");
  const upload = `${url}/v2/team/app/blobs/uploads/?digest=${sha256(content)}`;
  expect((await fetch(upload, { method: "POST", headers: { authorization }, body: content })).status).toBe(201);
  const minted = await say(["registry", "token", "--repository", "team/app", "--lifetime", "5m"]);
  const bearer = { authorization: `Bearer ${minted.out.trim()}` };
  const blob = `${url}/v2/team/app/blobs/${sha256(content)}`;
  expect(await (await fetch(blob, { headers: bearer })).text()).toBe("struck in pewter");
  // The key is another now; a registry that runs notices.
  expect((await say(["registry", "token", "--rotate"])).code).toBe(0);
  await expect.poll(async () => (await fetch(blob, { headers: bearer })).status, { timeout: 10_000 }).toBe(401);
  child.kill("SIGTERM");
  expect(await end).toMatchObject({ code: 0, err: "registry stopped\n" });
  // What was pushed lies in the factory's own store.
  const opened = await openHome(home);
  expect(await (await openContentStore(opened)).has(sha256(content))).toBe(true);
  await opened.close();
});

test("X40: a registry in a directory of its own, open to everybody when asked; collect, check, list", async () => {
  const place = join(directory, "r");
  const { child, url, end } = await served("--dir", place, "--insecure-anonymous-write");
  const content = Buffer.from("{}");
  const digest = sha256(content);
  await fetch(`${url}/v2/app/blobs/uploads/?digest=${digest}`, { method: "POST", body: content });
  const mediaType = "application/vnd.oci.image.manifest.v1+json";
  const config = { mediaType: "application/vnd.oci.empty.v1+json", digest, size: 2 };
  const manifest = { schemaVersion: 2, mediaType, artifactType: "a/b", config, layers: [config] };
  const push = { method: "PUT", headers: { "content-type": mediaType }, body: JSON.stringify(manifest) };
  expect((await fetch(`${url}/v2/app/manifests/v1`, push)).status).toBe(201);
  child.kill("SIGINT");
  const { code, err } = await end;
  expect([code, err]).toEqual([0, "insecure: anonymous-write\nregistry stopped\n"]);
  const at = ["--dir", place];
  expect((await say(["registry", "list", ...at])).out).toMatch(/ app {2}\(1 manifests, 1 tags\)\n$/);
  expect((await say(["registry", "list", "app", ...at])).out).toMatch(/^sha256:[0-9a-f]{64} {2}v1\n$/);
  expect(codeOf(await say(["registry", "list", "none", ...at, "--json"]))).toBe("REGISTRY_REPOSITORY_UNKNOWN");
  expect((await say(["registry", "fsck", ...at])).out).toBe("whole\n");
  expect(JSON.parse((await say(["registry", "gc", "--grace", "0s", ...at, "--json"])).out)).toMatchObject({
    deletedBlobs: [],
  });
  expect((await say(["registry", "gc", "--grace", "soon", ...at])).code).toBe(2);
  writeFileSync(join(place, "store", "blobs", "sha256", digest.slice(7)), "[]");
  const check = await say(["registry", "fsck", ...at]);
  expect([check.code, check.out]).toEqual([3, expect.stringContaining("REGISTRY_FSCK_")]);
});

test("X40: what weakens the registry has to be said, and options that contradict each other are refused", async () => {
  const serve = (...words: string[]) => say(["registry", "serve", ...words, "--json"]);
  expect(codeOf(await serve("--listen", "0.0.0.0:0"))).toBe("REGISTRY_CONFIG_PLAIN_HTTP");
  expect(codeOf(await serve("--listen", "nowhere"))).toBe("REGISTRY_CONFIG_LISTEN_INVALID");
  expect(codeOf(await serve("--tls-cert", "a.pem"))).toBe("CLI_USAGE");
  expect(codeOf(await serve("--tls-cert", "a.pem", "--tls-key", "b.pem", "--tls-name", "c"))).toBe("CLI_USAGE");
  expect(codeOf(await serve("--tls-cert", "a.pem", "--tls-key", "b.pem"))).toBe("REGISTRY_CONFIG_UNREADABLE");
  expect(codeOf(await say(["registry", "token", "--json"]))).toBe("CLI_USAGE");
  expect(codeOf(await say(["registry", "token", "--repository", "a", "--actions", "all", "--json"]))).toBe("CLI_USAGE");
  expect(codeOf(await say(["registry", "token", "--repository", "a/**", "--json"]))).toBe(
    "REGISTRY_TOKEN_SCOPE_INVALID",
  );
  expect((await say(["schema", "registry"])).out).toContain("schemas/registry/v1.json");
});
