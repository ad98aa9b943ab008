import type { PipelineDefinition, PipelineFile, StepDefinition } from "./definition.ts";
import { commandRules } from "./lint-commands.ts";
import type { LintFinding, LintRule } from "./lint-rules.ts";
import { isInside } from "./place.ts";
import { templateDifferences } from "./templates/descent.ts";
import { pipelineTemplate, pipelineTemplates } from "./templates/templates.ts";

/** Looks for what weakens the builds of a file. In the order of the file. */
export function lintPipeline(file: PipelineFile): LintFinding[] {
  const findings: LintFinding[] = [];
  const add: Add = (rule, severity, path, message, fix) =>
    findings.push({ rule, severity, ...file.locate(path), path: path.join("."), message, fix });
  for (const pipeline of file.pipelines.values()) {
    lintUse(pipeline, add);
    lintTemplate(pipeline, add);
    for (const step of pipeline.steps) {
      const path = ["pipelines", pipeline.name, "steps", step.name];
      lintEnvironment(step, path, add);
      lintCommand(step, path, add);
      lintNetwork(step, path, file, add);
      lintShape(step, path, add);
    }
    for (const parameter of pipeline.parameters) {
      if (parameter.default !== undefined && credential.test(parameter.default)) {
        const path = ["pipelines", pipeline.name, "parameters", parameter.name, "default"];
        add("credential-in-file", "error", path, `the default of ${parameter.name} looks like a credential`, removeIt);
      }
    }
  }
  return findings.sort((a, b) => a.line - b.line || a.column - b.column);
}

type Path = readonly (string | number)[];
type Add = (rule: LintRule, severity: LintFinding["severity"], path: Path, message: string, fix: string) => void;

export const credential =
  /gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|xox[abprs]-[\w-]{10,}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|AIza[\w-]{35}|sk_live_\w{16,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.|-----BEGIN [A-Z ]*PRIVATE KEY|:\/\/[^\s/:@$]+:[^\s/@$]{3,}@|\b[Bb]earer [\w.~+/-]{16,}/;
export const secretName =
  /(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|PRIVATE_KEY|API_?KEY|ACCESS_?KEY|AUTH)(?:_|$)/i;
const removeIt = "Remove it, and revoke it: it is in the history of the repository. No step of a build needs a secret.";
const address =
  /\b(?:https?|wss?|ftp|postgres(?:ql)?|mysql|redis|mongodb|amqp):\/\/(?!(?:localhost|127\.|\[::1\]|0\.0\.0\.0|[\w.-]*\.?example\.))[^\s"'$]+|\b(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d):\d{2,5}\b/;
const loaders =
  /^(?:LD_PRELOAD|LD_AUDIT|LD_LIBRARY_PATH|NODE_OPTIONS|PYTHONSTARTUP|PERL5OPT|RUBYOPT|JAVA_TOOL_OPTIONS|BASH_ENV|ENV|GIT_SSH_COMMAND)$/;

function lintEnvironment(step: StepDefinition, path: Path, add: Add): void {
  for (const [name, value] of Object.entries(step.environment)) {
    const at = [...path, "environment", name];
    if (credential.test(value))
      add("credential-in-file", "error", at, `the value of ${name} looks like a credential`, removeIt);
    else if (secretName.test(name) && value !== "" && !/^(?:\$\{\{[^}]*\}\}|true|false|0|1)$/.test(value.trim())) {
      add("credential-variable", "error", at, `${name} has a value in the file`, removeIt);
    } else if (address.test(value)) {
      add("endpoint-in-file", "warning", at, `${name} holds the address of a service`, addressFix);
    }
    if (loaders.test(name)) {
      add(
        "dangerous-variable",
        "warning",
        at,
        `${name} makes programs load other code`,
        "Pass the option to the one program that needs it.",
      );
    }
  }
}

const addressFix =
  "Leave addresses to the settings of the user: proxies and package indexes reach fetch steps by themselves.";

function lintCommand(step: StepDefinition, path: Path, add: Add): void {
  const texts: [Path, string][] =
    step.script === undefined
      ? [[[...path, "command"], step.command.join(" ")]]
      : [[[...path, "run"], withoutComments(step.script)]];
  for (const [at, text] of texts) {
    if (credential.test(text))
      add("credential-in-file", "error", at, "the command holds what looks like a credential", removeIt);
    if (address.test(text))
      add("endpoint-in-file", "warning", at, "the command holds the address of a service", addressFix);
    for (const rule of commandRules) {
      const found = rule.pattern.exec(text);
      if (found && !rule.unless?.test(text))
        add(rule.rule, rule.severity, at, `${JSON.stringify(found[0].trim())}: ${rule.message}`, rule.fix);
    }
  }
  if (step.script !== undefined) {
    const lines = step.script.split("\n").filter((line) => line.trim() !== "" && !line.trim().startsWith("#")).length;
    const branches = withoutComments(step.script).match(/(?:^|[;\s])(?:if|elif|case|for|while|until)\s/g)?.length ?? 0;
    if (lines > 30 || branches > 3) {
      add(
        "long-script",
        "warning",
        [...path, "run"],
        `the script has ${lines} lines and ${branches} branches or loops (at most 30 and 3)`,
        "Move it into a script of the project, where it is reviewed and tested, and call that.",
      );
    }
  }
}

function lintNetwork(step: StepDefinition, path: Path, file: PipelineFile, add: Add): void {
  if (step.network !== "fetch") return;
  const at = [...path, "network"];
  const text = step.script === undefined ? step.command.join(" ") : withoutComments(step.script);
  const others = step.inputs.filter((input) => input.from !== "source").map((input) => input.from);
  const works =
    /\b(?:tsc|webpack|vite build|rollup|go (?:build|test|vet)|cargo (?:build|test)|make|gcc|clang|javac|mvn\s+(?:-\S+\s+)*(?:package|verify|install|compile|test)|pytest|vitest|jest|npm (?:run|test|pack))\b/.exec(
      text,
    );
  const fix = "Fetch in a step of its own, and build in a step with network: none that reads its output.";
  if (works) add("network-in-build", "warning", at, `a step that fetches runs ${JSON.stringify(works[0])}`, fix);
  else if (others.length > 0)
    add("network-in-build", "warning", at, `a step that fetches reads ${others.join(", ")}`, fix);
  if (
    /\b(?:npm (?:ci|install|i)|(?:pnpm|yarn) install)\b/.test(text) &&
    !/--ignore-scripts|--mode[= ]skip-build/.test(text)
  ) {
    add(
      "install-scripts",
      "warning",
      at,
      "the scripts of all packages run in a step that fetches",
      "Add --ignore-scripts; where a package needs its script, run `npm rebuild NAME` in a step without network.",
    );
  }
  // The definition says false in any case; only the text of the file can tell that somebody asked.
  const written = file.locate([...path, "cache"]);
  const line = file.text.split("\n")[written.line - 1]?.slice(written.column - 1) ?? "";
  if (/^true\b/.test(line)) {
    add(
      "cache-open-network",
      "note",
      [...path, "cache"],
      "a step that fetches is never cached",
      "Remove `cache: true`.",
    );
  }
}

function lintShape(step: StepDefinition, path: Path, add: Add): void {
  if (step.image !== undefined && !step.image.includes("@sha256:")) {
    const fix = "Write NAME@sha256:…, with the digest that the last run recorded.";
    add("unpinned-image", "warning", [...path, "image"], `${step.image} can come to mean another image`, fix);
  }
  if (step.insecureImage) {
    const fix = "Remove it, and trust the keys of whoever signs the image, or build the image in this factory.";
    add("insecure-image", "error", [...path, "insecure-image"], "nobody vouches for the image of this step", fix);
  }
  if (step.insecureProcess) {
    add(
      "insecure-process",
      "error",
      [...path, "insecure-process"],
      "the step runs without a sandbox: it sees the host, and everything of yours",
      "Remove it, and declare what the step misses (toolchains, inputs, network: fetch).",
    );
  }
  if (step.statedLimits.length === 0) {
    add(
      "no-limits",
      "note",
      path,
      "the step states no limits; the defaults are wide",
      "State what it needs: limits: { memory: 2GiB, pids: 512, time: 10m, output: 1GiB }",
    );
  }
}

function lintTemplate(pipeline: PipelineDefinition, add: Add): void {
  if (pipeline.template === undefined) return;
  const root = ["pipelines", pipeline.name];
  const template = pipelineTemplate(pipeline.template);
  if (template === undefined) {
    const names = pipelineTemplates.map(({ name }) => name).join(", ");
    add(
      "template-unknown",
      "error",
      [...root, "template"],
      `there is no template ${pipeline.template}`,
      `There are ${names}.`,
    );
    return;
  }
  for (const { path, message } of templateDifferences(pipeline, template)) {
    const fix = `Compare with \`touchmark init --template ${template.name} --json\`; a project that needs it otherwise names no template.`;
    add("template-drift", "warning", [...root, ...path], message, fix);
  }
}

function lintUse(pipeline: PipelineDefinition, add: Add): void {
  const read = new Set([
    ...pipeline.steps.flatMap((step) => step.inputs.map((input) => input.from)),
    ...pipeline.artifacts.map((artifact) => artifact.from),
    ...pipeline.images.flatMap((image) => image.layers.map((layer) => layer.from)),
  ]);
  const root = ["pipelines", pipeline.name];
  if (pipeline.artifacts.length + pipeline.images.length === 0) {
    add(
      "no-artifact",
      "note",
      root,
      "nothing leaves this pipeline with evidence",
      "Declare what it makes under artifacts.",
    );
  }
  for (const step of pipeline.steps) {
    const path = [...root, "steps", step.name];
    // A step that only checks (tests, linters) makes nothing that is read: its evidence is its result.
    const writes = /TOUCHMARK_OUTPUT|\/work\/output/.test(step.command.join(" ")) || step.output !== "/work/output";
    if (!read.has(step.name) && (writes || step.network === "fetch")) {
      add(
        "unused-output",
        "warning",
        path,
        `nothing reads the output of ${step.name}`,
        "Name it as an input of a step or as an artifact, or remove the step.",
      );
    }
    for (const input of step.inputs) {
      if (isUsed(step, input.at)) continue;
      add(
        "unused-input",
        "note",
        [...path, "inputs", input.from],
        `nothing in the step refers to ${input.at}`,
        "Remove the input: what a step cannot see cannot influence it.",
      );
    }
  }
}

// Used: named in command or environment, the working directory or around it, or mounted inside another input.
function isUsed(step: StepDefinition, at: string): boolean {
  if (isInside(step.directory, at) || isInside(at, step.directory) || isInside(step.output, at)) return true;
  if (step.inputs.some((other) => other.at !== at && isInside(at, other.at))) return true;
  const texts = [...step.command, ...Object.values(step.environment)];
  const up = at.slice(0, at.lastIndexOf("/"));
  return texts.some((text) => text.includes(at) || (up !== "" && text.includes(`../${at.slice(up.length + 1)}`)));
}

function withoutComments(script: string): string {
  return script.replace(/(^|\s)#[^\n]*/g, "$1");
}
