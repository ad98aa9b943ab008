import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mintToken, rotateTokenKey } from "@touchmark/registry";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authorityScene, encoded, partsOf } from "./authority-scene.ts";

let scene: Awaited<ReturnType<typeof authorityScene>>;
let good: ReturnType<typeof partsOf>;
let token: string;
beforeAll(async () => {
  scene = await authorityScene();
  token = await scene.token("scope=repository:team/app:pull,push");
  good = partsOf(token);
});
afterAll(() => scene.dispose());

const judge = (text: string) => scene.judge(`Bearer ${text}`);
/** Signed as the registry signs, with what an attacker would put in: shows that a code is about what is in it. */
function forged(header: object | string, claims: object | string, key: KeyObject = scene.key().privateKey): string {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${sign("sha256", Buffer.from(text), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

test("A7: the token itself is good, and so is the way in which these attacks sign", async () => {
  expect(await judge(token)).toBe("ada");
  expect(await judge(forged(good.header, good.claims))).toBe("ada");
});

describe("A7: algorithms", () => {
  test.each(["none", "None", "NONE", "nOnE", "", "HS256", "RS256", "PS256", "ES384", "es256", "EdDSA"])(
    "attack: alg %j",
    async (alg) => {
      expect(await judge(forged({ ...good.header, alg }, good.claims))).toBe("REGISTRY_TOKEN_ALGORITHM_REFUSED");
      expect(await judge(`${encoded({ ...good.header, alg })}.${encoded(good.claims)}.`)).toBe(
        "REGISTRY_TOKEN_ALGORITHM_REFUSED",
      );
    },
  );
  test("attack: HMAC keyed by the public key, with the algorithm that says so and with ours", async () => {
    const { publicKey } = scene.key();
    const keys = [
      publicKey.export({ format: "pem", type: "spki" }),
      publicKey.export({ format: "der", type: "spki" }),
      scene.key().id,
      "",
    ];
    for (const key of keys) {
      const of = (header: object) => {
        const text = `${encoded(header)}.${encoded(good.claims)}`;
        return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
      };
      expect(await judge(of({ ...good.header, alg: "HS256" }))).toBe("REGISTRY_TOKEN_ALGORITHM_REFUSED");
      expect(await judge(of(good.header))).toBe("REGISTRY_TOKEN_SIGNATURE_WRONG");
    }
  });
});

describe("A7: keys and signatures", () => {
  test("attack: no signature, a cut one, one of zeros, one in DER, another's", async () => {
    const [header = "", claims = ""] = token.split(".");
    const text = `${header}.${claims}`;
    const der = sign("sha256", Buffer.from(text), scene.key().privateKey);
    const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    for (const mark of [
      "",
      good.mark.slice(0, 40),
      Buffer.alloc(64).toString("base64url"),
      Buffer.alloc(64, 0xff).toString("base64url"),
      der.toString("base64url"),
    ]) {
      expect(await judge(`${text}.${mark}`)).toMatch(/^REGISTRY_TOKEN_(SIGNATURE_WRONG|MALFORMED)$/);
    }
    expect(await judge(forged(good.header, good.claims, stranger))).toBe("REGISTRY_TOKEN_SIGNATURE_WRONG");
  });
  test("attack: claims or header changed after signing", async () => {
    const [header = "", claims = ""] = token.split(".");
    const wider = { ...good.claims, access: [{ type: "repository", name: "other/app", actions: ["pull", "push"] }] };
    expect(await judge(`${header}.${encoded(wider)}.${good.mark}`)).toBe("REGISTRY_TOKEN_SIGNATURE_WRONG");
    const spaced = encoded(`${JSON.stringify(good.header)} `);
    expect(await judge(`${spaced}.${claims}.${good.mark}`)).toBe("REGISTRY_TOKEN_SIGNATURE_WRONG");
  });
  test("attack: a key of the attacker in the token, or the place to fetch one from", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = publicKey.export({ format: "jwk" });
    for (const more of [
      { jwk },
      { jku: "https://attacker.example/keys" },
      { x5u: "https://attacker.example/chain" },
      { x5c: ["MIIB"] },
      { crit: ["exp"], exp: 0 },
      { b64: false },
      { zip: "DEF" },
    ]) {
      expect(await judge(forged({ ...good.header, ...more }, good.claims, privateKey))).toBe(
        "REGISTRY_TOKEN_MALFORMED",
      );
      expect(await judge(forged({ ...good.header, ...more }, good.claims))).toBe("REGISTRY_TOKEN_MALFORMED");
    }
  });
  test.each([undefined, "", "../../token-key.json", "0".repeat(32), "' OR 1=1", 7, null, ["x"]])(
    "attack: key name %j",
    async (kid) => {
      expect(await judge(forged({ ...good.header, kid }, good.claims))).toBe("REGISTRY_TOKEN_KEY_UNKNOWN");
    },
  );
});

describe("A7: claims", () => {
  const now = Math.floor(Date.parse("2026-11-21T10:42:31Z") / 1000);
  test.each<[string, object, string]>([
    ["over", { exp: now }, "REGISTRY_TOKEN_EXPIRED"],
    ["long over", { exp: 1, iat: 1, nbf: 1 }, "REGISTRY_TOKEN_EXPIRED"],
    ["not begun", { nbf: now + 1 }, "REGISTRY_TOKEN_NOT_YET_VALID"],
    ["of another registry", { aud: "other-registry" }, "REGISTRY_TOKEN_AUDIENCE_WRONG"],
    ["of several", { aud: ["touchmark-registry", "other"] }, "REGISTRY_TOKEN_AUDIENCE_WRONG"],
    ["of none", { aud: undefined }, "REGISTRY_TOKEN_AUDIENCE_WRONG"],
    ["by another issuer", { iss: "other" }, "REGISTRY_TOKEN_ISSUER_WRONG"],
    ["without an end", { exp: undefined }, "REGISTRY_TOKEN_MALFORMED"],
    ["with an end in words", { exp: "9999999999" }, "REGISTRY_TOKEN_MALFORMED"],
    ["for years", { exp: now + 1e8 }, "REGISTRY_TOKEN_MALFORMED"],
    ["for ever", { exp: 1e308 }, "REGISTRY_TOKEN_MALFORMED"],
    ["without a beginning", { nbf: undefined }, "REGISTRY_TOKEN_MALFORMED"],
    ["of nobody", { sub: "" }, "REGISTRY_TOKEN_MALFORMED"],
    ["of somebody with a line break", { sub: "ada\nbob" }, "REGISTRY_TOKEN_MALFORMED"],
    ["for a pattern", { access: [{ type: "repository", name: "**", actions: ["pull"] }] }, "REGISTRY_TOKEN_MALFORMED"],
    ["for what is no list", { access: { type: "repository" } }, "REGISTRY_TOKEN_MALFORMED"],
    ["for null", { access: [null] }, "REGISTRY_TOKEN_MALFORMED"],
    ["of a user who is gone", { sub: "eve" }, "REGISTRY_TOKEN_SUBJECT_UNKNOWN"],
  ])("attack: a token %s", async (_, change, code) => {
    expect(await judge(forged(good.header, { ...good.claims, ...change }))).toBe(code);
  });
});

describe("A7: spellings", () => {
  test("attack: other texts for the same token", async () => {
    const [header = "", claims = "", mark = ""] = token.split(".");
    const claimsText = JSON.stringify(good.claims);
    const twice = claimsText.replace("{", `{"sub":"eve",`);
    for (const text of [
      `${header}.${claims}`,
      `${header}.${claims}.${mark}.`,
      `${header}.${claims}.${mark}.x`,
      `.${claims}.${mark}`,
      `${header}=.${claims}.${mark}`,
      `${header}.${claims}.${mark}==`,
      forged(good.header, twice),
      forged(good.header, "null"),
      forged(good.header, "[]"),
      forged("{}", good.claims).replace(/^/, "x"),
      forged(good.header, "{".repeat(100)),
      forged(good.header, { ...good.claims, more: "x".repeat(9000) }),
    ]) {
      expect(await judge(text), text.slice(0, 60)).toMatch(/^REGISTRY_(TOKEN_MALFORMED|AUTH_HEADER_INVALID)$/);
    }
    const padded = `${header}.${Buffer.from(claimsText).toString("base64")}+.${mark}`;
    expect(await judge(padded)).toBe("REGISTRY_TOKEN_SIGNATURE_WRONG");
    // The last character of a signature has bits to spare: a token has one spelling all the same.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const last = alphabet.indexOf(mark.at(-1) ?? "");
    const other = `${mark.slice(0, -1)}${alphabet[last ^ 1]}`;
    expect(await judge(`${header}.${claims}.${other}`)).toBe("REGISTRY_TOKEN_MALFORMED");
  });
});

test("A8: attack: a token is sent again after its end, and after a rotation", async () => {
  const own = await authorityScene();
  const held = `Bearer ${await own.token("scope=repository:team/app:pull")}`;
  expect(await own.judge(held)).toBe("ada");
  own.clock.set("2026-11-21T10:47:31Z");
  expect(await own.judge(held)).toBe("REGISTRY_TOKEN_EXPIRED");
  const fresh = `Bearer ${await own.token("scope=repository:team/app:pull")}`;
  const factory = mintToken({
    ...{
      key: own.key(),
      clock: own.clock,
      subject: "spiffe://factory-1.internal/builder",
      service: "touchmark-registry",
    },
    ...{ access: [{ type: "repository", name: "team/app", actions: ["pull"] }], lifetimeSeconds: 60 },
  });
  expect(await own.judge(`Bearer ${factory.token}`)).toBe("spiffe://factory-1.internal/builder");
  rotateTokenKey(own.keyPath, own.clock);
  expect(await own.judge(fresh)).toBe("REGISTRY_TOKEN_KEY_UNKNOWN");
  expect(await own.judge(`Bearer ${factory.token}`)).toBe("REGISTRY_TOKEN_KEY_UNKNOWN");
  await own.dispose();
});
