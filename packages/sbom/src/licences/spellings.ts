import { listedExceptions, listedLicences } from "@touchmark/formats/licences";

/**
 * Licences as people write them, in the form of `plain`, and the expression that is meant. From the documentation of
 * npm, PyPI, Maven, RPM, Debian, RubyGems, R and NuGet; the names of the SPDX list come on top. What names a family
 * without a version (`BSD`, `Apache`, `GPL`) is not here: it must not become a licence that nobody named.
 */
const table = `
MIT: mit; mit x11; expat; mit expat; mit mit; mit style; mit modern variant
X11: x11
MIT-0: mit no attribution; mit 0
ISC: isc; isc isc; isc iscl; iscl; internet systems consortium
0BSD: 0bsd; bsd zero clause; zero clause bsd; bsd 0 clause; free public 1.0.0
BSD-2-Clause: bsd 2 clause; 2 clause bsd; simplified bsd; bsd simplified; bsd 2; freebsd; bsd 2 clause freebsd; bsd 2 clause simplified
BSD-3-Clause: bsd 3 clause; 3 clause bsd; new bsd; modified bsd; revised bsd; bsd 3; bsd new; bsd modified; bsd 3 clause new or revised
BSD-3-Clause: edl 1.0; eclipse distribution 1.0; eclipse distribution; new bsd new bsd; bsd new bsd
BSD-4-Clause: bsd 4 clause; 4 clause bsd; original bsd; bsd original; bsd with advertising; bsd 4; bsd 4 clause uc
Apache-1.1: apache 1.1; asl 1.1; apache software 1.1
Apache-2.0: apache 2.0; apache software 2.0; asl 2.0; al 2.0; asf 2.0; apl 2.0; apache software foundation 2.0; apache asl 2.0
Artistic-2.0: artistic 2.0; perl artistic 2.0
Artistic-1.0-Perl OR GPL-1.0-or-later: perl; perl 5; perl_5; same as perl; gpl or artistic; artistic or gpl; gpl+ or artistic; artistic or gpl+
Artistic-1.0-Perl OR GPL-1.0-or-later: gpl 1+ or artistic; artistic or gpl 1+; same terms as perl itself; gpl+ or artistic 1.0; gpl 1 or artistic
BSL-1.0: boost; boost 1.0; boost software; boost software 1.0; bsl 1.0; boost software 1.0 bsl 1.0
CC0-1.0: cc0; cc0 1.0; cc0 1.0 universal; creative commons zero; creative commons zero 1.0; creative commons zero 1.0 universal; cc 0
CC0-1.0: cc0 1.0 universal cc0 1.0 public domain dedication; public domain per creative commons cc0; public domain cc0
CC-BY-3.0: creative commons attribution 3.0; cc attribution 3.0
CC-BY-4.0: creative commons attribution 4.0; cc attribution 4.0
CC-BY-SA-4.0: creative commons attribution share alike 4.0
CDDL-1.0: cddl 1.0; common development and distribution 1.0; common development and distribution cddl 1.0
CDDL-1.0: common development and distribution cddl 1.0 cddl 1.0; common development and distribution 1.0 cddl 1.0
CDDL-1.1: cddl 1.1; common development and distribution 1.1; common development and distribution cddl 1.1
CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0: cddl+gpl; cddl or gpl2 w cpe; cddl + gpl 2 with classpath exception
CDDL-1.0 OR GPL-2.0-only WITH Classpath-exception-2.0: cddl gpl 2+ce; dual consisting of cddl 1.1 and gpl 2; cddl gplv2+ce; cddl or gplv2 with exceptions
CPL-1.0: cpl 1.0; common public 1.0
EPL-1.0: epl 1.0; eclipse public 1.0; eclipse public 1.0 epl 1.0; eclipse 1.0
EPL-2.0: epl 2.0; eclipse public 2.0; eclipse public 2.0 epl 2.0; eclipse 2.0
EUPL-1.1: eupl 1.1; european union public 1.1; european union public licence 1.1 eupl 1.1
EUPL-1.2: eupl 1.2; european union public 1.2; european union public 1.2 eupl 1.2
GPL-2.0-only WITH Classpath-exception-2.0: gpl 2 w cpe; gpl 2+ce; gpl2 w cpe; gpl 2 cpe; gpl 2 with classpath; gpl 2 ce
FSFAP: fsf all permissive; gnu all permissive; all permissive
HPND: hpnd; historical permission notice and disclaimer; historical permission notice and disclaimer hpnd
IPL-1.0: ibm public; ibm public 1.0
MPL-1.1: mozilla public 1.1; mozilla public 1.1 mpl 1.1; mozilla 1.1
MPL-2.0: mozilla public 2.0; mozilla public 2.0 mpl 2.0; mozilla 2.0
MS-PL: microsoft public; microsoft public ms pl
MS-RL: microsoft reciprocal; microsoft reciprocal ms rl
NCSA: university of illinois ncsa open source; university of illinois; illinois ncsa; ncsa open source
OFL-1.1: ofl 1.1; open font 1.1; sil open font 1.1; sil ofl 1.1; sil open font 1.1 ofl 1.1; open font 1.1 sil
OSL-3.0: open software 3.0; open software 3.0 osl 3.0
AFL-2.1: academic free 2.1
AFL-3.0: academic free 3.0; academic free afl 3.0
PSF-2.0: psf 2.0; psf
Python-2.0: python 2.0; python software foundation 2.0
PostgreSQL: postgresql
QPL-1.0: q public; qt public; qt public qpl; q public 1.0
Ruby: ruby; same as ruby; same as ruby s
Ruby OR BSD-2-Clause: ruby or bsd 2 clause; bsd 2 clause or ruby
Unlicense: un; unlicense; un un; unlicense unlicense
UPL-1.0: upl; upl 1.0; universal permissive; universal permissive upl; universal permissive 1.0; universal permissive upl 1.0
W3C: w3c; w3c software
WTFPL: wtfpl; wtf public; wtfpl 2.0; do what the fuck you want to public; do what fuck you want to public; do what fuck you want to public 2.0
Zlib: zlib; zlib libpng; zlib libpng zlib
ZPL-2.1: zope public 2.1; zpl 2.1
bzip2-1.0.6: bzip2
curl: curl
GFDL-1.1-only: gfdl 1.1; gnu fdl 1.1
GFDL-1.2-only: gfdl 1.2; gnu fdl 1.2; gnu free documentation 1.2
GFDL-1.3-only: gfdl 1.3; gnu fdl 1.3; gnu free documentation 1.3
GFDL-1.1-or-later: gfdl 1.1+; gnu free documentation 1.1+
GFDL-1.2-or-later: gfdl 1.2+; gnu fdl 1.2+; gnu free documentation 1.2+
GFDL-1.2-no-invariants-or-later: gfdl niv 1.2+
GFDL-1.3-no-invariants-or-later: gfdl niv 1.3+
GFDL-1.2-no-invariants-only: gfdl niv 1.2
GFDL-1.3-no-invariants-only: gfdl niv 1.3
Artistic-1.0-Perl: artistic; artistic 1.0 perl; artistic 1
GFDL-1.3-or-later: gfdl 1.3+; gnu fdl 1.3+; gnu free documentation 1.3+
`;

/** Exceptions as people write them behind "with". */
const exceptionTable: Readonly<Record<string, string>> = {
  classpath: "Classpath-exception-2.0",
  "gnu classpath": "Classpath-exception-2.0",
  gcc: "GCC-exception-3.1",
  "gcc runtime library": "GCC-exception-3.1",
  autoconf: "Autoconf-exception-3.0",
  bison: "Bison-exception-2.2",
  font: "Font-exception-2.0",
  llvm: "LLVM-exception",
  openvpn: "openvpn-openssl-exception",
};

/** The form in which spellings are compared: lower case, no punctuation but `+` and points in numbers, no filling words. */
export function plain(text: string): string {
  return text
    .toLowerCase()
    .replace(/\blicen[cs]e[sd]?\b|\bthe\b|\bversion\b|\bv(?:\.\s*|\s+)?(?=\d)/g, " ")
    .replace(/(?<!\d)\.|\.(?!\d)|[^a-z0-9+.]+/g, " ")
    .replace(/ +/g, " ")
    .replace(/ (?=\+)/g, "")
    .trim();
}

let spellings: ReadonlyMap<string, string> | undefined;

/** The expression that a spelling names, in any of the forms that a version can have. */
export function spelled(text: string): string | undefined {
  spellings ??= readTable();
  const name = plain(text);
  const spaced = name.replace(/([a-z]{2})v?(?=\d)/g, "$1 ");
  for (const key of [name, spaced]) {
    const found = spellings.get(key) ?? spellings.get(`${key}.0`) ?? spellings.get(key.replace(/\.0$/, ""));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The exception that is meant by what stands behind "with". */
export function spelledException(text: string): string | undefined {
  const name = plain(text)
    .replace(/ ?exceptions?\b/g, "")
    .trim();
  return exceptionTable[name] ?? exceptionNames().get(plain(text));
}

let names: ReadonlyMap<string, string> | undefined;

function exceptionNames(): ReadonlyMap<string, string> {
  names ??= new Map(
    [...listedExceptions().values()].flatMap(({ id, name }) => [
      [plain(id), id],
      [plain(name), id],
    ]),
  );
  return names;
}

function readTable(): ReadonlyMap<string, string> {
  const made = new Map<string, string>();
  const listed = [...listedLicences().values()].filter(({ deprecated }) => !deprecated);
  // Identifiers with other punctuation, and full names. Names that two licences share in this form are left out.
  const shared = new Set<string>();
  for (const { id, name } of listed) {
    for (const key of new Set([plain(id), plain(name)])) {
      if (key === "" || (made.has(key) && made.get(key) !== id)) shared.add(key);
      made.set(key, id);
    }
  }
  for (const key of shared) made.delete(key);
  for (const line of table.trim().split("\n")) {
    const at = line.indexOf(": ");
    for (const key of line.slice(at + 2).split("; ")) made.set(key, line.slice(0, at));
  }
  return made;
}
