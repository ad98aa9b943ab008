import type { AskClient, AskedUpstream } from "../ecosystem.ts";
import { askedAddress } from "./ask-address.ts";

/** How pip can be started on a host; the first that answers is asked. */
const pips: readonly (readonly [program: string, ...words: string[]])[] = [
  ["python3", "-m", "pip"],
  ["pip3"],
  ["pip"],
  ["python", "-m", "pip"],
];

/**
 * Asks pip for its indexes in their order: what is configured for it, or its built-in default, which its own help
 * names; then uv for its default. Neither starts anything of a project.
 */
export async function askPypi(ask: AskClient): Promise<readonly AskedUpstream[]> {
  const found: AskedUpstream[] = [];
  const add = (spelled: string, from: string): void => {
    const asked = askedAddress(spelled, from);
    if (asked !== undefined && !found.some(({ url }) => url === asked.url)) found.push({ ...asked, exclusive: [] });
  };
  for (const [program, ...words] of pips) {
    const listing = await ask(program, [...words, "config", "list"]);
    if (listing === undefined) continue;
    const settings = pipSettings(listing);
    if (settings.noIndex) break;
    if (settings.index === undefined) {
      add(defaultIndex((await ask(program, [...words, "download", "--help"])) ?? "", "--index-url"), "pip's default");
    } else add(settings.index, "pip config");
    for (const extra of settings.extra) add(extra, "pip config");
    break;
  }
  const uv = uvIndexes((await ask("uv", ["pip", "compile", "--show-settings", "/dev/null"])) ?? "");
  for (const given of uv.given) add(given, "uv's settings");
  if (!uv.hasDefault) {
    add(defaultIndex((await ask("uv", ["pip", "install", "--help"])) ?? "", "--default-index"), "uv's default");
  }
  return found;
}

/** What pip's configuration says, the variables of its environment before its files. */
function pipSettings(listing: string): { index?: string; extra: readonly string[]; noIndex: boolean } {
  const settings = new Map<string, string>();
  for (const line of listing.split("\n")) {
    const [, name = "", value = ""] = /^([a-z:][\w:-]*\.[\w-]+)=(['"].*['"])\s*$/.exec(line) ?? [];
    if (name !== "") settings.set(name, unquoted(value));
  }
  const setting = (name: string) =>
    [":env:", "download", "install", "global"].map((section) => settings.get(`${section}.${name}`)).find(Boolean);
  const index = setting("index-url");
  return {
    ...(index === undefined ? {} : { index }),
    extra: (setting("extra-index-url") ?? "").split(/\s+/).filter((word) => word !== ""),
    noIndex: /^(1|true|yes|on)$/i.test(setting("no-index") ?? ""),
  };
}

/** The indexes of uv's settings, as it prints them for debugging, passwords replaced; nothing when that form changes. */
function uvIndexes(settings: string): { given: readonly string[]; hasDefault: boolean } {
  const [, indexes = ""] =
    /index_locations: IndexLocations \{\s*indexes: \[([\s\S]*?)\n\s*flat_index:/.exec(settings) ?? [];
  return {
    given: [...indexes.matchAll(/given: Some\(\s*"([^"\\]+)"/g)].map(([, given = ""]) => given),
    hasDefault: /\bdefault: true\b/.test(indexes),
  };
}

/** A Python string as `repr` writes it. */
function unquoted(literal: string): string {
  return literal.slice(1, -1).replace(/\\(.)/g, (_, c: string) => (c === "n" ? "\n" : c === "t" ? "\t" : c));
}

/** The default that a help text names for an option. */
function defaultIndex(help: string, option: string): string {
  const at = help.search(new RegExp(`(^|\\s)${option}\\b`));
  if (at === -1) return "";
  const paragraph = help.slice(at, at + 1200).replace(/\s+/g, " ");
  return /\((?:by )?default:? <?(https?:\/\/[^\s>)]+)/i.exec(paragraph)?.[1] ?? "";
}
