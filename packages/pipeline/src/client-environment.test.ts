import { expect, test } from "vitest";
import { clientEnvironment, FILTERED, filterEnvironment } from "./client-environment.ts";

test("R7: proxy, certificate and index settings are chosen, nothing else of the user's environment is", () => {
  const chosen = clientEnvironment({
    HTTPS_PROXY: "http://proxy.test:3128",
    HOME: "/home/u",
    AWS_SECRET: "x",
    PIP_CERT: "",
  });
  expect(chosen).toEqual({ HTTPS_PROXY: "http://proxy.test:3128" });
});

test("R8: secrets are filtered by name, by shape and out of URLs", () => {
  const jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl";
  expect(
    filterEnvironment({
      CI: "1",
      NPM_TOKEN: "abc",
      DB_PASSWORD: "hunter2",
      HARMLESS: jwt,
      HTTPS_PROXY: "http://user:pass@proxy.test:3128",
    }),
  ).toEqual({
    CI: "1",
    DB_PASSWORD: FILTERED,
    HARMLESS: FILTERED,
    HTTPS_PROXY: "http://proxy.test:3128",
    NPM_TOKEN: FILTERED,
  });
});
