import { walkXml, type XmlLimits } from "./walk.ts";

/** An element of an XML document. */
export interface XmlElement {
  /** As written, with its prefix. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Text and CDATA directly inside, in order, with what the children hold left out; not trimmed. */
  readonly text: string;
  /** Line of the document where its tag ends, from 1. */
  readonly line: number;
}

type Draft = { -readonly [K in keyof XmlElement]: XmlElement[K] } & { children: Draft[] };

/**
 * Reads an XML document whole, within `limits`.
 * @throws XML_MALFORMED | XML_FORBIDDEN | XML_TOO_LARGE | XML_TOO_DEEP | XML_DUPLICATE
 */
export function readXml(text: string, limits: Partial<XmlLimits> = {}): XmlElement {
  const open: Draft[] = [{ name: "", attributes: new Map(), children: [], text: "", line: 0 }];
  walkXml(
    text,
    {
      open(name, attributes, line) {
        const element: Draft = { name, attributes, children: [], text: "", line };
        open.at(-1)?.children.push(element);
        open.push(element);
      },
      text(value) {
        const last = open.at(-1);
        if (last !== undefined) last.text += value;
      },
      close() {
        open.pop();
      },
    },
    limits,
  );
  // A document that is read without an error has one root.
  return open[0]?.children[0] as XmlElement;
}

/** Name of an element without its prefix. */
export function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}

/** First child of this local name. */
export function childNamed(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => localName(child.name) === name);
}

/** All children of this local name. */
export function childrenNamed(element: XmlElement, name: string): readonly XmlElement[] {
  return element.children.filter((child) => localName(child.name) === name);
}

/** Trimmed text of the first child of this local name; undefined when it is missing or empty. */
export function childText(element: XmlElement, name: string): string | undefined {
  const text = childNamed(element, name)?.text.trim();
  return text === "" ? undefined : text;
}
