export { childNamed, childrenNamed, childText, localName, readXml, type XmlElement } from "./element.ts";
export { xmlText } from "./encoding.ts";
export { type XmlCode, xmlErrors } from "./errors.ts";
export { walkXml, type XmlLimits, type XmlListener, xmlLimits } from "./walk.ts";
