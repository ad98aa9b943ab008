/** Text with its variables put in, as far as they are known. */
export interface Expanded {
  readonly text: string;
  /** Names that nothing gives a value. */
  readonly unresolved: readonly string[];
}

/** Value of a variable; undefined when it has none. */
export type Lookup = (name: string) => string | undefined;

const MAX_DEPTH = 8;
const MAX_LENGTH = 16_384;

/**
 * Puts variables in: `$NAME`, `${NAME}`, `${NAME:-word}`, `${NAME-word}`, `${NAME:+word}`, `${NAME+word}`,
 * `${NAME:?word}`. Other forms stay as they are and count as unresolved. Quotes are removed as a shell does.
 */
export function expand(raw: string, lookup: Lookup, escape = "\\", quotes = true): Expanded {
  const unresolved: string[] = [];
  const text = expandText(raw.slice(0, MAX_LENGTH), { lookup, escape, quotes, unresolved }, 0);
  return { text, unresolved: [...new Set(unresolved)] };
}

interface Context {
  readonly lookup: Lookup;
  readonly escape: string;
  readonly quotes: boolean;
  readonly unresolved: string[];
}

function expandText(raw: string, context: Context, depth: number): string {
  const { escape, quotes } = context;
  let out = "";
  let quote = "";
  let i = 0;
  while (i < raw.length && out.length < MAX_LENGTH) {
    const c = raw[i] ?? "";
    if (c === escape && quote !== "'" && i + 1 < raw.length) {
      out += raw[i + 1];
      i += 2;
    } else if (quotes && (c === '"' || c === "'") && (quote === "" || quote === c)) {
      quote = quote === "" ? c : "";
      i++;
    } else if (c === "$" && quote !== "'") {
      const found = variableAt(raw, i);
      if (found === undefined) {
        out += c;
        i++;
      } else {
        out += valueOf(found, raw.slice(i, found.end), context, depth);
        i = found.end;
      }
    } else {
      out += c;
      i++;
    }
  }
  return out.slice(0, MAX_LENGTH);
}

interface Variable {
  readonly name: string;
  /** `:-`, `-`, `:+`, `+`, `:?`, `?`, empty, or something that is not evaluated. */
  readonly operator: string;
  readonly word: string;
  readonly end: number;
}

function variableAt(raw: string, start: number): Variable | undefined {
  const plain = /\$([A-Za-z_][A-Za-z0-9_]{0,255})/y;
  plain.lastIndex = start;
  const simple = plain.exec(raw);
  if (simple !== null) return { name: simple[1] ?? "", operator: "", word: "", end: start + simple[0].length };
  const braced = /\$\{([A-Za-z_][A-Za-z0-9_]{0,255})(:?[-+?]|\}|.)/y;
  braced.lastIndex = start;
  const found = braced.exec(raw);
  if (found === null) return undefined;
  const name = found[1] ?? "";
  const after = start + found[0].length;
  if (found[2] === "}") return { name, operator: "", word: "", end: after };
  const end = closingBrace(raw, after);
  if (end === undefined) return undefined;
  return { name, operator: found[2] ?? "", word: raw.slice(after, end), end: end + 1 };
}

/** The brace that closes, others inside counted; at most as far as a value is read. */
function closingBrace(raw: string, start: number): number | undefined {
  let depth = 0;
  for (let i = start; i < Math.min(raw.length, start + 4096); i++) {
    if (raw[i] === "{") depth++;
    else if (raw[i] === "}" && depth-- === 0) return i;
  }
  return undefined;
}

function valueOf({ name, operator, word }: Variable, written: string, context: Context, depth: number): string {
  const value = context.lookup(name);
  const isSet = value !== undefined && (value !== "" || !operator.startsWith(":"));
  const inner = () => (depth >= MAX_DEPTH ? word : expandText(word, context, depth + 1));
  switch (operator) {
    case ":-":
    case "-":
      return isSet ? value : inner();
    case ":+":
    case "+":
      return isSet ? inner() : "";
    case "":
    case ":?":
    case "?":
      if (value !== undefined) return value;
      context.unresolved.push(name);
      return written;
    default:
      context.unresolved.push(name);
      return written;
  }
}

/** Names of the variables that a text refers to. */
export function variablesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\$\{?([A-Za-z_][A-Za-z0-9_]{0,255})/g)].map((found) => found[1] ?? ""));
}
