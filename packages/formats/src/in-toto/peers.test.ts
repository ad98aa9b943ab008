import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { demoLayout, demoLinks, type KeyKind, keyKinds, privatePem, signers } from "./demo.fixture.ts";
import {
  type ClassicForm,
  classicLinkFileName,
  classicSigner,
  olpcCanonicalJson,
  readClassicLayout,
  readClassicLink,
  verifyClassicSignatures,
  writeClassicLayout,
  writeClassicLink,
} from "./index.ts";

/* in-toto of Python, old and new, and of Go: what we write they verify, what they write we verify. */

const golang = findProgram("in-toto-golang");
const pythonNew = findProgram("in-toto-run");
// Debian has the version before the keys changed.
const debian = "/usr/bin/in-toto-verify";
const pythonOld = existsSync(debian) && !help(debian).includes("--verification-keys") ? debian : undefined;
const isNew = pythonNew !== undefined && help(pythonNew).includes("--signing-key");
const pythonVerify = isNew ? findProgram("in-toto-verify") : undefined;

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "touchmark-in-toto-"));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function help(program: string): string {
  return spawnSync(program, ["--help"], { encoding: "utf8" }).stdout;
}

function run(program: string | undefined, words: readonly string[], cwd: string) {
  const { status, stdout, stderr } = spawnSync(program ?? "", words, { cwd, encoding: "utf8" });
  return { status, said: `${stdout}${stderr}` };
}

/** A directory with layout, links and the owner's public key in both spellings. */
function demo(kind: KeyKind, form: ClassicForm, change: { readonly packed?: string } = {}): string {
  const at = mkdtempSync(join(directory, `${kind}-`));
  const owner = signers[kind];
  const functionary = signers[keyKinds[(keyKinds.indexOf(kind) + 1) % keyKinds.length] ?? "rsa"];
  writeFileSync(join(at, "root.layout"), writeClassicLayout(demoLayout([functionary]), [owner], form));
  for (const link of demoLinks(change)) {
    const path = join(at, classicLinkFileName(link.name, functionary.key.keyid));
    writeFileSync(path, writeClassicLink(link, [functionary], form));
  }
  const { key } = owner;
  const { keytype, scheme, hashAlgorithms } = key;
  const json = { keytype, scheme, keyid_hash_algorithms: hashAlgorithms, keyval: { public: key.public, private: "" } };
  writeFileSync(join(at, "owner.json"), JSON.stringify(json));
  const pem = kind === "ed25519" ? pemOf(key.public) : key.public;
  writeFileSync(join(at, "owner.pem"), `${pem.trim()}\n`);
  return at;
}

function pemOf(hex: string): string {
  const der = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), Buffer.from(hex, "hex")]);
  return `-----BEGIN PUBLIC KEY-----\n${der.toString("base64")}\n-----END PUBLIC KEY-----`;
}

const verdicts: Readonly<Record<string, (at: string, kind: KeyKind) => { status: number | null; said: string }>> = {
  golang: (at) => run(golang, ["verify", "-l", "root.layout", "-k", "owner.pem", "-d", "."], at),
  python: (at) => run(pythonVerify, ["-l", "root.layout", "--verification-keys", "owner.pem", "--link-dir", "."], at),
  old: (at, kind) =>
    run(pythonOld, ["-l", "root.layout", "-k", kind === "rsa" ? "owner.pem" : "owner.json", "-t", kind], at),
};
const programs: Readonly<Record<string, string | undefined>> = { golang, python: pythonVerify, old: pythonOld };
const cases = Object.keys(verdicts).flatMap((tool) =>
  keyKinds.flatMap((kind) =>
    // The old one knows no DSSE.
    (tool === "old" ? (["metablock"] as const) : (["metablock", "dsse"] as const)).map(
      (form) => [tool, kind, form] as const,
    ),
  ),
);

for (const [tool, kind, form] of cases) {
  test.skipIf(programs[tool] === undefined)(
    `ITO8: in-toto (${tool}) accepts our layout and links, ${form} signed by ${kind}, and refuses an altered artifact`,
    () => {
      const accepted = verdicts[tool]?.(demo(kind, form), kind);
      expect(`${accepted?.status} ${accepted?.said}`).toMatch(/^0 /);
      const altered = verdicts[tool]?.(demo(kind, form, { packed: "print('evil')\n" }), kind);
      expect(altered?.status).not.toBe(0);
    },
    60_000,
  );
}

const forms = ["metablock", "dsse"] as const;
for (const kind of keyKinds) {
  for (const form of forms) {
    const dsse = form === "dsse" ? ["--use-dsse"] : [];
    test.skipIf(!isNew)(`ITO9: a link that in-toto of Python signed by ${kind} as ${form} verifies here`, () => {
      const at = mkdtempSync(join(directory, "python-"));
      const { pem, key } = privatePem(kind);
      writeFileSync(join(at, "key.pem"), pem);
      writeFileSync(join(at, "a.txt"), "a\n");
      const words = ["-n", "build", "--signing-key", "key.pem", "-m", "a.txt", "-p", "a.txt", "b.txt", ...dsse];
      const made = run(pythonNew, [...words, "--", "cp", "a.txt", "b.txt"], at);
      expect(`${made.status} ${made.said}`).toMatch(/^0 /);
      checkLink(at, key);
    });
    test.skipIf(!golang)(`ITO9: a link that in-toto of Go signed by ${kind} as ${form} verifies here`, () => {
      const at = mkdtempSync(join(directory, "go-"));
      const { pem, key } = privatePem(kind);
      writeFileSync(join(at, "key.pem"), pem);
      writeFileSync(join(at, "a.txt"), "a\n");
      const words = ["run", "-n", "build", "-k", "key.pem", "-m", "a.txt", "-p", "a.txt", "-p", "b.txt", ...dsse];
      const made = run(golang, [...words, "--", "cp", "a.txt", "b.txt"], at);
      expect(`${made.status} ${made.said}`).toMatch(/^0 /);
      checkLink(at, key);
    });
  }
}

function checkLink(at: string, key: Parameters<typeof classicSigner>[0]): void {
  const file = readdirSync(at).find((name) => name.endsWith(".link")) ?? "";
  const { link, envelope } = readClassicLink(readFileSync(join(at, file)));
  expect(link).toMatchObject({ name: "build", command: ["cp", "a.txt", "b.txt"] });
  expect(Object.keys(link.products).sort()).toEqual(["a.txt", "b.txt"]);
  expect(Object.keys(link.materials)).toEqual(["a.txt"]);
  const signer = classicSigner(key);
  expect(verifyClassicSignatures(envelope, [signer.key]).map(({ digest }) => digest)).toEqual([signer.key.digest]);
  expect(file).toBe(classicLinkFileName("build", envelope.signatures[0]?.keyid ?? ""));
}

test.skipIf(!isNew)("ITO9: a layout of ours that in-toto of Python signed again verifies here", () => {
  const at = mkdtempSync(join(directory, "sign-"));
  const { pem, key } = privatePem("rsa");
  writeFileSync(join(at, "key.pem"), pem);
  writeFileSync(join(at, "root.layout"), writeClassicLayout(demoLayout([signers.ed25519]), [signers.ecdsa]));
  const sign = findProgram("in-toto-sign");
  const made = run(sign, ["-f", "root.layout", "-k", "key.pem", "-a"], at);
  expect(`${made.status} ${made.said}`).toMatch(/^0 /);
  const { layout, envelope } = readClassicLayout(readFileSync(join(at, "root.layout")));
  expect(layout).toEqual(demoLayout([signers.ed25519]));
  expect(verifyClassicSignatures(envelope, [classicSigner(key).key, signers.ecdsa.key])).toHaveLength(2);
});

test.skipIf(pythonNew === undefined)("ITO2: canonical JSON is that of securesystemslib", () => {
  const value = { "\u{1f600}": 1, "\uff5e": [-2, null, true], a: 'q"\\\n\u0001', "": {} };
  const script =
    "import sys,json\nfrom securesystemslib.formats import encode_canonical\n" +
    "sys.stdout.write(encode_canonical(json.load(sys.stdin)))";
  const python =
    readFileSync(pythonNew ?? "", "utf8")
      .split("\n")[0]
      ?.slice(2) ?? "python3";
  const { stdout } = spawnSync(python, ["-c", script], {
    encoding: "utf8",
    input: JSON.stringify(value),
    env: { ...process.env, PYTHONIOENCODING: "utf-8" },
  });
  expect(olpcCanonicalJson(value)).toBe(stdout);
});
