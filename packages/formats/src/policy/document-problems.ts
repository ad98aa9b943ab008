import type { YamlPath, YamlReading } from "../pipeline/yaml-reader.ts";
import { type PolicyDocumentCode, PolicyDocumentError, type PolicyDocumentProblem } from "./errors.ts";

/** Enough for any person; a hostile document could have thousands, each of which costs a search for its line. */
const most = 50;

/** Collects what is wrong with one document, in the order of the document. */
export class DocumentProblems {
  readonly #name: string;
  readonly #reading: YamlReading;
  readonly #found: PolicyDocumentProblem[] = [];

  constructor(name: string, reading: YamlReading) {
    this.#name = name;
    this.#reading = reading;
  }

  /** Notes a problem at the value, or at the key, of a path. */
  add(code: PolicyDocumentCode, path: YamlPath, message: string, side: "value" | "key" = "value"): void {
    if (this.#found.length >= most) return;
    const where = path.map(String).join(".");
    const text = where === "" ? message : `${where}: ${message}`;
    this.#found.push({ code, ...this.#reading.locate(path, side), path: where, message: text });
  }

  /** Throws everything noted so far, if anything was. @throws PolicyDocumentError */
  throwIfAny(): void {
    const [first, ...rest] = this.#found.sort((a, b) => a.line - b.line || a.column - b.column);
    if (first) throw new PolicyDocumentError(this.#name, [first, ...rest]);
  }
}
