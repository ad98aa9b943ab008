// Makes the licence list and the table of licence texts from a checkout of the SPDX licence list's sources:
//   node tools/licence-list.ts DIRECTORY VERSION

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { localName, walkXml } from "../packages/formats/src/xml/index.ts";
import { encodeTextTable, type TextEntry } from "../packages/sbom/src/licences/text-table.ts";
import { licenceWords, shingles } from "../packages/sbom/src/licences/words.ts";
import { repositoryRoot } from "./repository.ts";

/** Elements that a text may lack: none of their words is asked for, and no run of words spans them. */
const free = new Set(["optional", "titleText"]);
/** Elements that are no words of the text. */
const left = new Set(["copyrightText", "notes", "crossRefs", "obsoletedBys", "bullet"]);

/** Words that may be others: free where any text may stand, asked for where the usual ones are a choice of few. */
function isFree(element: string, match: string | undefined): boolean {
  return free.has(element) || (element === "alt" && /\.[+*{]/.test(match ?? ".+"));
}

interface Source {
  readonly id: string;
  readonly name: string;
  readonly isException: boolean;
  readonly flags: number;
  readonly text: Words;
  readonly header: Words;
}

/** Runs of words that belong together: those that a text has to have, and all in their usual form. */
interface Words {
  readonly core: string[];
  readonly all: string[];
}

const [directory, version] = process.argv.slice(2);
if (directory === undefined || version === undefined) throw new Error("expected a directory and a version");

const sources = ["src", "src/exceptions"]
  .flatMap((place) => readdirSync(join(directory, place)).map((name) => join(directory, place, name)))
  .filter((path) => path.endsWith(".xml"))
  .map((path) => readSource(readFileSync(path, "utf8")))
  .sort((a, b) => (a.id < b.id ? -1 : 1));

const facts = {
  source: `SPDX licence list ${version} (spdx/license-list-XML at tag v${version})`,
  version,
  licence: "CC0-1.0",
  // The list's release notes give CC0-1.0 for its data, its pages CC-BY-3.0: naming the makers serves both.
  attribution: "SPDX Workgroup of the Linux Foundation and its contributors; pages of the list: CC-BY-3.0",
};
const row = ({ id, name, flags }: Source) => [id, name, flags];
write("packages/formats/src/licences/list.json", {
  ...facts,
  licences: sources.filter(({ isException }) => !isException).map(row),
  exceptions: sources.filter(({ isException }) => isException).map(row),
});
write("packages/sbom/src/licences/texts.json", { ...facts, ...encodeTextTable(entries(sources)) });

function write(path: string, content: unknown): void {
  const text = `${JSON.stringify(content)}\n`;
  writeFileSync(join(repositoryRoot, path), text);
  console.log(`wrote ${path}: ${text.length} characters`);
}

function readSource(xml: string): Source {
  let id = "";
  let name = "";
  let flags = 0;
  let isException = false;
  const open: string[] = [];
  const text: Words = { core: [""], all: [""] };
  const header: Words = { core: [""], all: [""] };
  const words = () => (open.includes("standardLicenseHeader") ? header : text);
  walkXml(xml, {
    open(tag, attributes) {
      const element = localName(tag);
      if (element === "license" || element === "exception") {
        id = attributes.get("licenseId") ?? "";
        name = (attributes.get("name") ?? "").replace(/\s+/g, " ");
        isException = element === "exception";
        flags = (attributes.get("isOsiApproved") === "true" ? 1 : 0) | (attributes.has("deprecatedVersion") ? 2 : 0);
      }
      const isOpen = isFree(element, attributes.get("match"));
      open.push(isOpen ? "free" : element);
      if (isOpen) words().core.push("");
    },
    text(value) {
      if (!open.includes("text") && !open.includes("standardLicenseHeader")) return;
      if (open.some((each) => left.has(each))) return;
      const { core, all } = words();
      all[0] += ` ${value}`;
      if (!open.includes("free")) core[core.length - 1] += ` ${value}`;
    },
    close() {
      if (open.pop() === "free") words().core.push("");
    },
  });
  return { id, name, isException, flags, text, header };
}

/** One entry for each different text, under the identifier that says least beyond the text. */
function entries(all: readonly Source[]): TextEntry[] {
  const made = new Map<string, TextEntry>();
  const preferred = [...all]
    .filter(({ flags }) => (flags & 2) === 0)
    .sort((a, b) => rank(a.id) - rank(b.id) || a.id.length - b.id.length);
  for (const source of preferred) {
    for (const kind of ["text", "header"] as const) {
      // Notices of the GNU licences differ by the version alone: `notices.ts` reads them by their words.
      if (kind === "header" && /^(?:[AL]?GPL|GFDL)-/.test(source.id)) continue;
      const core = new Set(source[kind].core.flatMap((run) => [...shingles(licenceWords(run))]));
      if (core.size < 8) continue;
      const all = new Set(source[kind].all.flatMap((run) => [...shingles(licenceWords(run))]));
      const key = `${kind} ${[...core].sort((a, b) => a - b).join()}`;
      if (made.has(key)) continue;
      const more = [...all].filter((hash) => !core.has(hash));
      made.set(key, { id: source.id, kind: source.isException ? "exception" : kind, shingles: [...core], more });
    }
  }
  return [...made.values()].sort((a, b) => (a.id + a.kind < b.id + b.kind ? -1 : 1));
}

/** A text does not say "or later", nor that an option was taken. */
function rank(id: string): number {
  return /-or-later$|invariants|no-copyleft/.test(id) ? 1 : 0;
}
