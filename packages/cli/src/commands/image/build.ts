import { isFactoryError } from "@touchmark/core";
import type { RunOutcome } from "@touchmark/pipeline";
import { type Command, given, text } from "../../command.ts";
import { cliErrors } from "../../errors.ts";
import { size } from "../../output/quantity.ts";
import { showOutcome } from "../../output/run-result.ts";
import { performRun, runOptions } from "../../pipeline-run.ts";
import { command as exporting } from "./export.ts";

/** `touchmark image build`: the images of a pipeline. */
export const command: Command = {
  name: "image build",
  summary: "run a pipeline for the images that it makes, and say where they are",
  description:
    "Runs the pipeline as `touchmark run` does: sealed, observed, every image with its provenance, in this factory's own registry. --output writes the image elsewhere as well.",
  arguments: [{ name: "pipeline", description: "name of a pipeline in touchmark.yaml (default: default)" }],
  options: [
    { flags: "--image <name>", description: "of a pipeline with several images, this one" },
    { flags: "--output <target>", description: "oci-dir:PATH[:TAG] or docker-archive:FILE[:NAME:TAG]; one image" },
    ...runOptions,
    { flags: "--json", description: "print the images as JSON" },
  ],
  examples: [
    ["touchmark image build", "factory:PROJECT/NAME@DIGEST of each image"],
    ["touchmark image build --image app --output docker-archive:app.tar:app:1.0", "then: docker load --input app.tar"],
  ],
  async run(invocation, terminal) {
    let made: readonly string[] = [];
    const code = await performRun(invocation, terminal, (outcome) => {
      if (outcome.status !== "succeeded" || outcome.error !== undefined) {
        showOutcome(outcome, terminal);
        return;
      }
      const images = imagesOf(outcome, text(invocation, "image"));
      made = images.map(({ reference }) => reference);
      if (given(invocation, "json")) terminal.print(JSON.stringify({ run: outcome.run, images }, undefined, 2));
      else for (const { name, reference, bytes } of images) terminal.print(`${reference}  ${name}, ${size(bytes)}`);
    });
    const to = text(invocation, "output");
    if (code !== 0 || to === undefined) return code;
    const [reference, ...others] = made;
    if (reference === undefined || others.length > 0) {
      throw cliErrors.make("CLI_USAGE", `expected one image for --output, found ${made.length}`, {
        hint: "--image says which",
      });
    }
    try {
      return await exporting.run({ arguments: [reference, to], options: {} }, terminal);
    } catch (error) {
      // The image is made, signed and kept: only the copy is missing.
      if (isFactoryError(error)) terminal.note(`the image is ${reference}; touchmark image export writes it elsewhere`);
      throw error;
    }
  },
};

function imagesOf(outcome: RunOutcome, name: string | undefined) {
  const images = outcome.artifacts.flatMap(({ name: image, kind, digest, bytes, repository }) =>
    kind === "image" && repository !== undefined
      ? [{ name: image, digest, bytes, reference: `factory:${repository}@${digest}` }]
      : [],
  );
  const chosen = images.filter((image) => name === undefined || image.name === name);
  if (chosen.length > 0) return chosen;
  const known = images.map((image) => image.name).join(", ") || "none";
  throw cliErrors.make("CLI_USAGE", `expected an image of the pipeline, found ${name ?? "none"} (it has: ${known})`);
}
