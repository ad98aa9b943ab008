/** Trove classifiers whose last part is no name that stands for itself; others are read by that part. */
const meanings: Readonly<Record<string, string>> = {
  "CC0 1.0 Universal (CC0 1.0) Public Domain Dedication": "CC0-1.0",
  "Python Software Foundation License": "PSF-2.0",
  "The Unlicense (Unlicense)": "Unlicense",
  "ISC License (ISCL)": "ISC",
  "Mozilla Public License 1.0 (MPL)": "MPL-1.0",
  "GNU Affero General Public License v3": "AGPL-3.0-only",
  "zlib/libpng License": "Zlib",
  "Zero-Clause BSD (0BSD)": "0BSD",
  "MIT No Attribution License (MIT-0)": "MIT-0",
  "Mulan Permissive Software License v2 (MulanPSL-2.0)": "MulanPSL-2.0",
  "CEA CNRS Inria Logiciel Libre License, version 2.1 (CeCILL-2.1)": "CECILL-2.1",
  "CeCILL-B Free Software License Agreement (CECILL-B)": "CECILL-B",
  "CeCILL-C Free Software License Agreement (CECILL-C)": "CECILL-C",
  "European Union Public Licence 1.0 (EUPL 1.0)": "EUPL-1.0",
  "Blue Oak Model License (BlueOak-1.0.0)": "BlueOak-1.0.0",
  "Artistic License": "",
  "Apache Software License": "",
  "BSD License": "",
};

/** The name that a trove classifier (`License :: OSI Approved :: MIT License`) ends in; undefined for what is none. */
export function classifiedLicence(text: string): string | undefined {
  if (!/^licen[cs]e ::/i.test(text)) return undefined;
  const name = text.slice(text.lastIndexOf("::") + 2).trim();
  return Object.hasOwn(meanings, name) ? meanings[name] : name;
}
