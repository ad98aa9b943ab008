import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readKeyring } from "@touchmark/formats/openpgp";
import { mintPgpKey, pgpArmor, pgpCertificate, pgpClearsign, pgpSign } from "@touchmark/test-kit/mint";
import { describe, expect, test } from "vitest";
import { checkDebian, type DebianTrust } from "./debian-chain.ts";
import { openRelease } from "./debian-release.ts";
import { plainGet, questionAbout, testService } from "./evidence.fixture.ts";
import { evidenceOf, type GatheredEvidence } from "./evidence.ts";
import { seenInMemory } from "./seen-state.ts";

const key = mintPgpKey("eddsa");
const keyring = readKeyring(pgpCertificate({ primary: key }));
const now = new Date("2026-06-10T00:00:00Z");
const packages = "a".repeat(64);

const fieldsOf = (more: Record<string, string> = {}): string =>
  Object.entries({
    Origin: "Test",
    Suite: "stable",
    Codename: "tester",
    Date: "Mon, 01 Jun 2026 12:00:00 UTC",
    ...more,
    SHA256: `\n ${packages} 123 main/binary-amd64/Packages.xz`,
  })
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");

const signed = (more: Record<string, string> = {}, by = key): string => pgpClearsign([by], `${fieldsOf(more)}\n`);

function check(
  body: string,
  trust: Partial<DebianTrust> = {},
  address = "http://127.0.0.1:1/debian/dists/tester/InRelease",
): Promise<GatheredEvidence> {
  const question = questionAbout("deb", address, body, { kind: "index" });
  const whole = { trust: { keyring }, seen: seenInMemory(), now: () => now, ...trust };
  return evidenceOf("debian-chain", question.get, (asking) => checkDebian(question, asking, whole));
}

describe("U5: the Release file of a Debian suite", () => {
  test("U5: is verified by the keyring, and names its signer", async () => {
    expect(await check(signed())).toMatchObject({ outcome: "verified", signer: key.fingerprint.toUpperCase() });
  });

  test.each<[string, string, string]>([
    ["signed by another key", signed({}, mintPgpKey("eddsa")), "OPENPGP_KEY_UNKNOWN"],
    ["without signature", fieldsOf(), "UPSTREAM_ANSWER_MALFORMED"],
    ["no longer valid", signed({ "Valid-Until": "Tue, 09 Jun 2026 12:00:00 UTC" }), "UPSTREAM_RELEASE_EXPIRED"],
    ["of another suite", signed({ Suite: "oldstable", Codename: "older" }), "UPSTREAM_RELEASE_SUITE"],
    ["of next year", signed({ Date: "Tue, 01 Jun 2027 12:00:00 UTC" }), "UPSTREAM_RELEASE_SUITE"],
    ["without a time", signed({ Date: "yesterday" }), "UPSTREAM_ANSWER_MALFORMED"],
    ["with a field twice", signed({ date: "Mon, 01 Jun 2026 12:00:00 UTC" }), "UPSTREAM_ANSWER_MALFORMED"],
    ["with text before it", `Date: now\n${signed()}`, "UPSTREAM_ANSWER_MALFORMED"],
    ["with text after it", `${signed()}SHA256:\n`, "OPENPGP_ARMOR_MALFORMED"],
  ])("U5: %s is refused", async (_, body, code) => {
    expect(await check(body)).toMatchObject({ outcome: "refused", code });
  });

  test("U5: an older one than was seen is refused, the same one again is not", async () => {
    const seen = seenInMemory();
    const older = signed({ Date: "Sun, 31 May 2026 12:00:00 UTC" });
    expect((await check(older, { seen })).outcome).toBe("verified");
    expect((await check(signed(), { seen })).outcome).toBe("verified");
    expect((await check(signed(), { seen })).outcome).toBe("verified");
    expect(await check(older, { seen })).toMatchObject({ outcome: "refused", code: "UPSTREAM_RELEASE_ROLLED_BACK" });
    const damaged = { read: () => "noise", write: () => undefined };
    expect(await check(signed(), { seen: damaged })).toMatchObject({ code: "UPSTREAM_STATE_DAMAGED" });
  });

  test("U5: with its signature beside it, it is verified too, and absent without", async () => {
    const service = await testService();
    try {
      const url = `${service.url}debian/dists/tester/Release`;
      const body = `${fieldsOf()}\n`;
      expect(await check(body, {}, url)).toMatchObject({ outcome: "absent" });
      service.answers.set("/debian/dists/tester/Release.gpg", pgpArmor("SIGNATURE", pgpSign(key, body)));
      expect(await check(body, {}, url)).toMatchObject({ outcome: "verified", from: [`${url}.gpg`] });
      service.answers.set("/debian/dists/tester/Release.gpg", 503);
      expect(await check(body, {}, url)).toMatchObject({ outcome: "unreachable", code: "UPSTREAM_UNREACHABLE" });
    } finally {
      await service.close();
    }
  });

  test("U5: a keyring of the host speaks for its own source alone", async () => {
    const vendor = mintPgpKey("eddsa");
    const sources = [
      { address: "http://127.0.0.1:1/debian/", keyring },
      { address: "http://127.0.0.1:1/vendor/", keyring: readKeyring(pgpCertificate({ primary: vendor })) },
    ];
    const trust = { trust: { keyring: undefined, sources } };
    expect((await check(signed(), trust)).outcome).toBe("verified");
    expect(await check(signed({}, vendor), trust)).toMatchObject({ code: "OPENPGP_KEY_UNKNOWN" });
    const other = "http://127.0.0.1:1/other/dists/tester/InRelease";
    expect((await check(signed(), trust, other)).outcome).toBe("absent");
  });

  test("U5: a file counts by what a signed index announced of it, and by nothing else", async () => {
    const url = "http://127.0.0.1:1/debian/pool/main/t/tool/tool_1_amd64.deb";
    const ask = async (source: "index" | "signed-index", value?: string): Promise<GatheredEvidence> => {
      const plain = questionAbout("deb", url, "bytes");
      const digest = {
        algorithm: "sha256",
        value: value ?? plain.hashes.sha256 ?? "",
        source,
        from: "Packages",
      } as const;
      const announced = [{ url, ecosystem: "deb", kind: "archive", digests: [digest] }] as const;
      const trust = { trust: { keyring }, seen: seenInMemory(), now: () => now };
      return evidenceOf("debian-chain", plainGet, (asking) => checkDebian({ ...plain, announced }, asking, trust));
    };
    expect((await ask("signed-index")).outcome).toBe("verified");
    expect((await ask("index")).outcome).toBe("absent");
    expect(await ask("signed-index", packages)).toMatchObject({ outcome: "refused", code: "UPSTREAM_DIGEST_MISMATCH" });
  });
});

/** Release files that apt of this host is configured for; asked of apt, so that no host is written here. */
function aptReleases(): string[] {
  const format = "$(REPO_URI)dists/$(RELEASE)/InRelease";
  const { stdout } = spawnSync("apt-get", ["indextargets", "--format", format], { encoding: "utf8" });
  return [...new Set((stdout ?? "").split("\n"))].filter((each) => /^https?:.*\/debian\/dists\/[a-z]+\//.test(each));
}

const debianKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const [release] = existsSync(debianKeyring) ? aptReleases() : [];
const fetched = release === undefined ? undefined : await plainGet(new URL(release)).catch(() => undefined);

test.skipIf(fetched?.status !== 200)("U5: live: the Release of this host's Debian is verified by its keyring", () => {
  const bytes = fetched?.bytes ?? new Uint8Array();
  const opened = openRelease({ inRelease: bytes }, readKeyring(readFileSync(debianKeyring)), new Date());
  expect(opened.files.size).toBeGreaterThan(100);
  expect(opened.signer.algorithm).toMatch(/SHA-(256|512)$/);
});
