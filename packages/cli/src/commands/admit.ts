import { resolve } from "node:path";
import type { AdmissionFacts } from "@touchmark/admission";
import { askGate, type ItemVerdict, showVerdict, verdictJson } from "../admission/ask-gate.ts";
import type { SignedVerdict } from "../admission/sign-verdicts.ts";
import { type Command, given, type Invocation, text, texts } from "../command.ts";
import { cliErrors } from "../errors.ts";
import { clientOptions } from "../image-source.ts";
import { registryOptions } from "../registry-options.ts";
import { oneLine, type Terminal } from "../terminal.ts";
import { timeOption } from "../time-option.ts";

const DEFAULT_SECONDS = 60;

/** `touchmark admit`: may it run there. */
export const command: Command = {
  name: "admit",
  summary: "ask the policies in force whether artifacts may be deployed, or execute a program only if it may",
  description:
    "Evidence comes from this factory's store and from the referrers of the registry, every bundle verified; the policies in force at the point `deploy` decide, the same as in the admission service. Manifests of Kubernetes are read for their images. With --exec the program's own bytes, or those of the files named with --file, must be admitted, and exactly the bytes that were checked are executed. Exit code 3: denied, with the explanation.",
  arguments: [
    {
      name: "artifact",
      description:
        "files, sha256:<digest>, HOST/NAME:TAG, HOST/NAME@<digest>, manifests (YAML or JSON); with --exec the command",
      variadic: true,
    },
  ],
  options: [
    { flags: "--policy <file>", description: "policy or layout in place of those in force", repeatable: true },
    {
      flags: "--module <file>",
      description: "WebAssembly (`opa build -t wasm`) that rules in Rego name by its digest",
      repeatable: true,
    },
    { flags: "--environment <name>", description: "where it shall run, for policies that ask" },
    { flags: "--namespace <name>", description: "namespace of what names none itself; chooses the tenant" },
    { flags: "--at <date>", description: "decide as of this time: 2027-01-31" },
    { flags: "--within <seconds>", description: `denied when not decided by then (default: ${DEFAULT_SECONDS})` },
    { flags: "--dry-run", description: "record nothing" },
    { flags: "--sign", description: "sign each decision as a verification summary, passed or not; logged and kept" },
    { flags: "--exec", description: "execute the command after -- if it is admitted" },
    {
      flags: "--file <path>",
      description: "with --exec: this file must be admitted instead of the program",
      repeatable: true,
    },
    ...registryOptions,
    { flags: "--json", description: "machine-readable verdicts" },
  ],
  examples: [
    ["touchmark admit registry.example.com/app:1.0 --environment production", "before a deployment, in any CI"],
    ["touchmark admit deploy/*.yaml --policy deploy.policy.yaml", "every image of these manifests, by this policy"],
    ["touchmark admit app.tgz --policy rego.policy.yaml --module release.wasm", "a rule is written in Rego"],
    ["touchmark admit app.tgz --at 2027-01-31", "would it still be admitted then"],
    ["touchmark admit app.tgz --sign --json", "the decision, signed, with its bundle"],
    ["touchmark admit --exec -- /opt/app/server --port 8080", "executes the very bytes that were admitted"],
    ["touchmark admit --exec --file app.jar -- java -jar app.jar", "the file, read by a program of the host"],
  ],
  async run(invocation, terminal) {
    const isExec = given(invocation, "exec");
    if (invocation.arguments.length === 0) {
      throw cliErrors.make("CLI_USAGE", isExec ? "expected a command after --exec --" : "expected something to admit");
    }
    if (!isExec && texts(invocation, "file").length > 0) throw cliErrors.make("CLI_USAGE", "--file needs --exec");
    if (given(invocation, "sign") && (isExec || given(invocation, "dryRun") || text(invocation, "at") !== undefined)) {
      throw cliErrors.make("CLI_USAGE", "--sign signs a decision of now: not with --exec, --dry-run or --at");
    }
    return isExec ? admitCommand(invocation, terminal) : admitTargets(invocation, terminal);
  },
};

async function admitTargets(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { readTargets } = await import("../admission/targets.ts");
  const { items, passedOver, manifests } = await readTargets(invocation, terminal);
  const admission = await open(invocation, terminal, (digest) => manifests.get(digest));
  try {
    const asked = await question(invocation, terminal, { resource: "command" });
    const verdicts = await askGate(admission.gate, items, asked);
    const signed = given(invocation, "sign") ? await sign(admission, verdicts, invocation) : undefined;
    return report({ verdicts, passedOver, ...(signed === undefined ? {} : { signed }) }, invocation, terminal);
  } finally {
    await admission.close();
  }
}

async function admitCommand(invocation: Invocation, terminal: Terminal): Promise<number> {
  const { sealCommand } = await import("../admission/host-gate.ts");
  const admission = await open(invocation, terminal);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await admission.close();
    isOpen = false;
  };
  try {
    const words = invocation.arguments;
    const files = texts(invocation, "file");
    const ready = await sealCommand(terminal, { words, files, directory: admission.factory.home.paths.work });
    try {
      const items = ready.sealed.map(({ path, file }) => ({ reference: file.digest, where: path }));
      const asked = await question(invocation, terminal, { resource: "host" });
      const verdicts = await askGate(admission.gate, items, asked);
      if (verdicts.some(({ verdict }) => verdict.result !== "allow")) {
        return report({ verdicts, passedOver: [] }, invocation, terminal);
      }
      for (const { verdict } of verdicts) for (const line of verdict.warnings) terminal.note(oneLine(line));
      await close();
      return await ready.execute();
    } finally {
      ready.close();
    }
  } finally {
    await close();
  }
}

async function open(
  invocation: Invocation,
  terminal: Terminal,
  manifestOf?: NonNullable<Parameters<typeof import("../admission/open-admission.ts").openAdmission>[0]["manifestOf"]>,
) {
  const { openAdmission } = await import("../admission/open-admission.ts");
  const files = texts(invocation, "policy").map((file) => resolve(terminal.directory, file));
  const modules = texts(invocation, "module").map((file) => resolve(terminal.directory, file));
  const at = timeOption(text(invocation, "at"), "--at");
  return openAdmission({
    ...(files.length === 0 ? {} : { files }),
    // Steps of a module are not counted: a thread can be ended.
    ...(modules.length === 0 ? {} : { modules, threads: 1, deadlineMs: withinOf(text(invocation, "within")) }),
    ...(at === undefined ? {} : { at }),
    ...(manifestOf === undefined ? {} : { manifestOf }),
    // What would be so at another time is no decision of today.
    record: at === undefined && !given(invocation, "dryRun"),
    registries: clientOptions(invocation, terminal),
    onProblem: (message) => terminal.note(oneLine(message)),
  });
}

/** Who asks is known by the kernel. */
async function question(invocation: Invocation, terminal: Terminal, more: AdmissionFacts) {
  const { localCaller } = await import("@touchmark/pipeline/admission");
  const environment = text(invocation, "environment");
  const namespace = text(invocation, "namespace");
  return {
    ...(namespace === undefined ? {} : { namespace }),
    facts: { ...more, caller: localCaller(), ...(environment === undefined ? {} : { environment }) },
    withinMs: withinOf(text(invocation, "within")),
    dryRun: given(invocation, "dryRun"),
    signal: terminal.signal,
  };
}

function withinOf(words: string | undefined): number {
  const seconds = words === undefined ? DEFAULT_SECONDS : Number(words);
  if (seconds > 0 && seconds <= 3600) return seconds * 1000;
  throw cliErrors.make("CLI_USAGE", `expected --within between 0 and 3600 seconds, found ${JSON.stringify(words)}`);
}

async function sign(
  admission: Awaited<ReturnType<typeof open>>,
  verdicts: readonly ItemVerdict[],
  invocation: Invocation,
): Promise<(each: ItemVerdict) => readonly SignedVerdict[]> {
  const { signVerdicts } = await import("../admission/sign-verdicts.ts");
  const names = { namespace: text(invocation, "namespace"), environment: text(invocation, "environment") };
  return signVerdicts(admission, verdicts, names);
}

interface Answer {
  readonly verdicts: readonly ItemVerdict[];
  readonly passedOver: readonly string[];
  /** Decisions that were signed, by verdict. */
  readonly signed?: (each: ItemVerdict) => readonly SignedVerdict[];
}

function report({ verdicts, passedOver, signed }: Answer, invocation: Invocation, terminal: Terminal): number {
  const denied = verdicts.filter(({ verdict }) => verdict.result !== "allow").length;
  if (given(invocation, "json")) {
    const result = denied === 0 ? "allow" : "deny";
    const rows = verdicts.map((each) =>
      signed === undefined ? verdictJson(each) : { ...verdictJson(each), signed: signed(each) },
    );
    terminal.print(JSON.stringify({ result, denied, verdicts: rows, passedOver }));
  } else {
    for (const each of verdicts) {
      showVerdict(each, terminal);
      for (const { bundle, identity, logIndex } of signed?.(each) ?? []) {
        terminal.print(`  decision ${bundle} signed as ${identity}, log entry ${logIndex}`);
      }
      if (signed?.(each).length === 0) terminal.note("  nothing was decided: nothing is signed");
    }
    for (const line of passedOver) terminal.note(oneLine(`not looked into: ${line}`));
    if (verdicts.length > 1) terminal.print(`${verdicts.length - denied} admitted, ${denied} denied`);
  }
  return denied === 0 ? 0 : 3;
}
