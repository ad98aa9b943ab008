import { isMap, parseDocument } from "yaml";

/** A user as the document spells one. */
export interface WrittenUser {
  readonly password: string;
  readonly grants?: Readonly<Record<string, readonly string[]>>;
}

/**
 * Sets or, without `user`, takes out a user in the text of a `registry.yaml` that was read before; everything else
 * stays as it stands, comments too. The result has to be read again, which says whether it is a valid document.
 */
export function withUser(text: string, name: string, user: WrittenUser | undefined): string {
  const document = parseDocument(text);
  const users = document.get("users");
  if (user === undefined) {
    document.deleteIn(["users", name]);
    if (isMap(users) && users.items.length === 0) document.delete("users");
  } else {
    if (!isMap(users)) document.set("users", document.createNode({}));
    document.setIn(["users", name, "password"], user.password);
    if (user.grants !== undefined) document.setIn(["users", name, "grants"], document.createNode(user.grants));
  }
  return document.toString({ lineWidth: 0 });
}
