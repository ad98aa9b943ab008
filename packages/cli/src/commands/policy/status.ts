import { resolve } from "node:path";
import { type Command, given, text, texts } from "../../command.ts";
import { oneLine } from "../../terminal.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** `touchmark policy status`: what decides here. */
export const command: Command = {
  name: "policy status",
  summary: "policies in force, exceptions, and how long each counts",
  options: [
    { flags: "--policy <file>", description: "as if these files were in force", repeatable: true },
    { flags: "--at <date>", description: "at that time: 2027-01-31" },
    { flags: "--json", description: "machine-readable output" },
  ],
  examples: [
    ["touchmark policy status", "the installed set, or the built-in policies, by point"],
    ["touchmark policy status --at 2027-06-01", "what will have expired by then"],
  ],
  async run(invocation, terminal) {
    const { openFactory } = await import("@touchmark/pipeline");
    const { policiesInForce, readPolicyFiles } = await import("@touchmark/pipeline/policy");
    const { readPredicate } = await import("@touchmark/formats/predicates");
    const { timeOption } = await import("../../time-option.ts");
    const factory = await openFactory({ create: true });
    try {
      const now = timeOption(text(invocation, "at"), "--at") ?? factory.clock.now();
      const files = texts(invocation, "policy").map((path) => resolve(terminal.directory, path));
      const found = await policiesInForce(factory, {
        now,
        ...(files.length === 0 ? {} : { files: readPolicyFiles(files) }),
      });
      const days = (expires: string): number => Math.floor((Date.parse(expires) - now.getTime()) / dayMs);
      const rows = found.policies.map(({ digest, document }) => ({
        ...{ name: document.name, version: document.version, point: document.point, mode: document.mode ?? "enforce" },
        ...{ rules: document.rules?.length ?? 0, collections: document.collections ?? [] },
        ...{ digest, expires: document.expires, expiresInDays: days(document.expires) },
      }));
      const exceptions = found.exceptions.map((verified) => {
        const { content } = readPredicate("exception", verified.statement.predicate);
        const signer = verified.signer.kind === "certificate" ? verified.signer.identity : verified.signer.hint;
        return { ...content, signer, bundle: verified.bundle, expiresInDays: days(content.expires) };
      });
      if (given(invocation, "json")) {
        const set = found.set && { digest: found.set.digest, ...found.set.document };
        terminal.print(
          JSON.stringify({ origin: found.origin, set, policies: rows, exceptions, ignored: found.ignored }, null, 2),
        );
        return 0;
      }
      const until = (expires: string, left: number): string =>
        left < 0 || Date.parse(expires) <= now.getTime() ? `expired ${expires}` : `${left} days left`;
      const origins = {
        "built-in": "nothing is installed; the built-in policies decide",
        files: "files named here",
        set: `set ${found.set?.document.name ?? ""} version ${found.set?.document.version ?? 0}, ${until(found.set?.document.expires ?? "", days(found.set?.document.expires ?? ""))}`,
      };
      terminal.print(oneLine(origins[found.origin]));
      for (const row of rows) {
        const rules =
          row.collections.length === 0 ? `${row.rules} rules` : `${row.rules} rules, ${row.collections.join(", ")}`;
        terminal.print(
          oneLine(
            `  ${row.point.padEnd(11)} ${row.name} v${row.version}  ${row.mode}  ${rules}  ${until(row.expires, row.expiresInDays)}`,
          ),
        );
      }
      for (const { id, policy, rules, reason, expires, expiresInDays, signer } of exceptions) {
        terminal.print(
          oneLine(
            `  exception   ${id} of ${policy}: ${rules.join(", ")}; ${reason}; by ${signer}; ${until(expires, expiresInDays)}`,
          ),
        );
      }
      for (const { file, code, message } of found.ignored)
        terminal.note(oneLine(`ignored ${file}: ${code} ${message}`));
      return 0;
    } finally {
      await factory.close();
    }
  },
};
