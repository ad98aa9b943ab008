/** Fields of one paragraph of a Debian control file (deb822(5)), by lower-case name; lines of folded ones by `\n`. */
export type ControlParagraph = ReadonlyMap<string, string>;

/** Limits of reading: more is not what dpkg writes. */
const longestField = 2 ** 20;
const mostFields = 200;

/** A paragraph, and the line of its first field, from 1. */
interface Placed {
  readonly fields: ControlParagraph;
  readonly line: number;
}

/** Paragraphs of a control file. Lines that are no field are skipped and counted. */
export function readControl(text: string): { readonly paragraphs: readonly Placed[]; readonly skipped: number } {
  const paragraphs: Placed[] = [];
  let skipped = 0;
  let number = 0;
  let first = 1;
  let current = new Map<string, string>();
  let field = "";
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const stop = end < 0 ? text.length : end;
    const line = text.slice(at, text[stop - 1] === "\r" && stop > at ? stop - 1 : stop);
    at = stop + 1;
    number++;
    if (line.trim() === "") {
      if (current.size > 0) paragraphs.push({ fields: current, line: first });
      current = new Map();
      field = "";
      continue;
    }
    if (line[0] === " " || line[0] === "\t") {
      const known = current.get(field);
      if (known === undefined || known.length + line.length > longestField) skipped++;
      else current.set(field, `${known}\n${line.slice(1)}`);
      continue;
    }
    if (line[0] === "#") continue;
    const colon = line.indexOf(":");
    const name = colon < 0 ? "" : line.slice(0, colon).toLowerCase();
    if (!/^[!-9;-~]+$/.test(name) || current.size >= mostFields || current.has(name)) {
      skipped++;
      field = "";
      continue;
    }
    if (current.size === 0) first = number;
    field = name;
    current.set(field, line.slice(colon + 1).trim());
  }
  if (current.size > 0) paragraphs.push({ fields: current, line: first });
  return { paragraphs, skipped };
}
