import { imageErrors } from "../errors.ts";

/** Largest user or group number: the one above means "none" to the kernel. */
const MAX_ID = 2 ** 32 - 2;

/**
 * The user of an image in numbers, `UID:GID` or `UID`. Names are looked up in the image's own `/etc/passwd`, since whoever
 * enforces that containers do not run as root can judge numbers alone.
 * @param names content of `etc/passwd` and `etc/group`
 * @throws IMAGE_ROOT_USER | IMAGE_USER_UNKNOWN
 */
export function imageUser(user: string | undefined, names: ReadonlyMap<string, string>, allowRoot: boolean): string {
  const [name = "", group, ...rest] = (user ?? "").split(":");
  if (rest.length > 0) throw unknown(user ?? "", "UID[:GID] or a name");
  if (name === "") {
    if (!allowRoot) throw rootUser("none, which means root");
    return "";
  }
  const entry = fieldsOf(names.get("etc/passwd"), name);
  const uid = number(name) ?? number(entry?.[2]);
  if (uid === undefined) throw unknown(name, "a number, or a name in /etc/passwd");
  if (uid === 0 && !allowRoot) throw rootUser(JSON.stringify(user));
  const gid =
    group === undefined ? number(entry?.[3]) : (number(group) ?? number(fieldsOf(names.get("etc/group"), group)?.[2]));
  if (group !== undefined && gid === undefined) throw unknown(group, "a number, or a name in /etc/group");
  return gid === undefined ? `${uid}` : `${uid}:${gid}`;
}

function fieldsOf(file: string | undefined, name: string): readonly string[] | undefined {
  const line = file?.split("\n").find((candidate) => candidate.startsWith(`${name}:`));
  return line?.split(":");
}

function number(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined;
  const value = Number(text);
  return value <= MAX_ID ? value : undefined;
}

function rootUser(found: string): Error {
  return imageErrors.make("IMAGE_ROOT_USER", `expected a user other than root, found ${found}`);
}

function unknown(found: string, expected: string): Error {
  return imageErrors.make("IMAGE_USER_UNKNOWN", `expected ${expected}, found ${JSON.stringify(found.slice(0, 80))}`);
}
