// What XML 1.0 cannot hold (production 2), and surrogates without their half.
const unwritable =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "\t": "&#9;",
  "\n": "&#10;",
  "\r": "&#13;",
};

/** Text as an XML document can hold it: what cannot stand there becomes U+FFFD, and no white space stands around it. */
export function xmlSafe(text: string): string {
  return text.replace(unwritable, "\ufffd").trim();
}

/** The same as content of an element or value of an attribute. */
export function xmlEscaped(text: string): string {
  return text.replace(/[&<>"\t\n\r]/g, (character) => escapes[character] ?? character);
}

/** JSON text in characters that XML can hold. */
export function xmlSafeJson(text: string): string {
  return text.replace(unwritable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
