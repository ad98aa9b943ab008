import { type Alias, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Scalar } from "yaml";
import type { Position } from "./definition.ts";
import { type PipelineFileCode, PipelineFileError, type PipelineProblem } from "./errors.ts";

/** Limits against hostile documents. */
const pipelineLimits: YamlLimits = { bytes: 128 * 1024, values: 20_000, depth: 32 };

/** What a document may have of bytes, values and levels. */
export interface YamlLimits {
  readonly bytes: number;
  readonly values: number;
  readonly depth: number;
  /** `refused`: finding what an alias stands for costs a walk through the document. Default: expanded. */
  readonly aliases?: "refused";
}

/** What YAML can say here: no dates, no binary, no tags; mappings have no prototype. */
export type YamlValue = string | number | boolean | null | YamlValue[] | { [key: string]: YamlValue };

export type YamlPath = readonly PropertyKey[];

/** A document as plain values that remember where they stand. */
export interface YamlReading {
  readonly value: YamlValue;
  /** Position of a value, of its key with `key`; of the nearest parent when it is not written out. */
  locate(path: YamlPath, side?: "value" | "key"): Position;
  /** The value at a path, undefined where there is none. */
  at(path: YamlPath): YamlValue | undefined;
}

// Control characters, and those that make text look other than it is (Trojan Source, CVE-2021-42574).
const forbidden =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u0084\u0086-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/u;
const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
// Plain scalars on which YAML 1.1 and 1.2 readers disagree: truth words, dates, base-60 numbers, infinities.
const ambiguousText =
  /^(?:y|n|yes|no|on|off|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?|\d{4}-\d{1,2}-\d{1,2}(?:[Tt\s].*)?|[-+]?0x[0-9a-f_]+|[-+]?0b[01_]+|[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?)$/i;
// Names that every JavaScript object answers to: refused as keys, so that no reader is ever confused by one.
const inherited = new Set([...Object.getOwnPropertyNames(Object.prototype), "prototype"]);

interface Marks {
  readonly keys: Map<PropertyKey, number>;
  readonly values: Map<PropertyKey, number>;
}

/** Reads one YAML 1.2 document strictly. @throws PipelineFileError */
export function readYaml(text: string, fileName: string, limits: YamlLimits = pipelineLimits): YamlReading {
  const counter = new LineCounter();
  const fail = (code: PipelineFileCode, offset: number, message: string): never => {
    throw new PipelineFileError(fileName, [problemAt(code, offset, "", message)]);
  };
  const problemAt = (code: PipelineFileCode, offset: number, path: string, message: string): PipelineProblem => ({
    code,
    ...positionIn(text, offset),
    path,
    message,
  });

  const bytes = Buffer.byteLength(text);
  if (bytes > limits.bytes) fail("PIPELINE_TOO_LARGE", 0, `expected at most ${limits.bytes} bytes, found ${bytes}`);
  const strange = forbidden.exec(text) ?? loneSurrogate.exec(text);
  if (strange) {
    const name = `U+${strange[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    fail("PIPELINE_CHARACTER_FORBIDDEN", strange.index, `expected printable text, found the character ${name}`);
  }
  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, {
      lineCounter: counter,
      prettyErrors: false,
      stringKeys: true,
      // Duplicate keys are found below in linear time; the library compares each pair.
      uniqueKeys: false,
      merge: false,
      resolveKnownTags: false,
      // Not "silent", with which a second document goes unnoticed.
      logLevel: "error",
    });
  } catch (cause) {
    throw new PipelineFileError(
      fileName,
      [problemAt("PIPELINE_TOO_COMPLEX", 0, "", "the document could not be read within the limits")],
      { cause },
    );
  }
  if (document.directives?.yaml.explicit || Object.keys(document.directives?.tags ?? {}).length > 1) {
    fail("PIPELINE_YAML_MALFORMED", 0, "expected a document without % directives");
  }
  const trouble = document.errors[0] ?? document.warnings[0];
  if (trouble) {
    const code = trouble.code as string;
    if (code === "RESOURCE_EXHAUSTION") {
      fail("PIPELINE_TOO_COMPLEX", trouble.pos[0], `expected at most ${limits.depth} levels, found many more`);
    }
    const multiple = code === "MULTIPLE_DOCS";
    fail(
      "PIPELINE_YAML_MALFORMED",
      trouble.pos[0],
      multiple ? "expected one YAML document, found several" : firstLine(trouble.message),
    );
  }

  const marks = new WeakMap<object, Marks>();
  let count = 0;
  const open = new Set<Node>();

  const read = (node: Node | null, path: readonly (string | number)[]): YamlValue => {
    const offset = node?.range?.[0] ?? 0;
    if (++count > limits.values) {
      fail("PIPELINE_TOO_COMPLEX", offset, `expected at most ${limits.values} values after expanding aliases`);
    }
    if (path.length > limits.depth) fail("PIPELINE_TOO_COMPLEX", offset, `expected at most ${limits.depth} levels`);
    if (node === null) return null;
    if (isAlias(node) && limits.aliases === "refused") {
      return fail("PIPELINE_TOO_COMPLEX", offset, "expected values written out, found an alias");
    }
    if (isAlias(node)) return read(target(node, offset), path);
    if (node.tag !== undefined && !/^tag:yaml\.org,2002:(?:map|seq|str|int|float|bool|null)$/.test(node.tag)) {
      fail("PIPELINE_YAML_MALFORMED", offset, `expected a value without a tag, found ${node.tag.slice(0, 80)}`);
    }
    if (isScalar(node)) return scalar(node, offset);
    if (open.has(node)) fail("PIPELINE_TOO_COMPLEX", offset, "an alias leads back to the value that holds it");
    open.add(node);
    const mark: Marks = { keys: new Map(), values: new Map() };
    let value: YamlValue;
    if (isSeq(node)) {
      const list: YamlValue[] = [];
      for (const item of node.items as (Node | null)[]) {
        mark.values.set(list.length, item?.range?.[0] ?? offset);
        list.push(read(item, [...path, list.length]));
      }
      value = list;
    } else if (isMap(node)) {
      const map: { [key: string]: YamlValue } = Object.create(null);
      for (const pair of node.items as { key: Node; value: Node | null }[]) {
        const at = pair.key.range?.[0] ?? offset;
        const key = isScalar(pair.key) ? scalar(pair.key, at) : isAlias(pair.key) ? read(pair.key, path) : undefined;
        if (typeof key !== "string") {
          fail("PIPELINE_YAML_MALFORMED", at, "expected text as a key");
          continue;
        }
        if (mark.keys.has(key)) {
          const first = positionIn(text, mark.keys.get(key) ?? 0);
          fail("PIPELINE_KEY_DUPLICATE", at, `the key ${JSON.stringify(key)} stands already in line ${first.line}`);
        }
        if (inherited.has(key)) {
          fail("PIPELINE_NAME_INVALID", at, `expected another name, ${JSON.stringify(key)} is reserved`);
        }
        mark.keys.set(key, at);
        mark.values.set(key, pair.value?.range?.[0] ?? at);
        map[key] = read(pair.value, [...path, key]);
      }
      value = map;
    } else {
      return fail("PIPELINE_YAML_MALFORMED", offset, "expected a mapping, a list, text, a number or a truth value");
    }
    open.delete(node);
    marks.set(value, mark);
    return value;
  };

  const target = (alias: Alias, offset: number): Node => {
    const node = alias.resolve(document) as Node | undefined;
    return node ?? fail("PIPELINE_YAML_MALFORMED", offset, `the anchor ${alias.source} is not defined before its use`);
  };

  const scalar = (node: Scalar, offset: number): YamlValue => {
    const { value, source } = node;
    const plain = node.type === "PLAIN" || node.type === undefined;
    const unclear =
      (typeof value === "number" && !/^(?:0|-?[1-9][0-9]*)(?:\.[0-9]+)?$/.test(source ?? "")) ||
      (typeof value === "string" && plain && ambiguousText.test(value));
    if (unclear) {
      fail(
        "PIPELINE_SCALAR_AMBIGUOUS",
        offset,
        `YAML readers disagree about ${source ?? String(value)}: put it in quotes`,
      );
    }
    if (typeof value === "number" && !Number.isSafeInteger(Math.trunc(value))) {
      fail("PIPELINE_VALUE_INVALID", offset, `expected a smaller number, found ${source}`);
    }
    if (typeof value === "string") {
      // An escape in double quotes can still spell what the raw text may not hold.
      const escaped = forbidden.exec(value) ?? loneSurrogate.exec(value);
      if (escaped) fail("PIPELINE_CHARACTER_FORBIDDEN", offset, "expected text without control characters");
      return value;
    }
    if (typeof value === "number" || typeof value === "boolean" || value === null) return value;
    return fail("PIPELINE_YAML_MALFORMED", offset, "expected text, a number or a truth value");
  };

  const root: Node | null = document.contents;
  const value = read(root, []);
  const start = root?.range?.[0] ?? 0;

  return {
    value,
    locate: (path, side = "value") => {
      let offset = start;
      let here: YamlValue | undefined = value;
      for (const [i, step] of path.entries()) {
        const mark: Marks | undefined = typeof here === "object" && here !== null ? marks.get(here) : undefined;
        const last = i === path.length - 1;
        const next = (last && side === "key" ? mark?.keys : undefined)?.get(step) ?? mark?.values.get(step);
        if (next === undefined) break;
        offset = next;
        here = child(here, step);
      }
      return positionIn(text, offset);
    },
    at: (path) => path.reduce<YamlValue | undefined>(child, value),
  };
}

function child(value: YamlValue | undefined, step: PropertyKey): YamlValue | undefined {
  if (Array.isArray(value)) return typeof step === "number" ? value[step] : undefined;
  if (typeof value === "object" && value !== null && typeof step === "string") return value[step];
  return undefined;
}

/** Line and column of an offset into text, from 1. */
export function positionIn(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const newline = before.lastIndexOf("\n");
  let line = 1;
  for (let i = before.indexOf("\n"); i !== -1; i = before.indexOf("\n", i + 1)) line++;
  return { line, column: offset - newline };
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]?.slice(0, 200) ?? "";
}
