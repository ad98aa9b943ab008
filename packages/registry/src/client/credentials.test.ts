import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { userCredentials } from "./credentials.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-credentials-"));
afterAll(() => rmSync(directory, { recursive: true }));
let count = 0;

/** A home of its own with a configuration, and helpers as shell scripts. */
function home(config: unknown, helpers: Record<string, string> = {}): Record<string, string> {
  const HOME = join(directory, String(count++));
  mkdirSync(join(HOME, ".docker"), { recursive: true });
  mkdirSync(join(HOME, "bin"));
  writeFileSync(join(HOME, ".docker", "config.json"), typeof config === "string" ? config : JSON.stringify(config));
  for (const [name, script] of Object.entries(helpers)) {
    const path = join(HOME, "bin", `docker-credential-${name}`);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }
  return { HOME, PATH: `${join(HOME, "bin")}:/usr/bin:/bin` };
}

const auth = (text: string): string => Buffer.from(text).toString("base64");
const password = (user: string, secret: string) => ({ kind: "password", user, password: secret });

test("C3: credentials are found for the longest name, and for a host in the spellings of clients", async () => {
  const find = userCredentials(
    home({
      auths: {
        "https://r.example/v1/": { auth: auth("a:one:two") },
        "s.example/team": { auth: auth("b:two") },
        "s.example": { identitytoken: "refresh", auth: auth("c:") },
        "t.example": { registrytoken: "bearer" },
        "u.example": { username: "d", password: "four" },
        "v.example": {},
      },
    }),
  );
  expect(await find("r.example", "x")).toEqual(password("a", "one:two"));
  expect(await find("s.example", "team/app")).toEqual(password("b", "two"));
  expect(await find("s.example", "teams/app")).toEqual({ kind: "identity", token: "refresh" });
  expect(await find("t.example", "x")).toEqual({ kind: "bearer", token: "bearer" });
  expect(await find("u.example", "x")).toEqual(password("d", "four"));
  expect(await find("v.example", "x")).toBeUndefined();
  expect(await find("elsewhere.example", "x")).toBeUndefined();
});

test("C3: the variables of clients name the file; a file that is not there has no credentials", async () => {
  const other = home({ auths: { "r.example": { auth: auth("other:x") } } });
  const file = join(other.HOME ?? "", ".docker", "config.json");
  const own = home({ auths: { "r.example": { auth: auth("own:x") } } });
  expect(await userCredentials({ ...own, REGISTRY_AUTH_FILE: file })("r.example", "x")).toEqual(password("other", "x"));
  expect(await userCredentials({ ...own, DOCKER_CONFIG: join(other.HOME ?? "", ".docker") })("r.example", "x")).toEqual(
    password("other", "x"),
  );
  expect(await userCredentials(own)("r.example", "x")).toEqual(password("own", "x"));
  expect(await userCredentials({ HOME: join(directory, "nobody") })("r.example", "x")).toBeUndefined();
});

test("C3: a helper for the registry is asked before anything written, the helper for all after it", async () => {
  const environment = home(
    {
      auths: { "r.example": { auth: auth("written:x") }, "s.example": { auth: auth("written:x") } },
      credHelpers: { "r.example": "one" },
      credsStore: "all",
    },
    {
      one: `read -r server; printf '{"ServerURL":"%s","Username":"%s","Secret":"s"}' "$server" "$server"`,
      all: `read -r server; [ "$server" = t.example ] || { echo "credentials not found in native keychain"; exit 1; }
printf '{"Username":"<token>","Secret":"refresh"}'`,
    },
  );
  const find = userCredentials(environment);
  expect(await find("r.example", "x")).toEqual(password("r.example", "s"));
  expect(await find("s.example", "x")).toEqual(password("written", "x"));
  expect(await find("t.example", "x")).toEqual({ kind: "identity", token: "refresh" });
  expect(await find("u.example", "x")).toBeUndefined();
});

test.each([
  ["absent", ""],
  ["broken", "exit 3"],
  ["noise", "echo something else"],
  ["list", "echo '[]'"],
  ["flood", "head -c 200000 /dev/zero"],
])("C3: a helper that is %s gives no credentials, and what it said is not shown", async (name, script) => {
  const find = userCredentials(home({ credsStore: name }, name === "absent" ? {} : { [name]: script }));
  await expect(find("r.example", "x")).rejects.toThrow(expect.objectContaining({ code: "OCI_CLIENT_HELPER_FAILED" }));
});

test.each(["../evil", "a b", "", 7, "-x", "a".repeat(65)])("C3: %j names no helper", async (name) => {
  const find = userCredentials(home({ credHelpers: { "r.example": name } }));
  await expect(find("r.example", "x")).rejects.toThrow(expect.objectContaining({ code: "OCI_CLIENT_HELPER_NAME" }));
});

test.each([
  ["{", "no JSON"],
  ["[]", "a list"],
  ['{"auths":[]}', "a list of auths"],
  ['{"auths":{"r.example":"secret"}}', "text for an object"],
  ['{"auths":{"r.example":{"auth":"no base64"}}}', "no base64"],
  [JSON.stringify({ auths: { "r.example": { auth: auth("nocolon") } } }), "no user"],
  ['{"auths":{},"auths":{}}', "a key twice"],
  [" ".repeat(1024 * 1024 + 1), "too much"],
])("C3: a configuration of %j is refused (%s), without showing it", async (text) => {
  const find = userCredentials(home(text));
  const error = await find("r.example", "x").catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: "OCI_CLIENT_CONFIG_MALFORMED" });
  expect(String(error)).not.toContain("secret");
});
