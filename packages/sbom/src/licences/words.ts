/** Longest text that is looked at, in characters, and in words. */
export const longestLicenceText = 1_048_576;
const mostWords = 200_000;

/** Spellings that mean the same (SPDX licence list, matching guideline 8), in one form. */
const same: ReadonlyMap<string, string> = new Map(
  Object.entries({
    acknowledgement: "acknowledgment",
    analogue: "analog",
    analyse: "analyze",
    artefact: "artifact",
    authorisation: "authorization",
    authorised: "authorized",
    calibre: "caliber",
    cancelled: "canceled",
    catalogue: "catalog",
    centre: "center",
    emphasised: "emphasized",
    favour: "favor",
    favourite: "favorite",
    fulfil: "fulfill",
    fulfilment: "fulfillment",
    https: "http",
    initialise: "initialize",
    judgement: "judgment",
    labelling: "labeling",
    labour: "labor",
    licence: "license",
    licenced: "licensed",
    licences: "licenses",
    maximise: "maximize",
    merchantibility: "merchantability",
    modelled: "modeled",
    modelling: "modeling",
    offence: "offense",
    optimise: "optimize",
    organisation: "organization",
    organise: "organize",
    owner: "holder",
    owners: "holders",
    practise: "practice",
    programme: "program",
    realise: "realize",
    recognise: "recognize",
    signalling: "signaling",
    utilisation: "utilization",
    whilst: "while",
    wilful: "wilfull",
    willful: "wilfull",
  }),
);

/** Marks of comments and lists at the beginning of a line, and numbers of paragraphs anywhere in parentheses. */
const enumerators =
  /^[\s/*#;%>|.'"!-]*(?:(?:dnl|rem)\s)?\s*(?:\(?(?:\d{1,2}(?:\.\d{1,2})*|[a-z]|[ivx]{1,4})[.)](?=\s)\s*|[•·o+-]\s+)?|\((?:\d{1,2}|[a-z]|[ivx]{1,4})\)/gim;

/** The words of a text as licences are compared: without case, marks, hyphens, numbering and differences of spelling. */
export function licenceWords(text: string): readonly string[] {
  const plain = text
    .slice(0, longestLicenceText)
    .replace(enumerators, " ")
    .replace(/-\s*\n[\s/*#;]*(?=[a-z])/g, "")
    .toLowerCase()
    .replace(/(?<=\p{L})[-'’‐‑](?=\p{L})/gu, "");
  const words: string[] = [];
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+/gu)) {
    words.push(same.get(word) ?? word);
    if (words.length >= mostWords) break;
  }
  return words;
}

/** Words in a shingle: few enough that one changed word costs little, many enough that they say something. */
const shingleWords = 3;

/** A hash of each run of three words, by the place of its first; 32 bits. */
export function shingles(words: readonly string[]): Uint32Array {
  const hashes = Uint32Array.from(words, hashOf);
  const made = new Uint32Array(Math.max(0, words.length - shingleWords + 1));
  for (let i = 0; i < made.length; i++) {
    let mixed = 0x9e3779b9;
    for (let k = 0; k < shingleWords; k++) mixed = mix(Math.imul(mixed, 31) + (hashes[i + k] ?? 0));
    made[i] = mixed;
  }
  return made;
}

/** FNV-1a over UTF-16 units. */
function hashOf(word: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Final mixing of MurmurHash3, so that low and high bits are independent. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
