import { reading, z } from "../../sdk/plugin/index.js";
import { parseDuration } from "../../sdk/values/index.js";

/** The form of a manifest file. Values may hold `${...}` references, which are put in before plugins see them. */

const scalar = z.union([z.string(), z.number(), z.boolean()]);

const timeLimit = z.union([z.string(), z.number().positive()]).transform(reading(parseDuration)).optional();

const place = (where: "before" | "after") =>
  z
    .string()
    .min(1)
    .optional()
    .meta({ description: `Where it stands in the list: ${where} the plugin of this name.` });

export const pluginSchema = z.strictObject({
  use: z
    .string()
    .min(1)
    .meta({
      description:
        "A shipped plugin by its short name, a file by its path (./, ../ or /), or an npm package. " +
        "The name of a plugin of the manifest that this one extends: change that one.",
    }),
  as: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, "lower-case letters, digits and dashes only")
    .optional()
    .meta({
      description:
        "Another name for it: to load one plugin twice, or to take the place of the plugin of that name.",
    }),
  config: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: "The plugin's own configuration." }),
  when: z
    .record(z.string(), z.union([scalar, z.array(scalar)]))
    .optional()
    .meta({
      description:
        "Load it only when each of these settings has this value, or one of these values; '' stands for one that is not set, 'zk://*' for all that begin so, '*' for any value, and '!' before it for all others.",
    }),
  startTimeout: timeLimit.meta({ description: "Limit of its start; 10secs." }),
  stopTimeout: timeLimit.meta({ description: "Limit of its stop; 10secs." }),
  failure: z.enum(["abort", "degrade", "skip"]).optional().meta({
    description: "What happens when it cannot start: end the boot, run on without it, or leave it out.",
  }),
  disabled: z.boolean().optional().meta({ description: "Leave it out." }),
  before: place("before"),
  after: place("after"),
});

export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  target: z.enum(["master", "agent"]).meta({ description: "The daemon that this manifest makes." }),
  extends: z.string().min(1).optional().meta({
    description:
      "A manifest that this one changes: agent or master (those that ship), or a path (./, ../ or /). Its plugins come first.",
  }),
  plugins: z
    .array(z.union([z.string().min(1), pluginSchema]))
    .optional()
    .meta({ description: "What is loaded. The order is behaviour for isolators, containerizers and hooks." }),
  settings: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: "The daemon's own settings, by the name of the Mesos flag. Flags win over them." }),
});

export type ManifestPlugin = z.output<typeof pluginSchema>;
