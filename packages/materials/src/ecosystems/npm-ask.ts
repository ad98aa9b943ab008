import type { AskClient, AskedUpstream } from "../ecosystem.ts";
import { askedAddress } from "./ask-address.ts";

/** Clients of the npm registry, and how each is asked for the one that it uses. */
const clients: readonly (readonly [program: string, words: readonly string[], from: string])[] = [
  ["npm", ["config", "get", "registry"], "npm config"],
  ["pnpm", ["config", "get", "registry"], "pnpm config"],
  ["yarn", ["config", "get", "registry"], "yarn config"],
  ["yarn", ["config", "get", "npmRegistryServer"], "yarn config"],
];

/** Asks npm, pnpm and yarn for their registries, and npm for those of scopes. */
export async function askNpm(ask: AskClient): Promise<readonly AskedUpstream[]> {
  const scoped = scopedRegistries((await ask("npm", ["config", "ls", "--json"])) ?? "");
  const found: AskedUpstream[] = [...scoped];
  for (const [program, words, from] of clients) {
    const answer = (await ask(program, words))?.trim().split("\n").at(-1) ?? "";
    const asked = askedAddress(answer, from);
    if (asked !== undefined && !found.some(({ url, exclusive }) => url === asked.url && exclusive.length === 0)) {
      found.push({ ...asked, exclusive: [] });
    }
  }
  return found;
}

/** `@scope:registry` settings, one upstream for each address. Their credentials are no part of what npm prints. */
function scopedRegistries(listing: string): AskedUpstream[] {
  let settings: unknown;
  try {
    settings = JSON.parse(listing);
  } catch {
    return [];
  }
  if (typeof settings !== "object" || settings === null) return [];
  const found: AskedUpstream[] = [];
  for (const [name, value] of Object.entries(settings)) {
    const scope = /^(@[^:/]+):registry$/.exec(name)?.[1];
    const asked = typeof value === "string" ? askedAddress(value, "npm config") : undefined;
    if (scope === undefined || asked === undefined) continue;
    const at = found.findIndex(({ url }) => url === asked.url);
    const before = found[at];
    if (before === undefined) found.push({ ...asked, exclusive: [`${scope}/*`] });
    else found[at] = { ...before, exclusive: [...before.exclusive, `${scope}/*`] };
  }
  return found;
}
