import { tests } from "@bufbuild/cel-spec/testdata/conformance.js";

/** A value as the specification's vectors spell it: protobuf's JSON of `cel.expr.Value`. */
export interface SpelledValue {
  readonly nullValue?: null;
  readonly boolValue?: boolean;
  readonly int64Value?: string;
  readonly uint64Value?: string;
  readonly doubleValue?: number | string;
  readonly stringValue?: string;
  readonly bytesValue?: string;
  readonly typeValue?: string;
  readonly enumValue?: unknown;
  readonly objectValue?: { readonly "@type"?: string; readonly value?: string };
  readonly listValue?: { readonly values?: readonly SpelledValue[] };
  readonly mapValue?: { readonly entries?: readonly { readonly key: SpelledValue; readonly value: SpelledValue }[] };
}

/** One vector. */
export interface Vector {
  /** File of the specification, without `.textproto`. */
  readonly file: string;
  readonly name: string;
  readonly expr: string;
  readonly container?: string;
  readonly typeEnv?: readonly { readonly name?: string; readonly ident?: unknown; readonly function?: unknown }[];
  readonly bindings?: Readonly<Record<string, { readonly value?: SpelledValue }>>;
  readonly value?: SpelledValue;
  readonly evalError?: unknown;
  readonly typedResult?: { readonly result?: SpelledValue };
  readonly checkOnly?: boolean;
  /** Names that nothing declares are then errors of the evaluation. */
  readonly disableCheck?: boolean;
}

type Suite = typeof tests;

/** All vectors of the specification, in its order. */
export function specificationVectors(): readonly Vector[] {
  return (tests.suites ?? []).flatMap((suite) => vectorsOf(suite, suite.name, ""));
}

function vectorsOf(suite: Suite, file: string, path: string): readonly Vector[] {
  const own = (suite.tests ?? []).map(({ original }) => {
    const vector = original as unknown as Omit<Vector, "file">;
    return { ...vector, file, name: `${path}${vector.name}` };
  });
  return [...own, ...(suite.suites ?? []).flatMap((inner) => vectorsOf(inner, file, `${path}${inner.name}/`))];
}
