import type { Answer } from "./client.ts";
import type { Scene } from "./scene.ts";

/** Workflows of distribution-spec 1.1 ("Requirements"), and what holds for every answer. */
export type Workflow = "pull" | "push" | "content discovery" | "content management" | "every answer";

/** One MUST or SHOULD that a client can see. */
export interface Check {
  /** Section and place in it, as the page numbers them. */
  readonly id: string;
  readonly level: "MUST" | "SHOULD";
  /** Heading in the text of the specification. */
  readonly section: string;
  readonly workflow: Workflow;
  /** What the specification says, in short. */
  readonly says: string;
  /** Throws when it does not hold. */
  readonly run: (scene: Scene) => Promise<void>;
}

/** Thrown when something that the specification leaves to the registry is not offered. */
export class NotOffered extends Error {}

/** Thrown when a check does not hold. */
export class Unmet extends Error {}

/** @throws Unmet unless it holds */
export function expectThat(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Unmet(message);
}

/** @throws Unmet unless the answer has one of the statuses */
export function expectStatus(answer: Answer, ...statuses: readonly number[]): void {
  expectThat(
    statuses.includes(answer.status),
    `${answer.asked.slice(0, 120)}: expected ${statuses.join(" or ")}, found ${answer.status} ${answer.body.toString().slice(0, 160)}`,
  );
}

/** @throws Unmet unless the answer has the field */
export function expectField(answer: Answer, name: string): string {
  const value = answer.headers[name.toLowerCase()];
  expectThat(typeof value === "string" && value !== "", `${answer.asked.slice(0, 120)}: expected a field ${name}`);
  return value;
}

/** Makes the checks of one section; they are numbered in their order. */
export function section(
  number: string,
  heading: string,
  workflow: Workflow,
  rows: readonly (readonly [level: Check["level"], says: string, run: Check["run"]])[],
): readonly Check[] {
  return rows.map(([level, says, run], index) => ({
    ...{ id: `${number}.${index + 1}`, level, section: heading, workflow, says, run },
  }));
}
