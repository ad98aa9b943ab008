import { spawnSync } from "node:child_process";
import { FactoryError } from "@touchmark/core";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  childNamed,
  childrenNamed,
  childText,
  localName,
  readXml,
  walkXml,
  type XmlElement,
  type XmlLimits,
  xmlErrors,
  xmlText,
} from "./index.ts";

function refused(text: string, code: string, limits: Partial<XmlLimits> = {}): void {
  expect(() => readXml(text, limits)).toThrow(expect.objectContaining({ code, nature: "invalid" }));
}

test("XML1: elements, attributes, text and CDATA are read with their lines", () => {
  const root = readXml(
    `\ufeff<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- a < b & c -->\n<?style x?>\n<p:a xmlns:p='u:x' b = "1 &lt; 2&#x41;">one<c/><![CDATA[<&two>]]> &amp;three\r\n<p:c> x </p:c></p:a >\n<!-- end -->\n`,
  );
  expect(root.name).toBe("p:a");
  expect(localName(root.name)).toBe("a");
  expect(root.attributes.get("b")).toBe("1 < 2A");
  expect(root.text).toBe("one<&two> &three\n");
  expect(root.line).toBe(4);
  expect(childrenNamed(root, "c").map(({ line }) => line)).toEqual([4, 5]);
  expect(childNamed(root, "d")).toBeUndefined();
  expect(childText(root, "c")).toBeUndefined();
  expect(childText(readXml("<a><b> x\n</b></a>"), "b")).toBe("x");
});

test("XML1: a listener hears a document in its order", () => {
  const heard: string[] = [];
  walkXml("<a><b c='1'/>t</a>", {
    open: (name, attributes, line) => heard.push(`${name} ${[...attributes].join()} ${line}`),
    text: (value) => heard.push(value),
    close: (name) => heard.push(`/${name}`),
  });
  expect(heard).toEqual(["a  1", "b c,1 1", "/b", "t", "/a"]);
});

test.each([
  ["billion laughs", `<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><a>&b;</a>`],
  ["an external document type", `<!DOCTYPE html PUBLIC "-//W3C//DTD" "x.dtd"><html/>`],
  ["an entity that reads a file", `<a>&xxe;</a>`],
  ["an entity of HTML", `<a>&nbsp;</a>`],
  ["an entity of an attribute", `<a b="&x;"/>`],
  ["a parameter entity", `<a>%x;<!ENTITY % x "y"></a>`],
  ["an ampersand alone", `<a>a & b</a>`],
  ["an entity without end", `<a>&amp</a>`],
])("XML2: %s is refused", (_, text) => refused(text, "XML_FORBIDDEN"));

test.each([
  "",
  " ",
  "text",
  "<a>",
  "<a></b>",
  "</a>",
  "<a/><b/>",
  "<a/>x",
  "<a b=1/>",
  "<a b='<'/>",
  "<a b='1'c='2'/>",
  "<a <b/>",
  "< a/>",
  "<1/>",
  "<a>\u0001</a>",
  "<a>&#0;</a>",
  "<a>&#xd800;</a>",
  "<a>&#x110000;</a>",
  "<a>&#8;</a>",
  "<!-- -- --><a/>",
  "<a><!-- </a>",
  "<a><![CDATA[</a>",
  "<![CDATA[x]]><a/>",
  "<a><?xml version='1.0'?></a>",
  " <?xml version='1.0'?><a/>",
  "<?xml version='2.0'?><a/>",
  "<?xml",
  "<? x?><a/>",
])("XML3: what is not well-formed is refused: %j", (text) => refused(text, "XML_MALFORMED"));

test("XML3: an attribute stands once", () => refused("<a b='1' b='2'/>", "XML_DUPLICATE"));

test("XML4: size, depth and number of nodes are bounded", () => {
  refused("<a>".repeat(1000), "XML_TOO_DEEP");
  refused("<a><a/></a>", "XML_TOO_DEEP", { depth: 1 });
  refused(`<a>${"<b c='1'/>".repeat(10)}</a>`, "XML_TOO_LARGE", { nodes: 20 });
  refused("<a>0123456789</a>", "XML_TOO_LARGE", { characters: 10 });
  refused(`<a b="${"x".repeat(300_000)}"/>`, "XML_TOO_LARGE");
});

test("XML5: text is read in the encoding of its mark or declaration", () => {
  const latin = Buffer.from(`<?xml version="1.0" encoding="ISO-8859-1"?><a>J\u00f6rg</a>`, "latin1");
  expect(readXml(xmlText(latin)).text).toBe("Jörg");
  expect(readXml(xmlText(Buffer.from("\ufeff<a>ö</a>", "utf16le"))).text).toBe("ö");
  expect(readXml(xmlText(Buffer.from("\ufeff<a>ö</a>", "utf16le").swap16())).text).toBe("ö");
  expect(readXml(xmlText(Buffer.from("<a>ö</a>"))).text).toBe("ö");
  for (const bytes of [
    Buffer.from("<a>\u00f6</a>", "latin1"),
    Buffer.from(`<?xml version="1.0" encoding="EBCDIC"?><a>\u00f6</a>`, "latin1"),
    Buffer.from("fffe00d8", "hex"),
  ]) {
    expect(() => xmlText(bytes)).toThrow(expect.objectContaining({ code: "XML_ENCODING" }));
  }
});

const name = fc.stringMatching(/^[A-Za-z_][\w.:-]{0,8}$/);
const value = fc.string({
  unit: fc.constantFrom("a", "<", ">", "&", "'", '"', " ", "ö", "]]>", "😀", "\n"),
  maxLength: 8,
});
const trees = fc.memo(
  (depth): fc.Arbitrary<XmlElement> =>
    fc.record({
      name,
      attributes: fc
        .uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, maxLength: 3 })
        .map((all) => new Map(all)),
      children: depth > 1 ? fc.array(trees(), { maxLength: 3 }) : fc.constant([]),
      text: value,
      line: fc.constant(0),
    }),
);

const written = (text: string): string => text.replace(/[<>&'"\n]/g, (one) => `&#${one.charCodeAt(0)};`);
const write = ({ name, attributes, children, text }: XmlElement): string =>
  `<${name}${[...attributes].map(([key, value]) => ` ${key}="${written(value)}"`).join("")}>${written(text)}${children.map(write).join("")}</${name}>`;
const bare = ({ name, attributes, children, text }: XmlElement): unknown => [
  name,
  [...attributes],
  text,
  children.map(bare),
];

test("XML6: what is written is read back", () => {
  fc.assert(
    fc.property(trees(4), (tree) => {
      expect(bare(readXml(write(tree)))).toEqual(bare(tree));
    }),
  );
});

test("XML6: no text does anything but answer or refuse with a code", () => {
  const pieces = fc.constantFrom(
    ..."<a>|</a>|<a b='c'>|<!--|-->|<![CDATA[|]]>|<?x|?>|<!DOCTYPE|&lt;|&#65;|&#x|;|&|\0|\r\n|'|\"|>|/>|=|ö|\ud800".split(
      "|",
    ),
  );
  const text = fc.array(fc.oneof({ weight: 5, arbitrary: pieces }, { weight: 1, arbitrary: fc.string() }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(text, fc.boolean(), (parts, wrapped) => {
      try {
        readXml(wrapped ? `<a>${parts.join("")}</a>` : parts.join(""));
      } catch (error) {
        if (!(error instanceof FactoryError)) throw error;
        expect(Object.keys(xmlErrors.rows)).toContain(error.code);
        expect(error.message.length).toBeLessThan(600);
      }
    }),
    { numRuns: 3000 },
  );
});

const python = spawnSync("python3", ["-c", "from xml.parsers import expat"]).status === 0;
test.skipIf(!python)("XML3: what another parser of XML refuses is refused, and nothing else", () => {
  const pieces = fc.constantFrom(
    ..."<a>|</a>|<a b='c'>|<b/>|<!-- x -->|<!--|--|-->|<![CDATA[|]]>|<?x y?>|<?x|?>|&lt;|&#65;|&#0;|&|;|\r\n|'|\"|>|/>|ö|text|<a\nb = \"1\"\t>|<a b='1' b='2'>|<a b='1'c='2'>|<a b='x>y'>|<a b='<'>|<?xml version='1.0'?>|</a >|<-a>".split(
      "|",
    ),
  );
  const document = fc.tuple(fc.boolean(), fc.array(pieces, { maxLength: 8 }));
  const texts = fc.sample(
    document.map(([isWrapped, parts]) => (isWrapped ? `<r>${parts.join("")}</r>` : parts.join(""))),
    2000,
  );
  const script = `
import sys, json
from xml.parsers import expat
out = []
for text in json.load(sys.stdin):
    parser, found = expat.ParserCreate(), []
    parser.CharacterDataHandler = found.append
    try:
        parser.Parse(text.encode("utf8"), True)
        out.append(sum(map(len, found)))
    except expat.ExpatError:
        out.append(-1)
print(json.dumps(out))`;
  const { stdout } = spawnSync("python3", ["-c", script], { input: JSON.stringify(texts), encoding: "utf8" });
  const length = (element: XmlElement): number =>
    element.children.reduce((sum, child) => sum + length(child), element.text.length);
  const own = texts.map((text) => {
    try {
      return length(readXml(text));
    } catch {
      return -1;
    }
  });
  const theirs = JSON.parse(stdout) as number[];
  expect(texts.filter((_, index) => own[index] !== theirs[index])).toEqual([]);
  expect(own.filter((count) => count >= 0).length).toBeGreaterThan(50);
});

test("XML6: hostile lengths are read in one pass", () => {
  const many = 300_000;
  expect(readXml(`<a>${"&amp;".repeat(many)}</a>`).text.length).toBe(many);
  expect(readXml(`<a>${"<b/>\n".repeat(many)}</a>`).children.at(-1)?.line).toBe(many);
  for (const text of [
    "<a ".repeat(many),
    `<a ${" ".repeat(many)}`,
    `<a>${"&".repeat(many)}`,
    "<!--".repeat(many),
    "<a>]]>".repeat(many),
  ]) {
    expect(() => readXml(text)).toThrow(FactoryError);
  }
});
