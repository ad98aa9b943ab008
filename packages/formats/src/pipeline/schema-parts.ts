import { z } from "zod";
import { nearestName } from "./nearest.ts";

/** What the shapes of several documents share. */

/** Names of projects, pipelines, steps and artifacts: they stand in SPIFFE ids, file names and URLs. */
export const namePattern = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;

/** A mapping with exactly these keys; an unknown one is refused with the nearest valid name. */
export function section<Shape extends z.core.$ZodShape>(shape: Shape, meta: z.core.GlobalMeta) {
  const names = Object.keys(shape);
  return z
    .strictObject(shape, {
      error: (issue) => {
        if (issue.code !== "unrecognized_keys") return undefined;
        const parts = issue.keys.map((key) => {
          const near = nearestName(key, names);
          const meant = near === undefined ? "" : `did you mean ${JSON.stringify(near)}? `;
          return `unknown key ${JSON.stringify(key.slice(0, 80))}; ${meant}Valid keys: ${names.join(", ")}`;
        });
        return parts.join("\n");
      },
    })
    .meta(meta);
}

/** A name of a project, pipeline, step, artifact or of something configured. */
export const name = (what: string) =>
  z
    .string()
    .regex(
      namePattern,
      `PIPELINE_NAME_INVALID|expected a ${what} of 1 to 63 letters, digits, ".", "_" or "-" that begins and ends with a letter or digit`,
    );
/** Text of at most so many characters. */
export const text = (most: number) => z.string().max(most, `expected at most ${most} characters`);
