const SLASH = 47;

/** True when `role` lies strictly below `ancestor`: `a/b` below `a`, but not `a` below `a`, nor `ab` below `a`. */
export function isStrictSubrole(role: string, ancestor: string): boolean {
  return (
    role.length > ancestor.length && role.charCodeAt(ancestor.length) === SLASH && role.startsWith(ancestor)
  );
}

/** True when `role` is `ancestor` or lies below it. */
export function isInSubtree(role: string, ancestor: string): boolean {
  return role === ancestor || isStrictSubrole(role, ancestor);
}

/** The roles above `role`, nearest first: `a/b/c` has `a/b` and `a`. */
export function ancestorsOf(role: string): string[] {
  const ancestors: string[] = [];
  for (let slash = role.lastIndexOf("/"); slash >= 0; slash = role.lastIndexOf("/", slash - 1)) {
    ancestors.push(role.slice(0, slash));
    if (slash === 0) break;
  }
  return ancestors;
}

/** The role directly above, or undefined for a top-level role. */
export function parentOf(role: string): string | undefined {
  const slash = role.lastIndexOf("/");
  return slash < 0 ? undefined : role.slice(0, slash);
}
