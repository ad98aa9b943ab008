import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isFactoryError } from "@touchmark/core";
import type { KeptRecord } from "@touchmark/pipeline/policy";
import type { Candidate, Replayed } from "@touchmark/policy";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";
import { layoutsBeside, readDocument } from "./documents.ts";

/** `touchmark policy replay`: decisions of the past, taken again by a candidate. */
export const command: Command = {
  name: "policy replay",
  summary: "decide recorded decisions again, by a candidate, and list those that flip",
  description:
    "Each recorded decision is taken again with the same facts and the same evidence, verified again, at its own time or at another one. Decisions at points of which the candidate does not speak are passed over. Exit 1 when one flips.",
  arguments: [{ name: "candidate", description: "policies, and layouts beside them", required: true, variadic: true }],
  options: [
    { flags: "--decisions <directory>", description: "records to decide again (default: those of this home)" },
    { flags: "--at <date>", description: "as if it were that time: 2027-01-31" },
    { flags: "--all", description: "also those that come out as before" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark policy replay policies/publish.yaml", "what it would have refused or let pass"],
    ["touchmark policy replay policies/*.yaml --at 2027-06-01", "what will come out otherwise by then"],
  ],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const { keptRecords, replayInput } = await import("@touchmark/pipeline/policy");
    const { replayDecision } = await import("@touchmark/policy");
    const candidate = readCandidate(terminal, invocation.arguments);
    const now = timeOption(text(invocation, "at"), "--at");
    const factory = await openFactory();
    try {
      const directory = text(invocation, "decisions");
      const records = directory === undefined ? keptRecords(factory) : await recordsIn(terminal, directory);
      const replayed: Replayed[] = [];
      const unreadable: { readonly record: string; readonly code: string; readonly message: string }[] = [];
      let passedOver = 0;
      for (const { digest, record } of records) {
        if (!candidate.policies.some(({ document }) => document.point === record.decision.point)) {
          passedOver += 1;
          continue;
        }
        try {
          const input = await replayInput(factory, record);
          const again = replayDecision({ record: digest, decision: record.decision, input }, candidate, now);
          if (again !== undefined) replayed.push(again);
        } catch (error) {
          if (!isFactoryError(error)) throw error;
          const { code, message } = error;
          unreadable.push({ record: digest, code, message });
        }
      }
      const flips = replayed.filter(({ flipped }) => flipped);
      if (given(invocation, "json")) {
        const rows = given(invocation, "all") ? replayed : flips;
        const counts = { replayed: replayed.length, flipped: flips.length, passedOver };
        terminal.print(JSON.stringify({ ...counts, unreadable, decisions: rows }, undefined, 2));
      } else {
        for (const each of given(invocation, "all") ? replayed : flips) show(each, terminal);
        for (const { record, code, message } of unreadable)
          terminal.note(oneLine(`not replayed ${record}: ${code} ${message}`));
        terminal.print(
          `${replayed.length} decisions replayed, ${flips.length} flipped; ${passedOver} at other points, ${unreadable.length} not replayed`,
        );
      }
      return flips.length === 0 ? 0 : 1;
    } finally {
      await factory.close();
    }
  },
};

function readCandidate(terminal: Terminal, files: readonly string[]): Candidate {
  const readings = files.map((file) => ({ file, reading: readDocument(terminal, file) }));
  const policies = readings.flatMap(({ file, reading }) =>
    reading.kind === "policy" ? [{ file, digest: reading.digest, document: reading.document }] : [],
  );
  const layouts = readings.flatMap(({ reading }) =>
    reading.kind === "layout" ? [{ digest: reading.digest, document: reading.document }] : [],
  );
  if (policies.length === 0) throw cliErrors.make("CLI_USAGE", "expected at least one policy among the files");
  return {
    policies: policies.map(({ digest, document }) => ({ digest, document })),
    layouts: [
      ...layouts,
      ...policies.flatMap(({ file, document }) => layoutsBeside(resolve(terminal.directory, file), document)),
    ],
  };
}

async function recordsIn(terminal: Terminal, directory: string): Promise<readonly KeptRecord[]> {
  const { readRecord } = await import("@touchmark/pipeline/policy");
  const place = resolve(terminal.directory, directory);
  let names: string[];
  try {
    names = readdirSync(place).filter((name) => name.endsWith(".json"));
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? "unreadable";
    throw cliErrors.make("CLI_FILE_UNREADABLE", `expected a directory of records, found ${directory}: ${why}`, {
      cause,
    });
  }
  return names.sort().map((name) => readRecord(readFileSync(join(place, name)), name));
}

function show({ before, after, flipped, gained, lost }: Replayed, terminal: Terminal): void {
  const { good, bad, dim } = terminal.style;
  const word = (result: "allow" | "deny") => (result === "allow" ? good(result) : bad(result));
  const change = flipped ? `${word(before.result)} -> ${word(after.result)}` : word(after.result);
  const about = before.subject.digest === undefined ? "" : ` ${dim(before.subject.digest)}`;
  terminal.print(`${change}  ${oneLine(`${before.at}  ${before.point}  ${before.subject.name}`)}${about}`);
  for (const { code, rule, message } of gained)
    terminal.print(oneLine(`    + ${[code, rule, message].filter(Boolean).join(" ")}`));
  for (const { code, rule, message } of lost)
    terminal.print(oneLine(`    - ${[code, rule, message].filter(Boolean).join(" ")}`));
}
