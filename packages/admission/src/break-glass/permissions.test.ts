import { sha256 } from "@touchmark/core";
import { predicateType } from "@touchmark/formats/predicates";
import type { VerifiedStatement } from "@touchmark/verify";
import { expect, test } from "vitest";
import { checkPermission, type Permission, permissionFor, permissionsIn } from "./permissions.ts";

const digest = sha256("image");
const rules = { signers: ["spiffe://td.internal/attest"], issuer: "https://td.internal", maxHours: 72 };
const now = new Date("2026-11-21T12:00:00Z");
const permission = (more: Partial<Permission> = {}): Permission => ({
  ...{ id: "one", by: "Ada", reason: "outage", expires: "2026-11-21T13:00:00Z", digest, namespaces: ["shop"] },
  ...{ signer: "spiffe://td.internal/attest", bundle: sha256("bundle") },
  ...more,
});

test("C16: a statement that nobody verified permits nothing, however well it looks", () => {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "image", digest: { sha256: digest.slice(7) } }],
    predicateType: predicateType("break-glass"),
    predicate: { id: "one", namespaces: ["*"], by: "Eve", reason: "mine", expires: "2099-01-01T00:00:00Z" },
  };
  const signer = { kind: "certificate", identity: rules.signers[0], issuer: rules.issuer };
  const forged = { kind: "statement", statement, signer, times: [{ at: now }], bundle: sha256("b") };
  const { permissions, refused } = permissionsIn([forged as unknown as VerifiedStatement], rules);
  expect(permissions).toEqual([]);
  expect(refused.map(({ code }) => code)).toEqual(["BREAK_GLASS_UNVERIFIED"]);
});

test("C16: it counts for its digest, in its namespaces, until it expires; of several the one that ends first", () => {
  const all = [permission(), permission({ id: "sooner", expires: "2026-11-21T12:30:00Z" })];
  const found = (at: string, namespace: string | undefined = "shop", about = digest) =>
    permissionFor(all, about, namespace, new Date(at))?.id;
  expect(found("2026-11-21T12:00:00Z")).toBe("sooner");
  expect(found("2026-11-21T12:30:00Z")).toBe("one");
  expect(found("2026-11-21T13:00:00Z")).toBeUndefined();
  expect(found("2026-11-21T12:00:00Z", "shop-2")).toBeUndefined();
  expect(found("2026-11-21T12:00:00Z", "shop", sha256("other"))).toBeUndefined();
  expect(permissionFor(all, digest, undefined, now)).toBeUndefined();
  expect(permissionFor([permission({ namespaces: [""] })], digest, undefined, now)?.id).toBe("one");
  expect(permissionFor([permission({ namespaces: ["*"] })], digest, "anywhere", now)?.id).toBe("one");
  expect(permissionFor([permission({ namespaces: ["*", "a"] })], digest, "anywhere", now)).toBeUndefined();
});

test("C16: what may not be signed is refused before, by its code", () => {
  const refusal = (expires: string, signer = "spiffe://td.internal/attest"): unknown => {
    try {
      checkPermission({ expires }, signer, rules, now);
      return undefined;
    } catch (error) {
      return (error as { code: string }).code;
    }
  };
  expect(refusal("2026-11-24T12:00:00Z")).toBeUndefined();
  expect(refusal("2026-11-24T12:00:01Z")).toBe("BREAK_GLASS_TOO_LONG");
  expect(refusal("2026-11-21T12:00:00Z")).toBe("BREAK_GLASS_EXPIRED");
  expect(refusal("2026-11-21T13:00:00Z", "spiffe://td.internal/attest/x")).toBe("BREAK_GLASS_SIGNER");
});
