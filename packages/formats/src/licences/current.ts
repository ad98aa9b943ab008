import { joinLicences, type LicenceExpression, type LicenceTerm } from "./expression.ts";
import { findLicence, findLicenceException } from "./list.ts";

/** Deprecated identifiers that are an exception written as part of the name, and what takes their place. */
const withException: Readonly<Record<string, string>> = {
  "GPL-2.0-with-autoconf-exception": "Autoconf-exception-2.0",
  "GPL-2.0-with-bison-exception": "Bison-exception-2.2",
  "GPL-2.0-with-classpath-exception": "Classpath-exception-2.0",
  "GPL-2.0-with-font-exception": "Font-exception-2.0",
  "GPL-2.0-with-GCC-exception": "GCC-exception-2.0",
  "GPL-3.0-with-autoconf-exception": "Autoconf-exception-3.0",
  "GPL-3.0-with-GCC-exception": "GCC-exception-3.1",
};

/** Further deprecated identifiers whose successor says the same; the rest of a term is as it was. */
const renamed: Readonly<Record<string, Pick<LicenceTerm, "id" | "exception">>> = {
  "BSD-2-Clause-FreeBSD": { id: "BSD-2-Clause-Views" },
  "BSD-2-Clause-NetBSD": { id: "BSD-2-Clause" },
  Nunit: { id: "zlib-acknowledgement" },
  "StandardML-NJ": { id: "SMLNJ" },
  "bzip2-1.0.5": { id: "bzip2-1.0.6" },
  "eCos-2.0": { id: "GPL-2.0-or-later", exception: "eCos-exception-2.0" },
  wxWindows: { id: "LGPL-2.0-or-later", exception: "WxWindows-exception-3.1" },
};

/**
 * The same expression in identifiers that are not deprecated: `GPL-2.0` becomes `GPL-2.0-only`, `GPL-2.0+`
 * `GPL-2.0-or-later`, `GPL-2.0-with-classpath-exception` a `WITH`. Others stay as they are.
 */
export function currentLicence(expression: LicenceExpression): LicenceExpression {
  if (expression.kind === "licence") return currentTerm(expression);
  return joinLicences(expression.kind, expression.parts.map(currentLicence)) ?? expression;
}

function currentTerm(term: LicenceTerm): LicenceTerm {
  const exception = withException[term.id];
  if (exception !== undefined && term.exception === undefined && findLicenceException(exception) !== undefined) {
    return { ...currentTerm({ ...term, id: term.id.slice(0, term.id.indexOf("-with-")) }), exception };
  }
  const bare = term.id.replace(/(?:\+|-only|-or-later)$/, "");
  const orLater = term.orLater || /(?:\+|-or-later)$/.test(term.id);
  const id = `${bare}${orLater ? "-or-later" : "-only"}`;
  if (findLicence(id)?.deprecated === false) return { ...term, id, orLater: false };
  return { ...term, ...renamed[term.id] };
}
