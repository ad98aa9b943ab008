/** How something is to be taken: drives colours alone. */
export type Tone = "good" | "bad" | "warn" | "plain" | "dim";

/** One line of an explanation, and what belongs to it. */
export interface Branch {
  readonly tone: Tone;
  /** What kind of line it is: `deny`, a code, `what to do`. */
  readonly label?: string;
  /** One line, safe to show. */
  readonly text: string;
  /** True for text of an expression. */
  readonly isCode?: boolean;
  readonly children: readonly Branch[];
}

/** A line without any that belong to it. */
export function leaf(tone: Tone, label: string | undefined, text: string): Branch {
  return { tone, ...(label === undefined ? {} : { label }), text: oneLine(text), children: [] };
}

/** Text from outside on one line, in which nothing moves or changes a screen; what is too long is cut. */
export function oneLine(text: string, most = 400): string {
  // A character that the cut halves becomes the sign for what cannot be shown.
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut
    .toWellFormed()
    .replace(
      /[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
      (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}
