import { isUtf8 } from "node:buffer";
import { type Members, wrong } from "./members.ts";

/** Records of a CSV text (RFC 4180) by the names in its first line. @throws ADVISORY_MALFORMED */
export function csvRecords(bytes: Uint8Array): readonly Members[] {
  if (!isUtf8(bytes)) return wrong("UTF-8");
  const [head, ...rows] = csvRows(new TextDecoder().decode(bytes));
  if (head === undefined) return wrong("a line with the names of the columns");
  return rows.map((row) => Object.fromEntries(head.map((column, i) => [column, row[i] ?? ""])));
}

/** Rows of fields; a quoted field may hold commas, line ends and quotes written twice. */
function* csvRows(text: string): Generator<readonly string[]> {
  let row: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end: number;
    if (text[at] === '"') {
      let close = text.indexOf('"', at + 1);
      while (close !== -1 && text[close + 1] === '"') close = text.indexOf('"', close + 2);
      if (close === -1) return wrong("a quote that ends");
      row.push(text.slice(at + 1, close).replaceAll('""', '"'));
      end = close + 1;
    } else {
      end = at;
      while (end < text.length && text[end] !== "," && text[end] !== "\n" && text[end] !== "\r") end++;
      row.push(text.slice(at, end));
    }
    if (text[end] === ",") {
      at = end + 1;
      if (at === text.length) row.push("");
      continue;
    }
    if (text[end] === "\r") end++;
    if (end < text.length && text[end] !== "\n") return wrong("a comma or a line's end behind a field");
    at = end + 1;
    if (row.length > 1 || row[0] !== "") yield row;
    row = [];
  }
  if (row.length > 0) yield row;
}
