import { arithmetic } from "./arithmetic.ts";
import { conversions } from "./conversions.ts";
import { encoders } from "./encoders.ts";
import { lists } from "./lists.ts";
import { math } from "./math.ts";
import type { Native } from "./native.ts";
import { optionals } from "./optionals.ts";
import { relations } from "./relations.ts";
import { sets } from "./sets.ts";
import { strings } from "./strings.ts";
import { times } from "./times.ts";

/** Every function of the language, by name and number of arguments. */
export const functions: ReadonlyMap<string, Native> = new Map([
  ...arithmetic,
  ...relations,
  ...conversions,
  ...strings,
  ...math,
  ...lists,
  ...sets,
  ...optionals,
  ...encoders,
  ...times,
]);

/** Names without their number of arguments, for those who misspell one. */
export const functionNames: ReadonlySet<string> = new Set(
  [...functions.keys()].map((key) => key.slice(0, key.lastIndexOf("/"))),
);
