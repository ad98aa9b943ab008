import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { sha256 } from "@touchmark/core";
import type { Layout, Policy, PolicyTest } from "@touchmark/formats/policy";
import type { Factory } from "@touchmark/pipeline";
import type { GoodRun } from "@touchmark/policy";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";

const yearMs = 365 * 24 * 60 * 60 * 1000;

/** `touchmark policy init`: documents to begin with, by example or by level. */
export const command: Command = {
  name: "policy init",
  summary: "write policies to begin with: from a good run, or for a level of practices",
  description:
    "With --from-run, the run becomes the example: its steps and who signed them become a layout, its source, builder, network and properties become rules; what it does not pass is not demanded. With --level, the rules of the library for the 34 practices of moderate or the 55 of high; beside a run, those that it does not pass yet only warn. With neither, the policies of a fresh home.",
  arguments: [{ name: "directory", description: "where they are written (default: policies)" }],
  options: [
    { flags: "--from-run <run>", description: "an id, a beginning of it, or latest" },
    { flags: "--level <level>", description: "practices that are wanted", choices: ["moderate", "high"] },
    { flags: "--collection <name>", description: "rules of the library (docs/policy-library.md)" },
    { flags: "--expires <date>", description: "until when they hold (default: in a year)" },
    { flags: "--force", description: "replace files that are there" },
    { flags: "--json", description: "print the documents, and write nothing" },
  ],
  examples: [
    ["touchmark policy init --from-run latest", "layout, five policies and their tests in policies/"],
    ["touchmark policy init --level moderate company-policies", "every rule of the 34 practices that can be judged"],
  ],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const factory = await openFactory({ create: true });
    try {
      const now = factory.clock.now();
      const until = timeOption(text(invocation, "expires"), "--expires") ?? new Date(now.getTime() + yearMs);
      const wishes: Wishes = {
        now,
        expires: `${until.toISOString().slice(0, 19)}Z`,
        level: text(invocation, "level") as Wishes["level"],
        collection: text(invocation, "collection"),
      };
      const run = text(invocation, "fromRun");
      const made = run === undefined ? await byLibrary(factory, wishes) : await byExample(factory, run, wishes);
      const { policyDocumentText } = await import("@touchmark/formats/policy");
      if (given(invocation, "json")) {
        terminal.print(JSON.stringify({ files: Object.fromEntries(made.files), notes: made.notes }, undefined, 2));
        return 0;
      }
      const [directory = "policies"] = invocation.arguments;
      const texts = [...made.files].map(([name, document]) => [name, policyDocumentText(document)] as const);
      write(terminal, directory, texts, given(invocation, "force"));
      for (const note of made.notes) terminal.note(`${terminal.style.warn("note")} ${oneLine(note)}`);
      for (const [name] of texts) terminal.print(oneLine(join(directory, name)));
      const hasTests = texts.some(([name]) => name.endsWith(".policy-test.yaml"));
      const check = hasTests ? `policy test ${directory}/*.policy-test.yaml` : `policy lint ${directory}`;
      terminal.note(
        oneLine(
          `next: touchmark ${check}, touchmark policy replay ${directory}/publish.yaml; then bundle, sign and install`,
        ),
      );
      return 0;
    } finally {
      await factory.close();
    }
  },
};

interface Wishes {
  readonly now: Date;
  readonly expires: string;
  readonly level: "moderate" | "high" | undefined;
  readonly collection: string | undefined;
}

interface Made {
  readonly files: ReadonlyMap<string, Policy | Layout | PolicyTest>;
  readonly notes: readonly string[];
}

async function byExample(factory: Factory, name: string, { now, expires, level }: Wishes): Promise<Made> {
  const { policyDocumentText } = await import("@touchmark/formats/policy");
  const { policyFromRun, testFromRun } = await import("@touchmark/policy");
  const run = await goodRun(factory, name);
  const { issuer } = factory.names();
  const { layout, policies, notes } = policyFromRun(run, {
    ...{ now, expires, issuer },
    ...(level === undefined ? {} : { level }),
    digestOf: (document) => sha256(policyDocumentText(document)),
  });
  const files = new Map<string, Policy | Layout | PolicyTest>();
  if (layout !== undefined) files.set("layout.yaml", layout.document);
  for (const policy of policies) {
    const isWarning = policy.mode === "warn";
    const file = `${policy.point}${isWarning ? "-next" : ""}.yaml`;
    files.set(file, policy);
    if (!isWarning && (policy.point === "publish" || policy.point === "deploy")) {
      files.set(`${policy.point}.policy-test.yaml`, testFromRun(policy, run, { file, now, issuer }));
    }
  }
  return { files, notes };
}

/** Every artifact of a run with its chain and evidence, verified. @throws CLI_USAGE for a run without a release */
async function goodRun(factory: Factory, name: string): Promise<GoodRun> {
  const { findRun } = await import("@touchmark/pipeline");
  const { evidenceHere } = await import("@touchmark/pipeline/policy");
  const record = await findRun(factory, name);
  const found = await Promise.all(
    [...new Set(record.artifacts.map(({ digest }) => digest))].map((digest) => evidenceHere(factory, digest)),
  );
  const [first, ...more] = found.flatMap(({ chains }) => chains).filter(({ run }) => run === record.id);
  const broken = found.flatMap((each) => each.broken ?? []);
  if (first === undefined || broken.length > 0) {
    const why = broken[0] === undefined ? "it released nothing" : `${broken[0].code}: ${broken[0].message}`;
    throw cliErrors.make("CLI_USAGE", `expected a run with a verified release, found ${record.id}: ${why}`);
  }
  const statements = new Map(found.flatMap((each) => each.statements).map((each) => [each.bundle, each]));
  return { chains: [first, ...more], statements: [...statements.values()] };
}

async function byLibrary(factory: Factory, { now, expires, level, collection }: Wishes): Promise<Made> {
  const { collections, defaultPolicies, policiesOfCollection } = await import("@touchmark/policy");
  const wanted = level ?? collection;
  const files = (policies: readonly Policy[]) => new Map(policies.map((policy) => [`${policy.point}.yaml`, policy]));
  if (wanted === undefined) {
    return { files: files(defaultPolicies(now).map(({ document }) => ({ ...document, expires }))), notes: [] };
  }
  const found = collections.find((each) => each.name === wanted);
  if (found === undefined) {
    const names = collections.map((each) => each.name).join(", ");
    throw cliErrors.make("CLI_USAGE", `expected a collection of the library, found ${JSON.stringify(wanted)}`, {
      hint: `there are ${names}`,
    });
  }
  const { issuer, trustDomain } = factory.names();
  return {
    files: files(policiesOfCollection(wanted, { builder: `spiffe://${trustDomain}/builder`, issuer, expires })),
    notes: found.notYet.map(({ practice, needs }) => `no rule can judge ${practice} yet: it needs ${needs}`),
  };
}

function write(
  terminal: Terminal,
  directory: string,
  files: readonly (readonly [name: string, content: string])[],
  force: boolean,
): void {
  const place = resolve(terminal.directory, directory);
  const taken = files.find(([name]) => existsSync(join(place, name)));
  if (taken !== undefined && !force) {
    throw cliErrors.make("CLI_FILE_EXISTS", `${join(directory, taken[0])} is there already`, {
      hint: "--force replaces it",
    });
  }
  try {
    mkdirSync(place, { recursive: true });
    for (const [name, content] of files) writeFileSync(join(place, name), content);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw cliErrors.make("CLI_FILE_UNWRITABLE", `cannot write to ${directory}: ${why}`, { cause });
  }
}
