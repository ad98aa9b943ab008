import { isFactoryError } from "@touchmark/core";
import { mavenPackageUrl } from "@touchmark/formats/package-url";
import { javaErrors } from "./errors.ts";

/** Names of an artifact of Maven. */
export interface Coordinates {
  readonly group: string;
  readonly artifact: string;
  /** Empty where it is not known. */
  readonly version: string;
}

const id = /^[A-Za-z0-9_.-]{1,200}$/;
const versionForm = /^[^\u0000-\u0020"<>|*?:\\/,()[\]${}\u007f-\u009f]{1,200}$/;

/** Names that Maven accepts, or undefined. An empty version is one that is not known. */
export function coordinates(
  group: string | undefined,
  artifact: string | undefined,
  version: string | undefined,
): Coordinates | undefined {
  const [g, a, v] = [group?.trim() ?? "", artifact?.trim() ?? "", version?.trim() ?? ""];
  if (!id.test(g) || !id.test(a) || (v !== "" && !versionForm.test(v))) return undefined;
  return { group: g, artifact: a, version: v };
}

/** As messages and names show it: `group:artifact`. */
export function nameOf({ group, artifact }: Pick<Coordinates, "group" | "artifact">): string {
  return group === "" ? artifact : `${group}:${artifact}`;
}

/** @throws SBOM_JAVA_NAME */
export function purlOf(
  { group, artifact, version }: Coordinates,
  which: { readonly classifier?: string; readonly type?: string } = {},
): string {
  try {
    return mavenPackageUrl(group, artifact, version === "" ? undefined : version, which);
  } catch (cause) {
    if (!isFactoryError(cause)) throw cause;
    throw javaErrors.make("SBOM_JAVA_NAME", cause.message, { cause });
  }
}
