export { ancestorsOf, isInSubtree, isStrictSubrole, parentOf } from "./hierarchy.js";
export { validateRole, validateRoles } from "./validate.js";
