import { fixedClock } from "@touchmark/core";
import { expect, test } from "vitest";
import { fakeHash, isFakePassword } from "./authority.fixture.ts";
import { failureLedger, remotePlace } from "./failures.ts";
import { hashPassword, hasPassword, parsePasswordHash, unmatchedHash } from "./password.ts";
import { passwords } from "./passwords.ts";
import { retryAfterOf } from "./retry-later.ts";

const refusal = (code: string) => expect.objectContaining({ code }) as object;
const clock = fixedClock("2026-11-21T10:42:31Z");
const user = (name: string) => [name, { name, password: parsePasswordHash(fakeHash(name)), grants: [] }] as const;
const users = new Map([user("ada"), user("bob")]);

/** Comparing that can be held back. */
function slow() {
  const held: (() => void)[] = [];
  let running = 0;
  let most = 0;
  const compare = async (known: { text: string }, password: string) => {
    most = Math.max(most, ++running);
    await new Promise<void>((resolve) => held.push(resolve));
    running--;
    return isFakePassword(known, password);
  };
  return { compare, held, most: () => most };
}

test("A4: a hash is scrypt within fixed bounds, and is that of its password alone", async () => {
  const known = await hashPassword("correct horse battery");
  expect(known.text).toMatch(/^\$scrypt\$ln=14,r=8,p=5\$/);
  const read = parsePasswordHash(known.text);
  expect(await hasPassword(read, "correct horse battery")).toBe(true);
  expect(await hasPassword(read, "correct horse batterx")).toBe(false);
  expect(await hasPassword(unmatchedHash(), "correct horse battery")).toBe(false);
  expect((await hashPassword("correct horse battery")).text).not.toBe(known.text);
});

test("A4: one password has several spellings in Unicode, and none beyond the bound", async () => {
  const known = await hashPassword("cafe\u0301 au lait noir");
  expect(await hasPassword(known, "caf\u00e9 au lait noir")).toBe(true);
  const long = await hashPassword("x".repeat(1024));
  expect(await hasPassword(long, "x".repeat(1025))).toBe(false);
});

test.each([
  "hunter2hunter2",
  "$2y$10$abcdefghijklmnopqrstuv",
  fakeHash("a").replace("ln=14", "ln=30"),
  fakeHash("a").replace("ln=14", "ln=1"),
  fakeHash("a").replace("p=5", "p=99"),
  fakeHash("a").replace("r=8", "r=800"),
  fakeHash("a").slice(0, -1),
  `${fakeHash("a")}=`,
  // Stray bits at the end of base64 would give one hash two spellings.
  `${fakeHash("a").slice(0, -1)}B`,
])("A4: %s is no hash", (text) => {
  expect(() => parsePasswordHash(text)).toThrow(refusal("REGISTRY_AUTH_HASH_INVALID"));
});

test.each(["short", "x".repeat(1025), "with a\nline break in it"])("A4: %j is no password", async (password) => {
  await expect(hashPassword(password)).rejects.toThrow(refusal("REGISTRY_AUTH_PASSWORD_WEAK"));
});

test("A4: a right password is remembered until it is changed or time passes", async () => {
  const compared: string[] = [];
  const checker = passwords(clock, failureLedger(clock), async (known, password) => {
    compared.push(password);
    return isFakePassword(known, password);
  });
  const check = (map = users) => checker.check(map, "ada", "ada's password", "10.0.0.1");
  expect((await check()).name).toBe("ada");
  await check();
  expect(compared).toHaveLength(1);
  const [, bob] = user("bob");
  await expect(check(new Map([["ada", { ...bob, name: "ada" }]]))).rejects.toThrow(
    refusal("REGISTRY_AUTH_CREDENTIALS_WRONG"),
  );
  expect(compared).toHaveLength(2);
  clock.set(new Date(clock.now().getTime() + 301_000));
  await check();
  expect(compared).toHaveLength(3);
});

test("A4: an unknown user costs a comparison, and is told as a wrong password is", async () => {
  const compared: string[] = [];
  const checker = passwords(clock, failureLedger(clock), async (known) => {
    compared.push(known.text);
    return true;
  });
  const wrong = await checker.check(users, "eve", "anything", "10.0.0.2").catch((error: Error) => error.message);
  expect(compared).toEqual([""]);
  const other = passwords(clock, failureLedger(clock), async () => false);
  expect(await other.check(users, "ada", "anything", "10.0.0.2").catch((error: Error) => error.message)).toBe(wrong);
});

test("A4: two are computed at once, one for all that ask the same, and only so many wait", async () => {
  const { compare, held, most } = slow();
  const checker = passwords(clock, failureLedger(clock), compare);
  const same = Array.from({ length: 50 }, () => checker.check(users, "ada", "ada's password", "10.0.0.3"));
  const others = Array.from({ length: 66 }, (_, i) => checker.check(users, "bob", `guess ${i}`, `10.0.1.${i}`));
  const outcomes = Promise.allSettled([...same, ...others]);
  await new Promise(setImmediate);
  while (held.length > 0) {
    held.shift()?.();
    await new Promise(setImmediate);
  }
  const settled = await outcomes;
  expect(settled.slice(0, 50).every(({ status }) => status === "fulfilled")).toBe(true);
  const codes = settled
    .slice(50)
    .map((one) => (one.status === "rejected" ? (one.reason as { code: string }).code : ""));
  expect(codes.filter((code) => code === "REGISTRY_AUTH_BUSY")).toHaveLength(1);
  expect(codes.filter((code) => code === "REGISTRY_AUTH_CREDENTIALS_WRONG")).toHaveLength(65);
  expect(most()).toBe(2);
});

test("A5: wrong credentials shut out their sender for a time that doubles, and nobody else", async () => {
  const checker = passwords(clock, failureLedger(clock), isFakePassword);
  const guess = (name: string, remote: string) => checker.check(users, name, "wrong", remote).catch((error) => error);
  for (let i = 0; i < 5; i++)
    expect(await guess("ada", "10.0.0.9")).toMatchObject({ code: "REGISTRY_AUTH_CREDENTIALS_WRONG" });
  const waits: (number | undefined)[] = [];
  for (let i = 0; i < 10; i++) {
    const refused = (await guess("ada", "10.0.0.9")) as { code: string };
    expect(refused.code).toBe("REGISTRY_AUTH_LOCKED");
    const seconds = retryAfterOf(refused) ?? 0;
    waits.push(seconds);
    // The right password from there waits too; from elsewhere, and for others, nothing changed.
    await expect(checker.check(users, "ada", "ada's password", "10.0.0.9")).rejects.toThrow(
      refusal("REGISTRY_AUTH_LOCKED"),
    );
    clock.set(new Date(clock.now().getTime() + seconds * 1000));
    expect(await guess("ada", "10.0.0.9")).toMatchObject({ code: "REGISTRY_AUTH_CREDENTIALS_WRONG" });
  }
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
  expect((await checker.check(users, "ada", "ada's password", "10.0.0.10")).name).toBe("ada");
  expect((await checker.check(users, "bob", "bob's password", "10.0.0.9")).name).toBe("bob");
  clock.set(new Date(clock.now().getTime() + 301_000));
  expect((await checker.check(users, "ada", "ada's password", "10.0.0.9")).name).toBe("ada");
});

test("A5: a remote that guesses many names is shut out for all of them", async () => {
  const checker = passwords(clock, failureLedger(clock), isFakePassword);
  for (let i = 0; i < 50; i++) await checker.check(users, `user${i}`, "x", "10.0.0.11").catch(() => undefined);
  await expect(checker.check(users, "new", "x", "10.0.0.11")).rejects.toThrow(refusal("REGISTRY_AUTH_LOCKED"));
  // What is remembered as right goes on.
  expect((await checker.check(users, "ada", "ada's password", "10.0.0.12")).name).toBe("ada");
  for (let i = 0; i < 50; i++) await checker.check(users, `user${i}`, "x", "10.0.0.12").catch(() => undefined);
  expect((await checker.check(users, "ada", "ada's password", "10.0.0.12")).name).toBe("ada");
});

test.each([
  ["10.1.2.3", "10.1.2.3"],
  ["::ffff:10.1.2.3", "10.1.2.3"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::9", "2001:db8:1:2::/64"],
  ["2001:0DB8::1", "2001:db8:0:0::/64"],
  ["fe80::1%eth0", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
])("A5: %s counts as %s", (remote, place) => {
  expect(remotePlace(remote)).toBe(place);
});
