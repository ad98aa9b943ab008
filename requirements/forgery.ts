/** A bundle whose signed payload was edited: every occurrence of one text replaced by another of the same length. */
export function alterPayload(bundle: Uint8Array, from: string, to: string): Uint8Array {
  const json = JSON.parse(Buffer.from(bundle).toString("utf8")) as { dsseEnvelope: { payload: string } };
  const payload = Buffer.from(json.dsseEnvelope.payload, "base64").toString("utf8");
  if (!payload.includes(from)) throw new Error(`the payload does not hold ${from}`);
  json.dsseEnvelope.payload = Buffer.from(payload.replaceAll(from, to)).toString("base64");
  return Buffer.from(JSON.stringify(json));
}

/** A bundle without its time-stamps. */
export function withoutTimestamps(bundle: Uint8Array): Uint8Array {
  const json = JSON.parse(Buffer.from(bundle).toString("utf8")) as {
    verificationMaterial: { timestampVerificationData?: unknown };
  };
  delete json.verificationMaterial.timestampVerificationData;
  return Buffer.from(JSON.stringify(json));
}
