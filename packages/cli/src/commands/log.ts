import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { encodeBase64, encodeHex } from "@touchmark/core";
import { type Command, given, type Invocation, text } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { writeNamedFile } from "../output/file.ts";
import type { Terminal } from "../terminal.ts";

/** `touchmark log`: the transparency log, checked, proven and witnessed. */
export const command: Command = {
  name: "log",
  summary: "check, prove and witness the transparency log",
  description:
    "fsck reads the whole log and names the first altered position. prove prints a proof that an entry is in it. checkpoint prints the published checkpoint. witness adds a witness's cosignatures to it.",
  arguments: [
    { name: "action", description: "fsck, prove, checkpoint or witness", required: true },
    { name: "index", description: "prove: the index of the entry" },
  ],
  options: [
    { flags: "--dir <dir>", description: "log directory (default: this factory's)" },
    { flags: "--key <vkey>", description: "verifier key of the log (default: this factory's)" },
    { flags: "--size <n>", description: "prove: within the tree of this size" },
    { flags: "--url <url>", description: "witness: address of a C2SP witness" },
    { flags: "--witness-key <vkey>", description: "witness: its verifier key" },
    { flags: "--out <file>", description: "write the answer to a file" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark log fsck", "every entry, tile and hash against the checkpoint"],
    ["touchmark log prove 17", "inclusion proof of entry 17, verified before it is printed"],
    ["touchmark log checkpoint --out checkpoint", "for a monitor or a witness"],
    [
      "touchmark log witness --url https://witness.example.org --witness-key KEY",
      "asks for a cosignature and publishes it",
    ],
  ],
  async run(invocation, terminal) {
    const [action = ""] = invocation.arguments;
    const actions: Readonly<Record<string, (invocation: Invocation, terminal: Terminal) => Promise<number>>> = {
      fsck: check,
      prove,
      checkpoint,
      witness,
    };
    const perform = Object.hasOwn(actions, action) ? actions[action] : undefined;
    if (perform === undefined) {
      throw cliErrors.make("CLI_USAGE", `expected fsck, prove, checkpoint or witness, found ${JSON.stringify(action)}`);
    }
    return perform(invocation, terminal);
  },
};

/** Directory and verifier key: given, or this factory's. */
async function place(invocation: Invocation, terminal: Terminal): Promise<{ directory: string; key: string }> {
  const directory = text(invocation, "dir");
  const key = text(invocation, "key");
  if (directory !== undefined && key !== undefined) return { directory: resolve(terminal.directory, directory), key };
  if (directory !== undefined)
    throw cliErrors.make("CLI_USAGE", "expected --key with --dir: a log is read with its own key");
  const { logVerifierKey, openFactory } = await import("@touchmark/pipeline");
  const factory = await openFactory();
  try {
    return { directory: factory.home.paths.log, key: key ?? (await logVerifierKey(factory)) };
  } finally {
    await factory.close();
  }
}

async function check(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { fsckLog } = await import("@touchmark/log");
  const { directory, key } = await place(invocation, terminal);
  const report = await fsckLog(directory, key);
  const root = encodeBase64(report.root);
  if (given(invocation, "json")) terminal.print(JSON.stringify({ ...report, root }));
  else
    terminal.print(
      `${terminal.style.good("whole")} ${report.origin}: ${report.entries} entries, ${report.tiles} tiles, root ${root}`,
    );
  return 0;
}

async function prove(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { directorySource, openLogReader } = await import("@touchmark/log");
  const index = number(invocation.arguments[1], "the index of an entry");
  const size = text(invocation, "size");
  const { directory, key } = await place(invocation, terminal);
  const reader = openLogReader({ source: directorySource(directory), verifier: key });
  const proof = await reader.prove(index, size === undefined ? undefined : number(size, "--size"));
  const json = {
    index,
    treeSize: proof.treeSize,
    rootHash: encodeBase64(proof.rootHash),
    hashes: proof.hashes.map(encodeBase64),
    checkpoint: proof.checkpoint,
    entry: encodeHex(await reader.entry(index)).length / 2,
  };
  emit(invocation, terminal, JSON.stringify(json, undefined, given(invocation, "json") ? 0 : 2));
  return 0;
}

async function checkpoint(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { directorySource, openLogReader } = await import("@touchmark/log");
  const { directory, key } = await place(invocation, terminal);
  await openLogReader({ source: directorySource(directory), verifier: key }).checkpoint();
  const note = readFileSync(join(directory, "checkpoint"), "utf8");
  emit(invocation, terminal, given(invocation, "json") ? JSON.stringify({ checkpoint: note, key }) : note.trimEnd());
  return 0;
}

async function witness(invocation: Invocation, terminal: Terminal): Promise<number> {
  const url = text(invocation, "url");
  const witnessKey = text(invocation, "witnessKey");
  if (url === undefined || witnessKey === undefined) {
    throw cliErrors.make("CLI_USAGE", "expected --url URL and --witness-key KEY", { hint: "touchmark log --help" });
  }
  const { cosignLog, openFactory } = await import("@touchmark/pipeline");
  const factory = await openFactory();
  try {
    emit(invocation, terminal, (await cosignLog(factory, { url, key: witnessKey })).trimEnd());
    return 0;
  } finally {
    await factory.close();
  }
}

function emit(invocation: Invocation, terminal: Terminal, answer: string): void {
  const out = text(invocation, "out");
  if (out === undefined) terminal.print(answer);
  else writeNamedFile(terminal, out, `${answer}\n`);
}

function number(word: string | undefined, what: string): number {
  if (word === undefined || !/^(0|[1-9]\d{0,14})$/.test(word)) {
    throw cliErrors.make("CLI_USAGE", `expected ${what}, a whole number, found ${JSON.stringify(word ?? "nothing")}`);
  }
  return Number(word);
}
