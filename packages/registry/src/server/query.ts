import { registryServerErrors } from "./errors.ts";

const none = new URLSearchParams();

/** Path and query of a request's target. */
export function splitTarget(target: string): { readonly path: string; readonly query: URLSearchParams } {
  const mark = target.indexOf("?");
  if (mark < 0) return { path: target, query: none };
  return { path: target.slice(0, mark), query: new URLSearchParams(target.slice(mark + 1)) };
}

/** A parameter that may be given once. @throws REGISTRY_QUERY_INVALID when given twice */
export function parameter(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw invalidQuery(`expected one parameter ${name}, found ${values.length}`);
  return values[0];
}

/** A whole number that a page is asked to have, cut to `most`; `most` when none is asked for. @throws REGISTRY_QUERY_INVALID */
export function pageSize(query: URLSearchParams, most: number): number {
  const text = parameter(query, "n");
  if (text === undefined) return most;
  if (!/^[0-9]{1,15}$/.test(text)) {
    throw invalidQuery(`expected n to be a whole number, found ${JSON.stringify(text.slice(0, 40))}`);
  }
  return Math.min(Number(text), most);
}

export function invalidQuery(message: string, cause?: unknown): Error {
  return registryServerErrors.make("REGISTRY_QUERY_INVALID", message, { cause });
}
