import type { Containerizer } from "../../../sdk/contracts/containerizer.js";
import { TepuiError } from "../../../sdk/errors/index.js";

/**
 * The containerizers in the order in which they are asked: first those that the flag names, then those that plugins contribute beyond that,
 * since somebody wanted them loaded. Throws TEPUI_CONTAINERIZER_UNKNOWN for names that no plugin contributes.
 *
 * @param flag value of `--containerizers`
 */
export function chosenContainerizers(flag: string, brought: readonly Containerizer[]): Containerizer[] {
  const names = flag
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = names.filter((name) => !brought.some((one) => one.name === name));
  if (unknown.length > 0) {
    throw new TepuiError("TEPUI_CONTAINERIZER_UNKNOWN", {
      detail: `no plugin brings ${unknown.map((name) => `'${name}'`).join(", ")}; there are ${
        brought.map(({ name }) => `'${name}'`).join(", ") || "none"
      }`,
    });
  }
  const rank = ({ name }: Containerizer): number => {
    const at = names.indexOf(name);
    return at < 0 ? names.length : at;
  };
  return [...brought].sort((a, b) => rank(a) - rank(b));
}
