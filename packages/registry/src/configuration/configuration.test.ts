import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registrySchema, withUser } from "@touchmark/formats/registry";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { defaultRegistryConfiguration } from "./configuration.ts";
import { isLocal, isWildcard, parseListen } from "./listen.ts";
import { liveConfiguration } from "./live.ts";
import { parseRegistryConfiguration } from "./parse.ts";
import { fitsRepository, fitsTag } from "./pattern.ts";
import { readRegistryConfiguration } from "./read.ts";

const directory = mkdtempSync(join(tmpdir(), "touchmark-registry-configuration-"));
afterAll(() => rmSync(directory, { recursive: true }));
const hash = `$scrypt$ln=14,r=8,p=5$${"A".repeat(22)}$${"A".repeat(43)}`;
const parse = (body: string) => parseRegistryConfiguration(`touchmark: registry/v1\n${body}`, "/srv/registry.yaml");
const failure = (body: string) => {
  try {
    parse(body);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error("was accepted");
};

describe("A1: strict reading", () => {
  test.each([
    [
      "anonymus: read\n",
      "REGISTRY_CONFIG_KEY_UNKNOWN",
      '2:1: anonymus: unknown key "anonymus"; did you mean "anonymous"',
    ],
    [`users: { ada: { password: "${hash}", grant: {} } }\n`, "REGISTRY_CONFIG_KEY_UNKNOWN", 'did you mean "grants"'],
    ["anonymous: write\n", "REGISTRY_CONFIG_VALUE_INVALID", 'expected "none", "read"'],
    ["anonymous: [../etc]\n", "REGISTRY_CONFIG_VALUE_INVALID", "expected the name of a repository"],
    ['anonymous: ["team/*"]\n', "REGISTRY_CONFIG_VALUE_INVALID", "expected the name of a repository"],
    ['anonymous: ["**/app"]\n', "REGISTRY_CONFIG_VALUE_INVALID", "expected the name of a repository"],
    ["users: { ada: { password: hunter2 } }\n", "REGISTRY_CONFIG_VALUE_INVALID", "never a password"],
    [
      'users: { ada: { password: "$scrypt$ln=3,r=8,p=1$a$b" } }\n',
      "REGISTRY_CONFIG_VALUE_INVALID",
      "users.ada.password",
    ],
    [`users: { token: { password: "${hash}" } }\n`, "REGISTRY_CONFIG_VALUE_INVALID", "lower-case letters"],
    [`users: { Ada: { password: "${hash}" } }\n`, "REGISTRY_CONFIG_VALUE_INVALID", "lower-case letters"],
    [
      `users: { ada: { password: "${hash}", grants: { "a/**": [catalog] } } }\n`,
      "REGISTRY_CONFIG_VALUE_INVALID",
      "catalog",
    ],
    [
      `users: { ada: { password: "${hash}", grants: { "a": [pul] } } }\n`,
      "REGISTRY_CONFIG_VALUE_INVALID",
      'did you mean "pull"',
    ],
    ["url: https://user:secret@registry.example.com\n", "REGISTRY_CONFIG_VALUE_INVALID", "without user information"],
    ['url: "https://registry.example.com\\"x"\n', "REGISTRY_CONFIG_VALUE_INVALID", "expected https://HOST"],
    ["url: https://registry.example.com/v2\n", "REGISTRY_CONFIG_VALUE_INVALID", "expected https://HOST"],
    ["tls: { certificate: a.pem }\n", "REGISTRY_CONFIG_VALUE_INVALID", "either certificate and key, or names"],
    ["tls: { names: [a], certificate: a, key: b }\n", "REGISTRY_CONFIG_VALUE_INVALID", "either"],
    ["listen: registry.example.com\n", "REGISTRY_CONFIG_VALUE_INVALID", "2:9: listen: expected HOST:PORT"],
    ["tokens: { lifetime: 2h }\n", "REGISTRY_CONFIG_VALUE_INVALID", "expected 60s to 60m"],
    ["tokens: { lifetime: 5s }\n", "REGISTRY_CONFIG_VALUE_INVALID", "expected 60s to 60m"],
    ['tokens: { service: "a\\"b" }\n', "REGISTRY_CONFIG_VALUE_INVALID", "expected a name"],
    [
      "storage: { endpoint: http://objects.example.com, bucket: abc }\n",
      "REGISTRY_CONFIG_VALUE_INVALID",
      "expected https://HOST",
    ],
    [
      "storage: { endpoint: https://a.example.com, bucket: ../x }\n",
      "REGISTRY_CONFIG_VALUE_INVALID",
      "name of a bucket",
    ],
    ["mirror: { of: https://a.example.com }\n", "REGISTRY_CONFIG_VALUE_INVALID", "expected HOST[:PORT]"],
    ["mirror: { of: a.example.com/../b }\n", "REGISTRY_CONFIG_VALUE_INVALID", "expected HOST[:PORT]"],
    ["quotas: { total: 10 }\n", "REGISTRY_CONFIG_VALUE_INVALID", "text"],
    ["anonymous: read\nanonymous: none\n", "REGISTRY_CONFIG_MALFORMED", "stands already in line 2"],
    ["anonymous: yes\n", "REGISTRY_CONFIG_MALFORMED", "put it in quotes"],
  ])("%j", (body, code, message) => {
    expect(failure(body)).toMatchObject({ code, message: expect.stringContaining(message) as string });
  });

  test("another version is refused, and a whole document is read", () => {
    expect(() => parseRegistryConfiguration("touchmark: registry/v2\n", "r.yaml")).toThrow(/expected "registry\/v1"/);
    const read = parse(`listen: "[::1]:5443"
url: https://registry.example.com/
storage: { endpoint: "http://127.0.0.1:9000", bucket: registry, prefix: r/ }
mirror: { of: "registry.example.com:5000/library/x", tags: 5m }
tls: { certificate: tls/a.pem, key: /etc/b.pem }
anonymous: [public/**]
users: { ada: { password: "${hash}", grants: { "team/**": [pull, push], app: [delete] } } }
tags: { immutable: [{ repositories: ["**"], tags: ["v*"] }] }
quotas: { total: 1TiB, repositories: [{ repositories: [app], bytes: 1GiB, manifests: 10, tags: 5 }] }
rates: { caller: { requests: 5, bytes: 1MiB }, remote: { requests: 9 } }
uploads: { blob: 1GiB, manifest: 64MiB }
tokens: { service: registry.example.com, lifetime: 10m }
audit: { file: audit/lines, size: 1MiB, keep: 2 }
`);
    expect(read).toMatchObject({
      listen: { host: "::1", port: 5443 },
      url: "https://registry.example.com",
      storage: { endpoint: "http://127.0.0.1:9000", bucket: "registry", region: "us-east-1", prefix: "r/" },
      mirror: {
        registry: "registry.example.com:5000",
        prefix: "library/x/",
        tagSeconds: 300,
        insecurePlainHttp: false,
      },
      tls: { certificate: "/srv/tls/a.pem", key: "/etc/b.pem" },
      anonymous: [{ repositories: "public/**", actions: ["pull"] }],
      quotas: { totalBytes: 2 ** 40, repositories: [{ bytes: 2 ** 30, manifests: 10, tags: 5 }] },
      rates: { caller: { requestsPerSecond: 5, bytesPerSecond: 2 ** 20 }, remote: { requestsPerSecond: 9 } },
      uploads: { blobBytes: 2 ** 30, manifestBytes: 4 * 2 ** 20 },
      tokens: { service: "registry.example.com", lifetimeSeconds: 600 },
      audit: { file: "/srv/audit/lines", fileBytes: 2 ** 20, keep: 2 },
    });
    expect(read.users.get("ada")?.grants).toEqual([
      { repositories: "team/**", actions: ["pull", "push"] },
      { repositories: "app", actions: ["delete"] },
    ]);
  });

  test("a file that others can write, one that is no text, and one that is not there", async () => {
    const path = join(directory, "registry.yaml");
    writeFileSync(path, "touchmark: registry/v1\n");
    chmodSync(path, 0o664);
    await expect(readRegistryConfiguration(path, true)).rejects.toMatchObject({ code: "REGISTRY_CONFIG_EXPOSED" });
    chmodSync(path, 0o600);
    writeFileSync(path, Uint8Array.of(0xff, 0xfe));
    await expect(readRegistryConfiguration(path, false)).rejects.toMatchObject({ code: "REGISTRY_CONFIG_UNREADABLE" });
    rmSync(path);
    await expect(readRegistryConfiguration(path, true)).rejects.toMatchObject({ code: "REGISTRY_CONFIG_UNREADABLE" });
    expect((await readRegistryConfiguration(path, false)).configuration).toEqual({
      ...defaultRegistryConfiguration,
      fileName: path,
    });
  });

  test("a user is set and taken out, and the rest of the text stays", () => {
    const text = "# mine\ntouchmark: registry/v1\nanonymous: none # for now\n";
    const added = withUser(text, "ada", { password: hash, grants: { "**": ["pull"], "team/**": ["push"] } });
    expect(added).toContain("# mine\ntouchmark: registry/v1\nanonymous: none # for now\n");
    const read = parseRegistryConfiguration(added, "r.yaml").users.get("ada");
    expect(read).toMatchObject({ password: { text: hash }, grants: [{ repositories: "**" }, { actions: ["push"] }] });
    const changed = withUser(added, "ada", { password: hash.replaceAll("A", "B") });
    expect(changed).toContain("team/**");
    expect(withUser(changed, "ada", undefined)).toBe(text);
  });

  test("the published schema describes every key and refuses unknown ones", () => {
    const walk = (node: unknown, path: string): void => {
      if (typeof node !== "object" || node === null) return;
      const { properties, additionalProperties } = node as { properties?: object; additionalProperties?: unknown };
      if (properties !== undefined) {
        expect(additionalProperties, path).toBe(false);
        for (const [key, value] of Object.entries(properties)) {
          expect((value as { description?: unknown }).description, `${path}.${key}`).toBeTypeOf("string");
        }
      }
      for (const [key, value] of Object.entries(node)) walk(value, `${path}.${key}`);
    };
    walk(registrySchema(), "");
  });
});

describe("A1: addresses to listen at", () => {
  test.each([
    ["5000", { host: "127.0.0.1", port: 5000 }, true],
    ["127.9.9.9:0", { host: "127.9.9.9", port: 0 }, true],
    ["localhost:5000", { host: "localhost", port: 5000 }, true],
    ["[::1]:5000", { host: "::1", port: 5000 }, true],
    ["unix:/run/registry.sock", { socket: "/run/registry.sock" }, true],
    ["0.0.0.0:5000", { host: "0.0.0.0", port: 5000 }, false],
    ["[::]:5000", { host: "::", port: 5000 }, false],
    ["[::ffff:127.0.0.1]:5000", { host: "::ffff:127.0.0.1", port: 5000 }, false],
    ["registry.example.com:443", { host: "registry.example.com", port: 443 }, false],
    ["127.0.0.1.example.com:443", { host: "127.0.0.1.example.com", port: 443 }, false],
  ])("%s", (text, expected, local) => {
    expect(parseListen(text)).toEqual(expected);
    expect(isLocal(parseListen(text))).toBe(local);
    expect(isWildcard(parseListen(text))).toBe(text.startsWith("0.0.0.0") || text.startsWith("[::]:"));
  });
  test.each([
    "",
    ":",
    "a:b",
    "127.0.0.1",
    "127.1:80",
    "256.0.0.1:80",
    "[::1:80",
    "::1:80",
    "a:99999",
    "a b:1",
    "unix:x",
    "01",
  ])("%j is none", (text) => {
    expect(() => parseListen(text)).toThrow(expect.objectContaining({ code: "REGISTRY_CONFIG_LISTEN_INVALID" }));
  });
});

describe("A3: patterns", () => {
  test.each([
    ["team/app", "team/app", true],
    ["team/app", "team/app2", false],
    ["team/**", "team/app", true],
    ["team/**", "team/a/b/c", true],
    ["team/**", "team", false],
    ["team/**", "teams/app", false],
    ["team/**", "team/", false],
    ["team/**", "other/team/app", false],
    ["**", "anything/at/all", true],
    ["**", "", false],
  ])("%s and %s: %s", (pattern, name, fits) => {
    expect(fitsRepository(pattern, name)).toBe(fits);
  });
  test("tags against what a regular expression says", () => {
    const part = fc.stringMatching(/^[a.*]{0,8}$/);
    fc.assert(
      fc.property(part, fc.stringMatching(/^[a.]{0,10}$/), (pattern, tag) => {
        const expression = pattern.replaceAll(".", "\\.").replaceAll(/\*+/g, "[a.]*");
        expect(fitsTag(pattern, tag)).toBe(new RegExp(`^${expression}$`).test(tag));
      }),
    );
  });
});

test("A2: a running registry follows its file; what cannot be read changes nothing and is told once", async () => {
  const path = join(directory, "live.yaml");
  const problems: string[] = [];
  const live = await liveConfiguration({
    path,
    mustExist: false,
    everyMs: 0,
    onProblem: (text) => problems.push(text),
  });
  const write = (text: string) => {
    writeFileSync(`${path}.new`, text, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  };
  expect(live.current().anonymous).toEqual([]);
  write("touchmark: registry/v1\nanonymous: read\n");
  await live.refresh();
  expect(live.current().anonymous).toHaveLength(1);
  write("touchmark: registry/v1\nanonymous: nobody\n");
  await live.refresh();
  await live.refresh();
  expect(live.current().anonymous).toHaveLength(1);
  expect(problems).toEqual([expect.stringContaining("REGISTRY_CONFIG_VALUE_INVALID")]);
  write("touchmark: registry/v1\n");
  await live.refresh();
  expect(live.current().anonymous).toEqual([]);
  live.close();
});
