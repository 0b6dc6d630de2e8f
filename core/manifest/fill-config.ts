import type { z } from "zod";
import type { Origin } from "../flags/assignment.js";
import type { EffectiveSetting } from "../flags/effective-settings.js";
import { configFields } from "../kernel/check-config.js";
import { pathKey } from "./references.js";

export interface FilledConfig {
  readonly config: Readonly<Record<string, unknown>>;
  /** Origins of the filled fields, by path within the config. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** Fields left empty because the flag of the same name has no value. */
  readonly unsetFlags: ReadonlySet<string>;
  /** Flags without the intended effect, each as the rest of a sentence about the plugin. */
  readonly warnings: readonly string[];
}

/**
 * A field of a plugin's config that is named like a flag takes the daemon's setting of that name, unless the manifest gives it a value. So
 * a flag reaches every plugin that knows it, third-party ones included.
 */
export function fillConfig(options: {
  readonly schema: z.ZodType | undefined;
  readonly given: Readonly<Record<string, unknown>> | undefined;
  readonly settings: ReadonlyMap<string, EffectiveSetting>;
}): FilledConfig {
  const config: Record<string, unknown> = { ...options.given };
  const origins = new Map<string, Origin>();
  const warnings: string[] = [];
  const unsetFlags = new Set<string>();
  for (const field of configFields(options.schema)) {
    const setting = options.settings.get(field);
    if (setting?.value === undefined) {
      if (setting !== undefined && !Object.hasOwn(config, field)) unsetFlags.add(field);
    } else if (!Object.hasOwn(config, field)) {
      config[field] = setting.value;
      origins.set(pathKey([field]), setting.origin);
    } else if (isExplicit(setting.origin) && config[field] !== setting.value) {
      warnings.push(
        `config.${field} keeps the value of the manifest, not the one of ${setting.origin.where}`,
      );
    }
  }
  return { config, origins, unsetFlags, warnings };
}

const isExplicit = ({ kind }: Origin): boolean => kind !== "default" && kind !== "manifest";
