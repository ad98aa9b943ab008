import { type Check, expectStatus, expectThat, section } from "./check.ts";
import { digestOf, nonce, type Scene, types } from "./scene.ts";

/** Codes that the specification names ("Error Codes"). */
const codes = [
  ...["BLOB_UNKNOWN", "BLOB_UPLOAD_INVALID", "BLOB_UPLOAD_UNKNOWN", "DIGEST_INVALID", "MANIFEST_BLOB_UNKNOWN"],
  ...["MANIFEST_INVALID", "MANIFEST_UNKNOWN", "NAME_INVALID", "NAME_UNKNOWN", "SIZE_INVALID", "UNAUTHORIZED"],
  ...["DENIED", "UNSUPPORTED", "TOOMANYREQUESTS"],
];

/** One answer of each kind of refusal that is easy to have. */
async function refusals(scene: Scene) {
  const wrong = digestOf(Buffer.from(nonce()));
  await scene.pushed();
  return [
    await scene.send("GET", scene.at(`blobs/${wrong}`)),
    await scene.send("GET", scene.at(`manifests/${wrong}`)),
    await scene.send("GET", scene.at("blobs/uploads/00000000-0000-4000-8000-000000000000")),
    await scene.send("PUT", scene.at(`manifests/${wrong}`), {
      headers: { "Content-Type": types.manifest },
      body: "{}",
    }),
    await scene.send("GET", scene.at("tags/list", `${scene.repository}/none-${nonce()}`)),
  ].filter(({ headers }) => String(headers["content-type"]).startsWith("application/json"));
}

interface ErrorBody {
  readonly errors?: readonly { readonly code?: unknown; readonly message?: unknown }[];
}

export const everyAnswerChecks: readonly Check[] = section("4", "API", "every answer", [
  [
    "MUST",
    "GET /v2/ answers 200",
    async (scene) => {
      expectStatus(await scene.send("GET", "/v2/"), 200);
    },
  ],
  [
    "MUST",
    "A refusal in JSON has a list of errors",
    async (scene) => {
      for (const answer of await refusals(scene)) {
        const { errors } = JSON.parse(answer.body.toString()) as ErrorBody;
        expectThat(Array.isArray(errors) && errors.length > 0, `${answer.asked}: expected errors`);
      }
    },
  ],
  [
    "MUST",
    "Each has a code of the specification",
    async (scene) => {
      for (const answer of await refusals(scene)) {
        for (const { code } of (JSON.parse(answer.body.toString()) as ErrorBody).errors ?? []) {
          expectThat(codes.includes(String(code)), `${answer.asked}: ${String(code)} is no code of the specification`);
        }
      }
    },
  ],
  [
    "SHOULD",
    "Each has a message that people can read, or an empty one",
    async (scene) => {
      for (const answer of await refusals(scene)) {
        for (const { message } of (JSON.parse(answer.body.toString()) as ErrorBody).errors ?? []) {
          expectThat(message === undefined || typeof message === "string", `${answer.asked}: expected a text`);
        }
      }
    },
  ],
  [
    "MUST",
    "Warnings, where there are any, are 299 - without a date, of 4096 bytes at most",
    async (scene) => {
      const answers = [await scene.send("GET", "/v2/"), await scene.send("HEAD", scene.at("manifests/none"))];
      for (const { headers, asked } of answers) {
        const text = headers.warning ?? "";
        expectThat(/^(?:299 - "[^"]*"(?:, )?)*$/.test(text) && text.length <= 4096, `${asked}: found ${text}`);
      }
    },
  ],
]);
