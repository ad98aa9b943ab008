import type { Digest } from "@touchmark/core";
import type { Chain } from "./common.ts";

/** A digest that shows which it is. */
export const digest = (n: number): Digest => `sha256:${n.toString(16).padStart(64, "0")}`;

/** The place of a statement in the run that the examples are of. */
export const chain: Chain = {
  run: "20261121-104231-4f1d",
  createdAt: "2026-11-21T10:42:31Z",
  predecessors: [{ name: "source", digest: digest(0xa1) }],
};
