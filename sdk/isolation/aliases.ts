/** Older names of isolators, still understood, and what they stand for today. */
const OLD_NAMES: Readonly<Record<string, readonly string[]>> = {
  cgroups: ["cgroups/cpu", "cgroups/mem"],
  cpu: ["cgroups/cpu"],
  mem: ["cgroups/mem"],
  "posix/disk": ["disk/du"],
  process: ["posix/cpu", "posix/mem"],
};

export interface PresentIsolation {
  /** With the names of today. */
  readonly text: string;
  /** For the log: the old names and what to write instead; undefined when there are none. */
  readonly deprecation: string | undefined;
}

/** A value of `--isolation` in the names of today, each once, in the order given. */
export function presentIsolation(isolation: string): PresentIsolation {
  const names = isolation
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const old = names.filter((name) => Object.hasOwn(OLD_NAMES, name));
  const present = new Set(
    names.flatMap((name) => (Object.hasOwn(OLD_NAMES, name) ? OLD_NAMES[name]! : [name])),
  );
  return {
    text: [...present].join(","),
    deprecation:
      old.length === 0
        ? undefined
        : `deprecated names of isolators: ${old.map((name) => `'${name}' is now '${OLD_NAMES[name]!.join(",")}'`).join("; ")}`,
  };
}
