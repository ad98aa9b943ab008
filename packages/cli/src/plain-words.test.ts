import fc from "fast-check";
import { expect, test } from "vitest";
import type { Command } from "./command.ts";
import { commandTable } from "./commands.ts";
import { parseWords } from "./full-parser.ts";
import { readPlainWords } from "./plain-words.ts";
import type { Terminal } from "./terminal.ts";

const commands: Command[] = await Promise.all(commandTable.map(async (row) => (await row.load()).command));

const terminal = (environment: Record<string, string>): Terminal =>
  ({ environment, write: () => undefined }) as unknown as Terminal;

/** Words as a user types them: flags of the command and others, values, and what is half of either. */
const wordsFor = (command: Command) => {
  const flags = (command.options ?? []).map((option) => option.flags.split(/[ ,]/)[0] as string);
  const odd = [
    "-h",
    "--help",
    "--",
    "-",
    "--unknown",
    "--json=1",
    "",
    "--bundle=x",
    "-j",
    "4",
    "a b",
    "ä",
    "--no-cache",
  ];
  return fc.array(fc.constantFrom(...flags, ...flags, ...odd, "x", "sha256:00", "spiffe://td/builder"), {
    maxLength: 7,
  });
};

test("X13: words that are read without the full parser mean what it says they mean", () => {
  let plainlyRead = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...commands).chain((command) => fc.tuple(fc.constant(command), wordsFor(command), fc.boolean())),
      ([command, words, inEnvironment]) => {
        const names = (command.options ?? []).flatMap((option) => option.environment ?? []);
        const environment = Object.fromEntries(inEnvironment ? names.map((name) => [name, "from-environment"]) : []);
        const plain = readPlainWords(command, words, environment);
        if (plain === undefined) return;
        plainlyRead++;
        expect(plain).toEqual(parseWords(command, words, terminal(environment)));
      },
    ),
    { numRuns: 4000 },
  );
  expect(plainlyRead).toBeGreaterThan(300);
});

test("X13: what the full parser would refuse or explain is left to it", () => {
  const verify = commands.find((command) => command.name === "verify") as Command;
  const left = [["--help"], ["x", "y"], ["x", "--bundle"], ["x", "--bundle", "--json"], ["x", "--nope"], ["--", "x"]];
  for (const words of left) expect(readPlainWords(verify, words, {})).toBeUndefined();
  expect(readPlainWords(verify, ["x", "--trust-root", "r", "--json"], {})).toEqual({
    arguments: ["x"],
    options: { trustRoot: "r", json: true },
  });
});
