import type { VerifiedStep } from "./chain-steps.ts";

/** What a whole chain leaves open, in words: nobody should take it for more than it shows. */
export function notChecked(
  { row, named }: { readonly row: { readonly kind: string }; readonly named: boolean },
  steps: readonly VerifiedStep[],
): string[] {
  const open = steps.filter((step) => step.network === "open").map((step) => step.name);
  const lossy = steps.filter((step) => !step.observed).map((step) => step.name);
  const cached = steps.filter((step) => step.cachedFrom !== undefined).map((step) => step.name);
  return [
    ...(row.kind === "image" ? ["that the layers hold the outputs which the factory says they are of"] : []),
    ...(named || row.kind === "image"
      ? []
      : ["that the artifact lies in the output of its step: the link names the tree alone"]),
    ...(open.length === 0 ? [] : [`what came through the open network of ${open.join(", ")}`]),
    ...(lossy.length === 0 ? [] : [`what the observer lost of ${lossy.join(", ")}`]),
    ...(cached.length === 0
      ? []
      : [`the earlier runs that performed ${cached.join(", ")}, beyond their own statements`]),
    "whether the source was reviewed",
    "whether anything was revoked since",
  ];
}
