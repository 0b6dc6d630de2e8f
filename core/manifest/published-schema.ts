import { z } from "zod";
import type { Target } from "../../sdk/plugin/index.js";
import { DAEMON_SETTINGS } from "../flags/daemon-flags.js";
import type { FlagSpec } from "../flags/flag-spec.js";
import { manifestSchema } from "./format.js";

/** The JSON Schema of manifests, for editors: the same form that is checked, with every setting of each daemon described. */
export function publishedSchema(): unknown {
  const schema = z.discriminatedUnion("target", [variant("master"), variant("agent")]);
  const { $schema, ...body } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return { $schema, title: "Tepui manifest", ...body };
}

function variant(target: Target) {
  const settings = DAEMON_SETTINGS[target]
    .filter(({ support, name }) => support.kind !== "refused" && !["help", "version"].includes(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map((spec) => [spec.name, settingSchema(spec)] as const);
  return manifestSchema.extend({
    target: z.literal(target),
    settings: z.strictObject(Object.fromEntries(settings)).optional().meta({
      description: "The daemon's own settings, by the name of the Mesos flag. Flags win over them.",
    }),
  });
}

/** Text is always accepted, because it may be a reference; so is the natural form. */
function settingSchema(spec: FlagSpec): z.ZodType {
  // Defaults that name directories of this machine do not belong in a published file.
  const shown = spec.default === undefined || spec.default.startsWith("/") ? undefined : spec.default;
  const description = shown === undefined ? spec.meaning : `${spec.meaning} Default: ${shown || "empty"}.`;
  return z
    .union([z.string(), ...natural(spec)])
    .optional()
    .meta({ description });
}

function natural(spec: FlagSpec): z.ZodType[] {
  switch (spec.type) {
    case "bool":
      return [z.boolean()];
    case "int":
    case "uint":
    case "uint16":
      return [z.int()];
    case "double":
    case "duration":
    case "bytes":
      return [z.number()];
    case "string-set":
      return [z.array(z.string())];
    case "json":
    case "json-object":
    case "secret-json":
      return [z.record(z.string(), z.unknown())];
    default:
      return [];
  }
}
