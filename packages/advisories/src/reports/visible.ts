/** Control, format and bidirectional signs, lone surrogates and non-characters: what draws, hides or breaks a document. */
const unsafe =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|[\u{e0000}-\u{e007f}]/gu;

/** Longest name or text that is shown whole. */
const longest = 2_000;

/**
 * Text from outside on one line, safe in every report before it is escaped for its format: signs that nobody sees
 * become `\u{…}`, and what is too long ends in an ellipsis.
 */
export function visible(text: string, limit = longest): string {
  const short = text.length > limit ? `${text.slice(0, limit).replace(/[\ud800-\udbff]$/, "")}…` : text;
  return short.replace(unsafe, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Escaped for the text and the quoted attributes of HTML and XML, made visible first. */
export function escapeMarkup(text: string, limit = longest): string {
  return visible(text, limit).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** `3 files`, `1 file`. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString("en-US")} ${number === 1 ? one : many}`;
}
