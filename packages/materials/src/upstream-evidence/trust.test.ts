import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { mintPgpKey, pgpArmor, pgpCertificate, trustedRootBytes } from "@touchmark/test-kit/mint";
import { describe, expect, test } from "vitest";
import { registryKey, TestDatabase, world } from "./attested.fixture.ts";
import { hostDebianKeyrings, withHostDebian } from "./debian-keyrings.ts";
import { questionAbout } from "./evidence.fixture.ts";
import { gatherEvidence } from "./gather.ts";
import { readRegistryKeys } from "./registry-keys.ts";
import { seenInMemory } from "./seen-state.ts";
import { readEvidenceTrust } from "./trust.ts";
import { parseTrustRules } from "./trust-rules.ts";

const directory = mkdtempSync(join(tmpdir(), "tm-trust-"));
const file = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const keyFile = file("keys.asc", pgpArmor("PUBLIC KEY BLOCK", pgpCertificate({ primary: mintPgpKey("eddsa") })));
const rootFile = file("root.json", trustedRootBytes(world));
const registryFile = file("registry.json", registryKey().document);
const database = new TestDatabase();
const databaseFile = file("sums", `${database.verifierKey} https://sums.example\n`);
const rulesFile = file("rules.yaml", "touchmark: evidence-trust/v1\nregistry-keys: accept\n");

describe("U9: files of trust", () => {
  test("U9: are told by what they hold, and only asked-for kinds are read", () => {
    const trust = readEvidenceTrust({
      "npm-signature": [registryFile, rulesFile],
      "npm-provenance": [rootFile],
      "go-checksum-database": [databaseFile],
      "maven-pgp": [keyFile],
      "third-party-review": [keyFile],
    });
    expect(Object.keys(trust).sort()).toEqual(["go-checksum-database", "maven-pgp", "npm-provenance", "npm-signature"]);
    expect(trust["npm-signature"]).toMatchObject({
      rules: { registryKeys: true },
      registryKeys: [{ expires: undefined }],
    });
    expect(trust["go-checksum-database"]?.databases[0]?.url).toBe("https://sums.example/");
  });

  test.each<[string, Parameters<typeof readEvidenceTrust>[0]]>([
    ["a file that is not there", { "maven-pgp": [join(directory, "nothing")] }],
    ["a root where keys belong", { "maven-pgp": [rootFile] }],
    ["a keyring where a root belongs", { "npm-provenance": [keyFile] }],
    ["rules for Debian", { "debian-chain": [rulesFile] }],
    ["a text that is no key", { "go-checksum-database": [file("text", "nonsense")] }],
    ["a database with more than an address", { "go-checksum-database": [file("more", `${database.verifierKey} a b`)] }],
    ["a broken root", { "npm-provenance": [file("broken.json", "{}")] }],
  ])("U9: %s is no trust", (_, files) => {
    expect(() => readEvidenceTrust(files)).toThrow(expect.objectContaining({ code: "UPSTREAM_TRUST_INVALID" }));
  });

  test.each([
    ["another version", "touchmark: evidence-trust/v2"],
    ["an unknown member", "touchmark: evidence-trust/v1\nsigner: []"],
    ["a short key id", "touchmark: evidence-trust/v1\nsigners: [{packages: '*', fingerprints: [0123456789abcdef]}]"],
    ["nobody", "touchmark: evidence-trust/v1\nsigners: [{packages: '*'}]"],
    ["an identity without issuer", "touchmark: evidence-trust/v1\nsigners: [{packages: '*', identity: me}]"],
    [
      "two identities",
      "touchmark: evidence-trust/v1\nsigners: [{packages: '*', identity: a, identity-pattern: b, issuer: c}]",
    ],
    ["a broken pattern", "touchmark: evidence-trust/v1\nsigners: [{packages: '*', identity-pattern: '(', issuer: c}]"],
    ["no package", "touchmark: evidence-trust/v1\nsigners: [{identity: a, issuer: c}]"],
    ["no list", "touchmark: evidence-trust/v1\nissuers: all"],
    ["no YAML", "touchmark: evidence-trust/v1\n\t:"],
    ["another word", "touchmark: evidence-trust/v1\nregistry-keys: true"],
  ])("U9: rules with %s are refused", (_, text) => {
    expect(() => parseTrustRules(text, "rules")).toThrow(expect.objectContaining({ code: "UPSTREAM_TRUST_INVALID" }));
  });

  test.each([
    ["none", '{"keys": []}'],
    ["no list", '{"keys": {}}'],
    ["one without an id", '{"keys": [{}]}'],
    ["one of another scheme", registryKey().document.replaceAll("ecdsa-sha2-nistp256", "rsa")],
    ["one without a key", registryKey().document.replace(/"key":"[^"]*"/, '"key":"AAAA"')],
    ["one with another end", registryKey().document.replace('"expires":null', '"expires":"soon"')],
  ])("U2: a keys document with %s is none", (_, text) => {
    expect(() => readRegistryKeys(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: "UPSTREAM_ANSWER_MALFORMED" }),
    );
  });

  test("U9: without trust nothing is asked", async () => {
    const question = { ...questionAbout("npm", "http://127.0.0.1:1/one.tgz", ""), get: () => expect.unreachable() };
    expect(await gatherEvidence(question, { trust: {}, seen: seenInMemory(), clock: fixedClock(world.at) })).toEqual(
      [],
    );
  });

  test("U9: the keyrings of a host are those that its apt sources name, each for its own address", () => {
    const apt = mkdtempSync(join(tmpdir(), "tm-apt-"));
    mkdirSync(join(apt, "sources.list.d"));
    const lines = [
      `deb [arch=amd64 signed-by=${keyFile}] http://a.example/x y z`,
      "# deb [signed-by=/no] h",
      "deb http://b.example y",
    ];
    writeFileSync(join(apt, "sources.list"), `${lines.join("\n")}\n`);
    const stanzas = `Types: deb\nURIs: http://c.example/\n http://d.example\nSigned-By: ${keyFile} /gone.gpg\n\nURIs: http://e.example\nSigned-By: /gone.gpg\n`;
    writeFileSync(join(apt, "sources.list.d", "b.sources"), stanzas);
    writeFileSync(join(apt, "sources.list.d", "ignored.txt"), `Signed-By: ${registryFile}\n`);
    expect(hostDebianKeyrings(apt)).toEqual([keyFile]);
    expect(hostDebianKeyrings(join(apt, "nothing"))).toEqual([]);
    const found = withHostDebian({}, apt)["debian-chain"]?.sources?.map(({ address }) => address);
    expect(found).toEqual(["http://a.example/x/", "http://c.example/", "http://d.example/"]);
    expect(withHostDebian({}, join(apt, "nothing"))).toEqual({});
    const own = readEvidenceTrust({ "debian-chain": [keyFile] });
    expect(withHostDebian(own, apt)).toBe(own);
  });
});
