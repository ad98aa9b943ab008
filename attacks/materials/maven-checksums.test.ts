import { expect, test } from "vitest";
import { defaultRules } from "../../packages/materials/src/gate/rules.ts";
import type { Upstream } from "../../packages/materials/src/material.ts";
import { hex, type Served, sessionScene } from "../../packages/materials/src/session/fixture.ts";

const base = "https://repository.example/maven2/";
const upstream: Upstream = { name: "central", ecosystem: "maven", url: base, exclusive: [], order: 0 };
const jar = `${base}org/example/lib/1.0/lib-1.0.jar`;

async function fetch(served: Served, url = jar): Promise<string> {
  const scene = sessionScene({
    ...{ upstreams: [upstream], served },
    rules: { unlocked: { ...defaultRules.unlocked, maven: "record" } },
  });
  return scene.ask(url).then(
    () => "in",
    (error: { code?: string }) => error.code ?? "no code",
  );
}

test("attack: the harness lets an honest repository's file in, by the checksum beside it", async () => {
  expect(await fetch({ [jar]: { body: "lib" }, [`${jar}.sha256`]: { body: hex("sha256", "lib") } })).toBe("in");
});

test("attack: a repository serves another file than its checksum says", async () => {
  const served = { [jar]: { body: "evil" }, [`${jar}.sha512`]: { body: hex("sha512", "lib") } };
  expect(await fetch(served)).toBe("SESSION_DIGEST_MISMATCH");
});

test("attack: a weak checksum holds and the strong one does not", async () => {
  const served = {
    ...{ [jar]: { body: "evil" }, [`${jar}.sha1`]: { body: hex("sha1", "evil") } },
    [`${jar}.sha256`]: { body: hex("sha256", "lib") },
  };
  // Naive: Maven 3 asks for SHA-1 alone, and warns at most.
  expect(served[`${jar}.sha1`]?.body).toBe(hex("sha1", "evil"));
  expect(await fetch(served)).toBe("SESSION_DIGEST_MISMATCH");
});

test.each([
  ["a page that asks to sign in", "<html><body>Please sign in</body></html>"],
  ["another file's", `${hex("sha256", "evil")}  other-1.0.jar\n`],
  ["two digests, one for each reader", `${hex("sha256", "lib")}\n${hex("sha256", "evil")}\n`],
  ["one of another length", hex("sha1", "evil")],
  ["empty", ""],
])("attack: the checksum beside a file is %s", async (_, body) => {
  const served = { [jar]: { body: "evil" }, [`${jar}.sha256`]: { body } };
  expect(await fetch(served)).toBe("MATERIAL_INDEX_MALFORMED");
});

test.each([
  ["a file below another's coordinates", "org/example/lib/1.0/evil-1.0.jar"],
  ["a version that its name does not have", "org/example/lib/1.0/lib-9.9.jar"],
  ["a group that climbs", "org/%2e%2e%2fevil/lib/1.0/lib-1.0.jar"],
  ["a program of no known kind", "org/example/lib/1.0/lib-1.0.php"],
])("attack: a step asks for %s", async (_, path) => {
  expect(await fetch({ [base + path]: { body: "evil" } }, base + path)).toBe("SESSION_REQUEST_UNKNOWN");
});
