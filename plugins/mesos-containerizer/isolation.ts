import { TepuiError } from "../../sdk/errors/index.js";
import { isolationNames } from "../../sdk/isolation/index.js";

/**
 * The flag names isolators; each is some plugin's. Throws TEPUI_ISOLATION_UNKNOWN for names that nobody brought, with how to get
 * them. Isolators that a plugin brings without being named are active too: loading them was the wish.
 */
export function checkIsolation(isolation: string, active: readonly string[]): void {
  const named = [...isolationNames(isolation)];
  const unknown = named.filter((name) => !active.includes(name));
  if (unknown.length === 0) return;
  throw new TepuiError("TEPUI_ISOLATION_UNKNOWN", {
    detail: `no plugin brings ${unknown.map((name) => `'${name}'`).join(", ")}: correct the name, or list a plugin that brings it in the manifest`,
  });
}
