/** Pages at which licences are published, without scheme, `www.` and ending, and the expression that is meant. */
const pages: Readonly<Record<string, string>> = {
  "apache.org/licenses/license-1.1": "Apache-1.1",
  "apache.org/licenses/license-2.0": "Apache-2.0",
  "eclipse.org/legal/epl-v10": "EPL-1.0",
  "eclipse.org/legal/epl-v20": "EPL-2.0",
  "eclipse.org/legal/epl-2.0": "EPL-2.0",
  "eclipse.org/org/documents/epl-v10": "EPL-1.0",
  "eclipse.org/org/documents/epl-2.0": "EPL-2.0",
  "eclipse.org/org/documents/edl-v10": "BSD-3-Clause",
  "gnu.org/licenses/gpl-2.0": "GPL-2.0-only",
  "gnu.org/licenses/old-licenses/gpl-2.0": "GPL-2.0-only",
  "gnu.org/licenses/gpl-3.0": "GPL-3.0-only",
  "gnu.org/licenses/lgpl-2.1": "LGPL-2.1-only",
  "gnu.org/licenses/old-licenses/lgpl-2.1": "LGPL-2.1-only",
  "gnu.org/licenses/lgpl-3.0": "LGPL-3.0-only",
  "gnu.org/licenses/agpl-3.0": "AGPL-3.0-only",
  "gnu.org/software/classpath/license": "GPL-2.0-only WITH Classpath-exception-2.0",
  "mozilla.org/mpl/2.0": "MPL-2.0",
  "mozilla.org/en-us/mpl/2.0": "MPL-2.0",
  "mozilla.org/mpl/mpl-1.1": "MPL-1.1",
  "mozilla.org/mpl/1.1": "MPL-1.1",
  "boost.org/license_1_0": "BSL-1.0",
  "unlicense.org": "Unlicense",
  "wtfpl.net": "WTFPL",
  "scripts.sil.org/ofl": "OFL-1.1",
  "creativecommons.org/publicdomain/zero/1.0": "CC0-1.0",
  "creativecommons.org/licenses/by/3.0": "CC-BY-3.0",
  "creativecommons.org/licenses/by/4.0": "CC-BY-4.0",
  "creativecommons.org/licenses/by-sa/4.0": "CC-BY-SA-4.0",
  "opensource.org/licenses/mit-license": "MIT",
  "opensource.org/licenses/bsd-license": "BSD-2-Clause",
  "opensource.org/licenses/apache2.0": "Apache-2.0",
};

/** Places whose last segment is an identifier of the SPDX list. */
const byIdentifier =
  /^(?:spdx\.org\/licenses|opensource\.org\/licen[cs]es?|licenses\.nuget\.org|choosealicense\.com\/licenses)\/([\w.+-]+)$/;

/** The expression, or identifier, that an address of a licence names; undefined for others. */
export function addressedLicence(text: string): string | undefined {
  const match = /^https?:\/\/(?:www\.)?([^\s?#]{3,200})$/i.exec(text.trim());
  if (match === null) return undefined;
  const place = (match[1] ?? "")
    .toLowerCase()
    .replace(/\/+$/, "")
    .replace(/(?<=[a-z\d])\.(?:txt|html?|php|en\.html|md|json)$/, "");
  if (Object.hasOwn(pages, place)) return pages[place];
  const creativeCommons = place.replace(/\/(?:legalcode|deed(?:\.\w+)?)$/, "");
  if (Object.hasOwn(pages, creativeCommons)) return pages[creativeCommons];
  return byIdentifier.exec(place)?.[1];
}
