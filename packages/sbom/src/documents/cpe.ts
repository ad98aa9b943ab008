const part = String.raw`(?:(?:\?*|\*?)(?:[A-Za-z0-9._-]|\\[\\*?!"#$%&'()+,/:;<=>@[\]^${"`"}{|}~])+(?:\?*|\*?)|[*-])`;
const language = "(?:[A-Za-z]{2,3}(?:-(?:[A-Za-z]{2}|[0-9]{3}))?|[*-])";
const syntax = new RegExp(`^cpe:2\\.3:[aho*-](?::${part}){5}:${language}(?::${part}){4}$`);

/** True for a CPE 2.3 name, as the schemas of CycloneDX and SPDX spell it. */
export function isCpe(text: string): boolean {
  return text.length <= 1024 && syntax.test(text);
}
