import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { Ajv } from "ajv";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { isIriReference } from "./iri.ts";
import { isMoment } from "./moment.ts";

/** Official schemas that JSON documents are held against. */
export type SchemaName = "bom-1.6" | "bom-1.7" | "spdx-2.3" | "spdx-3.0.1";

const folder = new URL("testdata/schemas/", import.meta.url);
const compiled = new Map<SchemaName, ValidateFunction>();

/** What the official schema finds wrong with a JSON document; empty when it is valid. */
export function schemaFaults(name: SchemaName, document: unknown): readonly string[] {
  const validate = compiled.get(name) ?? compile(name);
  compiled.set(name, validate);
  if (validate(document)) return [];
  return (validate.errors ?? []).map(
    (error) => `${error.instancePath} ${error.message ?? ""} ${JSON.stringify(error.params)}`,
  );
}

/** True where xmllint is installed. */
export const hasXmllint = spawnSync("xmllint", ["--version"]).status === 0;

/** What the official XML schema of CycloneDX 1.6 finds wrong. */
export function xmlSchemaFaults(document: Uint8Array): string {
  const directory = mkdtempSync(join(tmpdir(), "touchmark-xsd-"));
  try {
    writeFileSync(join(directory, "spdx.xsd"), content("spdx.xsd"));
    writeFileSync(
      join(directory, "bom.xsd"),
      content("bom-1.6.xsd").replace('schemaLocation="http://cyclonedx.org/schema/spdx"', 'schemaLocation="spdx.xsd"'),
    );
    writeFileSync(join(directory, "bom.xml"), document);
    execFileSync("xmllint", ["--nonet", "--huge", "--noout", "--schema", "bom.xsd", "bom.xml"], {
      cwd: directory,
      stdio: "pipe",
    });
    return "";
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Licence identifiers that CycloneDX allows. */
export function licenceIdsOfSchema(): readonly string[] {
  return (json("spdx") as { readonly enum: readonly string[] }).enum;
}

function compile(name: SchemaName): ValidateFunction {
  const options = { strict: false, allErrors: false, validateFormats: true };
  const ajv = name === "spdx-3.0.1" ? new Ajv2020(options) : new Ajv(options);
  ajv.addFormat("iri-reference", isIriReference);
  ajv.addFormat("date-time", isMoment);
  for (const format of ["idn-email", "email", "uri", "date"]) ajv.addFormat(format, true);
  if (name.startsWith("bom")) {
    for (const part of ["spdx", "jsf-0.82", "cryptography-defs"]) ajv.addSchema(json(part));
  }
  return ajv.compile(json(name));
}

function json(name: string): object {
  return JSON.parse(content(`${name}.schema.json`)) as object;
}

function content(name: string): string {
  return gunzipSync(readFileSync(new URL(`${name}.gz`, folder))).toString("utf8");
}
