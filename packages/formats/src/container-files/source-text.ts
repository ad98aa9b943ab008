import type { Position } from "../pipeline/definition.ts";

/** Text put together from pieces of a file, which remembers where each character stood. */
export interface SourceText {
  readonly text: string;
  /** Line and column in the file, from 1, of an offset into the text. */
  at(offset: number): Position;
}

/** Puts a text together piece by piece. */
export class TextBuilder {
  readonly #starts: number[] = [];
  readonly #places: Position[] = [];
  readonly #parts: string[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** `place` is where the first character stands; the piece is of one line, or stands for one place. */
  add(piece: string, place: Position): this {
    if (piece === "") return this;
    this.#starts.push(this.#length);
    this.#places.push(place);
    this.#parts.push(piece);
    this.#length += piece.length;
    return this;
  }

  build(): SourceText {
    const text = this.#parts.join("");
    const starts = this.#starts;
    const places = this.#places;
    return {
      text,
      at(offset) {
        let low = 0;
        let high = starts.length - 1;
        while (low < high) {
          const middle = (low + high + 1) >> 1;
          if ((starts[middle] ?? 0) <= offset) low = middle;
          else high = middle - 1;
        }
        const place = places[low] ?? { line: 1, column: 1 };
        return { line: place.line, column: place.column + Math.max(0, offset - (starts[low] ?? 0)) };
      },
    };
  }
}

/** A part of such a text. */
export function slice(source: SourceText, start: number, end = source.text.length): SourceText {
  return { text: source.text.slice(start, end), at: (offset) => source.at(start + offset) };
}

/** A text that stands wholly at one place, as a value of a document does. */
export function textAt(text: string, place: Position): SourceText {
  return { text, at: () => place };
}
