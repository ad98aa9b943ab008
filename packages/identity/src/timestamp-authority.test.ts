import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fixedClock, sha256Bytes } from "@touchmark/core";
import {
  boolean,
  context,
  integer,
  nullValue,
  objectIdentifier,
  octetString,
  sequence,
} from "@touchmark/formats/der-writer";
import { parseTimestampResponse, parseTrustedRoot } from "@touchmark/formats/evidence";
import { type FactoryFixture, factoryFixture, findProgram } from "@touchmark/test-kit";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";

const openssl = findProgram("openssl");
const clock = fixedClock("2026-11-21T10:42:31.000Z");
let factory: FactoryFixture;
let roots: string;
beforeAll(async () => {
  factory = await factoryFixture({ clock });
  roots = join(factory.directory, "roots.pem");
  writeFileSync(roots, new X509Certificate(factory.identity.chain()[1] ?? "").toString());
});
afterAll(() => factory.dispose());

const file = (name: string, content: Uint8Array | string) => {
  const path = join(factory.directory, name);
  writeFileSync(path, content);
  return path;
};
const accepts = (response: string, ...what: string[]) =>
  spawnSync(openssl ?? "", ["ts", "-verify", "-in", response, ...what, "-CAfile", roots, "-attime", "1795257751"], {
    encoding: "utf8",
  });

test.skipIf(!openssl)(
  "T1: OpenSSL accepts 400 stamps over the milliseconds of a second",
  async () => {
    // One process for all would be quicker; OpenSSL takes one response at a time.
    const message = file("message", "signature bytes");
    for (let i = 0; i < 400; i++) {
      // 0, 10, 100 and their multiples are the times whose fraction ends in zeros.
      const milliseconds = i < 200 ? i * 5 : (i * 7) % 1000;
      clock.set(new Date(Date.parse("2026-11-21T10:42:31Z") + milliseconds));
      const response = file("response.tsr", await factory.identity.timestampAuthority.stamp(readFileSync(message)));
      const verdict = accepts(response, "-data", message);
      expect(`${milliseconds}: ${verdict.stdout}${verdict.stderr}`).toContain("Verification: OK");
    }
  },
  120_000,
);

test("T2: the time in a stamp is that of the clock, in DER, for any time", async () => {
  const authority = factory.identity.timestampAuthority;
  await fc.assert(
    fc.asyncProperty(
      fc.date({ min: new Date("2000-01-01"), max: new Date("2099-12-31"), noInvalidDate: true }),
      async (at) => {
        clock.set(at);
        const { token } = parseTimestampResponse(await authority.stamp(Buffer.from("x")));
        expect(token?.statement.time).toBe(at.getTime());
      },
    ),
  );
});

test("T3: a token carries the imprint and the certificate's hash, and its certificate", async () => {
  const { status, token } = parseTimestampResponse(await factory.identity.timestampAuthority.stamp(Buffer.from("abc")));
  expect(status).toBe(0);
  expect(Buffer.from(token?.statement.imprint ?? [])).toEqual(Buffer.from(sha256Bytes("abc")));
  const [authority] = parseTrustedRoot(factory.identity.trustedRoot()).timestampAuthorities;
  expect(token?.certificates.map((each) => Buffer.from(each).toString("hex"))).toEqual([
    Buffer.from(authority?.certificates[0] ?? []).toString("hex"),
  ]);
  expect(Buffer.from(token?.signingCertificates[0]?.hash ?? [])).toEqual(
    Buffer.from(sha256Bytes(authority?.certificates[0] ?? new Uint8Array())),
  );
});

test.skipIf(!openssl).each([
  ["sha256", ["-cert"]],
  ["sha384", ["-cert"]],
  ["sha512", ["-cert"]],
  ["sha256", ["-cert", "-no_nonce"]],
])("T3: OpenSSL accepts the answer to its own query, %s %j", (hash, options) => {
  clock.set("2026-11-21T10:42:31.120Z");
  const message = file("message", "any message");
  const query = join(factory.directory, "query.tsq");
  execFileSync(openssl ?? "", ["ts", "-query", "-data", message, `-${hash}`, ...options, "-out", query], {
    stdio: "pipe",
  });
  const response = file("response.tsr", factory.identity.timestampAuthority.respond(readFileSync(query)));
  const verdict = accepts(response, "-queryfile", query);
  expect(verdict.stdout + verdict.stderr).toContain("Verification: OK");
});

test.skipIf(!openssl)("T3: without certReq the certificate stays out, and OpenSSL accepts it given apart", () => {
  clock.set("2026-11-21T10:42:31Z");
  const message = file("message", "any message");
  const query = join(factory.directory, "query.tsq");
  execFileSync(openssl ?? "", ["ts", "-query", "-data", message, "-sha256", "-out", query], { stdio: "pipe" });
  const bytes = factory.identity.timestampAuthority.respond(readFileSync(query));
  expect(parseTimestampResponse(bytes).token?.certificates).toEqual([]);
  const [authority] = parseTrustedRoot(factory.identity.trustedRoot()).timestampAuthorities;
  const certificate = file("tsa.pem", new X509Certificate(authority?.certificates[0] ?? "").toString());
  const verdict = accepts(file("response.tsr", bytes), "-queryfile", query, "-untrusted", certificate);
  expect(verdict.stdout + verdict.stderr).toContain("Verification: OK");
});

const imprint = (oid: string, length: number) =>
  sequence(sequence(objectIdentifier(oid), nullValue()), octetString(randomBytes(length)));
const sha256Oid = "2.16.840.1.101.3.4.2.1";
const good = sequence(integer(1), imprint(sha256Oid, 32), integer(5), boolean(true));
const failureOf = (request: Uint8Array) => {
  const text = spawnSync(openssl ?? "", [
    "ts",
    "-reply",
    "-text",
    "-in",
    file("rejection.tsr", factory.identity.timestampAuthority.respond(request)),
  ]).stdout.toString();
  return /Failure info: (.*)/.exec(text)?.[1];
};

test.skipIf(!openssl).each<[string, Uint8Array, string]>([
  ["bytes that are no DER", Buffer.from("hello"), "the data submitted has the wrong format"],
  ["an empty request", Buffer.alloc(0), "the data submitted has the wrong format"],
  ["bytes after the request", Buffer.concat([good, Buffer.of(0)]), "the data submitted has the wrong format"],
  ["version 2", sequence(integer(2), imprint(sha256Oid, 32)), "transaction not permitted or supported"],
  ["SHA-1", sequence(integer(1), imprint("1.3.14.3.2.26", 20)), "unrecognized or unsupported algorithm identifier"],
  ["a short digest", sequence(integer(1), imprint(sha256Oid, 20)), "the data submitted has the wrong format"],
  [
    "another policy",
    sequence(integer(1), imprint(sha256Oid, 32), objectIdentifier("1.2.3.4")),
    "the requested TSA policy is not supported by the TSA",
  ],
  [
    "an extension",
    sequence(integer(1), imprint(sha256Oid, 32), context(0, sequence(objectIdentifier("1.2.3"), octetString()))),
    "the requested extension is not supported by the TSA",
  ],
  [
    "a huge nonce",
    sequence(integer(1), imprint(sha256Oid, 32), integer(Buffer.alloc(65, 1))),
    "transaction not permitted or supported",
  ],
  ["a huge request", sequence(octetString(Buffer.alloc(5000))), "transaction not permitted or supported"],
  [
    "certReq false spelled out",
    sequence(integer(1), imprint(sha256Oid, 32), boolean(false)),
    "the data submitted has the wrong format",
  ],
])("T4: %s is rejected with its failure bit", (_, request, failure) => {
  expect(failureOf(request)).toBe(failure);
});

test("T4: no bytes make the authority throw", () => {
  const authority = factory.identity.timestampAuthority;
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(good.length - 1), fc.nat(255), (noise, at, byte) => {
      const mutated = Buffer.from(good);
      mutated[at] = byte;
      for (const request of [noise, mutated]) {
        const { status, token } = parseTimestampResponse(authority.respond(request));
        expect([0, 2]).toContain(status);
        expect(token === undefined).toBe(status === 2);
      }
    }),
  );
});
