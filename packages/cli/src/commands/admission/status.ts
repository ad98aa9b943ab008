import type { KeptUses } from "@touchmark/pipeline/admission";
import { type Command, given } from "../../command.ts";
import { oneLine } from "../../terminal.ts";

/** `touchmark admission status`: who decides, and what passes by. */
export const command: Command = {
  name: "admission status",
  summary: "policies in force, tenants, and permissions that let something pass",
  options: [{ flags: "--json", description: "machine-readable output" }],
  examples: [["touchmark admission status", "permissions with who signed them, for what, until when"]],
  async run(invocation, terminal) {
    const { openAdmission } = await import("../../admission/open-admission.ts");
    const admission = await openAdmission({ record: false });
    try {
      const { tenants, breakGlass } = await admission.status();
      const now = admission.factory.clock.now();
      const { breakGlassUses } = await import("@touchmark/pipeline/admission");
      const used = breakGlassUses(admission.factory);
      const permissions = breakGlass.permissions.map((each) => ({
        ...each,
        isInForce: Date.parse(each.expires) > now.getTime(),
      }));
      if (given(invocation, "json")) {
        const rows = tenants.map(({ name, policies, problems }) => ({ name, policies, problems }));
        terminal.print(
          JSON.stringify({ tenants: rows, breakGlass: { permissions, refused: breakGlass.refused, ...used } }),
        );
        return 0;
      }
      const { style } = terminal;
      for (const { name, policies, problems } of tenants) {
        terminal.print(
          `${style.bold("tenant")} ${oneLine(name)}: ${policies.origin}, ${policies.names.length} policies`,
        );
        for (const each of policies.names) terminal.print(`  ${oneLine(each)}`);
        for (const each of problems) terminal.print(`  ${style.warn(oneLine(each))}`);
      }
      if (permissions.length + breakGlass.refused.length === 0) terminal.print("no break-glass permissions");
      for (const { id, digest, namespaces, by, signer, reason, expires, isInForce } of permissions) {
        const state = isInForce ? style.warn("in force") : style.dim("expired");
        terminal.print(`break-glass ${id} ${state} until ${expires}: ${digest}`);
        terminal.print(`  in ${oneLine(namespaces.map((each) => each || "(no namespace)").join(", "))}`);
        terminal.print(`  by ${oneLine(by)}, signed as ${signer}: ${oneLine(reason)}`);
      }
      for (const { bundle, code, message } of breakGlass.refused) {
        terminal.print(
          `break-glass ${bundle.slice(0, 19)}… ${style.bad(`counts for nothing: ${code}`)}: ${oneLine(message)}`,
        );
      }
      for (const line of usesOf(used)) terminal.print(oneLine(line));
      return 0;
    } finally {
      await admission.close();
    }
  },
};

/** What passed by the policies: a line for each permission, those that ended or expired as well. */
function usesOf({ uses, unreadable, isCut }: KeptUses): readonly string[] {
  const lines = [...Map.groupBy(uses, ({ id }) => id)].map(([id, own]) => {
    const { at, reference, digest, namespace, user } = own[own.length - 1] as KeptUses["uses"][number];
    const what = reference.includes(digest) ? reference : `${reference} (${digest})`;
    const where = namespace === "" ? "" : ` in ${namespace}`;
    return `break-glass ${id} used ${own.length} times, last at ${at}: ${what}${where}${user === "" ? "" : ` for ${user}`}`;
  });
  if (unreadable > 0) lines.push(`${unreadable} lines of break-glass-uses.jsonl are unreadable`);
  if (isCut) lines.push("older uses stand in break-glass-uses.jsonl alone");
  return lines;
}
