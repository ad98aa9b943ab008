import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "@touchmark/test-kit";
import { expect, test } from "vitest";
import { clientScene, layout } from "./clients.fixture.ts";

const skopeo = findProgram("skopeo");
test.skipIf(!skopeo)("D12: skopeo copies in, out and across, inspects, lists tags and deletes", async () => {
  const { client, host, directory } = await clientScene();
  const { path, digest } = layout(directory);
  const plain = ["--insecure-policy"];
  const [from, to] = ["--src-tls-verify=false", "--dest-tls-verify=false"];
  await client(skopeo, ...plain, "copy", "--preserve-digests", to, `oci:${path}:v1`, `docker://${host}/a/b:v1`);
  const inspected = await client(skopeo, "inspect", "--tls-verify=false", `docker://${host}/a/b:v1`);
  expect(JSON.parse(inspected)).toMatchObject({ Digest: digest, Architecture: "amd64", RepoTags: ["v1"] });
  await client(
    skopeo,
    ...plain,
    "copy",
    "--preserve-digests",
    from,
    to,
    `docker://${host}/a/b:v1`,
    `docker://${host}/copy:v2`,
  );
  await client(
    skopeo,
    ...plain,
    "copy",
    "--preserve-digests",
    from,
    `docker://${host}/copy@${digest}`,
    `oci:${directory}/out:v1`,
  );
  expect(readFileSync(join(directory, "out/index.json"), "utf8")).toContain(digest);
  await client(skopeo, "delete", "--tls-verify=false", `docker://${host}/copy:v2`);
  await expect(client(skopeo, "inspect", "--tls-verify=false", `docker://${host}/copy:v2`)).rejects.toThrow(
    /unknown|no manifest/,
  );
});

const crane = findProgram("crane");
test.skipIf(!crane)("D12: crane pushes, pulls, copies, tags, lists, appends and deletes", async () => {
  const { client, host, directory } = await clientScene();
  const { path, digest } = layout(directory);
  const insecure = ["--insecure"];
  const pushed = await client(crane, "push", ...insecure, path, `${host}/a/b:v1`);
  expect(pushed).toContain(`@${digest}`);
  expect(await client(crane, "digest", ...insecure, `${host}/a/b:v1`)).toBe(digest);
  await client(crane, "cp", ...insecure, `${host}/a/b:v1`, `${host}/copy:v1`);
  await client(crane, "tag", ...insecure, `${host}/copy:v1`, "v2");
  expect(await client(crane, "ls", ...insecure, `${host}/copy`)).toBe("v1\nv2");
  expect((await client(crane, "catalog", ...insecure, host)).split("\n")).toEqual(["a/b", "copy"]);
  await client(crane, "pull", ...insecure, "--format", "oci", `${host}/copy:v2`, join(directory, "pulled"));
  expect(readFileSync(join(directory, "pulled/index.json"), "utf8")).toContain(digest);
  writeFileSync(join(directory, "more.tar"), Buffer.alloc(2048));
  await client(crane, "append", ...insecure, "-b", `${host}/copy:v2`, "-f", "more.tar", "-t", `${host}/copy:v3`);
  await client(crane, "validate", ...insecure, "--remote", `${host}/copy:v3`);
  await client(crane, "delete", ...insecure, `${host}/copy@${digest}`);
  expect(await client(crane, "ls", ...insecure, `${host}/copy`)).toBe("v3");
});

const oras = findProgram("oras");
test.skipIf(!oras)(
  "D12: oras pushes artifacts, attaches, discovers with a filter, copies with referrers, deletes",
  async () => {
    const { client, host, directory } = await clientScene();
    const plain = "--plain-http";
    writeFileSync(join(directory, "hello.txt"), "hello");
    writeFileSync(join(directory, "sbom.json"), "{}");
    await client(oras, "push", plain, "--artifact-type", "text/hello", `${host}/a:v1`, "hello.txt:text/plain");
    for (const type of ["text/sbom", "text/scan"]) {
      await client(oras, "attach", plain, "--artifact-type", type, `${host}/a:v1`, "sbom.json:application/json");
    }
    const discover = async (name: string, ...words: readonly string[]) => {
      const text = await client(oras, "discover", plain, "--format", "json", ...words, `${host}/${name}`);
      return (JSON.parse(text) as { referrers: { artifactType: string }[] }).referrers.map((each) => each.artifactType);
    };
    expect((await discover("a:v1")).toSorted()).toEqual(["text/sbom", "text/scan"]);
    expect(await discover("a:v1", "--artifact-type", "text/sbom")).toEqual(["text/sbom"]);
    const both = ["--from-plain-http", "--to-plain-http"];
    await client(oras, "cp", "-r", ...both, `${host}/a:v1`, `${host}/b:v1`);
    expect((await discover("b:v1")).toSorted()).toEqual(["text/sbom", "text/scan"]);
    await client(oras, "pull", plain, "-o", join(directory, "out"), `${host}/b:v1`);
    expect(readFileSync(join(directory, "out/hello.txt"), "utf8")).toBe("hello");
    expect(await client(oras, "repo", "tags", plain, `${host}/b`)).toBe("v1");
    await client(oras, "manifest", "delete", plain, "-f", `${host}/b:v1`);
    expect(await client(oras, "repo", "tags", plain, `${host}/b`)).toBe("");
  },
);

const regctl = findProgram("regctl");
test.skipIf(!regctl)("D12: regctl copies, lists referrers and tags, pages, and deletes a tag alone", async () => {
  const { client, host, directory, image } = await clientScene();
  const { path, digest } = layout(directory);
  await client(regctl, "registry", "set", host, "--tls", "disabled");
  await client(regctl, "image", "copy", `ocidir://${path}:v1`, `${host}/a:v1`);
  expect(await client(regctl, "image", "digest", `${host}/a:v1`)).toBe(digest);
  writeFileSync(join(directory, "note.txt"), "note");
  const put = ["artifact", "put", "--artifact-type", "text/note", "--file", "note.txt", "--subject"];
  await client(regctl, ...put, `${host}/a:v1`);
  expect(await client(regctl, "artifact", "list", `${host}/a:v1`)).toContain("text/note");
  await client(regctl, "image", "copy", "--referrers", `${host}/a:v1`, `${host}/b:v1`);
  expect(await client(regctl, "artifact", "list", `${host}/b:v1`)).toContain("text/note");
  for (const tag of ["t1", "t2", "t3"]) await image("b", tag);
  expect(await client(regctl, "tag", "ls", "--limit", "2", `${host}/b`)).toBe("t1\nt2");
  await client(regctl, "tag", "delete", `${host}/b:v1`);
  expect(await client(regctl, "manifest", "head", `${host}/b@${digest}`)).toBe(digest);
});

const cosign = findProgram("cosign");
test.skipIf(!cosign)("D12: cosign signs an image here and verifies it", async () => {
  const { client, host, image } = await clientScene();
  const { digest } = await image("signed", "v1");
  await client(cosign, "generate-key-pair");
  const name = `${host}/signed@${digest}`;
  const offline = ["--allow-insecure-registry", "--allow-http-registry"];
  const noLog = ["--tlog-upload=false", "--use-signing-config=false", "--yes"];
  await client(cosign, "sign", "--key", "cosign.key", ...noLog, ...offline, name);
  const verified = await client(
    cosign,
    "verify",
    "--key",
    "cosign.pub",
    "--insecure-ignore-tlog=true",
    ...offline,
    name,
  );
  expect(verified).toContain(digest);
});

const curl = findProgram("curl");
test.skipIf(!curl)("D12: curl resumes a broken download, and uploads after 100 Continue", async () => {
  const { client, host, directory, blob } = await clientScene();
  const content = Buffer.alloc(3_000_000, "resumable");
  const digest = await blob("a", content);
  writeFileSync(join(directory, "part"), content.subarray(0, 1_000_000));
  await client(curl, "-sSf", "-C", "-", "-o", "part", `http://${host}/v2/a/blobs/${digest}`);
  expect(readFileSync(join(directory, "part")).equals(content)).toBe(true);
  const at = `http://${host}/v2/b/blobs/uploads/?digest=${digest}`;
  const expecting = [
    "-sSf",
    "-X",
    "POST",
    "-H",
    "Expect: 100-continue",
    "-H",
    "Content-Type: application/octet-stream",
  ];
  await client(curl, ...expecting, "--data-binary", "@part", at);
  expect((await client(curl, "-sSfI", `http://${host}/v2/b/blobs/${digest}`)).split("\r\n")[0]).toBe("HTTP/1.1 200 OK");
});
