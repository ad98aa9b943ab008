import { randomBytes } from "node:crypto";
import { basename } from "node:path";
import { type Digest, rfc3339 } from "@touchmark/core";
import { type Command, given, type Invocation, text, texts } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { isRegistryText, openImageSource } from "../../image-source.ts";
import { registryOptions } from "../../registry-options.ts";
import { oneLine, type Terminal } from "../../terminal.ts";
import { timeOption } from "../../time-option.ts";
import { keyOption, personKey } from "../../user-key.ts";

/** `touchmark admission break-glass`: a way past the policies that everybody sees. */
export const command: Command = {
  name: "admission break-glass",
  summary: "let a denied artifact run for a while: signed, logged, expiring, shown",
  description:
    "Signs a permission for one digest in named namespaces, as `attest` or as a person, logs it and keeps it. It is shown in every verdict that it changes and in `admission status`. Who may sign and for how long stands in policy/admission.yaml of the home: without it `attest`, and three days.",
  arguments: [{ name: "artifact", description: "a file, sha256:<digest>, HOST/NAME@<digest>, or HOST/NAME:TAG" }],
  options: [
    { flags: "--namespace <name>", description: "where it counts; `*` alone: everywhere", repeatable: true },
    { flags: "--no-namespace", description: "where there are no namespaces: plain hosts, CI" },
    { flags: "--by <name>", description: "person who answers for it (default: the one of --as)" },
    { flags: "--reason <text>", description: "why" },
    { flags: "--ticket <id>", description: "where it is followed up" },
    { flags: "--expires <date>", description: "from when on it counts no more: 2027-01-31T18:00:00Z" },
    { flags: "--id <id>", description: "by which it is shown and ended (default: made)" },
    { flags: "--as <name>", description: "sign as this person, with their own key" },
    keyOption,
    { flags: "--end <id>", description: "end a permission before it expires" },
    ...registryOptions,
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    [
      "touchmark admission break-glass registry.example.com/app:1.0 --namespace shop --by Ada --reason 'outage' --ticket OPS-1 --expires 2027-01-31T18:00:00Z",
      "the digest that the tag stands for now, in one namespace",
    ],
    ["touchmark admission break-glass --end outage-4711", "counts no more from now on"],
  ],
  async run(invocation, terminal) {
    const end = text(invocation, "end");
    if (end !== undefined) return endOne(end, invocation, terminal);
    const wanted = permissionOf(invocation);
    const { digest, name } = await digestOf(invocation.arguments[0] ?? "", invocation, terminal);
    const as = text(invocation, "as");
    const key = as === undefined ? undefined : await personKey(terminal, invocation, as);
    const { checkPermission } = await import("@touchmark/admission");
    const { openFactory } = await import("@touchmark/pipeline");
    const { homeAdmission, keepBreakGlass } = await import("@touchmark/pipeline/admission");
    const factory = await openFactory();
    try {
      const signer = `spiffe://${factory.names().trustDomain}/${as === undefined ? "attest" : `user/${as}`}`;
      checkPermission(wanted, signer, homeAdmission(factory).breakGlass, factory.clock.now());
      const { signAsUser } = await import("@touchmark/pipeline/people");
      const report = await keepBreakGlass(
        factory,
        { ...wanted, digest, name },
        as === undefined || key === undefined ? undefined : (statement) => signAsUser(factory, as, key, statement),
      );
      const { bytes: _, ...shown } = report;
      if (given(invocation, "json")) terminal.print(JSON.stringify({ digest, ...wanted, ...shown }));
      else {
        const where = wanted.namespaces.map((each) => (each === "" ? "hosts without namespaces" : each)).join(", ");
        terminal.print(`${terminal.style.warn("break-glass")} ${wanted.id} for ${digest}`);
        terminal.print(`  in ${oneLine(where)}, until ${wanted.expires}`);
        terminal.print(`  signed as ${report.identity}, log entry ${report.logIndex}`);
      }
      return 0;
    } finally {
      await factory.close();
    }
  },
};

async function endOne(id: string, invocation: Invocation, terminal: Terminal): Promise<number> {
  const { openFactory } = await import("@touchmark/pipeline");
  const { endBreakGlass } = await import("@touchmark/pipeline/admission");
  const factory = await openFactory();
  try {
    endBreakGlass(factory, id);
    terminal.print(given(invocation, "json") ? JSON.stringify({ ended: id }) : `${id} counts no more`);
    return 0;
  } finally {
    await factory.close();
  }
}

/** What the options say. @throws CLI_USAGE */
function permissionOf(invocation: Invocation) {
  const need = (name: string, flag: string): string => {
    const value = text(invocation, name);
    if (value === undefined || value.trim() === "") {
      throw cliErrors.make(
        "CLI_USAGE",
        `expected ${flag}: what passes by the policies is somebody's, for a reason, for a while`,
      );
    }
    return value;
  };
  if (invocation.arguments[0] === undefined) throw cliErrors.make("CLI_USAGE", "expected an artifact, or --end ID");
  const by = text(invocation, "by") ?? need("as", "--by NAME");
  const reason = need("reason", "--reason TEXT");
  const expires = timeOption(need("expires", "--expires DATE"), "--expires") as Date;
  const none = invocation.options["namespace"] === false;
  const namespaces = none ? [""] : texts(invocation, "namespace");
  if (namespaces.length === 0) throw cliErrors.make("CLI_USAGE", "expected --namespace NAME, or --no-namespace");
  if (namespaces.includes("*") && namespaces.length > 1) {
    throw cliErrors.make("CLI_USAGE", "expected `*` alone, or namespaces by name");
  }
  const ticket = text(invocation, "ticket");
  return {
    ...{ by, reason, namespaces, expires: rfc3339(expires) },
    id: text(invocation, "id") ?? `bg-${randomBytes(4).toString("hex")}`,
    ...(ticket === undefined ? {} : { ticket }),
  };
}

/** A tag is resolved once, here: the permission is for what it stands for now. */
async function digestOf(
  words: string,
  invocation: Invocation,
  terminal: Terminal,
): Promise<{ readonly digest: Digest; readonly name: string }> {
  if (isRegistryText(words)) {
    const source = await openImageSource(words, invocation, terminal);
    source.close();
    return { digest: source.digest, name: words.replace(/^registry:/, "") };
  }
  const { namedArtifact } = await import("@touchmark/pipeline");
  const { resolve } = await import("node:path");
  const { digest, path } = await namedArtifact(
    words.startsWith("sha256:") ? words : resolve(terminal.directory, words),
  );
  return { digest, name: path === undefined ? digest : basename(path) };
}
