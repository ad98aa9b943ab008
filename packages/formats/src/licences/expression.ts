/** One licence, as an expression names it. */
export interface LicenceTerm {
  readonly kind: "licence";
  /** Canonical SPDX identifier, `LicenseRef-NAME`, or `DocumentRef-NAME:LicenseRef-NAME`. */
  readonly id: string;
  /** Written with `+`: this version or any later one. */
  readonly orLater: boolean;
  /** Canonical identifier of the exception behind `WITH`, or `AdditionRef-NAME` (SPDX 3.0). */
  readonly exception?: string;
}

/** Licences that all hold (`and`), or of which the user may choose (`or`). Two parts at least. */
export interface LicenceCompound {
  readonly kind: "and" | "or";
  readonly parts: readonly LicenceExpression[];
}

/** An SPDX licence expression (SPDX 2.3 annex D; SPDX 3.0 annex B). */
export type LicenceExpression = LicenceTerm | LicenceCompound;

/** The expression as text: operators in capitals, no more parentheses than needed, terms in the order written. */
export function licenceText(expression: LicenceExpression): string {
  if (expression.kind === "licence") {
    const { id, orLater, exception } = expression;
    return `${id}${orLater ? "+" : ""}${exception === undefined ? "" : ` WITH ${exception}`}`;
  }
  const { kind, parts } = expression;
  return parts
    .map((part) => (kind === "and" && part.kind === "or" ? `(${licenceText(part)})` : licenceText(part)))
    .join(kind === "and" ? " AND " : " OR ");
}

/** All licences that an expression names, in its order, each once. */
export function licencesIn(expression: LicenceExpression): readonly LicenceTerm[] {
  const seen = new Map<string, LicenceTerm>();
  const visit = (each: LicenceExpression): void => {
    if (each.kind === "licence") seen.set(licenceText(each), each);
    else each.parts.forEach(visit);
  };
  visit(expression);
  return [...seen.values()];
}

/** Joins expressions: nested ones of the same kind are made flat, and what stands twice is kept once. */
export function joinLicences(kind: "and" | "or", parts: readonly LicenceExpression[]): LicenceExpression | undefined {
  const flat = new Map<string, LicenceExpression>();
  for (const part of parts) {
    for (const each of part.kind === kind ? part.parts : [part]) {
      const text = licenceText(each);
      if (!flat.has(text)) flat.set(text, each);
    }
  }
  const [first, ...others] = flat.values();
  return others.length === 0 ? first : { kind, parts: [...flat.values()] };
}
