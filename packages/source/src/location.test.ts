import { expect, test } from "vitest";
import { parseLocation } from "./location.ts";

test("C1: spellings of one repository have one URI, without credentials", () => {
  const uri = (location: string) => parseLocation(location, "/base").uri;
  expect(uri("/srv/repo")).toBe("git+file:///srv/repo");
  expect(uri("file:///srv/repo/")).toBe("git+file:///srv/repo");
  expect(uri("../srv/repo")).toBe("git+file:///srv/repo");
  expect(uri("https://Git.Example.org/a/b.git/")).toBe("git+https://git.example.org/a/b.git");
  expect(uri("git@git.example.org:a/b.git")).toBe("git+ssh://git.example.org/a/b.git");
  expect(uri("ssh://git@git.example.org:2222/a/b.git")).toBe("git+ssh://git.example.org:2222/a/b.git");
});

test.each([
  ["", "SOURCE_LOCATION_INVALID"],
  ["-oProxyCommand=touch x", "SOURCE_LOCATION_INVALID"],
  ["--upload-pack=touch x", "SOURCE_LOCATION_INVALID"],
  ["ext::sh -c touch% x", "SOURCE_TRANSPORT_REFUSED"],
  ["http://git.example.org/a", "SOURCE_TRANSPORT_REFUSED"],
  ["git://git.example.org/a", "SOURCE_TRANSPORT_REFUSED"],
  ["fd::17", "SOURCE_TRANSPORT_REFUSED"],
  ["ssh://-oProxyCommand=x/a", "SOURCE_LOCATION_INVALID"],
  ["ssh://git.example.org/-a", "SOURCE_LOCATION_INVALID"],
  ["https://user:secret@git.example.org/a", "SOURCE_LOCATION_INVALID"],
  ["https://token@git.example.org/a", "SOURCE_LOCATION_INVALID"],
  ["ssh://git:secret@git.example.org/a", "SOURCE_LOCATION_INVALID"],
  ["https://git.example.org/a?x=1", "SOURCE_LOCATION_INVALID"],
  ["https://git.example.org/", "SOURCE_LOCATION_INVALID"],
  ["file://elsewhere/a", "SOURCE_LOCATION_INVALID"],
  ["/a\nb", "SOURCE_LOCATION_INVALID"],
])("C1: %j is refused", (location, code) => {
  expect(() => parseLocation(location)).toThrow(expect.objectContaining({ code }));
  expect(() => parseLocation(location)).not.toThrow(/secret|token@/);
});
