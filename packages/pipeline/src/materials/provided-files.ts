import { generatedFiles } from "@touchmark/worker";

/** Where a step finds what the control plane made for it alone. */
const ownPlace = "/run/touchmark/";
/** Shown to a fetch step in place of the host's: the step's authority, and settings in the home of its user. */
const inPlaceOf = ["/etc/ssl/certs/ca-certificates.crt", "/home/builder/"];

/**
 * True for a file that a step saw and that is none of the host's: what every sandbox has, and what a fetch step was
 * provided with. It differs in every run, and says nothing about the host's toolchain.
 */
export function isOurs(path: string, isFetching: boolean): boolean {
  if (generatedFiles.has(path) || path.startsWith(ownPlace)) return true;
  return isFetching && inPlaceOf.some((place) => path === place || (place.endsWith("/") && path.startsWith(place)));
}
