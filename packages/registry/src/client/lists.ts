import { type Json, parseJson } from "@touchmark/core";
import { dropBody, readBody } from "./body.ts";
import { clientErrors } from "./errors.ts";
import { type Place, unexpected } from "./pull.ts";
import type { Followed } from "./redirects.ts";

/** Most bytes of one page, and most pages of one list. */
export const MAX_PAGE_BYTES = 8 * 1024 * 1024;
const MAX_PAGES = 1000;
const MAX_TAGS = 1_000_000;

/**
 * The pages of a list, by their Link headers, which stay at the list's own path. Ends before a page that is not there.
 * @throws OCI_CLIENT_LIST_MALFORMED | OCI_CLIENT_LIST_TOO_LONG, and what asking throws
 */
export async function* pages(
  { session, repository }: Place,
  first: string,
): AsyncGenerator<{ answer: Followed; bytes: Buffer }> {
  const origin = await session.origin();
  let next: URL | undefined = new URL(first, origin);
  const seen = new Set<string>();
  while (next !== undefined) {
    if (seen.has(next.href)) throw malformed(session.registry, "a page that leads back");
    if (seen.size === MAX_PAGES) {
      throw clientErrors.make(
        "OCI_CLIENT_LIST_TOO_LONG",
        `expected at most ${MAX_PAGES} pages of ${session.registry}, found more`,
      );
    }
    seen.add(next.href);
    const answer: Followed = await session.ask({ method: "GET", path: next, repository, scopes: ["pull"] });
    if (answer.status === 404 && seen.size === 1) {
      dropBody(answer.message);
      return;
    }
    if (answer.status !== 200) {
      dropBody(answer.message);
      throw unexpected(session, answer.status, "a list");
    }
    yield { answer, bytes: await readBody(answer.message, MAX_PAGE_BYTES, "a list") };
    next = nextPage(answer.headers.link, next, session.registry);
  }
}

/** `<ADDRESS>; rel="next"` (RFC 8288), of the same path. */
function nextPage(link: string | undefined, from: URL, registry: string): URL | undefined {
  if (link === undefined) return undefined;
  const [, address] = /^\s*<([\x21-\x3b\x3d\x3f-\x7e]{1,8000})>\s*;\s*rel="?next"?\s*$/i.exec(link) ?? [];
  const to = address === undefined ? null : URL.parse(address, from.href);
  if (to === null || to.origin !== from.origin || to.pathname !== from.pathname) {
    throw malformed(registry, `the Link ${JSON.stringify(link.slice(0, 80))}`);
  }
  return to;
}

const malformed = (registry: string, found: string) =>
  clientErrors.make("OCI_CLIENT_LIST_MALFORMED", `expected a list of ${registry}, found ${found}`);

/** Tags in the registry's order; none when there is no such repository. @throws OCI_CLIENT_LIST_… ; SPEC C11 */
export async function* listTags(place: Place): AsyncGenerator<string> {
  const { registry } = place.session;
  let count = 0;
  for await (const { bytes } of pages(place, `/v2/${place.repository}/tags/list?n=1000`)) {
    let tags: Json | undefined;
    try {
      tags = (parseJson(bytes, { maxDepth: 4 }) as { readonly [name: string]: Json }).tags;
    } catch (cause) {
      throw clientErrors.make("OCI_CLIENT_LIST_MALFORMED", `expected JSON of ${registry}, found something else`, {
        cause,
      });
    }
    for (const tag of tags === null ? [] : Array.isArray(tags) ? tags : [undefined]) {
      if (typeof tag !== "string" || !/^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/.test(tag)) {
        throw malformed(registry, `the tag ${JSON.stringify(tag)?.slice(0, 80)}`);
      }
      if (++count > MAX_TAGS)
        throw clientErrors.make("OCI_CLIENT_LIST_TOO_LONG", `expected at most ${MAX_TAGS} tags, found more`);
      yield tag;
    }
  }
}
