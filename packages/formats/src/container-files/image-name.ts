/** What an image is named by, read as clients do: leniently, since a lint judges what people write. */
export interface ImageName {
  readonly name: string;
  readonly tag: string | undefined;
  /** As written after `@`. */
  readonly digest: string | undefined;
}

const MAX_NAME = 1024;
const digestText = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/** Reads `[HOST[:PORT]/]NAME[:TAG][@DIGEST]`; undefined for what names no image. */
export function readImageName(text: string): ImageName | undefined {
  const plain = text.trim();
  if (plain === "" || plain.length > MAX_NAME || /[\s"'<>|\\^]/.test(plain)) return undefined;
  const at = plain.indexOf("@");
  const named = at === -1 ? plain : plain.slice(0, at);
  const colon = named.lastIndexOf(":");
  const hasTag = colon > named.lastIndexOf("/");
  const name = hasTag ? named.slice(0, colon) : named;
  if (name === "") return undefined;
  return {
    name,
    tag: hasTag ? named.slice(colon + 1) : undefined,
    digest: at === -1 ? undefined : plain.slice(at + 1),
  };
}

/** True when a digest is one of those that pin an image. */
export function isImageDigest(text: string): boolean {
  return digestText.test(text);
}

/** Last part of a name: `golang` of `mirror.example/library/golang`. */
export function familyName(name: string): string {
  return name.slice(name.lastIndexOf("/") + 1).toLowerCase();
}

/** Images that are there to build with. */
export function isToolchainImage({ name, tag = "" }: ImageName): boolean {
  const family = familyName(name);
  if (/^(?:golang|go-toolset|rust|gcc|maven|gradle|sbt|swift|haskell|buildpack-deps|emsdk|dart|elixir)$/.test(family)) {
    return true;
  }
  return /(?:^|-)(?:sdk|devel|builder)(?:-|$)/.test(`${family}-${tag}`) || /jdk/.test(`${family} ${tag}`);
}

/** The operating system that a well-known name stands for. */
export function baseSystem({ name, tag = "" }: ImageName): string | undefined {
  const all = `${familyName(name)}:${tag.toLowerCase()}`;
  if (/alpine|wolfi|chainguard/.test(all)) return /wolfi|chainguard/.test(all) ? "wolfi" : "alpine";
  if (/ubuntu|jammy|noble|focal/.test(all)) return "ubuntu";
  if (/debian|bookworm|bullseye|trixie|distroless|slim/.test(all)) return "debian";
  if (/fedora/.test(all)) return "fedora";
  if (/\bubi\d|centos|rocky|alma|rhel/.test(all)) return "enterprise linux";
  if (/opensuse|\bsles?\b|bci-/.test(all)) return "suse";
  return undefined;
}
