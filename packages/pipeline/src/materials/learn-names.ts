import type { RunSession } from "../run-session.ts";

/** What the lockfiles of a run name is known once the run succeeded: later names are compared with these for likeness. */
export async function learnNames({ outcomes, materials }: RunSession): Promise<void> {
  const lockfiles = [...outcomes.values()].flatMap(({ fetched }) => fetched?.lockfiles ?? []);
  if (lockfiles.length > 0) (await materials()).memory.learn(lockfiles);
}
