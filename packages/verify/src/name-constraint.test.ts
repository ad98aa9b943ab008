import type { Certificate, GeneralName } from "@touchmark/formats/evidence";
import { distinguishedName } from "@touchmark/test-kit/mint";
import { expect, test } from "vitest";
import { checkNameConstraints } from "./name-constraint.ts";

type Kind = GeneralName["kind"];
const name = (kind: Kind, value: string | Buffer): GeneralName =>
  typeof value === "string" ? { kind, text: value, der: Buffer.from(value) } : { kind, text: "", der: value };
const empty = Buffer.from([0x30, 0]);

function allowed(subject: GeneralName, permitted: GeneralName[], excluded: GeneralName[] = []): boolean {
  const leaf = { subject: subject.kind === "directory" ? subject.der : empty } as Partial<Certificate> as Certificate;
  const names = subject.kind === "directory" ? [] : [subject];
  const authority = { nameConstraints: { permitted, excluded } } as Partial<Certificate> as Certificate;
  try {
    checkNameConstraints({ ...leaf, subjectAltNames: names }, [authority]);
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: "CERTIFICATE_NAME_CONSTRAINT", nature: "refused" });
    return false;
  }
}

const rows: readonly (readonly [Kind, string, string, boolean])[] = [
  ["uri", "spiffe://td.example/a", "td.example", true],
  ["uri", "spiffe://TD.example/a", "td.EXAMPLE", true],
  ["uri", "spiffe://x.td.example/a", "td.example", false],
  ["uri", "spiffe://x.td.example/a", ".td.example", true],
  ["uri", "spiffe://td.example/a", ".td.example", false],
  ["uri", "spiffe://evil-td.example/a", "td.example", false],
  ["uri", "spiffe://td.example.evil/a", "td.example", false],
  ["uri", "spiffe://td.example@evil.example/a", "td.example", false],
  ["uri", "https://td.example:8443/a", "td.example", true],
  ["uri", "https://127.0.0.1/a", "127.0.0.1", false],
  ["uri", "urn:td.example", "td.example", false],
  ["email", "a@td.example", "td.example", true],
  ["email", "a@x.td.example", "td.example", false],
  ["email", "a@x.td.example", ".td.example", true],
  ["email", "a@td.example", "a@td.example", true],
  ["email", "b@td.example", "a@td.example", false],
  ["dns", "x.td.example", "td.example", true],
  ["dns", "xtd.example", "td.example", false],
];

test.each(rows)("V5: %s %s against %s: %s", (kind, value, constraint, permitted) => {
  expect(allowed(name(kind, value), [name(kind, constraint)])).toBe(permitted);
  // What is permitted when listed is refused when excluded; what cannot be decided is refused either way.
  if (permitted) expect(allowed(name(kind, value), [], [name(kind, constraint)])).toBe(false);
});

test("V5: a constraint on one kind of names leaves the others alone", () => {
  expect(allowed(name("email", "a@b.example"), [name("uri", "td.example")])).toBe(true);
});

test("V5: addresses are compared under their mask, directory names from the root", () => {
  const ip = (text: string) => Buffer.from(text.split(".").map(Number));
  const net = name("ip", ip("10.1.0.0.255.255.0.0"));
  expect(allowed(name("ip", ip("10.1.2.3")), [net])).toBe(true);
  expect(allowed(name("ip", ip("10.2.2.3")), [net])).toBe(false);
  expect(allowed(name("ip", Buffer.alloc(16)), [net])).toBe(false);
  const directory = (cn: string) => name("directory", distinguishedName("Mint", cn));
  expect(allowed(directory("a"), [directory("a")])).toBe(true);
  expect(allowed(directory("b"), [directory("a")])).toBe(false);
});

test("V5: a constraint of a kind that is not understood refuses names of that kind", () => {
  expect(allowed(name("other", Buffer.from("x")), [name("other", Buffer.from("x"))])).toBe(false);
  expect(allowed(name("userName", "x"), [], [name("other", Buffer.from("y"))])).toBe(false);
});
