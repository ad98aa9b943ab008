import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from "yaml";
import { type LockfileCode, lockfileErrors } from "./errors.ts";
import { type LockfileOptions, lockfileLimits } from "./options.ts";
import { refuse } from "./tolerance.ts";

/** YAML as lockfiles use it: every scalar is its text, mappings have no prototype. */
export type YamlText = string | null | YamlText[] | { [key: string]: YamlText };

const deepest = 16;
const plainTags = /^tag:yaml\.org,2002:(?:map|seq|str)$/;

/**
 * Reads one YAML document without anchors, aliases, tags or directives, scalars as they are written. Where losses are
 * tolerated, the first of two members of one name counts.
 * @throws LOCKFILE_TOO_LARGE | LOCKFILE_TOO_DEEP | LOCKFILE_MALFORMED | LOCKFILE_SYNTAX_FORBIDDEN | LOCKFILE_DUPLICATE
 */
export function readYamlText(text: string, options: LockfileOptions = {}): YamlText {
  if (text.length > lockfileLimits.yamlBytes) {
    throw lockfileErrors.make(
      "LOCKFILE_TOO_LARGE",
      `expected at most ${lockfileLimits.yamlBytes} characters of YAML, found ${text.length}`,
    );
  }
  checkBrackets(text);
  const document = open(text);
  const fail = (code: LockfileCode, offset: number, message: string): never => {
    throw lockfileErrors.make(code, `line ${lineAt(text, offset)}: ${message}`);
  };
  if (document.directives?.yaml.explicit || Object.keys(document.directives?.tags ?? {}).length > 1) {
    fail("LOCKFILE_SYNTAX_FORBIDDEN", 0, "expected a document without % directives");
  }
  const trouble = document.errors[0] ?? document.warnings[0];
  if (trouble) {
    const isDeep = (trouble.code as string) === "RESOURCE_EXHAUSTION";
    const message = trouble.message.split("\n", 1)[0]?.slice(0, 200) ?? "";
    const isTag = trouble.code === "TAG_RESOLVE_FAILED";
    fail(
      isDeep ? "LOCKFILE_TOO_DEEP" : isTag ? "LOCKFILE_SYNTAX_FORBIDDEN" : "LOCKFILE_MALFORMED",
      trouble.pos[0],
      message,
    );
  }
  const read = (node: Node | null, depth: number): YamlText => {
    const offset = node?.range?.[0] ?? 0;
    if (depth > deepest) fail("LOCKFILE_TOO_DEEP", offset, `expected at most ${deepest} levels`);
    if (node === null) return null;
    if (isAlias(node)) return fail("LOCKFILE_SYNTAX_FORBIDDEN", offset, "expected no alias");
    if (node.anchor !== undefined) return fail("LOCKFILE_SYNTAX_FORBIDDEN", offset, "expected no anchor");
    if (node.tag !== undefined && !plainTags.test(node.tag)) {
      return fail("LOCKFILE_SYNTAX_FORBIDDEN", offset, "expected no tag");
    }
    if (isScalar(node)) return typeof node.value === "string" ? node.value : null;
    if (isSeq(node)) return (node.items as (Node | null)[]).map((item) => read(item, depth + 1));
    if (!isMap(node)) return fail("LOCKFILE_MALFORMED", offset, "expected a mapping, a list or text");
    const map: { [key: string]: YamlText } = Object.create(null);
    for (const pair of node.items as { key: Node | null; value: Node | null }[]) {
      const key = read(pair.key, depth + 1);
      if (typeof key !== "string") return fail("LOCKFILE_MALFORMED", offset, "expected text as a key");
      if (key === "__proto__") return fail("LOCKFILE_MALFORMED", offset, "the key __proto__ is refused");
      if (Object.hasOwn(map, key)) {
        const line = lineAt(text, pair.key?.range?.[0] ?? offset);
        const message = `line ${line}: the key ${key.slice(0, 120)} stands twice`;
        refuse(options, lockfileErrors.make("LOCKFILE_DUPLICATE", message));
        continue;
      }
      map[key] = read(pair.value, depth + 1);
    }
    return map;
  };
  return read(document.contents, 0);
}

/** The reader walks a flow collection to its end before it counts levels: thousands of brackets are told beforehand. */
function checkBrackets(text: string): void {
  let level = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    level += bracket === "[" || bracket === "{" ? 1 : -1;
    if (level > 256) throw lockfileErrors.make("LOCKFILE_TOO_DEEP", `expected at most ${deepest} levels`);
  }
}

function open(text: string): ReturnType<typeof parseDocument> {
  try {
    return parseDocument(text, {
      schema: "failsafe",
      prettyErrors: false,
      stringKeys: true,
      uniqueKeys: false,
      merge: false,
      keepSourceTokens: false,
      logLevel: "error",
    });
  } catch (cause) {
    throw lockfileErrors.make("LOCKFILE_TOO_DEEP", "the YAML document could not be read within the limits", { cause });
  }
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at !== -1 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
