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

/** What may stand before the first word of a line: blanks, marks of comments, quotes. */
const lineMarks = new Set(Array.from(" \t\f\r/*#;%>|.'\"!-•·+", (sign) => sign.charCodeAt(0)));

/** A number of a paragraph or a list: `1.`, `2.1)`, `(a)`, `iv.`. */
const numbering =
  /(?:\((?:\d{1,2}|[a-z]|[ivx]{1,4})\)|(?:\d{1,2}(?:\.\d{1,2}){0,3}|[a-z]|[ivx]{1,4})[.)](?=\s)|o(?=\s))/iy;
const inParentheses = /\((?:\d{1,2}|[a-z]|[ivx]{1,4})\)/iy;

/** How much of the hash of a word there is before its first sign: FNV-1a over UTF-16 units. */
const basis = 0x811c9dc5;

/**
 * Hashes of the words of a text as licences are compared: without case, marks, hyphens, numbering and differences of
 * spelling. One pass, without a string for each word.
 */
export function licenceWords(text: string): Uint32Array {
  const end = Math.min(text.length, longestLicenceText);
  const words = new Uint32Array(Math.min(mostWords, (end >> 1) + 1));
  let count = 0;
  let at = 0;
  let isLineStart = true;
  while (at < end && count < words.length) {
    if (isLineStart) {
      at = afterMarks(text, at, end);
      isLineStart = false;
      continue;
    }
    const unit = text.charCodeAt(at);
    if (!isWordUnit(unit)) {
      isLineStart = unit === 10;
      at = unit === 40 ? afterMatch(inParentheses, text, at) : at + 1;
      continue;
    }
    let hash = basis;
    for (;;) {
      hash = Math.imul(hash ^ lowerUnit(text.charCodeAt(at)), 0x01000193);
      at++;
      if (at < end && isWordUnit(text.charCodeAt(at))) continue;
      const next = afterJoint(text, at, end);
      if (next === at) break;
      at = next;
    }
    words[count++] = sameWords.get(hash >>> 0) ?? hash >>> 0;
  }
  return words.subarray(0, count);
}

function afterMarks(text: string, start: number, end: number): number {
  let at = start;
  while (at < end && lineMarks.has(text.charCodeAt(at))) at++;
  numbering.lastIndex = at;
  return numbering.test(text) ? numbering.lastIndex : at;
}

/** Behind the match; one further where there is none. */
function afterMatch(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : at + 1;
}

/** Behind a hyphen or an apostrophe within a word, also where the line ends at it; the same place where there is none. */
function afterJoint(text: string, at: number, end: number): number {
  const unit = text.charCodeAt(at);
  if (unit !== 45 && unit !== 39 && unit !== 0x2019 && unit !== 0x2010 && unit !== 0x2011) return at;
  if (!isLetter(text.charCodeAt(at - 1))) return at;
  let next = at + 1;
  if (unit === 45) {
    let broken = next;
    while (broken < end && (text.charCodeAt(broken) === 32 || text.charCodeAt(broken) === 13)) broken++;
    if (text.charCodeAt(broken) === 10) {
      next = broken + 1;
      while (next < end && lineMarks.has(text.charCodeAt(next))) next++;
    }
  }
  return next < end && isLetter(text.charCodeAt(next)) ? next : at;
}

/** Letters and digits; beyond ASCII everything but signs of punctuation. */
function isWordUnit(unit: number): boolean {
  if (unit < 128) return isLetter(unit) || (unit >= 48 && unit <= 57);
  return isLetter(unit);
}

function isLetter(unit: number): boolean {
  if (unit < 128) return (unit >= 97 && unit <= 122) || (unit >= 65 && unit <= 90);
  if (unit < 0xc0 || unit === 0xd7 || unit === 0xf7) return unit === 0xaa || unit === 0xb5 || unit === 0xba;
  return (
    !(unit >= 0x2000 && unit <= 0x2bff) &&
    !(unit >= 0x3000 && unit <= 0x303f) &&
    !(unit >= 0xff00 && unit <= 0xff0f) &&
    unit !== 0xfffd &&
    unit !== 0xfeff
  );
}

function lowerUnit(unit: number): number {
  if (unit < 128) return unit >= 65 && unit <= 90 ? unit + 32 : unit;
  return String.fromCharCode(unit).toLowerCase().charCodeAt(0);
}

function hashOf(word: string): number {
  let hash = basis;
  for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** By hashes. */
const sameWords: ReadonlyMap<number, number> = new Map([...same].map(([word, other]) => [hashOf(word), hashOf(other)]));

/** Words in a shingle: few enough that one changed word costs little, many enough that they say something. */
const shingleWords = 3;

/** A hash of each run of three words, by the place of its first; 32 bits. */
export function shingles(words: Uint32Array): Uint32Array {
  const made = new Uint32Array(Math.max(0, words.length - shingleWords + 1));
  for (let i = 0; i < made.length; i++) {
    let mixed = 0x9e3779b9;
    for (let k = 0; k < shingleWords; k++) mixed = mix(Math.imul(mixed, 31) + (words[i + k] ?? 0));
    made[i] = mixed;
  }
  return made;
}

/** Final mixing of MurmurHash3, so that low and high bits are independent. */
function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
