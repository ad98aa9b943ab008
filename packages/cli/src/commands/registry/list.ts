import type { ServedBackend } from "@touchmark/pipeline/registry";
import { type Command, given } from "../../command.ts";
import { size } from "../../output/quantity.ts";
import { oneLine } from "../../terminal.ts";
import { placeOptions, withRegistryBackend } from "./place.ts";

const AT_ONCE = 1000;

/** `touchmark registry list`: what a registry holds. */
export const command: Command = {
  name: "registry list",
  summary: "repositories, tags and sizes",
  description: "Lists repositories with what they use, or the tags of one with their digests. No server is needed.",
  arguments: [{ name: "repository", description: "list the tags of this one" }],
  options: [...placeOptions, { flags: "--json", description: "machine-readable output" }],
  examples: [
    ["touchmark registry list", "repositories, with bytes, manifests and tags"],
    ["touchmark registry list team/app", "its tags, and what they point to"],
  ],
  async run(invocation, terminal) {
    const [repository] = invocation.arguments;
    const json = given(invocation, "json");
    return withRegistryBackend(invocation, terminal, async (backend) => {
      if (repository !== undefined) {
        const tags: { tag: string; digest: string }[] = [];
        for await (const tag of tagsOf(backend, repository)) {
          tags.push({ tag, digest: (await backend.tags.resolve(repository, tag)) ?? "" });
        }
        if (json) terminal.print(JSON.stringify(tags, undefined, 2));
        else for (const { tag, digest } of tags) terminal.print(`${digest}  ${oneLine(tag)}`);
        return 0;
      }
      const listed: ({ repository: string } & Awaited<ReturnType<ServedBackend["usage"]>>)[] = [];
      for await (const name of pages((after) => backend.repositories(after))) {
        listed.push({ repository: name, ...(await backend.usage(name)) });
      }
      if (json) terminal.print(JSON.stringify(listed, undefined, 2));
      for (const one of json ? [] : listed) {
        const counts = `${one.manifests} manifests, ${one.tags} tags`;
        terminal.print(`${size(one.bytes).padStart(9)}  ${oneLine(one.repository)}  (${counts})`);
      }
      if (listed.length === 0 && !json) terminal.note("the registry holds nothing yet");
      return 0;
    });
  },
};

/** @throws REGISTRY_REPOSITORY_UNKNOWN */
async function* tagsOf(backend: ServedBackend, repository: string): AsyncGenerator<string> {
  if ((await backend.tags.list(repository, { limit: 1 })) === undefined) {
    const { registryServerErrors } = await import("@touchmark/registry");
    throw registryServerErrors.make(
      "REGISTRY_REPOSITORY_UNKNOWN",
      `expected a repository, found none named ${JSON.stringify(repository.slice(0, 255))}`,
    );
  }
  yield* pages(async (page) => (await backend.tags.list(repository, page)) ?? []);
}

/** All names of a list that comes in pages. */
async function* pages(
  read: (page: { after?: string; limit: number }) => Promise<readonly string[]>,
): AsyncGenerator<string> {
  for (let after: string | undefined; ; ) {
    const names = await read({ ...(after === undefined ? {} : { after }), limit: AT_ONCE });
    yield* names;
    if (names.length < AT_ONCE) return;
    after = names.at(-1);
  }
}
