import type { SbomDocumentCode } from "./errors.ts";
import { documentLimits } from "./limits.ts";

/** Something in a document that is wrong, or worth a word, and does not stop it from being read. */
export interface DocumentProblem {
  readonly code: SbomDocumentCode;
  /** Notes are no defects: a cycle, a subject that was made up. */
  readonly severity: "error" | "note";
  /** Place in the document: a path of members, a line, or an identifier. */
  readonly where: string;
  readonly message: string;
}

const notes: ReadonlySet<SbomDocumentCode> = new Set(["SBOM_DOCUMENT_CYCLE", "SBOM_DOCUMENT_SUBJECT_MISSING"]);

/** Collects problems and losses of one document, bounded. */
export class DocumentReport {
  readonly #problems: DocumentProblem[] = [];
  readonly #more = new Map<SbomDocumentCode, number>();
  readonly #losses = new Map<string, number>();

  problem(code: SbomDocumentCode, where: string, message: string): void {
    if (this.#problems.length >= documentLimits.problems) {
      this.#more.set(code, (this.#more.get(code) ?? 0) + 1);
      return;
    }
    const severity = notes.has(code) ? "note" : "error";
    this.#problems.push({ code, severity, where: where.slice(0, 300), message: message.slice(0, 600) });
  }

  /** Something that the other side has no place for; the same words are counted. */
  loss(what: string): void {
    this.#losses.set(what, (this.#losses.get(what) ?? 0) + 1);
  }

  problems(): readonly DocumentProblem[] {
    const more = [...this.#more].map(
      ([code, count]): DocumentProblem => ({
        code,
        severity: notes.has(code) ? "note" : "error",
        where: "",
        message: `${count} more of the kind`,
      }),
    );
    return [...this.#problems, ...more];
  }

  /** Sorted; with how often where that is more than once. */
  losses(): readonly string[] {
    return [...this.#losses].map(([what, count]) => (count === 1 ? what : `${what} (${count} times)`)).sort();
  }
}
