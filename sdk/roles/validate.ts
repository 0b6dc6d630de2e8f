/** Horizontal tab to carriage return, space, and delete (which Mesos's text calls "backspace"). */
const INVALID_CHARACTERS = [0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x7f].map((code) =>
  String.fromCharCode(code),
);

/**
 * Says what is wrong with a role name, in Mesos's words, or undefined for a good one. `*` alone is good.
 *
 * Source: docs/roles.md of Mesos, "Invalid Role Names".
 */
export function validateRole(role: string): string | undefined {
  if (role === "*") return undefined;
  if (role.startsWith("/")) return `Role '${role}' cannot start with a slash`;
  if (role.endsWith("/")) return `Role '${role}' cannot end with a slash`;
  if (role.includes("//")) return `Role '${role}' cannot contain two adjacent slashes`;
  if (role === "") return "Role names cannot be the empty string";

  for (const component of role.split("/")) {
    if (component === "." || component === ".." || component === "*") {
      return `Role '${role}' cannot include '${component}' as a component`;
    }
    if (component.startsWith("-")) {
      return `Role component '${component}' is invalid because it starts with a dash`;
    }
    if (INVALID_CHARACTERS.some((character) => component.includes(character))) {
      return `Role component '${component}' is invalid because it contains backspace or whitespace`;
    }
  }
  return undefined;
}

/** The first thing wrong with any of the roles, or undefined. */
export function validateRoles(roles: Iterable<string>): string | undefined {
  for (const role of roles) {
    const problem = validateRole(role);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
