import { expect, test } from "vitest";
import { type ContainerRule, containerRules, lintContainerFiles, lintRulesPage } from "./index.ts";

const pin = `@sha256:${"ab".repeat(32)}`;
const labels =
  "LABEL org.opencontainers.image.source=x org.opencontainers.image.revision=y org.opencontainers.image.licenses=MIT";
/** A recipe in which nothing is wrong, with further lines in its last stage. */
const recipe = (lines: string, before = "") => `${before}FROM debian:12${pin}\n${labels}\n${lines}\nUSER 1000\n`;
const found = (path: string, text: string) =>
  lintContainerFiles([{ path, text }]).findings.map(({ severity, rule }) => `${severity} ${rule}`);
const pod = (spec: string) => `apiVersion: v1\nkind: Pod\nspec: ${spec}\n`;
const service = (text: string) => `services:\n  a: ${text}\n`;

const D = "Dockerfile";
const cases: readonly (readonly [rule: ContainerRule, severity: string, path: string, text: string])[] = [
  ["from-without-digest", "error", D, "FROM debian:12\n"],
  ["from-without-digest", "error", D, "ARG TAG=12\nFROM debian:${TAG}\n"],
  ["from-without-digest", "error", D, recipe("COPY --from=busybox:1.36 /bin/sh /bin/sh")],
  ["from-without-digest", "error", D, recipe("RUN --mount=type=bind,from=tools:1,target=/t /t/run")],
  ["image-without-digest", "error", "compose.yaml", service("{ image: web:1 }")],
  ["image-without-digest", "error", "k.yaml", pod("{ containers: [{ image: web:1 }] }")],
  ["image-without-digest", "error", "k.yaml", pod("{ initContainers: [{ image: web:1 }] }")],
  ["image-without-digest", "error", "k.yaml", pod("{ ephemeralContainers: [{ image: web:1 }] }")],
  ["image-without-digest", "error", "k.yaml", pod("{ volumes: [{ image: { reference: web:1 } }] }")],
  ["image-without-digest", "note", "k.yaml", "apiVersion: e.org/v1\nkind: Thing\nspec: { a: [{ image: web:1 }] }\n"],
  ["latest-tag", "warning", D, "FROM debian\n"],
  ["latest-tag", "warning", "compose.yaml", service("{ image: web:latest }")],
  ["digest-malformed", "error", D, "FROM debian@sha256:abc\n"],
  ["image-unresolved", "warning", D, "ARG BASE\nFROM $BASE\n"],
  ["image-unresolved", "warning", "compose.yaml", service('{ image: "${IMAGE}" }')],
  ["syntax-without-digest", "warning", D, recipe("", "# syntax=docker/dockerfile:1\n")],
  ["image-pull-policy", "note", "k.yaml", pod("{ containers: [{ image: web:1, imagePullPolicy: Always }] }")],
  ["several-base-systems", "note", D, recipe("", `FROM alpine:3.20${pin} AS a\n`)],
  ["os-upgrade", "error", D, recipe("RUN apt-get update && apt-get -y dist-upgrade")],
  ["os-upgrade", "error", D, recipe("RUN apk upgrade --no-cache")],
  ["os-upgrade", "error", D, recipe("RUN dnf -y update")],
  ["os-upgrade", "error", D, recipe('RUN ["/bin/sh", "-c", "yum upgrade -y"]')],
  ["unpinned-package", "warning", D, recipe("RUN apt-get update && apt-get install -y curl")],
  ["unpinned-package", "warning", D, recipe("RUN apk add --no-cache curl")],
  ["unlocked-install", "warning", D, recipe("RUN npm install --ignore-scripts && npm cache clean --force")],
  ["unlocked-install", "warning", "Makefile", "all:\n\tpip install -r requirements.txt\n"],
  ["install-scripts", "warning", D, recipe("RUN npm ci")],
  ["install-scripts", "warning", "install.sh", "#!/bin/sh\npython3 setup.py install\n"],
  ["unrecorded-argument", "warning", D, recipe("ARG FEATURES\nRUN ./configure $FEATURES")],
  ["metadata-in-argument", "warning", D, recipe("ARG GIT_COMMIT")],
  ["missing-label", "warning", D, `FROM debian:12${pin}\nUSER 1\n`],
  ["lost-label", "note", D, recipe("COPY --from=b /a /a", `FROM debian:12${pin} AS b\nLABEL toolchain=x\n`)],
  ["broad-copy", "warning", D, recipe("COPY . .")],
  ["broad-copy", "note", D, recipe("", `FROM debian:12${pin} AS b\nCOPY ./ /src\n`)],
  ["add-instead-of-copy", "note", D, recipe("ADD app.conf /etc/")],
  ["add-without-checksum", "error", D, recipe("ADD https://example.org/a.tgz /opt/")],
  ["add-without-checksum", "error", D, recipe("ADD https://example.org/a.git#main /src")],
  ["compiler-in-final-stage", "warning", D, recipe("RUN apt-get update && apt-get install -y gcc=12")],
  ["compiler-in-final-stage", "warning", D, `FROM golang:1${pin}\n${labels}\nUSER 1\n`],
  ["cache-left", "note", D, recipe("RUN apt-get update && apt-get install -y curl=8")],
  ["stale-package-lists", "warning", D, recipe("RUN apt-get update\nRUN apt-get install -y curl=8")],
  ["mutable-build-cache", "note", D, recipe("RUN --mount=type=cache,target=/c make-it")],
  ["secret-in-variable", "error", D, recipe("ARG NPM_TOKEN")],
  ["secret-in-variable", "error", D, recipe("ENV DB_PASSWORD=hunter2")],
  ["secret-in-variable", "error", "compose.yaml", service("{ environment: [API_KEY=abc] }") + "  b: { build: . }\n"],
  ["credential-in-file", "error", D, recipe("ENV REMOTE=https://user:hunter22@git.example.org")],
  ["secret-file-copied", "error", D, recipe("COPY .env /app/")],
  ["secret-file-copied", "error", D, recipe('COPY ["keys/id_rsa", "/root/"]')],
  ["pipe-to-shell", "error", D, recipe("RUN curl -sSf https://example.org/i | sh")],
  ["pipe-to-shell", "error", D, recipe('RUN bash -c "$(wget -qO- https://example.org/i)"')],
  ["pipe-to-shell", "error", "Makefile", "V := $(shell curl -s https://example.org/i | sh)\n"],
  ["hidden-pull", "warning", "Makefile", "IMG = tools:1\nall:\n\t@docker run --rm $(IMG) build\n"],
  ["hidden-pull", "note", "a.sh", 'docker run --rm --link "$c:x" "$image" curl -f x\n'],
  ["hidden-build", "note", "Makefile", "all:\n\tdocker build -t a .\n"],
  ["download-without-checksum", "warning", D, recipe("RUN curl -fsSLO https://example.org/a")],
  ["clone-without-commit", "warning", D, recipe("RUN git clone https://example.org/a.git")],
  ["runs-as-root", "warning", D, `FROM debian:12${pin}\n${labels}\n`],
  ["runs-as-root", "warning", D, `FROM debian:12${pin}\n${labels}\nUSER 0:0\n`],
  ["privileged", "error", "k.yaml", pod("{ containers: [{ securityContext: { privileged: true } }] }")],
  ["host-path", "warning", "k.yaml", pod("{ volumes: [{ hostPath: { path: /var/lib } }] }")],
  ["host-namespace", "warning", "k.yaml", pod("{ hostNetwork: true }")],
  ["container-socket", "error", "compose.yaml", service(`{ image: a${pin}, volumes: ["/var/run/docker.sock:/s"] }`)],
  ["file-unread", "error", D, "FORM debian\n"],
  ["suppression-invalid", "error", D, recipe("# touchmark-ignore: broad-copy\nCOPY . .")],
  ["suppression-unused", "note", D, recipe("# touchmark-ignore: os-upgrade not any more\nRUN true")],
];

test.each(cases.map(([rule, severity, path, text]) => ({ rule, severity, path, text })))(
  "F1: $rule is found ($severity): $text",
  ({ rule, severity, path, text }) => {
    const { findings } = lintContainerFiles([{ path, text }]);
    expect(findings.map((each) => `${each.severity} ${each.rule}`)).toContain(`${severity} ${rule}`);
    for (const each of findings) {
      expect(each.line).toBeGreaterThan(0);
      expect(each.column).toBeGreaterThan(0);
      expect(each.line).toBeLessThanOrEqual(text.split("\n").length);
    }
  },
);

test("F1: every rule has a case, and a section on the page with its practice", () => {
  expect([...new Set(cases.map(([rule]) => rule))].sort()).toEqual(Object.keys(containerRules).sort());
  const page = lintRulesPage();
  for (const [id, { practice, fix, why }] of Object.entries(containerRules)) {
    expect(page).toContain(`### ${id}\n`);
    for (const part of [practice, fix, why]) expect(page).toContain(part);
  }
});

test.each([
  [D, recipe("RUN true")],
  [D, `ARG BASE=debian:12${pin}\nFROM --platform=$BUILDPLATFORM \${BASE} AS b\nFROM b\n${labels}\nUSER app\n`],
  [D, `FROM golang:1${pin} AS build\nRUN go build ./...\nFROM scratch\n${labels}\nCOPY --from=build /a /a\nUSER 1\n`],
  [D, recipe("RUN --mount=type=secret,id=token ./fetch")],
  [D, recipe("ARG FEATURES\nLABEL build.argument.FEATURES=$FEATURES\nRUN ./configure $FEATURES")],
  [D, recipe("RUN apt-get update && apt-get install -y curl=8.1 && rm -rf /var/lib/apt/lists/*")],
  [D, recipe("RUN apk add --no-cache curl=8.1-r0")],
  [D, recipe("RUN curl -fsSLO https://example.org/a && echo 'x  a' | sha256sum -c -")],
  [D, recipe(`RUN git clone https://example.org/a && git -C a checkout ${"ab".repeat(20)}`)],
  [D, recipe(`ADD --checksum=sha256:${"ab".repeat(32)} https://example.org/a.tgz /opt/`)],
  [D, recipe(`ADD https://example.org/a.git#${"ab".repeat(20)} /src`)],
  [D, recipe("RUN apk add --no-cache make=4 && make all && apk del make")],
  ["Dockerfile.template", "{% if x %}\nnot yet a recipe\n"],
  [D, recipe("HEALTHCHECK CMD curl -f http://localhost/")],
  [D, recipe("RUN npm ci --ignore-scripts && npm cache clean --force")],
  [D, recipe("ENV TOKEN_FILE=/run/secrets/token")],
  [
    "compose.yaml",
    `services:\n  a: { image: "web:1${pin}", volumes: ["./a:/a", "named:/b"] }\n  b: { build: ., image: mine }\n`,
  ],
  ["k.yaml", pod(`{ containers: [{ image: "web:1${pin}", imagePullPolicy: IfNotPresent }] }`)],
  ["Makefile", `all: build\n\t@docker run tools${pin} && npm ci --ignore-scripts\nbuild:\n\tgo build ./...\n`],
])("F2: good practice is left alone: %s", (path, text) => {
  expect(found(path, text)).toEqual([]);
});

test("F3: a comment with a reason sets a finding aside, which is shown all the same", () => {
  const text = recipe(
    "# touchmark-ignore: os-upgrade,unpinned-package the fix is not in the base yet\nRUN apt-get upgrade && \\\n  apt-get update && apt-get install x && rm -rf /var/lib/apt/lists/*",
  );
  const { findings } = lintContainerFiles([{ path: D, text }]);
  expect(findings.map(({ rule, suppressed }) => [rule, suppressed])).toEqual([
    ["os-upgrade", "the fix is not in the base yet"],
    ["unpinned-package", "the fix is not in the base yet"],
  ]);
  const beside = pod("{ containers: [{ image: web:1 }] } # touchmark-ignore: image-without-digest made here");
  expect(lintContainerFiles([{ path: "k.yaml", text: beside }]).findings[0]?.suppressed).toBe("made here");
});

test("F3: a comment without a reason, for no rule, or for another line sets nothing aside", () => {
  for (const comment of [
    "# touchmark-ignore: broad-copy",
    "# touchmark-ignore: broad-cop why",
    "# touchmark-ignore: file-unread x",
  ]) {
    expect(found(D, recipe(`${comment}\nCOPY . .`))).toEqual(["error suppression-invalid", "warning broad-copy"]);
  }
  expect(found(D, recipe("# touchmark-ignore: broad-copy why\nRUN true\nCOPY . ."))).toEqual([
    "note suppression-unused",
    "warning broad-copy",
  ]);
  const message = lintContainerFiles([{ path: D, text: recipe("# touchmark-ignore: broad-cop why\nRUN true") }])
    .findings[0]?.message;
  expect(message).toContain("did you mean broad-copy?");
});
