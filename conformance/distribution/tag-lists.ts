import { type Check, expectStatus, expectThat, NotOffered, section } from "./check.ts";
import type { Answer } from "./client.ts";
import { expectList, nextOf } from "./pages.ts";
import type { Scene } from "./scene.ts";

const tagNames = ["1.0", "2.0", "alpha", "beta", "gamma"];

/** A repository with five tags, made once for a run. */
const tagged = new WeakMap<Scene, Promise<string>>();

function taggedRepository(scene: Scene): Promise<string> {
  let made = tagged.get(scene);
  if (made === undefined) {
    const repository = `${scene.repository}/tags`;
    made = (async () => {
      for (const tag of tagNames.toReversed()) await scene.pushed(tag, {}, repository);
      return repository;
    })();
    tagged.set(scene, made);
  }
  return made;
}

interface TagList {
  readonly name?: unknown;
  readonly tags?: readonly string[];
}

async function tags(scene: Scene, query = ""): Promise<{ answer: Answer; list: readonly string[] }> {
  const answer = await scene.send("GET", scene.at(`tags/list${query}`, await taggedRepository(scene)));
  expectStatus(answer, 200);
  const list = (JSON.parse(answer.body.toString()) as TagList).tags ?? [];
  return { answer, list };
}

export const tagListChecks: readonly Check[] = section("3.1", "Listing Tags", "content discovery", [
  [
    "MUST",
    "The tags of a repository answer 200",
    async (scene) => {
      await tags(scene);
    },
  ],
  [
    "MUST",
    "The body has the repository's name and its tags",
    async (scene) => {
      const { answer } = await tags(scene);
      const { name, tags: list } = JSON.parse(answer.body.toString()) as TagList;
      expectThat(name === (await taggedRepository(scene)), `expected the repository's name, found ${String(name)}`);
      expectThat(list?.length === 5, `expected five tags, found ${list?.length}`);
    },
  ],
  [
    "MUST",
    "The tags are in lexical order",
    async (scene) => {
      expectList((await tags(scene)).list, tagNames);
    },
  ],
  [
    "MUST",
    "n tags come, fewer only with a Link",
    async (scene) => {
      const { list, answer } = await tags(scene, "?n=2");
      expectThat(
        list.length === 2 || (list.length < 2 && nextOf(answer) !== undefined),
        `expected 2, found ${list.length}`,
      );
    },
  ],
  [
    "MUST",
    "The list begins at the beginning without last",
    async (scene) => {
      expectList((await tags(scene, "?n=2")).list, tagNames.slice(0, 2));
    },
  ],
  [
    "MUST",
    "With n beyond their number all tags come",
    async (scene) => {
      expectList((await tags(scene, "?n=100")).list, tagNames);
    },
  ],
  [
    "MUST",
    "With n zero none come, and no Link",
    async (scene) => {
      const { list, answer } = await tags(scene, "?n=0");
      expectList(list, []);
      expectThat(answer.headers.link === undefined, `expected no Link, found ${String(answer.headers.link)}`);
    },
  ],
  [
    "MUST",
    'A Link is spelled as RFC 5988 has it, with rel="next", and leads to the rest',
    async (scene) => {
      const found: string[] = [];
      let next: string | undefined = scene.at("tags/list?n=2", await taggedRepository(scene));
      for (let pages = 0; next !== undefined && pages < 9; pages++) {
        const answer: Answer = await scene.send("GET", next);
        found.push(...((JSON.parse(answer.body.toString()) as TagList).tags ?? []));
        next = nextOf(answer);
        if (pages === 0 && next === undefined) throw new NotOffered("no Link is given");
      }
      expectList(found, tagNames);
    },
  ],
  [
    "MUST",
    "After last come those behind it, without it",
    async (scene) => {
      expectList((await tags(scene, "?n=2&last=2.0")).list, ["alpha", "beta"]);
    },
  ],
  [
    "MUST",
    "last counts without n",
    async (scene) => {
      expectList((await tags(scene, "?last=beta")).list, ["gamma"]);
    },
  ],
]);
