import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fixedClock } from "@touchmark/core";
import { afterAll, expect, test } from "vitest";
import { joinTokenNode, joinTokens, selfClaimedNode } from "./index.ts";

const clock = fixedClock("2026-11-21T10:00:00Z");
const scratch = mkdtempSync(join(tmpdir(), "touchmark-node-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const refusal = (code: string) => expect.objectContaining({ code });

test("A1: a node's own word says that it is one, and what it does not show", async () => {
  const evidence = await selfClaimedNode({ trustDomain: "factory.example", clock }).attest();
  expect(evidence).toMatchObject({ evidence: "self-claim", attestedAt: "2026-11-21T10:00:00Z" });
  expect(evidence.limits.join(" ")).toMatch(/vouches for itself/);
  expect(new Set(evidence.selectors.map(({ label }) => label))).toEqual(new Set(["self-claim"]));
  expect(evidence.selectors.map(({ type }) => type)).toContain("kernel");
});

test("A1: identifiers are hidden, and differ between trust domains", async () => {
  const [one, two] = await Promise.all(
    ["one.example", "two.example"].map((trustDomain) => selfClaimedNode({ trustDomain, clock }).attest()),
  );
  const host = (evidence: typeof one) => evidence?.selectors.find(({ type }) => type === "hostname-digest")?.value;
  expect(host(one)).toMatch(/^sha256:/);
  expect(host(one)).not.toBe(host(two));
  expect(JSON.stringify(one)).not.toContain(`"${hostname()}"`);
});

test("A2: a join token works once, and only its digest is stored", async () => {
  const directory = join(scratch, "once");
  const tokens = joinTokens({ directory, clock });
  const token = tokens.create();
  for (const name of readdirSync(directory)) expect(readFileSync(join(directory, name), "utf8")).not.toContain(token);
  expect(readdirSync(directory).join()).not.toContain(token);
  const node = joinTokenNode({ trustDomain: "factory.example", clock, tokens, token });
  const first = await node.attest();
  expect(first.evidence).toBe("join-token");
  expect(first.selectors[0]).toMatchObject({ type: "join-token", label: "join-token" });
  expect((await node.attest()).selectors[0]).toEqual(first.selectors[0]);
  const other = joinTokenNode({
    trustDomain: "factory.example",
    clock,
    tokens: joinTokens({ directory, clock }),
    token,
  });
  await expect(other.attest()).rejects.toMatchObject({ code: "JOIN_TOKEN_USED" });
});

test("A2: unknown, late and too long-lived tokens are refused, and a late one is spent", () => {
  const at = fixedClock("2026-11-21T10:00:00Z");
  const tokens = joinTokens({ directory: join(scratch, "late"), clock: at });
  expect(() => tokens.redeem("nonsense")).toThrow(refusal("JOIN_TOKEN_UNKNOWN"));
  for (const lifetimeSeconds of [0, 86_401, 0.5]) {
    expect(() => tokens.create({ lifetimeSeconds })).toThrow(refusal("JOIN_TOKEN_LIFETIME"));
  }
  const token = tokens.create({ lifetimeSeconds: 60 });
  at.set("2026-11-21T10:01:00Z");
  expect(() => tokens.redeem(token)).toThrow(refusal("JOIN_TOKEN_EXPIRED"));
  at.set("2026-11-21T10:00:30Z");
  expect(() => tokens.redeem(token)).toThrow(refusal("JOIN_TOKEN_USED"));
});

test("A2: a damaged record of a token is refused", () => {
  const directory = join(scratch, "damaged");
  const tokens = joinTokens({ directory, clock });
  const token = tokens.create();
  const [name = ""] = readdirSync(directory);
  for (const text of ["", "{", "{}", '{"expires":"soon"}', "null"]) {
    writeFileSync(join(directory, name), text, { mode: 0o600 });
    expect(() => tokens.redeem(token)).toThrow(refusal("KEY_FILE_DAMAGED"));
  }
});
