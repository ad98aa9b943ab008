import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { type Digest, isFactoryError } from "@touchmark/core";
import type { Factory } from "@touchmark/pipeline";
import type { KeptRecord } from "@touchmark/pipeline/policy";
import type { Decision } from "@touchmark/policy";
import { type Command, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { printable, type Terminal } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";
import { layoutsBeside, readDocument } from "./documents.ts";

/** `touchmark policy explain`: why a decision came out as it did. */
export const command: Command = {
  name: "policy explain",
  summary: "why a decision came out as it did: rules, values, evidence, what to do",
  description:
    "A recorded decision is named by the digest of its record or the beginning of it, by its file, or `latest`. For an artifact the newest recorded decision of each point is explained; with --policy, or where there is none, it is decided now, and not recorded. Exit 3 when a decision denies.",
  arguments: [
    { name: "decision", description: "a record, latest, a file, or sha256:<digest> of an artifact", required: true },
  ],
  options: [
    {
      flags: "--point <point>",
      description: "of an artifact: only this point, or the one to decide at (default: deploy)",
    },
    { flags: "--policy <file>", description: "decide an artifact now, by these files", repeatable: true },
    { flags: "--at <date>", description: "decide an artifact as of that time: 2027-01-31" },
    {
      flags: "--format <format>",
      description: "how it is shown (default: tree)",
      choices: ["tree", "markdown", "json"],
    },
    { flags: "--json", description: "the same as --format json" },
  ],
  examples: [
    ["touchmark policy explain latest", "the newest decision of this home"],
    ["touchmark policy explain dist/app.tgz", "what was decided about it, at each point"],
    ["touchmark policy explain dist/app.tgz --policy strict.yaml --format markdown", "what another policy would say"],
  ],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const { decisionPoints } = await import("@touchmark/formats/policy");
    const [name = "latest"] = invocation.arguments;
    const wanted = text(invocation, "point");
    const point = decisionPoints.find((each) => each === (wanted ?? "deploy"));
    if (point === undefined) {
      throw cliErrors.make("CLI_USAGE", `expected --point as one of ${decisionPoints.join(", ")}, found ${wanted}`);
    }
    const files = texts(invocation, "policy");
    const at = timeOption(text(invocation, "at"), "--at");
    const factory = await openFactory();
    try {
      const recorded = files.length > 0 || at !== undefined ? [] : await recordedDecisions(factory, terminal, name);
      const chosen = wanted === undefined ? recorded : recorded.filter((each) => each.point === point);
      const decisions = chosen.length > 0 ? chosen : [await decideNow(factory, terminal, { name, point, files, at })];
      const isJson = invocation.options["json"] === true;
      await show(decisions, isJson ? "json" : (text(invocation, "format") ?? "tree"), terminal);
      return decisions.some(({ result }) => result === "deny") ? 3 : 0;
    } finally {
      await factory.close();
    }
  },
};

/** Decisions that a name stands for: one record, or the newest of each point about an artifact. */
async function recordedDecisions(factory: Factory, terminal: Terminal, name: string): Promise<readonly Decision[]> {
  const { keptRecords, readRecord } = await import("@touchmark/pipeline/policy");
  const path = resolve(terminal.directory, name);
  if (name.endsWith(".json") && statSync(path, { throwIfNoEntry: false })?.isFile() === true) {
    try {
      return [readRecord(readFileSync(path), name).record.decision];
    } catch (error) {
      // An artifact may be a file of JSON as well.
      if (!isFactoryError(error)) throw error;
    }
  }
  const records = keptRecords(factory);
  if (name === "latest") return records.slice(-1).map(({ record }) => record.decision);
  const hex = name.replace(/^sha256:/, "");
  const named = /^[0-9a-f]{8,64}$/.test(hex) ? records.filter(({ digest }) => digest.slice(7).startsWith(hex)) : [];
  if (named.length > 0) return named.map(({ record }) => record.decision);
  const digest = await digestOf(terminal, name);
  return digest === undefined ? [] : newestOfEachPoint(records, digest);
}

function newestOfEachPoint(records: readonly KeptRecord[], digest: Digest): readonly Decision[] {
  const newest = new Map<string, Decision>();
  for (const { record } of records) {
    if (record.decision.subject.digest === digest) newest.set(record.decision.point, record.decision);
  }
  return [...newest.values()];
}

async function digestOf(terminal: Terminal, name: string): Promise<Digest | undefined> {
  const { isDigestOrFile, namedArtifact } = await import("@touchmark/pipeline");
  const path = name.startsWith("sha256:") ? name : resolve(terminal.directory, name);
  return isDigestOrFile(path) ? (await namedArtifact(path)).digest : undefined;
}

interface Now {
  readonly name: string;
  readonly point: Decision["point"];
  readonly files: readonly string[];
  readonly at: Date | undefined;
}

/** Decides about an artifact by the policies in force, or by files; nothing is recorded. */
async function decideNow(factory: Factory, terminal: Terminal, { name, point, files, at }: Now): Promise<Decision> {
  const { evidenceHere, inputOf, policiesInForce, readPolicyFiles } = await import("@touchmark/pipeline/policy");
  const { decide } = await import("@touchmark/policy");
  const digest = await digestOf(terminal, name);
  if (digest === undefined) {
    throw cliErrors.make("CLI_USAGE", `expected a recorded decision or an artifact, found ${JSON.stringify(name)}`, {
      hint: "decisions are below TOUCHMARK_HOME in policy/decisions; `latest` is the newest",
    });
  }
  const now = at ?? factory.clock.now();
  const places = files.map((file) => resolve(terminal.directory, file));
  const policies = await policiesInForce(factory, {
    now,
    ...(places.length === 0 ? {} : { files: readPolicyFiles(places) }),
  });
  const beside = places.flatMap((file) => layoutsOfFile(terminal, file));
  const inForce = { ...policies, layouts: [...policies.layouts, ...beside] };
  const { statements, chains, refused } = await evidenceHere(factory, digest);
  const subject = { name: chains[0]?.artifact.name ?? name, digest };
  const question = { point, subject, request: {}, evidence: statements, chains, refused, now };
  return decide(inputOf(factory, inForce, question));
}

function layoutsOfFile(terminal: Terminal, file: string): ReturnType<typeof layoutsBeside> {
  const { kind, document } = readDocument(terminal, file);
  return kind === "policy" ? layoutsBeside(file, document) : [];
}

async function show(decisions: readonly Decision[], format: string, terminal: Terminal): Promise<void> {
  const { decisionJson, explainMarkdown, explainTree } = await import("@touchmark/policy");
  if (format === "json") {
    terminal.print(
      decisions.length === 1 ? decisionJson(decisions[0] as Decision) : `[${decisions.map(decisionJson).join(",")}]`,
    );
    return;
  }
  for (const decision of decisions) {
    if (format === "markdown") terminal.print(printable(explainMarkdown(decision)).trimEnd());
    else terminal.print(explainTree(decision, { colour: terminal.style.bold("x") !== "x" }).trimEnd());
  }
}
