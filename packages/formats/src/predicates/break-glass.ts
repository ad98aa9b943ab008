import { chainMembers, name, prose, time } from "./common.ts";
import { described, list, type Of, object, optional, text } from "./shape.ts";

/**
 * break-glass/v1: somebody lets one artifact run somewhere although policies deny it, for a while. Its subject is the
 * artifact; nothing is permitted by pattern.
 */
export const breakGlass = object({
  ...chainMembers,
  id: described("By which it is shown and ended.", text({ pattern: /^[a-z0-9]+(-[a-z0-9]+)*$/, max: 64 })),
  namespaces: described(
    "Where it counts, each as a whole; `*` alone: everywhere. An empty text: where there are no namespaces.",
    list(text({ max: 256, empty: true }), { min: 1, max: 100 }),
  ),
  by: described("Person who answers for it.", name),
  reason: prose,
  ticket: optional(text({ max: 2048 })),
  expires: described("From then on it counts no more.", time),
});
export type BreakGlass = Of<typeof breakGlass>;
