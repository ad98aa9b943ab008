import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseVerifierKey } from "@touchmark/formats/log";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ask, kindTrust, rulesOf, TestDatabase } from "./attested.fixture.ts";
import { plainGet, questionAbout, type TestService, testService } from "./evidence.fixture.ts";
import { type SeenState, seenInMemory, seenStateIn } from "./seen-state.ts";

const goMod = "module example.com/own/one\n";
/** `h1` of a go.mod: dirhash over that one file. */
const h1Of = (text: string): string =>
  createHash("sha256")
    .update(`${createHash("sha256").update(text).digest("hex")}  go.mod\n`)
    .digest("hex");
const other = "1".repeat(64);
let service: TestService;
beforeAll(async () => {
  service = await testService();
});
afterAll(() => service.close());
beforeEach(() => service.answers.clear());

const question = (text = goMod) =>
  questionAbout("golang", `${service.url}example.com/own/one/@v/v1.0.0.mod`, text, {
    kind: "metadata",
    name: "example.com/own/one",
    version: "v1.0.0",
    purl: "pkg:golang/example.com/own/one@v1.0.0",
    fileName: "v1.0.0.mod",
  });

function database(before = 5): TestDatabase {
  const made = new TestDatabase();
  for (let n = 0; n < before; n++) made.add(`example.com/other${n}`, "v1.0.0", other, other);
  made.add("example.com/own/one", "v1.0.0", other, h1Of(goMod));
  return made;
}

const trustIn = (made: TestDatabase, url: string | undefined = service.url, rules = rulesOf("signers: []")) => ({
  "go-checksum-database": kindTrust({ databases: [{ verifier: made.verifier, url }], rules }),
});

test("U6: a record of the tree with the module's h1 is verified, and every later tree continues it", async () => {
  const made = database();
  const seen = seenInMemory();
  made.publish(service.answers);
  expect(await ask(question(), trustIn(made), seen)).toMatchObject({ outcome: "verified", signer: "sums.example" });
  for (let n = 0; n < 9; n++) made.add(`example.com/later${n}`, "v1.0.0", other, other);
  made.publish(service.answers);
  expect(await ask(question(), trustIn(made), seen)).toMatchObject({ outcome: "verified" });
  // An older answer of the same history is no fork, and does not make us forget the newer one.
  const kept = seen.read("go sums.example");
  made.publish(service.answers, 8);
  made.publish(service.answers);
  service.answers.set("/lookup/example.com/own/one@v1.0.0", `5\n${made.records[5]}\n${made.head(8)}`);
  expect(await ask(question(), trustIn(made), seen)).toMatchObject({ outcome: "verified" });
  expect(seen.read("go sums.example")).toBe(kept);
});

test("U6: below the module proxy when no address is given, and not for private modules", async () => {
  const made = database();
  made.publish(service.answers);
  for (const [path, body] of [...service.answers]) service.answers.set(`/sumdb/sums.example${path}`, body);
  const below = { "go-checksum-database": kindTrust({ databases: [{ verifier: made.verifier, url: undefined }] }) };
  expect(await ask(question(), below)).toMatchObject({ outcome: "verified" });
  service.asked.length = 0;
  const rules = rulesOf("private: [example.com/own/*]");
  expect(await ask(question(), trustIn(made, service.url, rules))).toMatchObject({ outcome: "absent" });
  expect(service.asked).toEqual([]);
});

test("U6: another digest, record, tree or answer is refused; no answer is absent or unreachable", async () => {
  const made = database();
  expect(await ask(question(), trustIn(made))).toMatchObject({ outcome: "absent" });
  made.publish(service.answers);
  expect(await ask(question("module other\n"), trustIn(made))).toMatchObject({ code: "UPSTREAM_RECORD_MISMATCH" });
  expect(await ask(question(), trustIn(database()))).toMatchObject({ code: "NOTE_UNTRUSTED" });
  const lookup = "/lookup/example.com/own/one@v1.0.0";
  const forged = (made.records[5] as string).replace("own/one v1", "own/one  v1");
  service.answers.set(lookup, `5\n${forged}\n${made.head()}`);
  expect(await ask(question(), trustIn(made))).toMatchObject({ code: "UPSTREAM_RECORD_MISMATCH" });
  service.answers.set(lookup, `6\n${made.records[5]}\n${made.head()}`);
  expect(await ask(question(), trustIn(made))).toMatchObject({ code: "UPSTREAM_RECORD_MISMATCH" });
  service.answers.set(lookup, `5\n${made.records[5]}`);
  expect(await ask(question(), trustIn(made))).toMatchObject({ code: "UPSTREAM_ANSWER_MALFORMED" });
  service.answers.set(lookup, 503);
  expect(await ask(question(), trustIn(made))).toMatchObject({ outcome: "unreachable" });
  made.publish(service.answers);
  service.answers.delete("/tile/8/0/000.p/6");
  expect(await ask(question(), trustIn(made))).toMatchObject({ code: "UPSTREAM_ANSWER_MALFORMED" });
});

test("U6: a partial tile that is gone is read from the full one", async () => {
  const small = database(20);
  small.publish(service.answers);
  const leaves = service.answers.get("/tile/8/0/000.p/21") as Uint8Array;
  service.answers.delete("/tile/8/0/000.p/21");
  service.answers.set("/tile/8/0/000", Buffer.concat([leaves, Buffer.alloc(256 * 32 - leaves.length)]));
  expect(await ask(question(), trustIn(small))).toMatchObject({ outcome: "verified" });
});

test("U6: what was seen outlives the process, and a damaged memory refuses", async () => {
  const made = database();
  made.publish(service.answers);
  const directory = join(mkdtempSync(join(tmpdir(), "tm-seen-")), "seen");
  expect(await ask(question(), trustIn(made), seenStateIn(directory))).toMatchObject({ outcome: "verified" });
  expect(await ask(question(), trustIn(made), seenStateIn(directory))).toMatchObject({ outcome: "verified" });
  const noise: SeenState = { read: () => "noise", write: () => undefined };
  expect(await ask(question(), trustIn(made), noise)).toMatchObject({ code: "UPSTREAM_STATE_DAMAGED" });
});

/** What the installed Go knows: its module proxy, and the keys of checksum databases that stand in its own source. */
function installedGo(): { readonly proxy: string; readonly keys: readonly string[] } | undefined {
  const said = (name: string): string => spawnSync("go", ["env", name], { encoding: "utf8" }).stdout?.trim() ?? "";
  const proxy = said("GOPROXY").split(/[,|]/)[0] ?? "";
  const source = join(said("GOROOT"), "src", "cmd", "go", "internal", "modfetch", "key.go");
  if (!proxy.startsWith("https:") || !existsSync(source)) return undefined;
  const keys = [...readFileSync(source, "utf8").matchAll(/: +"([^"+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+)"/g)];
  return { proxy: `${proxy.replace(/\/$/, "")}/`, keys: keys.map(([, key = ""]) => key) };
}

const go = installedGo();
const mod = "rsc.io/quote/@v/v1.5.2.mod";
const key = go?.keys[0];
const verifier = key === undefined ? undefined : parseVerifierKey(key);
const [fetched, head] = await Promise.all(
  [mod, `sumdb/${verifier?.name}/latest`].map(async (path) =>
    go === undefined ? undefined : plainGet(new URL(path, go.proxy)).catch(() => undefined),
  ),
);

test.skipIf(fetched?.status !== 200 || head?.status !== 200)(
  "U6: live: a module's record stands in the checksum database that the installed Go knows, below its proxy",
  async () => {
    if (verifier === undefined || fetched === undefined) return;
    const address = new URL(mod, go?.proxy);
    const asked = (bytes: Uint8Array | string) =>
      questionAbout("golang", address.href, bytes, {
        upstream: { name: "go", ecosystem: "golang", url: go?.proxy ?? "", exclusive: [], order: 0 },
        ...{ kind: "metadata", name: "rsc.io/quote", version: "v1.5.2", fileName: "v1.5.2.mod" },
      });
    const trust = { "go-checksum-database": kindTrust({ databases: [{ verifier, url: undefined }] }) };
    const seen = seenInMemory();
    expect(await ask(asked(fetched.bytes), trust, seen)).toMatchObject({ outcome: "verified", signer: verifier.name });
    expect(await ask(asked(fetched.bytes), trust, seen)).toMatchObject({ outcome: "verified" });
    expect(await ask(asked("module rsc.io/quote\n"), trust, seen)).toMatchObject({ code: "UPSTREAM_RECORD_MISMATCH" });
  },
  60_000,
);
