import { expect, test } from "vitest";
import { codeOf, hostileRegistry, listening, putArtifact, victim } from "./client-scene.ts";

const secret = Buffer.from("user:correct horse").toString("base64");
const credentials = async () => ({ kind: "password", user: "user", password: "correct horse" }) as const;

/** A host of the attacker's that only listens, and what it heard. */
async function listener(): Promise<{ host: string; heard: string[] }> {
  const heard: string[] = [];
  const host = await listening((request, response) => {
    heard.push(`${request.url} ${JSON.stringify(request.headers)}`);
    response.writeHead(404).end();
  });
  return { host, heard };
}

test("attack: a redirect to another host, to get the credentials", async () => {
  const [registry, thief] = [await hostileRegistry(), await listener()];
  registry.script = (request, response, path) => {
    if (request.headers.authorization === undefined) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="r"', "content-length": 0 }).end();
    } else response.writeHead(307, { location: `http://${thief.host}${path}`, "content-length": 0 }).end();
    return true;
  };
  const repository = victim(registry.host, { credentials });
  expect(await codeOf(repository.manifest("1.0"))).toBe("OCI_CLIENT_NOT_FOUND");
  expect(thief.heard).toHaveLength(1);
  expect(thief.heard.join()).not.toContain(secret);
  expect(registry.requests.some(({ headers }) => headers.authorization === `Basic ${secret}`)).toBe(true);
});

test("attack: a redirect asks for credentials at its end", async () => {
  const registry = await hostileRegistry();
  const heard: (string | undefined)[] = [];
  const thief = await listening((request, response) => {
    heard.push(request.headers.authorization);
    response.writeHead(401, { "www-authenticate": 'Basic realm="r"', "content-length": 0 }).end();
  });
  registry.script = (_request, response, path) => {
    if (path === "/v2/") return false;
    response.writeHead(307, { location: `http://${thief}${path}`, "content-length": 0 }).end();
    return true;
  };
  expect(await codeOf(victim(registry.host, { credentials }).manifest("1.0"))).toBe("OCI_CLIENT_UNAUTHORIZED");
  expect(new Set(heard)).toEqual(new Set([undefined]));
});

test("attack: an upload is sent on, with its content and credentials", async () => {
  const [registry, thief] = [await hostileRegistry(), await listener()];
  for (const [status, header] of [
    [307, "OCI_CLIENT_REDIRECT_METHOD"],
    [202, "OCI_CLIENT_UPLOAD_LOCATION"],
  ] as const) {
    registry.script = (request, response) => {
      if (request.method !== "POST") return false;
      response.writeHead(status, { location: `http://${thief.host}/take`, "content-length": 0 }).end();
      return true;
    };
    expect(await codeOf(putArtifact(victim(registry.host, { credentials })))).toBe(header);
  }
  expect(thief.heard).toEqual([]);
});

test.each([
  ["http://auth.example/token", "OCI_CLIENT_REALM_REFUSED"],
  ["http://user:x@127.0.0.1/token", "OCI_CLIENT_REALM_REFUSED"],
  ["file:///etc/passwd", "OCI_CLIENT_REALM_REFUSED"],
  ["data:application/json,{}", "OCI_CLIENT_REALM_REFUSED"],
  ["/token", "OCI_CLIENT_CHALLENGE_MALFORMED"],
])("attack: the token service %s", async (realm, code) => {
  const registry = await hostileRegistry();
  registry.script = (_request, response, path) => {
    if (path === "/v2/") return false;
    response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}"`, "content-length": 0 }).end();
    return true;
  };
  expect(await codeOf(victim(registry.host, { credentials }).manifest("1.0"))).toBe(code);
});

test.each([
  ["a token service", (host: string) => ({ status: 401, "www-authenticate": `Bearer realm="https://${host}/latest"` })],
  ["a redirect", (host: string) => ({ status: 307, location: `http://${host}/latest/meta-data` })],
])("attack: a public registry sends into the private network by %s", async (_what, answer) => {
  const inside = await listener();
  // What is asked of the public network goes through the user's proxy, which stands for that network here.
  const proxy = await listening((_request, response) => {
    const { status, ...headers } = answer(inside.host);
    response.writeHead(status, { ...headers, "content-length": 0 } as Record<string, string | number>).end();
  });
  const environment = { http_proxy: `http://${proxy}` };
  const repository = victim("registry.example", { environment, credentials, insecurePlainHttp: ["registry.example"] });
  expect(await codeOf(repository.manifest("1.0"))).toBe("OCI_CLIENT_PRIVATE_ADDRESS");
  expect(inside.heard).toEqual([]);
});

test("attack: a registry asks for a token for others' repositories", async () => {
  const asked: string[] = [];
  const service = await listening((request, response) => {
    asked.push(...new URL(request.url ?? "", "http://x").searchParams.getAll("scope"));
    response.end('{"token":"t"}');
  });
  const registry = await hostileRegistry();
  registry.script = (request, response, path) => {
    if (path === "/v2/" || request.headers.authorization === "Bearer t") return false;
    const challenge = `Bearer realm="http://${service}/token",scope="repository:other/secret:pull,push,delete registry:catalog:*"`;
    response.writeHead(401, { "www-authenticate": challenge, "content-length": 0 }).end();
    return true;
  };
  expect(await codeOf(victim(registry.host, { credentials }).manifest("1.0"))).toBe("OCI_CLIENT_NOT_FOUND");
  expect(asked).toEqual(["repository:team/app:pull"]);
});
