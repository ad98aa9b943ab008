/**
 * The little of TOML that a proposal needs: plain text values and lists of a table. What it does not understand it
 * does not see; a person reads the proposal before it is used.
 */
export function tomlTables(text: string): Map<string, Map<string, string>> {
  const tables = new Map<string, Map<string, string>>();
  let table = new Map<string, string>();
  tables.set("", table);
  let open: { key: string; value: string } | undefined;
  let array = 0;
  for (const raw of text.split("\n")) {
    const line = raw.replace(/(^|\s)#[^"']*$/, "").trim();
    if (open !== undefined) {
      open.value += line;
      if (balanced(open.value)) {
        table.set(open.key, open.value);
        open = undefined;
      }
      continue;
    }
    const header = /^(\[\[?)\s*([^\]]+?)\s*\]\]?$/.exec(line);
    if (header) {
      const name = (header[2] ?? "").replaceAll('"', "");
      table = new Map();
      // Tables of a list (`[[bin]]`) get a number, so that none hides another.
      tables.set(header[1] === "[[" ? `${name}#${array++}` : name, table);
      continue;
    }
    const pair = /^([A-Za-z0-9_."-]+)\s*=\s*(.+)$/.exec(line);
    if (!pair?.[1] || pair[2] === undefined) continue;
    const key = pair[1].replaceAll('"', "");
    if (/^[[{]/.test(pair[2]) && !balanced(pair[2])) open = { key, value: pair[2] };
    else table.set(key, pair[2]);
  }
  return tables;
}

/** A quoted value's text, or undefined. */
export function tomlText(value: string | undefined): string | undefined {
  return /^"([^"\\]*)"/.exec(value ?? "")?.[1] ?? /^'([^']*)'/.exec(value ?? "")?.[1];
}

/** The quoted texts of a list. */
export function tomlList(value: string | undefined): string[] {
  return [...(value ?? "").matchAll(/"([^"\\]*)"|'([^']*)'/g)].map((match) => match[1] ?? match[2] ?? "");
}

function balanced(value: string): boolean {
  const bare = value.replace(/"[^"]*"|'[^']*'/g, "");
  return bare.split(/[[{]/).length === bare.split(/[\]}]/).length;
}
