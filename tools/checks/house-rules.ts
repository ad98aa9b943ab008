import { basename } from "node:path";
import { childrenOf, lineOf, literalText, type SourceModule, type SyntaxNode, walk } from "../sources/module.ts";
import type { Finding } from "./finding.ts";

/** Packages that compute from bytes alone. */
const pure = new Set(["core", "formats", "verify", "policy", "api"]);
const pureModules = new Set(["node:crypto", "node:buffer", "node:zlib", "node:util", "node:string_decoder"]);
const pureForbidden = new Set(["process", "fetch", "WebSocket", "XMLHttpRequest", "EventSource", "Worker"]);

const vagueNames = /(^|[-.])(utils?|helpers?|managers?|data|infos?)([-.]|$)/;
const unfinished = /\b(TODO|FIXME|XXX|HACK)\b|not implemented yet/;
const longestFile = 400;

/**
 * Names of public registries: upstreams come from the user's configuration, or are asked of the installed client. As a
 * word alone, one of them is also how advisories name the ecosystem of Rust.
 */
const registries =
  /\b(registry[.]npmjs[.]org|pypi[.]org|proxy[.]golang[.]org|[a-z]+[.]crates[.]io|(?<=[/][/])crates[.]io|crates[.]io(?=[/])|registry-1[.]docker[.]io|deb[.]debian[.]org|repo1?[.]maven[.]apache[.]org|rubygems[.]org)\b/;

/** The rules of this house that no general linter knows. */
export function checkHouseRules(modules: readonly SourceModule[]): Finding[] {
  return modules.flatMap((module) => [...nameAndText(module), ...purity(module), ...syntax(module)]);
}

function* nameAndText({ path, text, isTest }: SourceModule): Generator<Finding> {
  if (vagueNames.test(basename(path, ".ts"))) {
    yield { path, message: "the name says nothing: no util, helper, manager, data or info" };
  }
  const lines = text.split("\n");
  if (!isTest && !/^(attacks|requirements)\//.test(path) && lines.length > longestFile) {
    yield { path, message: `${lines.length} lines: which nouns live in it? (at most ${longestFile})` };
  }
  const isThisFile = path === "tools/checks/house-rules.ts";
  for (const [index, line] of lines.entries()) {
    if (isThisFile) break;
    if (unfinished.test(line))
      yield { path, line: index + 1, message: "unfinished work is done, or written in an issue" };
    if (registries.test(line))
      yield { path, line: index + 1, message: "names a registry; upstreams come from configuration" };
  }
}

function* purity({ path, text, program, imports, isTest, ...module }: SourceModule): Generator<Finding> {
  if (isTest || !pure.has(module.package ?? "")) return;
  for (const { specifier, line } of imports) {
    if (specifier.startsWith("node:") && !pureModules.has(specifier)) {
      yield {
        path,
        line,
        message: `${module.package} touches no network, file system, process or environment: ${specifier}`,
      };
    }
  }
  const names = [...freeNames(program)];
  // A file that names a variable of its own `process` (a row of a trace, say) means that one.
  const declared = new Set(names.filter(({ declares }) => declares).map(({ name }) => name));
  for (const { node, name } of names) {
    if (pureForbidden.has(name) && !declared.has(name)) {
      yield {
        path,
        line: lineOf(text, node),
        message: `${module.package} touches no process, environment or network: ${name}`,
      };
    }
  }
}

interface FreeName {
  readonly node: SyntaxNode;
  readonly name: string;
  readonly declares: boolean;
}

/** Identifiers used as values or declared, that is not as the name of a member or a key. */
function* freeNames(node: SyntaxNode, isPattern = false): Generator<FreeName> {
  if (node.type.startsWith("TS") && node.type !== "TSAsExpression" && node.type !== "TSSatisfiesExpression") return;
  if (node.type === "Identifier") yield { node, name: String(node["name"]), declares: isPattern };
  const isComputed = node["computed"] === true;
  const parameters = Array.isArray(node["params"]) ? (node["params"] as unknown[]) : [];
  for (const child of childrenOf(node)) {
    if (!isComputed && (child === node["property"] || child === node["key"])) continue;
    const declares = parameters.includes(child) || (node.type === "VariableDeclarator" && child === node["id"]);
    const continues = isPattern && child !== node["right"] && /Pattern$|^Property$|^RestElement$/.test(node.type);
    yield* freeNames(child, declares || continues);
  }
}

function* syntax({ path, text, program, isTest, ...module }: SourceModule): Generator<Finding> {
  for (const node of walk(program)) {
    const at = (message: string): Finding => ({ path, line: lineOf(text, node), message });
    if (node.type === "ExportDefaultDeclaration") yield at("exports have names; there are no default exports");
    if (node.type === "Property" && keyOf(node) === "shell" && (node["value"] as SyntaxNode)["value"] === true) {
      yield at("no command goes through a shell: give a program and its arguments");
    }
    if (node.type === "ImportDeclaration" && literalText(node["source"]) === "node:child_process") {
      for (const name of importedNames(node)) {
        if (/^exec(Sync)?$/.test(name) && module.package !== "cli")
          yield at(`${name} starts a shell: use execFile or spawn`);
      }
    }
    if (isTest && node.type === "MemberExpression" && /^(test|it|describe)$/.test(nameOf(node["object"]) ?? "")) {
      const member = nameOf(node["property"]);
      if (member === "only" || member === "skip" || member === "todo") {
        yield at(`.${member}: only a missing tool skips a test, by skipIf`);
      }
    }
  }
}

function importedNames(node: SyntaxNode): string[] {
  return (node["specifiers"] as SyntaxNode[]).map((specifier) => nameOf(specifier["imported"]) ?? "");
}

function keyOf(node: SyntaxNode): string | undefined {
  return nameOf(node["key"]) ?? literalText(node["key"]);
}

function nameOf(node: unknown): string | undefined {
  const value = node as SyntaxNode | undefined;
  return value?.type === "Identifier" ? String(value["name"]) : undefined;
}
