import type { Distribution } from "@touchmark/formats/sbom";

/** Reads os-release(5). Undefined when it names no distribution. */
export function readOsRelease(text: string): Distribution | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split("\n", 1000)) {
    const assignment = /^\s*([A-Z][A-Z0-9_]*)=(.*?)\s*$/.exec(line);
    if (assignment?.[1] !== undefined) fields.set(assignment[1], unquoted(assignment[2] ?? ""));
  }
  const id = fields.get("ID")?.toLowerCase() ?? "";
  if (!/^[a-z0-9._-]{1,64}$/.test(id)) return undefined;
  const codename = fields.get("VERSION_CODENAME") || /\(([^)]+)\)/.exec(fields.get("VERSION") ?? "")?.[1];
  const like =
    fields
      .get("ID_LIKE")
      ?.toLowerCase()
      .split(/\s+/)
      .filter((word) => word !== "") ?? [];
  const name = fields.get("PRETTY_NAME") || fields.get("NAME");
  return {
    id,
    version: fields.get("VERSION_ID") ?? "",
    ...(codename !== undefined && codename !== "" && { codename }),
    ...(like.length > 0 && { like }),
    ...(name !== undefined && { name }),
  };
}

/** The value as a shell reads it: quotes of either kind, and backslashes within double quotes. */
function unquoted(value: string): string {
  const quote = value[0];
  if ((quote !== '"' && quote !== "'") || !value.endsWith(quote) || value.length < 2) return value;
  const inner = value.slice(1, -1);
  return quote === '"' ? inner.replace(/\\([\\"$`])/g, "$1") : inner;
}
