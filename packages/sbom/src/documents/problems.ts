import type { SbomDocumentCode } from "./errors.ts";
import { documentLimits } from "./limits.ts";

/** Something in a document that is wrong, or worth a word, and does not stop it from being read. */
export interface DocumentProblem {
  readonly code: SbomDocumentCode;
  /**
   * An error touches what the document says of its components; a defect does not, and is not valid by the format; a note
   * is neither: a circle, a subject that was made up.
   */
  readonly severity: "error" | "defect" | "note";
  /** Place in the document: a path of members, a line, or an identifier. */
  readonly where: string;
  readonly message: string;
}

const notes: ReadonlySet<SbomDocumentCode> = new Set(["SBOM_DOCUMENT_CYCLE", "SBOM_DOCUMENT_SUBJECT_MISSING"]);

/** Collects problems and losses of one document, bounded. */
export class DocumentReport {
  readonly #problems: DocumentProblem[] = [];
  /** Further ones by code and severity. */
  readonly #more = new Map<string, { readonly like: DocumentProblem; count: number }>();
  readonly #losses = new Map<string, number>();

  problem(code: SbomDocumentCode, where: string, message: string): void {
    this.#add({ code, severity: notes.has(code) ? "note" : "error", where, message });
  }

  /** A value that its format does not allow, and that changes nothing of what the document lists. */
  defect(where: string, message: string): void {
    this.#add({ code: "SBOM_DOCUMENT_VALUE_INVALID", severity: "defect", where, message });
  }

  /** Something that the other side has no place for; the same words are counted. */
  loss(what: string): void {
    this.#losses.set(what, (this.#losses.get(what) ?? 0) + 1);
  }

  problems(): readonly DocumentProblem[] {
    const more = [...this.#more.values()].map(({ like: { code, severity }, count }): DocumentProblem => {
      return { code, severity, where: "", message: `${count} more of the kind` };
    });
    return [...this.#problems, ...more];
  }

  /** Sorted; with how often where that is more than once. */
  losses(): readonly string[] {
    return [...this.#losses].map(([what, count]) => (count === 1 ? what : `${what} (${count} times)`)).sort();
  }

  #add(problem: DocumentProblem): void {
    if (this.#problems.length < documentLimits.problems) {
      const { where, message } = problem;
      this.#problems.push({ ...problem, where: where.slice(0, 300), message: message.slice(0, 600) });
      return;
    }
    const key = `${problem.severity} ${problem.code}`;
    const more = this.#more.get(key);
    if (more === undefined) this.#more.set(key, { like: problem, count: 1 });
    else more.count++;
  }
}
