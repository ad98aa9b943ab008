import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { sha256 } from "@touchmark/core";
import { type ClassicLayout, type ClassicLink, type ClassicSigner, classicSigner } from "./index.ts";

/** Keys of each kind that classic tools know. */
export const signers = {
  rsa: classicSigner(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey),
  ed25519: classicSigner(generateKeyPairSync("ed25519").privateKey),
  ecdsa: classicSigner(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey),
} as const;
export type KeyKind = keyof typeof signers;
export const keyKinds = Object.keys(signers) as readonly KeyKind[];

/** A private key of a kind, as PEM. */
export function privatePem(kind: KeyKind): { readonly pem: string; readonly key: KeyObject } {
  const { privateKey } =
    kind === "rsa"
      ? generateKeyPairSync("rsa", { modulusLength: 2048 })
      : kind === "ed25519"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  return { pem, key: createPrivateKey(pem) };
}

const hash = (text: string) => ({ sha256: sha256(text).slice(7) });

/** The demo of in-toto, shortened: what was cloned is packed, by two people. */
export function demoLayout(
  functionaries: readonly ClassicSigner[],
  change: Partial<ClassicLayout> = {},
): ClassicLayout {
  const pubkeys = functionaries.map(({ key }) => key.keyid);
  return {
    expires: "2099-01-01T00:00:00Z",
    readme: 'The "demo".',
    keys: Object.fromEntries(functionaries.map(({ key }) => [key.keyid, key])),
    steps: [
      {
        name: "clone",
        command: ["git", "clone", "project"],
        materials: [{ rule: "DISALLOW", pattern: "*" }],
        products: [
          { rule: "CREATE", pattern: "src/foo.py" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        threshold: 1,
        pubkeys,
      },
      {
        name: "package",
        command: [],
        materials: [
          { rule: "MATCH", pattern: "*", in: "in", with: "products", to: "src", from: "clone" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        products: [
          { rule: "CREATE", pattern: "foo.tar" },
          { rule: "ALLOW", pattern: "in/*" },
          { rule: "DISALLOW", pattern: "*" },
        ],
        threshold: 1,
        pubkeys,
      },
    ],
    inspections: [],
    ...change,
  };
}

/** Links that the demo's layout accepts. */
export function demoLinks(change: { readonly packed?: string } = {}): readonly ClassicLink[] {
  const foo = hash("print('hi')\n");
  return [
    {
      name: "clone",
      command: ["git", "clone", "project"],
      materials: {},
      products: { "src/foo.py": foo },
      byproducts: { "return-value": 0, stdout: 'a\tb \u00e4 \\ "q"\n', stderr: "" },
      environment: {},
    },
    {
      name: "package",
      command: ["tar", "cf", "foo.tar", "in"],
      materials: { "in/foo.py": change.packed === undefined ? foo : hash(change.packed) },
      products: { "in/foo.py": foo, "foo.tar": hash("tar") },
      byproducts: {},
      environment: {},
    },
  ];
}
