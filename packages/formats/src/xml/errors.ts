import { defineErrors } from "@touchmark/core";

/** Error codes of reading XML. Documents come from others: what is wrong in one is the document's fault. */
export const xmlErrors = defineErrors({
  XML_MALFORMED: { nature: "invalid", meaning: "A document is not well-formed XML 1.0." },
  XML_FORBIDDEN: {
    nature: "invalid",
    meaning: "A document has a document type, or an entity other than XML's own five and characters by number.",
    hint: "Entities let a small document grow without bound or read other files; write their text instead.",
  },
  XML_TOO_LARGE: {
    nature: "invalid",
    meaning: "A document has more characters, elements or attributes, or longer tags, than its reader allows.",
  },
  XML_TOO_DEEP: { nature: "invalid", meaning: "Elements are nested deeper than the reader allows." },
  XML_DUPLICATE: { nature: "invalid", meaning: "An element has one attribute twice." },
  XML_ENCODING: {
    nature: "invalid",
    meaning: "Bytes are not text in the encoding that the document declares, or the encoding is not read.",
  },
});

/** Codes of `xmlErrors`. */
export type XmlCode = keyof typeof xmlErrors.rows;
