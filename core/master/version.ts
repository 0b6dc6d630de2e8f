/** `1.12.0`, with an optional pre-release and build label after `-` and `+`. */
const FORM = /^(\d+)\.(\d+)(?:\.(\d+))?(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/;

/** The three numbers of a version; undefined for a text that is not a version. */
export function parseVersion(
  text: string,
): readonly [major: number, minor: number, patch: number] | undefined {
  const match = FORM.exec(text);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)];
}

/** Whether the version is at least the other one; labels do not count. */
export function isAtLeast(text: string, minimum: string): boolean {
  const version = parseVersion(text);
  const bound = parseVersion(minimum);
  if (version === undefined || bound === undefined) return false;
  for (let i = 0; i < version.length; i++) {
    if (version[i] !== bound[i]) return version[i]! > bound[i]!;
  }
  return true;
}
