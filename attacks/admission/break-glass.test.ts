import { type Permission, permissionFor, permissionsIn } from "@touchmark/admission";
import { sha256 } from "@touchmark/core";
import { type BreakGlass, predicateType } from "@touchmark/formats/predicates";
import type { VerifiedStatement } from "@touchmark/verify";
import { expect, test } from "vitest";
import { artifact, now, type Said, signed, spiffe, world } from "../policy/policy-scene.ts";

/*
 * Permissions to pass in spite of policies. All are really signed and verified; what is wrong is who signed what, about
 * which bytes, for how long.
 *
 * Shown elsewhere: what nobody verified (C16), files that were altered or moved (X82), verdicts that show it (C12, X81).
 */

const type = predicateType("break-glass");
const rules = { signers: [spiffe("attest")], issuer: world.issuer, maxHours: 72 };
const permit = (more: Partial<BreakGlass> = {}): BreakGlass => ({
  ...{ run: "break-glass", createdAt: "2026-06-01T12:00:00Z", predecessors: [], id: "outage-1" },
  ...{ namespaces: ["shop"], by: "Ada", reason: "outage of the signer", expires: "2026-06-02T12:00:00Z", ...more },
});
const glass = (content: object, said: Said = {}) => signed(content, { by: "attest", type, ...said });
/** A gate that looks for a permission of that name and for its end. */
const believed = ({ statement }: VerifiedStatement) => {
  const { id, expires } = statement.predicate as { readonly id: string; readonly expires: string };
  return id === "outage-1" && Date.parse(expires) > now.getTime();
};

test("a permission for another artifact, another place, another time", () => {
  const found = permissionsIn([glass(permit())], rules);
  expect(found.refused).toEqual([]);
  const passes = (about = artifact, namespace: string | undefined = "shop", at = now) =>
    permissionFor(found.permissions, about, namespace, at)?.id;
  const byName = (permissions: readonly Permission[]) => permissions.some(({ id }) => id === "outage-1");
  expect([passes(), byName(found.permissions)]).toEqual(["outage-1", true]);
  expect(passes(sha256("evil"))).toBeUndefined();
  for (const namespace of ["shop-evil", "sho", "Shop", "*", "", "shop "])
    expect(passes(artifact, namespace)).toBeUndefined();
  expect(permissionFor(found.permissions, artifact, undefined, now)).toBeUndefined();
  expect(passes(artifact, "shop", new Date("2026-06-02T12:00:00Z"))).toBeUndefined();
});

test.each<readonly [what: string, code: string, make: () => VerifiedStatement]>([
  ["somebody who may not", "BREAK_GLASS_SIGNER", () => glass(permit(), { by: "user/mallory" })],
  [
    "a step of a build",
    "BREAK_GLASS_SIGNER",
    () => glass(permit(), { by: "project/shop/pipeline/default/step/attest" }),
  ],
  ["one whose name ends alike", "BREAK_GLASS_SIGNER", () => glass(permit(), { by: "evil/attest" })],
  [
    "the same name of another issuer",
    "BREAK_GLASS_SIGNER",
    () => glass(permit(), { issuer: "https://elsewhere.example" }),
  ],
  [
    "one who writes a late beginning for a long time",
    "BREAK_GLASS_TOO_LONG",
    () => glass(permit({ createdAt: "2026-12-31T00:00:00Z", expires: "2027-01-01T00:00:00Z" })),
  ],
  ["one who gives no end", "PREDICATE_MALFORMED", () => glass({ ...permit(), expires: "9999" })],
  [
    "one who adds what a newer gate may understand",
    "PREDICATE_UNKNOWN_FIELD",
    () => glass({ ...permit(), artifacts: "*" }),
  ],
  [
    "one who names many artifacts at once",
    "BREAK_GLASS_UNVERIFIED",
    () => glass(permit(), { alsoAbout: [sha256("evil")] }),
  ],
  [
    "one who signed the same words as a note",
    "BREAK_GLASS_UNVERIFIED",
    () => glass(permit(), { type: "https://example.com/note/v1" }),
  ],
])("a permission by %s: %s", (_, code, make) => {
  const statement = make();
  expect(believed(statement)).toBe(true);
  const { permissions, refused } = permissionsIn([statement], rules);
  expect([permissions, refused.map((each) => each.code)]).toEqual([[], [code]]);
});
