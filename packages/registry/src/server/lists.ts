import { isDigest } from "@touchmark/core";
import {
  checkMediaType,
  checkRepositoryName,
  checkTag,
  type Descriptor,
  mediaTypes,
  readDigest,
} from "@touchmark/formats/oci";
import { answerBytes, answerJson, type Fields } from "./answer.ts";
import { registryServerErrors } from "./errors.ts";
import type { Exchange } from "./exchange.ts";
import { listLimit, referrersBytes, referrersLimit } from "./limits.ts";
import { invalidQuery, pageSize, parameter } from "./query.ts";

/** GET of the tags of a repository (distribution-spec 1.1, "Listing Tags"). */
export async function listTags(exchange: Exchange, repository: string): Promise<void> {
  const { query, service } = exchange;
  const size = pageSize(query, listLimit);
  const last = lastName(query, checkTag);
  const page = { limit: size + 1, ...(last === undefined ? {} : { after: last }) };
  const found = await service.backend.tags.list(repository, page);
  if (found === undefined) {
    throw registryServerErrors.make("REGISTRY_REPOSITORY_UNKNOWN", `there is nothing of ${repository}`);
  }
  const tags = found.slice(0, size);
  await answerJson(exchange, { name: repository, tags }, nextPage(exchange, `${repository}/tags/list`, found, tags));
}

/** GET of the repositories that the caller may pull from. */
export async function listRepositories(exchange: Exchange): Promise<void> {
  const { query, service, caller } = exchange;
  const size = pageSize(query, listLimit);
  const shown: string[] = [];
  let after = lastName(query, checkRepositoryName);
  while (shown.length <= size) {
    const limit = Math.max(size + 1, 100);
    const found = await service.backend.repositories({ limit, ...(after === undefined ? {} : { after }) });
    for (const name of found) if (caller.sees?.(name) ?? caller.may("pull", name)) shown.push(name);
    after = found.at(-1);
    if (found.length < limit) break;
  }
  const repositories = shown.slice(0, size);
  await answerJson(exchange, { repositories }, nextPage(exchange, "_catalog", shown, repositories));
}

function lastName(query: URLSearchParams, check: (text: string) => string): string | undefined {
  const last = parameter(query, "last");
  if (last === undefined || last === "") return undefined;
  try {
    return check(last);
  } catch (cause) {
    throw invalidQuery(`expected last to be a name of this list, found ${JSON.stringify(last.slice(0, 60))}`, cause);
  }
}

function nextPage(exchange: Exchange, path: string, found: readonly string[], shown: readonly string[]): Fields {
  const last = shown.at(-1);
  if (found.length <= shown.length || last === undefined) return [];
  return linkTo(exchange, path, { n: String(shown.length), last });
}

/** GET of what refers to a manifest (distribution-spec 1.1, "Listing Referrers"). Never 404: the API is always there. */
export async function listReferrers(exchange: Exchange, repository: string, reference: string): Promise<void> {
  const { query, service } = exchange;
  const subject = readDigest(reference);
  const filter = parameter(query, "artifactType");
  const artifactType = filter === undefined || filter === "" ? undefined : readFilter(filter);
  const after = parameter(query, "last");
  if (after !== undefined && !isDigest(after)) throw invalidQuery("expected last to be a digest");
  const size = Math.max(1, pageSize(query, referrersLimit));
  const found = await service.backend.manifests.referrers(repository, subject, {
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(after === undefined ? {} : { after }),
    limit: size + 1,
  });
  const texts = fitting(found.slice(0, size));
  const body = `{"schemaVersion":2,"mediaType":"${mediaTypes.index}","manifests":[${texts.join(",")}]}`;
  const fields: Fields = ["Content-Type", mediaTypes.index];
  if (artifactType !== undefined) fields.push("OCI-Filters-Applied", "artifactType");
  const last = found[texts.length - 1];
  if (texts.length < found.length && last !== undefined) {
    const more = artifactType === undefined ? {} : { artifactType };
    fields.push(
      ...linkTo(exchange, `${repository}/referrers/${subject}`, { n: String(size), last: last.digest, ...more }),
    );
  }
  await answerBytes(exchange, 200, fields, Buffer.from(body));
}

function readFilter(text: string): string {
  try {
    return checkMediaType(text, "artifactType");
  } catch (cause) {
    throw invalidQuery(`expected artifactType to be a media type, found ${JSON.stringify(text.slice(0, 60))}`, cause);
  }
}

/** As many descriptors as fit into one answer, at least one. */
function fitting(descriptors: readonly Descriptor[]): string[] {
  const texts: string[] = [];
  let bytes = 0;
  for (const descriptor of descriptors) {
    const text = JSON.stringify(descriptor);
    bytes += Buffer.byteLength(text);
    if (bytes > referrersBytes && texts.length > 0) break;
    texts.push(text);
  }
  return texts;
}

function linkTo(exchange: Exchange, path: string, query: Readonly<Record<string, string>>): Fields {
  const text = new URLSearchParams(query).toString();
  return ["Link", `<${exchange.service.url}/v2/${path}?${text}>; rel="next"`];
}
