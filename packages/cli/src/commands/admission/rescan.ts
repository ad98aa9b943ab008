import { buffer } from "node:stream/consumers";
import type { Inventory } from "@touchmark/admission";
import { askGate, type ItemVerdict, showVerdict, verdictJson } from "../../admission/ask-gate.ts";
import { type Command, given, type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { clientOptions } from "../../image-source.ts";
import { readNamedFile } from "../../output/file.ts";
import { registryOptions } from "../../registry-options.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";

/** Nobody waits with a webhook's patience; each lookup has its own bound. */
const WITHIN_MS = 3_600_000;

/** `touchmark admission rescan`: verified again after deployment. */
export const command: Command = {
  name: "admission rescan",
  summary: "what runs and would no longer be admitted, and why",
  description:
    "Looks again at everything of an inventory, with the evidence and the policies of now. Exit code 3 when something would be denied. What a cluster runs is looked at by the digest that its nodes report.",
  options: [
    {
      flags: "--inventory <file>",
      description: "lines of REFERENCE [NAMESPACE], or a JSON list of them; - reads them",
    },
    { flags: "--cluster <file>", description: "`kubectl get pods -A -o json`; - reads it" },
    { flags: "--own", description: "every artifact that this factory has released" },
    { flags: "--policy <file>", description: "policy or layout in place of those in force", repeatable: true },
    { flags: "--environment <name>", description: "where it runs, for policies that ask" },
    { flags: "--at <date>", description: "as of this time: what will be denied then" },
    ...registryOptions,
    { flags: "--json", description: "machine-readable report" },
  ],
  examples: [
    ["kubectl get pods -A -o json | touchmark admission rescan --cluster -", "a whole cluster"],
    ["touchmark admission rescan --own --at 2027-06-30", "which releases expire until then"],
    ["touchmark admission rescan --inventory running.txt --policy next.yaml", "what a new policy would deny"],
  ],
  async run(invocation, terminal) {
    const inventory = await readInventory(invocation, terminal);
    const { openAdmission } = await import("../../admission/open-admission.ts");
    const files = texts(invocation, "policy");
    const at = timeOption(text(invocation, "at"), "--at");
    const environment = text(invocation, "environment");
    const admission = await openAdmission({
      ...(files.length === 0 ? {} : { files: files.map((file) => pathOf(terminal, file)) }),
      ...(at === undefined ? {} : { at }),
      record: false,
      registries: clientOptions(invocation, terminal),
      onProblem: (message) => terminal.note(oneLine(message)),
    });
    try {
      const verdicts = await askGate(admission.gate, inventory.items, {
        facts: { resource: "rescan", ...(environment === undefined ? {} : { environment }) },
        ...{ withinMs: WITHIN_MS, dryRun: true, signal: terminal.signal },
      });
      return report(verdicts, inventory, invocation, terminal);
    } finally {
      await admission.close();
    }
  },
};

const pathOf = (terminal: Terminal, file: string): string =>
  file.startsWith("/") ? file : `${terminal.directory}/${file}`;

async function readInventory(invocation: Invocation, terminal: Terminal): Promise<Inventory> {
  const file = text(invocation, "inventory");
  const cluster = text(invocation, "cluster");
  const isOwn = given(invocation, "own");
  if ([file !== undefined, cluster !== undefined, isOwn].filter(Boolean).length !== 1) {
    throw cliErrors.make("CLI_USAGE", "expected one of --inventory FILE, --cluster FILE and --own");
  }
  const { clusterItems, fileItems } = await import("@touchmark/admission");
  if (file !== undefined) return fileItems(await read(terminal, file), file);
  if (cluster !== undefined) return clusterItems(await read(terminal, cluster), cluster);
  return ownReleases();
}

async function read(terminal: Terminal, file: string): Promise<Uint8Array> {
  return file === "-" ? buffer(terminal.stdin) : readNamedFile(terminal, file, "a readable listing");
}

/** Every artifact of every run that succeeded, each once, newest first. */
async function ownReleases(): Promise<Inventory> {
  const { openFactory } = await import("@touchmark/pipeline");
  const { inventoryErrors } = await import("@touchmark/admission");
  const factory = await openFactory();
  try {
    const found = new Map<string, { reference: string; where: string }>();
    for (const id of factory.runs.ids()) {
      const run = await factory.runs.get(id);
      if (run.state !== "succeeded") continue;
      for (const { name, digest } of run.artifacts) {
        if (!found.has(digest)) found.set(digest, { reference: digest, where: `${run.project}/${name} of run ${id}` });
      }
    }
    if (found.size === 0) throw inventoryErrors.make("INVENTORY_EMPTY", "this factory has released nothing yet");
    return { items: [...found.values()], passedOver: [] };
  } finally {
    await factory.close();
  }
}

function report(
  verdicts: readonly ItemVerdict[],
  { passedOver }: Inventory,
  invocation: Invocation,
  terminal: Terminal,
): number {
  const denied = verdicts.filter(({ verdict }) => verdict.result !== "allow");
  const glass = verdicts.filter(({ verdict }) => verdict.breakGlass !== undefined);
  if (given(invocation, "json")) {
    const counts = { looked: verdicts.length, denied: denied.length, breakGlass: glass.length };
    terminal.print(JSON.stringify({ ...counts, verdicts: verdicts.map(verdictJson), passedOver }));
  } else {
    for (const each of verdicts) if (denied.includes(each) || glass.includes(each)) showVerdict(each, terminal);
    for (const line of passedOver) terminal.note(oneLine(`not looked into: ${line}`));
    const still = verdicts.length - denied.length;
    terminal.print(`${still} would be admitted, ${denied.length} no longer, ${glass.length} by break-glass`);
  }
  return denied.length === 0 ? 0 : 3;
}
